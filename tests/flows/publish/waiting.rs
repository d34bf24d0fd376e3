//! Why a single Pin waits, for how long, and how it ends.

use jiff::Timestamp;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::harness::{PINS, TestApp, id, minutes, pin, seconds, waits};

pub(crate) fn inject(app: &TestApp, kind: FaultKind) {
    app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
}

/// How many seconds a waiting Pin still has to wait.
pub(crate) fn wait(app: &TestApp, pin: &Value) -> i64 {
    let retry_at: Timestamp = pin["retry_at"].as_str().unwrap().parse().unwrap();
    retry_at.duration_since(app.stack.now()).as_secs()
}

/// Checks that the Pin of this title is published, once.
pub(crate) async fn published(app: &TestApp, sub: &str, pin: &Value, title: &str) -> Value {
    let pin = app.pin(sub, &id(pin)).await;
    assert_eq!(pin["state"], "published", "{pin}");
    assert_eq!(app.at_pinterest(title), 1);
    pin
}

#[tokio::test]
async fn trial_access_in_production_is_refused_at_once_with_the_fixed_text() {
    let app = TestApp::start_configured().await;
    app.pinterest().set_trial(true).unwrap();
    app.save(json!({"environment": "production"})).await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;

    let refused = app.publish("ada", &channel, "Trial").await;

    assert_eq!(refused.problem(422), "invalid_scope");
    let problem = refused.json();
    assert_eq!(problem["detail"], "403 invalid scope");
    for cause in ["Trial access", "boards:write", "Sandbox"] {
        assert!(problem["fix"].as_str().unwrap().contains(cause), "{problem}");
    }
    let stored = app.pin("ada", problem["pin_id"].as_str().unwrap()).await;
    assert_eq!((&stored["state"], &stored["error"]["code"]), (&json!("failed"), &json!("invalid_scope")));
    app.advance(minutes(30)).await;
    assert_eq!(app.send_count(), 1, "refreshing or sending again does not help");

    app.pinterest().set_trial(false).unwrap();
    app.post(&format!("{PINS}/{}/retry", id(&stored)), "ada", json!({})).await.expect(202);
    app.advance(minutes(1)).await;
    assert_eq!(app.pin("ada", &id(&stored)).await["state"], "published");
    assert_eq!(app.pinterest().pins(Environment::Production).len(), 1);
    assert_eq!(app.pinterest().pins(Environment::Sandbox).len(), 0);
}

#[tokio::test]
async fn a_scope_refusal_never_refreshes_the_token() {
    let (app, channel) = TestApp::start_connected().await;
    let tokens = app.pinterest().calls_of(Operation::Token);
    inject(&app, FaultKind::Scope);

    let refused = app.publish("ada", &channel, "Scope").await;

    assert_eq!(refused.problem(422), "invalid_scope");
    app.advance(minutes(10)).await;
    assert_eq!(app.pinterest().calls_of(Operation::Token), tokens);
}

#[tokio::test]
async fn an_image_that_could_not_be_fetched_once_is_tried_again() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::ImageNotFetched);

    let pin = app.publish("ada", &channel, "Slow image").await.expect(202);
    waits(&pin, "pinterest_unavailable");
    assert!((0..=60).contains(&wait(&app, &pin)), "{pin}");

    app.advance(minutes(2)).await;
    published(&app, "ada", &pin, "Slow image").await;
    assert_eq!(app.send_count(), 2);
}

#[tokio::test]
async fn an_image_that_can_never_be_fetched_fails_the_pin() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "No image");
    body["media"]["url"] = json!("https://unreachable.example/salad.jpg");
    let pin = app.post(PINS, "ada", body).await.expect(202);
    waits(&pin, "pinterest_unavailable");

    app.advance(minutes(60)).await;

    let pin = app.pin("ada", &id(&pin)).await;
    assert_eq!(
        (&pin["state"], &pin["error"]["code"]),
        (&json!("failed"), &json!("media_unreachable")),
        "{pin}"
    );
    assert!(!pin["error"]["fix"].as_str().unwrap().is_empty());
    assert_eq!((app.send_count(), app.at_pinterest("No image")), (3, 0));
}

#[tokio::test]
async fn a_link_that_does_not_answer_is_not_blamed_on_the_image() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "No link");
    body["link"] = json!("https://unreachable.example/recipe");
    let answer = app.post(PINS, "ada", body).await;
    let pin_view = app.get(PINS, "ada").await.expect(200)["items"][0].clone();
    app.advance(minutes(60)).await;

    let pin = app.pin("ada", &id(&pin_view)).await;
    assert_eq!(pin["state"], "failed", "{} {pin}", answer.status);
    let texts = pin["error"].to_string() + &pin["timeline"].to_string();
    assert!(!texts.contains("could not fetch the image"), "{texts}");
    assert!(pin["error"]["detail"].as_str().unwrap().to_lowercase().contains("url"), "{pin}");
}

