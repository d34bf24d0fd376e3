//! What is told about a Pin before anybody sends it.

use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::stage::{PINS, Stage, days, id, minutes, pin};

const VALIDATE: &str = "/api/v1/pins/validate";

async fn validate(stage: &Stage, body: Value) -> Value {
    stage.post(VALIDATE, "ada", body).await.expect(200)
}

/// The check of this name.
fn check<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let checks = answer["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}: {answer}"))
}

/// The names of the checks that found something.
fn found(answer: &Value) -> Vec<&str> {
    let checks = answer["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    let found: Vec<_> = checks.map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(answer["ok"], json!(found.is_empty()), "{answer}");
    found
}

#[tokio::test]
async fn a_good_pin_passes_every_check_and_nothing_is_kept_or_sent() {
    let (stage, channel) = Stage::connected().await;

    let answer = validate(&stage, pin(&channel, "Fine")).await;

    let names: Vec<_> = answer["checks"].as_array().unwrap().iter().map(|check| &check["check"]).collect();
    let all = ["integration", "channel", "scopes", "tier", "pause", "fields", "token", "board", "duplicate"];
    assert_eq!(names, all);
    assert!(found(&answer).is_empty());
    assert_eq!(stage.sent(), 0);
    assert_eq!(stage.get(PINS, "ada").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn every_field_that_breaks_a_rule_is_told_at_once() {
    let (stage, channel) = Stage::connected().await;
    let mut body = pin(&channel, &"x".repeat(101));
    body["link"] = json!("javascript:alert(1)");
    body["dominant_color"] = json!("red");
    body["publish_at"] = json!("2020-01-01T00:00:00Z");

    let answer = validate(&stage, body).await;

    assert_eq!(found(&answer), ["title", "link", "dominant_color", "publish_at"]);
    assert_eq!(check(&answer, "title")["code"], "too_long");
    assert!(check(&answer, "title")["fix"].as_str().unwrap().contains("1 too many"));
}

#[tokio::test]
async fn a_board_or_a_section_that_is_gone_is_told_with_the_pins_that_need_it() {
    let (stage, channel) = Stage::connected().await;
    let mut body = pin(&channel, "Later");
    body["board_id"] = json!("404404");
    body["publish_at"] = json!(stage.stack.now() + days(1));
    let waiting = stage.post(PINS, "ada", body.clone()).await.expect(202);
    body["title"] = json!("Another");

    let answer = validate(&stage, body.clone()).await;

    let board = check(&answer, "board");
    assert_eq!(
        (&board["code"], &board["detail"]),
        (&json!("board_id_invalid"), &json!("board_id is invalid"))
    );
    assert_eq!(board["pin_ids"], json!([id(&waiting)]));
    body.as_object_mut().unwrap().remove("board_id");
    body["board_section_id"] = json!("404");
    let answer = validate(&stage, body).await;
    assert_eq!(found(&answer), ["section"]);
    assert_eq!(check(&answer, "section")["code"], "board_section_id_invalid");
}

#[tokio::test]
async fn the_like_of_a_pin_on_the_same_board_is_told_for_thirty_days() {
    let (stage, channel) = Stage::connected().await;
    let first = stage.publish("ada", &channel, "Twin").await.expect(201);

    let answer = validate(&stage, pin(&channel, "Twin")).await;

    assert_eq!(found(&answer), ["duplicate"]);
    assert_eq!(check(&answer, "duplicate")["pin_ids"], json!([id(&first)]));
    assert!(found(&validate(&stage, pin(&channel, "Sister")).await).is_empty());
    stage.advance(days(31)).await;
    assert!(found(&validate(&stage, pin(&channel, "Twin")).await).is_empty());
}

#[tokio::test]
async fn trial_access_in_production_shows_after_it_was_met_once() {
    let stage = Stage::configured().await;
    stage.pinterest().set_trial(true).unwrap();
    stage.save(json!({"environment": "production"})).await;
    let channel = stage.connect("ada").await;
    stage.choose_board("ada", &channel).await;
    assert!(found(&validate(&stage, pin(&channel, "First")).await).is_empty());
    stage.publish("ada", &channel, "First").await.problem(422);

    let answer = validate(&stage, pin(&channel, "Second")).await;

    assert_eq!(found(&answer), ["tier"]);
    assert_eq!(check(&answer, "tier")["code"], "invalid_scope");
    stage.pinterest().set_trial(false).unwrap();
    stage.publish("ada", &channel, "Second").await.expect(201);
    assert!(found(&validate(&stage, pin(&channel, "Third")).await).is_empty());
    assert_eq!(stage.pinterest().pins(Environment::Production).len(), 1);
}

#[tokio::test]
async fn a_channel_that_is_lost_or_rests_is_told_with_what_to_do() {
    let (stage, channel) = Stage::connected().await;
    let spam = FaultKind::Spam;
    stage.pinterest().inject(Fault::once(Operation::CreatePin, spam));
    stage.publish("ada", &channel, "Held").await.expect(202);
    let answer = validate(&stage, pin(&channel, "Next")).await;
    assert_eq!(found(&answer), ["pause", "board"], "the board cannot be looked at now");
    assert_eq!(check(&answer, "pause")["code"], "spam_hold");
    stage.advance(minutes(30)).await;

    stage.pinterest().revoke("demo_account").unwrap();
    stage.advance(days(30)).await;
    let answer = validate(&stage, pin(&channel, "Next")).await;

    assert_eq!(found(&answer), ["channel", "token", "board"]);
    assert_eq!(check(&answer, "channel")["code"], "reconnect_required");
}

#[tokio::test]
async fn what_is_no_pin_and_whose_channel_it_is_are_problems() {
    let (stage, channel) = Stage::connected().await;
    let mut typo = pin(&channel, "Typo");
    typo["tittle"] = json!("x");
    assert_eq!(stage.post(VALIDATE, "ada", typo).await.problem(422), "unknown_field");
    assert_eq!(stage.post(VALIDATE, "eve", pin(&channel, "Not mine")).await.problem(404), "not_found");
    assert_eq!(stage.post(VALIDATE, "ada", pin("nobody", "x")).await.problem(422), "invalid_id");
}
