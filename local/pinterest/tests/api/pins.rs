//! Publishing, and what is refused.

use serde_json::{Value, json};
use simulated_pinterest::{AccessTier, Environment, PinOrder, Quota};

use crate::harness::{Harness, SCOPES};

#[tokio::test]
async fn a_published_pin_can_be_read_listed_and_deleted() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let mut body = harness.image_pin("Green salad");
    body["link"] = json!("https://www.example.com/salad");

    let created = harness.post(&token, "/pins", &body).await;

    assert_eq!(created.status, 201);
    assert_eq!(created.text("created_at"), "2027-01-15T08:00:00");
    assert_eq!(created.body["media"]["images"]["600x"]["url"], "https://cdn.example.com/salad.jpg");
    assert_eq!(created.body["board_section_id"], Value::Null);
    let path = format!("/pins/{}", created.text("id"));
    assert_eq!(harness.get(&token, &path).await.body, created.body);
    let board = harness.board("Recipes");
    assert_eq!(
        harness.get(&token, &format!("/boards/{board}/pins")).await.items(),
        std::slice::from_ref(&created.body)
    );
    assert_eq!(harness.get(&token, "/pins").await.items(), std::slice::from_ref(&created.body));
    let published = &harness.pinterest.pins(Environment::Production)[0];
    assert_eq!((published.board.as_str(), published.account.as_str()), ("Recipes", "demo_account"));
    assert_eq!(harness.pinterest.pins(Environment::Sandbox), []);

    assert_eq!(harness.delete(&token, &path).await.status, 204);
    assert_eq!(harness.get(&token, &path).await.refusal(), (404, 50));
}

#[tokio::test]
async fn the_same_body_twice_makes_two_pins() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;

    harness.post(&token, "/pins", &harness.image_pin("Salad")).await;
    harness.post(&token, "/pins", &harness.image_pin("Salad")).await;

    assert_eq!(harness.pinterest.pins(Environment::Production).len(), 2);
}

#[tokio::test]
async fn carousels_and_pictures_as_data_are_published() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let mut carousel = harness.image_pin("Looks");
    carousel["media_source"] = json!({ "source_type": "multiple_image_urls", "index": 1, "items": [
        { "url": "https://cdn.example.com/1.jpg", "title": "One", "link": "https://www.example.com/1" },
        { "url": "https://cdn.example.com/2.jpg" },
    ]});
    let mut data = harness.image_pin("Data");
    data["media_source"] =
        json!({ "source_type": "image_base64", "content_type": "image/png", "data": "iVBORw0KGgo=" });

    let carousel = harness.post(&token, "/pins", &carousel).await;
    let data = harness.post(&token, "/pins", &data).await;

    assert_eq!(carousel.body["media"]["media_type"], "multiple_images");
    assert_eq!(carousel.body["media"]["items"][0]["title"], "One");
    let address = data.body["media"]["images"]["150x150"]["url"].as_str().unwrap();
    let picture = harness.client.get(address).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn a_pin_outside_the_contract_is_refused() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let image = |url: &str| json!({ "source_type": "image_url", "url": url });
    let items = |count| vec![json!({ "url": "https://cdn.example.com/1.jpg" }); count];
    let broken = [
        ("title", json!("x".repeat(101)), (400, 1)),
        ("description", json!("x".repeat(801)), (400, 1)),
        ("alt_text", json!("x".repeat(501)), (400, 1)),
        ("link", json!(format!("https://example.com/{}", "x".repeat(2048))), (400, 1)),
        ("link", json!("javascript:alert(1)"), (400, 1)),
        ("link", json!("https://unreachable.example/"), (400, 1)),
        ("dominant_color", json!("red"), (400, 1)),
        ("board_id", Value::Null, (400, 1)),
        ("board_id", json!("recipes"), (400, 1)),
        ("board_id", json!("1"), (404, 40)),
        ("board_section_id", json!("1"), (404, 2031)),
        ("media_source", Value::Null, (400, 1)),
        ("media_source", json!({ "source_type": "smell" }), (400, 1)),
        ("media_source", image("ftp://cdn.example.com/1.jpg"), (400, 1)),
        ("media_source", image("https://unreachable.example/1.jpg"), (400, 1)),
        ("media_source", json!({ "source_type": "multiple_image_urls", "items": items(1) }), (400, 1)),
        ("media_source", json!({ "source_type": "multiple_image_urls", "items": items(6) }), (400, 1)),
        (
            "media_source",
            json!({ "source_type": "image_base64", "content_type": "image/gif", "data": "R0lG" }),
            (400, 1),
        ),
        (
            "media_source",
            json!({ "source_type": "image_base64", "content_type": "image/png", "data": "data:iVBO" }),
            (400, 1),
        ),
        ("media_source", json!({ "source_type": "video_id", "media_id": "1" }), (400, 1)),
        (
            "media_source",
            json!({ "source_type": "video_id", "media_id": "1", "cover_image_key_frame_time": 0 }),
            (404, 404),
        ),
    ];

    for (field, value, refusal) in broken {
        let mut body = harness.image_pin("Salad");
        body[field] = value;

        let response = harness.post(&token, "/pins", &body).await;

        assert_eq!(response.refusal(), refusal, "{field}: {response:?}");
    }
    assert_eq!(harness.pinterest.pins(Environment::Production), []);
}

