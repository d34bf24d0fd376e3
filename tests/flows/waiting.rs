//! What keeps a single Pin waiting, for how long, and how it ends.

use jiff::Timestamp;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::stage::{PINS, Stage, id, minutes, pin, seconds, waits};

pub(crate) fn inject(stage: &Stage, kind: FaultKind) {
    stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
}

/// How many seconds a Pin that waits has still to wait.
pub(crate) fn wait(stage: &Stage, pin: &Value) -> i64 {
    let retry_at: Timestamp = pin["retry_at"].as_str().unwrap().parse().unwrap();
    retry_at.duration_since(stage.stack.now()).as_secs()
}

/// The Pin of this title is published, once.
pub(crate) async fn published(stage: &Stage, sub: &str, pin: &Value, title: &str) -> Value {
    let pin = stage.pin(sub, &id(pin)).await;
    assert_eq!(pin["state"], "published", "{pin}");
    assert_eq!(stage.at_pinterest(title), 1);
    pin
}

#[tokio::test]
async fn trial_access_in_production_is_refused_at_once_with_the_fixed_text() {
    let stage = Stage::configured().await;
    stage.pinterest().set_trial(true).unwrap();
    stage.save(json!({"environment": "production"})).await;
    let channel = stage.connect("ada").await;
    stage.choose_board("ada", &channel).await;

    let refused = stage.publish("ada", &channel, "Trial").await;

    assert_eq!(refused.problem(422), "invalid_scope");
    let problem = refused.json();
    assert_eq!(problem["detail"], "403 invalid scope");
    for cause in ["Trial access", "boards:write", "Sandbox"] {
        assert!(problem["fix"].as_str().unwrap().contains(cause), "{problem}");
    }
    let kept = stage.pin("ada", problem["pin_id"].as_str().unwrap()).await;
    assert_eq!((&kept["state"], &kept["error"]["code"]), (&json!("failed"), &json!("invalid_scope")));
    stage.advance(minutes(30)).await;
    assert_eq!(stage.sent(), 1, "refreshing or sending again does not help");

    stage.pinterest().set_trial(false).unwrap();
    stage.post(&format!("{PINS}/{}/retry", id(&kept)), "ada", json!({})).await.expect(202);
    stage.advance(minutes(1)).await;
    assert_eq!(stage.pin("ada", &id(&kept)).await["state"], "published");
    assert_eq!(stage.pinterest().pins(Environment::Production).len(), 1);
    assert_eq!(stage.pinterest().pins(Environment::Sandbox).len(), 0);
}

#[tokio::test]
async fn a_scope_refusal_never_refreshes_the_token() {
    let (stage, channel) = Stage::connected().await;
    let tokens = stage.pinterest().calls_of(Operation::Token);
    inject(&stage, FaultKind::Scope);

    let refused = stage.publish("ada", &channel, "Scope").await;

    assert_eq!(refused.problem(422), "invalid_scope");
    stage.advance(minutes(10)).await;
    assert_eq!(stage.pinterest().calls_of(Operation::Token), tokens);
}

#[tokio::test]
async fn an_image_that_could_not_be_fetched_once_is_tried_again() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::ImageNotFetched);

    let pin = stage.publish("ada", &channel, "Slow image").await.expect(202);
    waits(&pin, "pinterest_unavailable");
    assert!((0..=60).contains(&wait(&stage, &pin)), "{pin}");

    stage.advance(minutes(2)).await;
    published(&stage, "ada", &pin, "Slow image").await;
    assert_eq!(stage.sent(), 2);
}

#[tokio::test]
async fn an_image_that_can_never_be_fetched_fails_the_pin() {
    let (stage, channel) = Stage::connected().await;
    let mut body = pin(&channel, "No image");
    body["media"]["url"] = json!("https://unreachable.example/salad.jpg");
    let pin = stage.post(PINS, "ada", body).await.expect(202);
    waits(&pin, "pinterest_unavailable");

    stage.advance(minutes(60)).await;

    let pin = stage.pin("ada", &id(&pin)).await;
    assert_eq!(
        (&pin["state"], &pin["error"]["code"]),
        (&json!("failed"), &json!("media_unreachable")),
        "{pin}"
    );
    assert!(!pin["error"]["fix"].as_str().unwrap().is_empty());
    assert_eq!((stage.sent(), stage.at_pinterest("No image")), (3, 0));
}

#[tokio::test]
async fn a_link_that_does_not_answer_is_not_blamed_on_the_image() {
    let (stage, channel) = Stage::connected().await;
    let mut body = pin(&channel, "No link");
    body["link"] = json!("https://unreachable.example/recipe");
    let answer = stage.post(PINS, "ada", body).await;
    let listed = stage.get(PINS, "ada").await.expect(200)["items"][0].clone();
    stage.advance(minutes(60)).await;

    let pin = stage.pin("ada", &id(&listed)).await;
    assert_eq!(pin["state"], "failed", "{} {pin}", answer.status);
    let told = pin["error"].to_string() + &pin["timeline"].to_string();
    assert!(!told.contains("could not fetch the image"), "{told}");
    assert!(pin["error"]["detail"].as_str().unwrap().to_lowercase().contains("url"), "{pin}");
}

