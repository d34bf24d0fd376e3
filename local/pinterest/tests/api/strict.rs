//! What the documents forbid is refused, unless the policy says otherwise.

use axum::{Router, routing::get};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use simulated_pinterest::{APP_ID, AccessTier, Environment, ImageAddresses, Rotation, TokenAnswer};
use url::Url;

use crate::harness::{Harness, REDIRECT_URI, SCOPES, send};

#[tokio::test]
async fn a_body_has_the_right_type_and_no_unknown_fields() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let with = |field: &str, value: Value| {
        let mut body = harness.image_pin("Salad");
        body[field] = value;
        body
    };

    for (field, value) in [
        ("tilte", json!("Salad")),
        ("note", json!("mine")),
        ("ai_disclosures", json!({ "values": ["NONE"] })),
        ("ai_disclosures", json!({ "values": ["AI_MODIFIED"], "by": "me" })),
        (
            "media_source",
            json!({ "source_type": "image_url", "url": "https://cdn.example.com/a.jpg", "uri": "" }),
        ),
        ("title", json!(5)),
    ] {
        let refused = harness.post(&token, "/pins", &with(field, value)).await;
        assert_eq!(refused.refusal(), (400, 1), "{field}: {refused:?}");
    }
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
        let request = harness.request(Method::POST, &token, "/pins").header(CONTENT_TYPE, content_type);
        let refused = send(request.body(harness.image_pin("Salad").to_string())).await;
        assert_eq!(refused.refusal(), (400, 1), "{content_type}: {refused:?}");
    }
    let request = harness
        .request(Method::POST, &token, "/pins")
        .header(CONTENT_TYPE, "application/json; charset=utf-8");
    assert_eq!(send(request.body(harness.image_pin("Salad").to_string())).await.status, 201);
    let unknown_parent = harness.post(&token, "/pins", &with("parent_pin_id", json!("1"))).await;
    assert_eq!(unknown_parent.refusal(), (404, 50));
}

#[tokio::test]
async fn a_filter_is_honoured_or_refused() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.post(&token, "/pins", &harness.image_pin("Salad")).await;

    for refused in [
        "/pins?pin_filter=exclude_native",
        "/pins?pin_filter=best",
        "/pins?ad_account_id=",
        "/pins?ad_account_id=1",
        "/pins?pin_type=PRIVATE",
        "/pins?include_protected_pins=true",
        "/pins?page_sise=5",
        "/pins?creative_types=SMELL",
        "/boards?privacy=OPEN",
        "/user_account?fields=id",
    ] {
        assert_eq!(harness.get(&token, refused).await.refusal(), (400, 1), "{refused}");
    }
    let items = async |path: &str| harness.get(&token, path).await.items().len();
    assert_eq!(items("/pins?include_protected_pins=false&pin_metrics=false").await, 1);
    assert_eq!(items("/pins?creative_types=VIDEO&creative_types=CAROUSEL").await, 0);
    assert_eq!(items("/pins?creative_types=VIDEO&creative_types=REGULAR").await, 1);
}

#[tokio::test]
async fn an_image_that_pinterest_would_not_find_is_refused() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let publish = async |source: Value| {
        let mut body = harness.image_pin("Salad");
        body["media_source"] = source;
        harness.post(&token, "/pins", &body).await
    };
    let at = |url: &str| json!({ "source_type": "image_url", "url": url });
    let data =
        |bytes: &str| json!({ "source_type": "image_base64", "content_type": "image/png", "data": bytes });

    assert_eq!(publish(at("http://127.0.0.1:9000/a.jpg")).await.refusal(), (400, 1));
    assert_eq!(publish(at("https://small.example/a.jpg")).await.refusal(), (403, 233));
    assert_eq!(publish(at("https://cdn.example.com/a.html")).await.refusal(), (403, 235));
    assert_eq!(publish(data("aGVsbG8=")).await.refusal(), (403, 235));
    assert_eq!(publish(data("iVBO")).await.refusal(), (403, 235));
    let trusted = ImageAddresses::Trusted;
    harness.pinterest.change_policy(|policy| policy.image_addresses = trusted).unwrap();
    assert_eq!(publish(at("http://127.0.0.1:9000/a.jpg")).await.status, 201);
}