#[tokio::test]
async fn text_is_counted_in_characters_and_not_in_bytes() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;

    assert_eq!(harness.post(&token, "/pins", &harness.image_pin(&"ä".repeat(100))).await.status, 201);
}

#[tokio::test]
async fn a_pin_needs_the_scopes_of_the_contract() {
    let harness = Harness::start().await;
    let reading = SCOPES.replace("boards:write,", "");
    let token = harness.connect(Environment::Production, &reading, "demo_account").await.text("access_token");

    let response = harness.post(&token, "/pins", &harness.image_pin("Salad")).await;

    assert_eq!(response.refusal(), (401, 3));
    assert!(response.text("message").contains("scopes"));
}

#[tokio::test]
async fn trial_access_publishes_in_the_sandbox_only() {
    let harness = Harness::start().await;
    harness.pinterest.set_trial(true).unwrap();
    let token = harness.access_token().await;

    let response = harness.post(&token, "/pins", &harness.image_pin("Salad")).await;

    assert_eq!(response.refusal(), (403, 29));
    assert!(response.text("message").starts_with("Apps with Trial access may not create Pins in production"));
    let sandbox = harness.connect(Environment::Sandbox, SCOPES, "demo_account").await.text("access_token");
    let mut body = harness.image_pin("Salad");
    body["board_id"] = json!(harness.pinterest.boards(Environment::Sandbox, "demo_account")[0].id);
    let url = format!("{}/pins", harness.pinterest.sandbox_api_url());
    let response = crate::harness::send(harness.client.post(url).bearer_auth(sandbox).json(&body)).await;
    assert_eq!(response.status, 201);
}

#[tokio::test]
async fn an_app_that_is_not_approved_yet_may_do_nothing() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.change_policy(|policy| policy.access_tier = AccessTier::Pending).unwrap();

    let response = harness.get(&token, "/user_account").await;

    assert_eq!(response.refusal(), (401, 3));
    assert!(response.text("message").contains("consumer type is not supported"));
}

#[tokio::test]
async fn a_new_pin_reaches_the_lists_after_the_lag() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.change_policy(|policy| policy.lag_seconds = 30).unwrap();
    let id = harness.post(&token, "/pins", &harness.image_pin("Salad")).await.text("id");

    harness.advance(29);
    assert!(harness.get(&token, "/pins").await.items().is_empty());
    assert_eq!(harness.get(&token, &format!("/pins/{id}")).await.status, 200);
    harness.advance(1);
    assert_eq!(harness.get(&token, "/pins").await.items().len(), 1);
}

#[tokio::test]
async fn pins_are_listed_newest_first_by_default() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    for title in ["1", "2", "3", "4", "5", "6"] {
        harness.post(&token, "/pins", &harness.image_pin(title)).await;
    }
    let titles = async |path: String| -> String {
        let response = harness.get(&token, &path).await;
        response.items().iter().map(|pin| pin["title"].as_str().unwrap()).collect()
    };
    let by_board = format!("/boards/{}/pins", harness.board("Recipes"));

    assert_eq!(titles(by_board.clone()).await, "654321");
    harness.pinterest.change_policy(|policy| policy.pin_order = PinOrder::OldestFirst).unwrap();
    assert_eq!(titles(by_board.clone()).await, "123456");
    harness.pinterest.change_policy(|policy| policy.pin_order = PinOrder::Shuffled).unwrap();
    let first_order = titles(by_board.clone()).await;
    assert!(!["123456", "654321"].contains(&first_order.as_str()) && first_order.len() == 6, "{first_order}");

    let first = harness.get(&token, &format!("{by_board}?page_size=4")).await;
    let bookmark =
        url::form_urlencoded::byte_serialize(first.text("bookmark").as_bytes()).collect::<String>();
    let next_page = titles(format!("{by_board}?page_size=4&bookmark={bookmark}")).await;
    assert_eq!(next_page, first_order[4..]);
}

#[tokio::test]
async fn every_answer_names_its_request_and_the_quota() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness
        .pinterest
        .change_policy(|policy| {
            policy.quota = Some(Quota { calls: 2, seconds: 86_400 });
        })
        .unwrap();

    let first = harness.get(&token, "/user_account").await;
    harness.get("nonsense", "/user_account").await;
    let refused = harness.get(&token, "/user_account").await;

    assert!(first.headers["x-pinterest-rid"].to_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(first.headers["x-ratelimit-limit"], "2");
    assert_eq!(first.headers["x-ratelimit-remaining"], "1");
    assert_eq!(refused.refusal(), (429, 8));
    assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
    assert_eq!(refused.headers["x-ratelimit-reset"], "57600");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_pinterests_form() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;

    assert_eq!(harness.delete(&token, "/boards").await.refusal(), (405, 5));
    assert_eq!(harness.get(&token, "/bords").await.refusal(), (404, 404));
}
