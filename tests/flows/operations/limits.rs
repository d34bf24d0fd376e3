//! Limits of a tenant: over one, a request is refused before it costs anything, and nobody else notices.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use local::Data;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, PINS, TestApp, answer, days, id, minutes, pin, seconds},
    media::uploads::{self, PNG, offer},
};

const LIMITS: &str = "/api/v1/limits";
const ADMIN_LIMITS: &str = "/api/v1/admin/limits";

/// A stack with these limits, and Ada's channel.
async fn app(limits: &str) -> (TestApp, String) {
    let app = TestApp::start_with(Data::Memory, [("TENANT_LIMITS", limits)]).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    (app, channel)
}

/// Checks that a limit is reached, and says so in headers as well.
#[track_caller]
fn assert_limit_reached(refused: &Answer, limit: &str, amount: u64) -> u64 {
    assert_eq!(refused.problem(429), "limit_reached");
    assert_eq!(refused.json()["params"], json!({"limit": limit, "amount": amount.to_string()}));
    let header = |name: &str| refused.headers[name].to_str().unwrap().to_owned();
    let wait = header("retry-after");
    assert!(header("ratelimit-policy").starts_with(&format!("\"{limit}\";q={amount}")), "{refused:?}");
    assert_eq!(header("ratelimit"), format!("\"{limit}\";r=0;t={wait}"));
    wait.parse().unwrap()
}

/// How much of a limit is used, and how much there is.
async fn usage(app: &TestApp, sub: &str, limit: &str) -> (u64, u64) {
    let limits = app.get(LIMITS, sub).await.expect(200);
    let items = limits["items"].as_array().unwrap();
    let entry = items.iter().find(|entry| entry["name"] == limit).unwrap();
    (entry["used"].as_u64().unwrap(), entry["limit"].as_u64().unwrap())
}

#[tokio::test]
async fn pins_over_the_limit_of_a_minute_are_refused_until_there_is_room_again() {
    let (app, channel) = app("pins_per_minute=3").await;
    let eves = app.connect("eve").await;
    app.choose_board("eve", &eves).await;
    for number in 0..3 {
        app.publish("ada", &channel, &format!("{number}")).await.expect(201);
    }

    let wait = assert_limit_reached(&app.publish("ada", &channel, "over").await, "pins_per_minute", 3);

    assert!((1..=21).contains(&wait), "{wait}");
    assert_eq!((app.send_count(), app.at_pinterest("over")), (3, 0), "nothing was kept or sent");
    app.publish("eve", &eves, "hers").await.expect(201);
    let file = format!("{}\n{}\n", pin(&channel, "a"), pin(&channel, "b"));
    let bulk = app.client.post(format!("{}{PINS}/bulk", app.stack.url())).bearer_auth(app.user("ada"));
    let bulk = answer(bulk.header("content-type", "application/x-ndjson").body(file)).await;
    assert_limit_reached(&bulk, "pins_per_minute", 3);

    app.advance(seconds(i64::try_from(wait).unwrap())).await;
    app.publish("ada", &channel, "later").await.expect(201);
}

#[tokio::test]
async fn open_pins_are_counted_anew_before_anybody_is_refused() {
    let (app, channel) = app("open_pins=2").await;
    let tomorrow = app.stack.now() + days(1);
    // What was published at once is not open, however often it was counted in.
    for number in 0..4 {
        app.publish("ada", &channel, &format!("{number}")).await.expect(201);
    }
    app.advance(minutes(2)).await;
    let first = app.schedule("ada", &channel, "first", tomorrow).await.expect(202);
    app.advance(minutes(2)).await;
    app.schedule("ada", &channel, "second", tomorrow).await.expect(202);
    app.advance(minutes(2)).await;
    assert_limit_reached(&app.schedule("ada", &channel, "third", tomorrow).await, "open_pins", 2);
    assert_eq!(usage(&app, "ada", "open_pins").await, (2, 2));

    let path = format!("{PINS}/{}", id(&first));
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
    app.advance(minutes(2)).await;
    app.schedule("ada", &channel, "third", tomorrow).await.expect(202);
}