#[tokio::test]
async fn images_are_fetched_if_the_policy_wants_that() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.change_policy(|policy| policy.image_addresses = ImageAddresses::Fetched).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/dot.png", get(|| async { b"\x89PNG\r\n\x1a\nand so on".as_slice() }))
        .route("/page.png", get(|| async { "<!DOCTYPE html>" }))
        .route("/empty.png", get(|| async { "" }));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let publish = async |source: Value| {
        let mut body = harness.image_pin("Salad");
        body["media_source"] = source;
        harness.post(&token, "/pins", &body).await
    };
    let at = |file: &str| json!({ "source_type": "image_url", "url": format!("{host}/{file}") });

    assert_eq!(publish(at("dot.png")).await.status, 201);
    for (file, refusal) in [("page.png", (403, 235)), ("empty.png", (403, 235)), ("nothing.png", (400, 1))] {
        assert_eq!(publish(at(file)).await.refusal(), refusal, "{file}");
    }
    let items = json!([{ "url": format!("{host}/dot.png") }, { "url": format!("{host}/page.png") }]);
    let carousel = json!({ "source_type": "multiple_image_urls", "items": items });
    assert_eq!(publish(carousel).await.refusal(), (403, 235));
}

#[tokio::test]
async fn only_a_registered_redirect_uri_is_sent_a_code() {
    let harness = Harness::start().await;
    let page = async |redirect_uri: &str| {
        let parameters = [
            ("client_id", APP_ID),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("scope", SCOPES),
        ];
        send(
            harness
                .client
                .get(Url::parse_with_params(&harness.pinterest.authorize_url(), parameters).unwrap()),
        )
        .await
    };

    assert_eq!(page(REDIRECT_URI).await.status, 200);
    for other in
        ["http://localhost:3000/callback", "http://localhost:3000/callback?keep=1&", "https://evil.example/"]
    {
        assert_eq!(page(other).await.status, 400, "{other}");
    }
    harness.pinterest.change_policy(|policy| policy.any_redirect_uri = true).unwrap();
    assert_eq!(page("https://app.example.com/").await.status, 200);
}

#[tokio::test]
async fn a_group_board_is_listed_with_its_owner_and_takes_pins_only_from_those_who_may() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let add = |may_pin| {
        let added = harness.pinterest.add_group_board(
            Environment::Production,
            "second_account",
            "demo_account",
            "Recipes",
            may_pin,
        );
        added.unwrap().unwrap()
    };
    let (closed, open) = (add(false), add(true));

    let boards = harness.get(&token, "/boards").await;
    let owners: Vec<_> = boards.items().iter().filter(|board| board["name"] == "Recipes").collect();
    let owners: Vec<_> = owners.iter().map(|board| board["owner"]["username"].as_str().unwrap()).collect();
    assert_eq!(owners, ["demo_account", "second_account", "second_account"]);
    let publish = async |board: &str| {
        let mut body = harness.image_pin("Ours");
        body["board_id"] = json!(board);
        harness.post(&token, "/pins", &body).await
    };
    assert_eq!(publish(&closed).await.refusal(), (403, 29));
    let own_pin = publish(&open).await;
    assert_eq!((own_pin.status, &own_pin.body["board_owner"]["username"]), (201, &json!("second_account")));
    assert_eq!(
        harness.post(&token, &format!("/boards/{open}/sections"), &json!({ "name": "A" })).await.refusal(),
        (403, 29)
    );
    assert_eq!(harness.delete(&token, &format!("/boards/{open}")).await.refusal(), (403, 29));

    let other = harness.connect(Environment::Production, SCOPES, "second_account").await.text("access_token");
    let response = harness.get(&other, &format!("/boards/{open}/pins")).await;
    assert_eq!((response.items().len(), &response.items()[0]["is_owner"]), (1, &json!(false)));
    assert_eq!(harness.delete(&other, &format!("/pins/{}", own_pin.text("id"))).await.refusal(), (403, 29));
}