#[tokio::test]
async fn a_final_refusal_shows_pinterests_message_and_can_be_retried() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::Refused { status: 400, code: 1, message: "No pictures of salad".into() });

    let refused = app.publish("ada", &channel, "Salad").await;
    assert_eq!(refused.problem(422), "refused_by_pinterest");
    assert!(refused.json()["detail"].as_str().unwrap().contains("No pictures of salad"));
    let pin = app.pin("ada", refused.json()["pin_id"].as_str().unwrap()).await;
    assert_eq!(pin["state"], "failed");
    assert_eq!(pin["error"]["detail"], refused.json()["detail"]);
    assert_eq!(pin["error"]["fix"], refused.json()["fix"]);
    let last = pin["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["http_status"], &last["pinterest_code"]), (&json!(400), &json!(1)), "{last}");
    assert!(last["request_id"].is_string(), "{last}");

    let path = format!("{PINS}/{}/retry", id(&pin));
    app.post(&path, "ada", json!({})).await.expect(202);
    app.advance(minutes(1)).await;
    published(&app, "ada", &pin, "Salad").await;
    assert_eq!(app.post(&path, "ada", json!({})).await.problem(409), "wrong_state");
    let kinds = app.event_kinds().await;
    assert_eq!(kinds[kinds.len() - 3..], ["pin.failed", "pin.scheduled", "pin.published"]);
}

#[tokio::test]
async fn a_pin_that_waits_beyond_its_give_up_time_is_too_late() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::SpamBlock);
    let mut body = pin(&channel, "Today only");
    body["publish_within"] = json!("PT5M");
    let pin = app.post(PINS, "ada", body).await.expect(202);
    waits(&pin, "spam_hold");

    app.advance(minutes(4)).await;
    waits(&app.pin("ada", &id(&pin)).await, "spam_hold");
    app.advance(minutes(2)).await;

    let pin = app.pin("ada", &id(&pin)).await;
    assert_eq!((&pin["state"], &pin["error"]["code"]), (&json!("failed"), &json!("too_late")), "{pin}");
    app.advance(minutes(10)).await;
    assert_eq!((app.send_count(), app.at_pinterest("Today only")), (1, 0));
    assert_eq!(app.event_kinds().await.last().unwrap(), "pin.failed");

    app.post(&format!("{PINS}/{}/retry", id(&pin)), "ada", json!({})).await.expect(202);
    app.advance(minutes(1)).await;
    published(&app, "ada", &pin, "Today only").await;
}

#[tokio::test]
async fn a_conflict_on_the_board_is_tried_again_soon() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::Refused { status: 409, code: 409, message: "Conflict".into() });

    let pin = app.publish("ada", &channel, "Busy").await.expect(202);
    waits(&pin, "pinterest_unavailable");
    assert!((0..=5).contains(&wait(&app, &pin)), "{pin}");

    app.advance(seconds(6)).await;
    published(&app, "ada", &pin, "Busy").await;
    assert_eq!(app.send_count(), 2);
}

#[tokio::test]
async fn a_switched_off_integration_sends_nothing_and_goes_on_when_it_is_back() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::ImageNotFetched);
    let waiting = app.publish("ada", &channel, "Waiting").await.expect(202);
    inject(&app, FaultKind::CutAfter);
    let doubt = app.publish("ada", &channel, "Doubt").await.expect(202);
    let later = app.schedule("ada", &channel, "Later", app.stack.now() + minutes(5)).await.expect(202);
    app.save(json!({"status": "disabled"})).await;
    let calls = app.pinterest().calls().len();

    let refused = app.publish("ada", &channel, "Refused").await;
    assert_eq!(refused.problem(409), "integration_disabled");
    assert_eq!(refused.json()["detail"], "Pinterest integration disabled");
    app.advance(minutes(15)).await;

    assert_eq!(app.pinterest().calls().len(), calls, "nothing is asked while it is off");
    waits(&app.pin("ada", &id(&waiting)).await, "pinterest_unavailable");
    waits(&app.pin("ada", &id(&later)).await, "pinterest_unavailable");
    waits(&app.pin("ada", &id(&doubt)).await, "outcome_unknown");

    app.save(json!({"status": "enabled"})).await;
    app.advance(minutes(6)).await;
    published(&app, "ada", &waiting, "Waiting").await;
    published(&app, "ada", &later, "Later").await;
    published(&app, "ada", &doubt, "Doubt").await;
    assert_eq!(app.at_pinterest("Refused"), 0);
}

#[tokio::test]
async fn a_wait_makes_one_event_for_each_reason() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::ImageNotFetched);
    inject(&app, FaultKind::ImageNotFetched);
    inject(&app, FaultKind::RateLimited { reset: 30 });
    let pin = app.publish("ada", &channel, "Slow").await.expect(202);

    app.advance(minutes(10)).await;

    published(&app, "ada", &pin, "Slow").await;
    let events = app.stack.events().await.unwrap();
    let wait_events = events.iter().filter(|event| event.detail["pin_id"] == pin["id"]);
    let wait_events: Vec<_> =
        wait_events.map(|event| (event.detail_type.as_str(), event.detail["reason"].clone())).collect();
    let waits = |reason: &str| ("pin.waiting", json!(reason));
    let expected = [waits("pinterest_unavailable"), waits("quota"), ("pin.published", Value::Null)];
    assert_eq!(wait_events, expected);
}