#[tokio::test]
async fn a_tenant_with_all_its_channels_connects_no_other_account_but_its_own_again() {
    let (app, channel) = app("channels=1").await;
    assert_eq!(app.connect("ada").await, channel, "the same account");
    let url = app.start_oauth("ada").await;
    let end = app.decide(&url, "decision=allow&account=second_account").await;
    let ticket = end.split_once("#connection=").unwrap().1;

    let claim = json!({"connection": ticket});
    assert_limit_reached(&app.post("/api/v1/connections/claim", "ada", claim.clone()).await, "channels", 1);

    let path = format!("/api/v1/channels/{channel}");
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
    app.post("/api/v1/connections/claim", "ada", claim).await.expect(201);
}

#[tokio::test]
async fn starts_are_limited() {
    let (app, _) = app("starts_per_minute=2").await;
    app.start_oauth("ada").await;
    let start = app.post("/api/v1/auth/pinterest/start", "ada", json!({})).await;
    assert_limit_reached(&start, "starts_per_minute", 2);
    app.start_oauth("eve").await;
}

#[tokio::test]
async fn lists_of_boards_are_kept_for_minutes_and_use_a_share_of_pinterests_limit_at_most() {
    let (app, channel) = app("pinterest_calls_per_day=5").await; // two are used by connecting
    let boards = |sections: bool| format!("/api/v1/channels/{channel}/boards?sections={sections}");
    let before = app.pinterest().calls().len();
    for _ in 0..5 {
        app.get(&boards(false), "ada").await.expect(200);
    }
    assert_eq!(app.pinterest().calls().len(), before, "the list was read before");
    app.advance(minutes(6)).await;
    app.get(&boards(false), "ada").await.expect(200);

    let many = app.get(&boards(true), "ada").await;
    assert_limit_reached(&many, "pinterest_calls_per_day", 5);
    app.publish("ada", &channel, "publishing goes on").await.expect(201);

    let body = pin(&channel, "checked");
    let checked = app.post("/api/v1/pins/validate", "ada", body).await.expect(200);
    let checks = checked["checks"].as_array().unwrap();
    let board = checks.iter().find(|check| check["check"] == "board").unwrap();
    assert!(board["ok"] == Value::Null || board["ok"] == true, "{board}");
}

#[tokio::test]
async fn a_new_board_is_in_the_list_at_once() {
    let (app, channel) = app("").await;
    let path = format!("/api/v1/channels/{channel}/boards");
    app.get(&path, "ada").await.expect(200);
    app.post(&path, "ada", json!({"name": "Brand new"})).await.expect(201);
    let boards = app.get(&path, "ada").await.expect(200);
    assert!(boards["items"].as_array().unwrap().iter().any(|board| board["name"] == "Brand new"));
}

#[tokio::test]
async fn uploads_are_limited_and_a_deleted_file_makes_room() {
    let (app, _) = app(&format!("upload_bytes={}", PNG.len() * 2)).await;
    let first = offer(&app, "ada", "image/png", PNG.len()).await;
    uploads::send(&app, &first, PNG).await.expect(200);
    let second = offer(&app, "ada", "image/png", PNG.len()).await;
    uploads::send(&app, &second, PNG).await.expect(200);
    let third = json!({"content_type": "image/png", "bytes": PNG.len()});
    assert_limit_reached(
        &app.post("/api/v1/media", "ada", third.clone()).await,
        "upload_bytes",
        PNG.len() as u64 * 2,
    );

    let path = format!("/api/v1/media/{}", uploads::id(&first));
    let deletion = app.call(Method::DELETE, &path, &app.user("eve"), None).await;
    assert_eq!(deletion.problem(404), "not_found", "another tenant's");
    let deletion = app.call(Method::DELETE, &path, &app.user("ada"), None).await;
    assert_eq!((deletion.status.as_u16(), deletion.text.as_str()), (204, ""));
    let deletion = app.call(Method::DELETE, &path, &app.user("ada"), None).await;
    assert_eq!(deletion.problem(404), "not_found");

    app.post("/api/v1/media", "ada", third).await.expect(201);
}