#[tokio::test]
async fn a_group_board_can_be_added_over_http() {
    let harness = Harness::start().await;
    let url = format!("{}/sim/group-boards", harness.pinterest.url());
    let body = |owner: &str| json!({ "owner": owner, "member": "demo_account", "environment": "production", "name": "Ours", "may_pin": true });

    assert_eq!(send(harness.client.post(&url).json(&body("nobody"))).await.status, 422);
    let added = send(harness.client.post(&url).json(&body("second_account"))).await;

    let token = harness.access_token().await;
    assert_eq!(harness.get(&token, &format!("/boards/{}", added.text("id"))).await.text("name"), "Ours");
}

#[tokio::test]
async fn the_documented_limits_hold_for_each_user_and_for_an_app_on_trial() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let other = harness.connect(Environment::Production, SCOPES, "second_account").await.text("access_token");
    let days = "start_date=2027-01-10&end_date=2027-01-12";
    let analytics = format!("/user_account/analytics?{days}");
    let refused_after = async |path: &str, limit: usize| {
        for number in 0..limit {
            assert_ne!(harness.get(&token, path).await.status, 429, "{path} {number}");
        }
        harness.get(&token, path).await
    };

    assert_eq!(refused_after(&analytics, 60).await.refusal(), (429, 8));
    assert_eq!(harness.get(&other, &analytics).await.status, 200, "each user has a limit of its own");
    assert_eq!(harness.get(&token, "/boards").await.status, 200, "each kind of calls, too");
    for number in 0..100 {
        let response = harness.post(&token, "/pins", &harness.image_pin(&number.to_string())).await;
        assert_eq!(response.status, 201, "{number}");
    }
    let refused = harness.post(&token, "/pins", &harness.image_pin("Too many")).await;
    assert_eq!(
        (refused.refusal(), &refused.headers["x-ratelimit-reset"]),
        ((429, 8), &"60".parse().unwrap())
    );
    harness.advance(60);
    assert_eq!(harness.post(&token, "/pins", &harness.image_pin("A minute later")).await.status, 201);

    harness.pinterest.change_policy(|policy| policy.access_tier = AccessTier::Trial).unwrap();
    let used_up = refused_after("/boards", 1000).await;
    assert_eq!(
        (used_up.refusal(), &used_up.headers["x-ratelimit-reset"]),
        ((429, 8), &"57540".parse().unwrap())
    );
    harness.pinterest.change_policy(|policy| policy.documented_limits = false).unwrap();
    assert_eq!(harness.get(&token, "/boards").await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_may_stay_the_only_one() {
    let harness = Harness::start().await;
    harness.pinterest.change_policy(|policy| policy.rotation = Rotation::None).unwrap();
    let pair = harness.connect(Environment::Production, SCOPES, "demo_account").await;

    for _ in 0..3 {
        let next = harness.refresh(&pair.text("refresh_token")).await;
        assert_eq!((next.status, next.body.get("refresh_token")), (200, None));
        assert_eq!(harness.get(&next.text("access_token"), "/user_account").await.status, 200);
    }
}

#[tokio::test]
async fn the_token_endpoint_may_answer_201_without_a_scope() {
    let harness = Harness::start().await;
    let answer = TokenAnswer { is_created: true, has_scope: false };
    let pair = harness.connect(Environment::Production, SCOPES, "demo_account").await;
    harness.pinterest.change_policy(|policy| policy.token_answer = answer).unwrap();

    let next = harness.refresh(&pair.text("refresh_token")).await;

    assert_eq!((next.status, next.body.get("scope")), (201, None));
}

#[tokio::test]
async fn answers_may_be_compressed_without_a_request_for_it() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.change_policy(|policy| policy.compressed = true).unwrap();

    let answer = harness.request(Method::GET, &token, "/user_account").send().await.unwrap();

    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert!(answer.bytes().await.unwrap().starts_with(b"\x1f\x8b"));
}
