//! Validation: the checks of a Pin before it is sent.

use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::harness::{PINS, TestApp, days, id, minutes, pin};

const VALIDATE: &str = "/api/v1/pins/validate";

async fn validate(app: &TestApp, body: Value) -> Value {
    app.post(VALIDATE, "ada", body).await.expect(200)
}

/// The checks, in their order.
const ALL: [&str; 12] = [
    "integration",
    "channel",
    "scopes",
    "tier",
    "pause",
    "fields",
    "files",
    "token",
    "board",
    "section",
    "duplicate",
    "media",
];

/// The check of this name.
pub(crate) fn check<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let checks = answer["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}: {answer}"))
}

/// The names of the checks that found something.
fn failed_checks(answer: &Value) -> Vec<&str> {
    let checks = answer["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    let failed_checks: Vec<_> = checks.map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(answer["ok"], json!(failed_checks.is_empty()), "{answer}");
    failed_checks
}

#[tokio::test]
async fn a_valid_pin_passes_every_check_and_nothing_is_stored_or_sent() {
    let (app, channel) = TestApp::start_connected().await;

    let answer = validate(&app, pin(&channel, "Fine")).await;

    let names: Vec<_> = answer["checks"].as_array().unwrap().iter().map(|check| &check["check"]).collect();
    assert_eq!(names, ALL);
    let unmade = answer["checks"].as_array().unwrap().iter().filter(|check| check["ok"].is_null());
    let unmade: Vec<_> = unmade.map(|check| &check["check"]).collect();
    assert_eq!(unmade, ["media"], "{answer}");
    assert!(failed_checks(&answer).is_empty());
    assert_eq!(app.send_count(), 0);
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn all_invalid_fields_are_reported_together() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, &"x".repeat(101));
    body["link"] = json!("javascript:alert(1)");
    body["dominant_color"] = json!("red");
    body["publish_at"] = json!("2020-01-01T00:00:00Z");

    let answer = validate(&app, body).await;

    assert_eq!(failed_checks(&answer), ["fields"]);
    let fields = check(&answer, "fields");
    let errors = fields["errors"].as_array().unwrap();
    let names: Vec<_> = errors.iter().map(|error| &error["field"]).collect();
    assert_eq!(names, ["title", "link", "dominant_color", "publish_at"]);
    assert_eq!((&errors[0]["code"], &fields["code"]), (&json!("too_long"), &json!("too_long")));
    assert!(errors[0]["fix"].as_str().unwrap().contains("1 too many"));
    let names: Vec<_> = answer["checks"].as_array().unwrap().iter().map(|check| &check["check"]).collect();
    assert_eq!(names, ALL);
    assert_eq!(check(&answer, "board")["ok"], Value::Null, "it is looked for when the fields are right");
}

#[tokio::test]
async fn an_invalid_board_or_section_is_reported_with_its_waiting_pins() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "Later");
    body["board_id"] = json!("404404");
    body["publish_at"] = json!(app.stack.now() + days(1));
    let waiting = app.post(PINS, "ada", body.clone()).await.expect(202);
    body["title"] = json!("Another");

    let answer = validate(&app, body.clone()).await;

    let board = check(&answer, "board");
    assert_eq!(
        (&board["code"], &board["detail"]),
        (&json!("board_id_invalid"), &json!("board_id is invalid"))
    );
    assert_eq!(board["pin_ids"], json!([id(&waiting)]));
    body.as_object_mut().unwrap().remove("board_id");
    body["board_section_id"] = json!("404");
    let answer = validate(&app, body).await;
    assert_eq!(failed_checks(&answer), ["section"]);
    assert_eq!(check(&answer, "section")["code"], "board_section_id_invalid");
}

#[tokio::test]
async fn an_identical_pin_on_the_same_board_is_reported_for_thirty_days() {
    let (app, channel) = TestApp::start_connected().await;
    let first = app.publish("ada", &channel, "Twin").await.expect(201);

    let answer = validate(&app, pin(&channel, "Twin")).await;

    assert_eq!(failed_checks(&answer), ["duplicate"]);
    assert_eq!(check(&answer, "duplicate")["pin_ids"], json!([id(&first)]));
    assert!(failed_checks(&validate(&app, pin(&channel, "Sister")).await).is_empty());
    app.advance(days(31)).await;
    assert!(failed_checks(&validate(&app, pin(&channel, "Twin")).await).is_empty());
}

#[tokio::test]
async fn trial_access_in_production_shows_after_it_was_met_once() {
    let app = TestApp::start_configured().await;
    app.pinterest().set_trial(true).unwrap();
    app.save(json!({"environment": "production"})).await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    assert!(failed_checks(&validate(&app, pin(&channel, "First")).await).is_empty());
    app.publish("ada", &channel, "First").await.problem(422);

    let answer = validate(&app, pin(&channel, "Second")).await;

    assert_eq!(failed_checks(&answer), ["tier"]);
    assert_eq!(check(&answer, "tier")["code"], "invalid_scope");
    app.pinterest().set_trial(false).unwrap();
    app.publish("ada", &channel, "Second").await.expect(201);
    assert!(failed_checks(&validate(&app, pin(&channel, "Third")).await).is_empty());
    assert_eq!(app.pinterest().pins(Environment::Production).len(), 1);
}

#[tokio::test]
async fn a_disconnected_or_paused_channel_is_reported_with_a_fix() {
    let (app, channel) = TestApp::start_connected().await;
    let spam = FaultKind::Spam;
    app.pinterest().inject(Fault::once(Operation::CreatePin, spam));
    app.publish("ada", &channel, "Held").await.expect(202);
    let answer = validate(&app, pin(&channel, "Next")).await;
    assert_eq!(failed_checks(&answer), ["pause"]);
    assert_eq!(check(&answer, "board")["ok"], Value::Null, "the board cannot be looked at now");
    assert_eq!(check(&answer, "pause")["code"], "spam_hold");
    app.advance(minutes(30)).await;

    app.pinterest().revoke("demo_account").unwrap();
    app.advance(days(30)).await;
    let answer = validate(&app, pin(&channel, "Next")).await;

    assert_eq!(failed_checks(&answer), ["channel", "token"]);
    assert_eq!(check(&answer, "channel")["code"], "reconnect_required");
}

#[tokio::test]
async fn an_invalid_body_and_a_foreign_channel_are_problems() {
    let (app, channel) = TestApp::start_connected().await;
    let mut typo = pin(&channel, "Typo");
    typo["tittle"] = json!("x");
    assert_eq!(app.post(VALIDATE, "ada", typo).await.problem(422), "unknown_field");
    assert_eq!(app.post(VALIDATE, "eve", pin(&channel, "Not mine")).await.problem(404), "not_found");
    assert_eq!(app.post(VALIDATE, "ada", pin("nobody", "x")).await.problem(422), "invalid_id");
}

#[tokio::test]
async fn a_video_for_the_sandbox_is_reported_before_it_is_sent() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "Film");
    body["media"] = json!({"kind": "video", "url": "https://videos.example.com/film.mp4"});

    let answer = validate(&app, body).await;

    assert_eq!(failed_checks(&answer), ["tier"], "{answer}");
    assert_eq!(check(&answer, "tier")["code"], "no_video_in_sandbox");
}