#[tokio::test]
async fn an_image_within_a_pin_counts_as_an_upload() {
    let (app, channel) = app(&format!("upload_bytes={},upload_bytes_per_day=1000", PNG.len())).await;
    let with_image = |title: &str| {
        let mut pin = pin(&channel, title);
        pin["media"] = json!({"kind": "image", "content_type": "image/png", "base64": STANDARD.encode(PNG)});
        pin
    };
    app.post(PINS, "ada", with_image("first")).await.expect(201);
    let amount = PNG.len() as u64;
    assert_eq!(usage(&app, "ada", "upload_bytes").await, (amount, amount));
    assert_eq!(usage(&app, "ada", "upload_bytes_per_day").await, (amount, 1000));

    assert_limit_reached(&app.post(PINS, "ada", with_image("second")).await, "upload_bytes", amount);

    assert_eq!(app.at_pinterest("second"), 0, "nothing was sent");
    let bulk = app.client.post(format!("{}{PINS}/bulk", app.stack.url())).bearer_auth(app.user("ada"));
    let bulk = bulk.header("content-type", "application/x-ndjson").body(with_image("third").to_string());
    let rows = answer(bulk).await.expect(200);
    assert_eq!(rows["rows"][0]["code"], "limit_reached", "{rows}");
}

#[tokio::test]
async fn an_admin_gives_a_tenant_limits_of_its_own() {
    let (app, channel) = app("pins_per_minute=1").await;
    app.publish("ada", &channel, "one").await.expect(201);
    assert_limit_reached(&app.publish("ada", &channel, "two").await, "pins_per_minute", 1);

    let own_limits = json!({"tenant": "ada", "limits": {"pins_per_minute": 60, "channels": 7}});
    let saved = app.call(Method::PUT, ADMIN_LIMITS, &app.admin(), Some(own_limits)).await.expect(200);
    // What is used of a minute becomes less by itself.
    let amounts = |limits: &Value| {
        let limits = limits["items"].as_array().unwrap().iter();
        limits.map(|limit| (limit["name"].clone(), limit["limit"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(amounts(&app.get(LIMITS, "ada").await.expect(200)), amounts(&saved));
    assert_eq!(usage(&app, "ada", "channels").await, (1, 7));
    let path = format!("{ADMIN_LIMITS}?tenant=ada");
    let limits_view = app.call(Method::GET, &path, &app.admin(), None).await.expect(200);
    assert_eq!(amounts(&limits_view), amounts(&saved));
    app.publish("ada", &channel, "two").await.expect(201);

    let no_limits = json!({"tenant": "ada", "limits": {}});
    app.call(Method::PUT, ADMIN_LIMITS, &app.admin(), Some(no_limits)).await.expect(200);
    app.publish("ada", &channel, "three").await.problem(429);
    for (body, code) in [
        (json!({"tenant": "ada", "limits": {"pins": 1}}), "unknown_field"),
        (json!({"tenant": "ada", "limits": {"channels": 0}}), "invalid_limit"),
        (json!({"tenant": "ada", "limits": {"channels": -1}}), "invalid_type"),
        (json!({"tenant": "", "limits": {}}), "missing_field"),
        (json!({"limits": {}}), "missing_field"),
    ] {
        let refused = app.call(Method::PUT, ADMIN_LIMITS, &app.admin(), Some(body.clone())).await;
        assert_eq!(refused.problem(422), code, "{body}");
    }
}

#[tokio::test]
async fn a_file_with_many_unknown_channels_is_given_up() {
    let (app, channel) = app("").await;
    let row = |number: u32| pin(&format!("{}{number:02}", &channel[..channel.len() - 2]), "x").to_string();
    let send = async |rows: u32| {
        let file = (0..rows).map(row).collect::<Vec<_>>().join("\n");
        let path = format!("{}{PINS}/bulk?dry_run=true", app.stack.url());
        let request = app.client.post(path).bearer_auth(app.user("ada"));
        answer(request.header("content-type", "application/x-ndjson").body(file)).await
    };
    let few = send(15).await.expect(200);
    assert!(few["rows"].as_array().unwrap().iter().filter(|row| row["code"] == "not_found").count() >= 14);
    assert_eq!(send(40).await.problem(422), "unknown_channels");
}