#[tokio::test]
async fn a_refusal_for_good_is_told_in_pinterests_words_and_can_be_retried() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::Refused { status: 400, code: 1, message: "No pictures of salad".into() });

    let refused = stage.publish("ada", &channel, "Salad").await;
    assert_eq!(refused.problem(422), "refused_by_pinterest");
    assert!(refused.json()["detail"].as_str().unwrap().contains("No pictures of salad"));
    let pin = stage.pin("ada", refused.json()["pin_id"].as_str().unwrap()).await;
    assert_eq!(pin["state"], "failed");
    assert_eq!(pin["error"]["detail"], refused.json()["detail"]);
    assert_eq!(pin["error"]["fix"], refused.json()["fix"]);
    let last = pin["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["http_status"], &last["pinterest_code"]), (&json!(400), &json!(1)), "{last}");
    assert!(last["request_id"].is_string(), "{last}");

    let path = format!("{PINS}/{}/retry", id(&pin));
    stage.post(&path, "ada", json!({})).await.expect(202);
    stage.advance(minutes(1)).await;
    published(&stage, "ada", &pin, "Salad").await;
    assert_eq!(stage.post(&path, "ada", json!({})).await.problem(409), "wrong_state");
    let kinds = stage.event_kinds().await;
    assert_eq!(kinds[kinds.len() - 3..], ["pin.failed", "pin.scheduled", "pin.published"]);
}

#[tokio::test]
async fn what_cannot_be_published_in_its_time_is_too_late() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::SpamBlock);
    let mut body = pin(&channel, "Today only");
    body["publish_within"] = json!("PT5M");
    let pin = stage.post(PINS, "ada", body).await.expect(202);
    waits(&pin, "spam_hold");

    stage.advance(minutes(4)).await;
    waits(&stage.pin("ada", &id(&pin)).await, "spam_hold");
    stage.advance(minutes(2)).await;

    let pin = stage.pin("ada", &id(&pin)).await;
    assert_eq!((&pin["state"], &pin["error"]["code"]), (&json!("failed"), &json!("too_late")), "{pin}");
    stage.advance(minutes(10)).await;
    assert_eq!((stage.sent(), stage.at_pinterest("Today only")), (1, 0));
    assert_eq!(stage.event_kinds().await.last().unwrap(), "pin.failed");

    stage.post(&format!("{PINS}/{}/retry", id(&pin)), "ada", json!({})).await.expect(202);
    stage.advance(minutes(1)).await;
    published(&stage, "ada", &pin, "Today only").await;
}

#[tokio::test]
async fn a_conflict_on_the_board_is_tried_again_soon() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::Refused { status: 409, code: 409, message: "Conflict".into() });

    let pin = stage.publish("ada", &channel, "Busy").await.expect(202);
    waits(&pin, "pinterest_unavailable");
    assert!((0..=5).contains(&wait(&stage, &pin)), "{pin}");

    stage.advance(seconds(6)).await;
    published(&stage, "ada", &pin, "Busy").await;
    assert_eq!(stage.sent(), 2);
}

#[tokio::test]
async fn a_switched_off_integration_sends_nothing_and_goes_on_when_it_is_back() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::ImageNotFetched);
    let waiting = stage.publish("ada", &channel, "Waiting").await.expect(202);
    inject(&stage, FaultKind::CutAfter);
    let doubt = stage.publish("ada", &channel, "Doubt").await.expect(202);
    let later = stage.schedule("ada", &channel, "Later", stage.stack.now() + minutes(5)).await.expect(202);
    stage.save(json!({"status": "disabled"})).await;
    let calls = stage.pinterest().calls().len();

    let refused = stage.publish("ada", &channel, "Refused").await;
    assert_eq!(refused.problem(409), "integration_disabled");
    assert_eq!(refused.json()["detail"], "Pinterest integration disabled");
    stage.advance(minutes(15)).await;

    assert_eq!(stage.pinterest().calls().len(), calls, "nothing is asked while it is off");
    waits(&stage.pin("ada", &id(&waiting)).await, "pinterest_unavailable");
    waits(&stage.pin("ada", &id(&later)).await, "pinterest_unavailable");
    waits(&stage.pin("ada", &id(&doubt)).await, "outcome_unknown");

    stage.save(json!({"status": "enabled"})).await;
    stage.advance(minutes(6)).await;
    published(&stage, "ada", &waiting, "Waiting").await;
    published(&stage, "ada", &later, "Later").await;
    published(&stage, "ada", &doubt, "Doubt").await;
    assert_eq!(stage.at_pinterest("Refused"), 0);
}

#[tokio::test]
async fn a_wait_is_told_once_for_each_reason() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::ImageNotFetched);
    inject(&stage, FaultKind::ImageNotFetched);
    inject(&stage, FaultKind::RateLimited { reset: 30 });
    let pin = stage.publish("ada", &channel, "Slow").await.expect(202);

    stage.advance(minutes(10)).await;

    published(&stage, "ada", &pin, "Slow").await;
    let events = stage.stack.events().await.unwrap();
    let told = events.iter().filter(|event| event.detail["pin_id"] == pin["id"]);
    let told: Vec<_> =
        told.map(|event| (event.detail_type.as_str(), event.detail["reason"].clone())).collect();
    let waits = |reason: &str| ("pin.waiting", json!(reason));
    let wanted = [waits("pinterest_unavailable"), waits("quota"), ("pin.published", Value::Null)];
    assert_eq!(told, wanted);
}
