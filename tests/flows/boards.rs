//! Boards: listed whole, made once, chosen only if they are there; and what becomes of a Pin without one.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::{
    refusals::said,
    stage::{Answer, PINS, Stage, days, id, minutes, pin},
};

const NOWHERE: &str = "999999999999";

async fn boards(stage: &Stage, channel: &str, query: &str) -> Value {
    stage.get(&format!("/api/v1/channels/{channel}/boards{query}"), "ada").await.expect(200)
}

async fn create(stage: &Stage, channel: &str, body: Value) -> Answer {
    stage.post(&format!("/api/v1/channels/{channel}/boards"), "ada", body).await
}

async fn choose(stage: &Stage, channel: &str, board: Value) -> Answer {
    let body = Some(json!({"default_board_id": board}));
    stage.call(Method::PATCH, &format!("/api/v1/channels/{channel}"), &stage.user("ada"), body).await
}

async fn default_board(stage: &Stage, channel: &str) -> Value {
    stage.channel("ada", channel).await["default_board"].clone()
}

fn named<'a>(boards: &'a Value, name: &str) -> Vec<&'a Value> {
    boards["items"].as_array().unwrap().iter().filter(|board| board["name"] == name).collect()
}

/// Pinterest's answer about a board that is gone.
fn gone() -> FaultKind {
    FaultKind::Refused { status: 404, code: 40, message: "Board not found.".to_owned() }
}

#[tokio::test]
async fn three_hundred_boards_come_whole_and_each_once() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().add_boards(Environment::Sandbox, "demo_account", 300).unwrap();
    stage.pinterest().add_boards(Environment::Production, "demo_account", 5).unwrap();
    stage.pinterest().add_boards(Environment::Sandbox, "second_account", 5).unwrap();
    let before = stage.pinterest().calls_of(Operation::ListBoards);

    let listed = boards(&stage, &channel, "").await;

    assert_eq!(listed["next"], Value::Null);
    let mut ids: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["pinterest_board_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 302, "300, and Recipes and Travel; a secret board is not granted");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 302);
    assert!(stage.pinterest().calls_of(Operation::ListBoards) - before >= 2);
    assert_eq!(stage.pinterest().calls_of(Operation::ListSections), 0);
    assert!(listed["items"].as_array().unwrap().iter().all(|board| board["sections"] == json!([])));
}

#[tokio::test]
async fn sections_come_when_they_are_asked_for() {
    let (stage, channel) = Stage::connected().await;
    let with = boards(&stage, &channel, "?sections=true").await;
    let names: Vec<_> = named(&with, "Recipes")[0]["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|section| section["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Salads", "Desserts"]);
    assert_eq!(named(&with, "Travel")[0]["sections"], json!([]));
    let id = named(&with, "Recipes")[0]["sections"][0]["pinterest_section_id"].as_str().unwrap();

    let mut body = pin(&channel, "In a section");
    body["board_section_id"] = json!(id);
    stage.post(PINS, "ada", body).await.expect(201);
    let there = stage.pinterest().pins(Environment::Sandbox);
    assert_eq!(there[0].section.as_deref(), Some("Salads"));
}

#[tokio::test]
async fn a_list_that_breaks_in_the_middle_is_no_list() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().add_boards(Environment::Sandbox, "demo_account", 300).unwrap();
    for kind in [FaultKind::CutBefore, FaultKind::CutInAnswer, FaultKind::Status500Before, FaultKind::Garbage]
    {
        stage.advance(minutes(6)).await; // a list may be kept for five minutes
        stage.pinterest().inject(Fault::once(Operation::ListBoards, kind.clone()));
        let path = format!("/api/v1/channels/{channel}/boards");
        let answer = stage.get(&path, "ada").await;
        if answer.status == 200 {
            assert_eq!(answer.json()["items"].as_array().unwrap().len(), 302, "{kind:?}: asked again");
        } else {
            assert_eq!(said(&answer), "502 pinterest_unreachable", "{kind:?}");
        }
        stage.pinterest().clear_faults();
    }
    assert_eq!(boards(&stage, &channel, "").await["items"].as_array().unwrap().len(), 302);
}

#[tokio::test]
async fn a_board_is_made_once_and_its_name_leads_to_it() {
    let (stage, channel) = Stage::connected().await;
    let body = json!({"name": "Soups", "description": "Hot", "privacy": "PUBLIC"});
    let made = create(&stage, &channel, body).await.expect(201);
    assert_eq!((&made["name"], &made["privacy"]), (&json!("Soups"), &json!("PUBLIC")));

    let again = create(&stage, &channel, json!({"name": "Soups"})).await.expect(200);
    assert_eq!(again["pinterest_board_id"], made["pinterest_board_id"]);

    assert_eq!(named(&boards(&stage, &channel, "").await, "Soups"), [&made]);
    let chosen = choose(&stage, &channel, made["pinterest_board_id"].clone()).await.expect(200);
    assert_eq!(chosen["default_board"]["name"], "Soups");
}

#[tokio::test]
async fn a_name_with_space_around_it_leads_to_the_same_board() {
    // Pinterest trims names.
    let (stage, channel) = Stage::connected().await;
    let recipes = create(&stage, &channel, json!({"name": "Recipes"})).await.expect(200);
    let spaced = create(&stage, &channel, json!({"name": " Recipes "})).await.expect(200);
    assert_eq!(spaced["pinterest_board_id"], recipes["pinterest_board_id"]);

    let lost = Fault::once(Operation::CreateBoard, FaultKind::CutAfter);
    stage.pinterest().inject(lost);
    let made = create(&stage, &channel, json!({"name": "Soups "})).await;
    assert!(made.status.is_success(), "{}", made.text);
}

#[tokio::test]
async fn a_board_whose_answer_was_lost_is_found_and_not_made_twice() {
    let (stage, channel) = Stage::connected().await;
    let lost = [FaultKind::CutAfter, FaultKind::CutInAnswer, FaultKind::Status500After, FaultKind::Garbage];
    for (number, kind) in lost.into_iter().enumerate() {
        let name = format!("Lost {number}");
        stage.pinterest().inject(Fault::once(Operation::CreateBoard, kind.clone()));
        let found = create(&stage, &channel, json!({"name": name})).await;
        assert!(found.status.is_success(), "{kind:?}: {}", found.text);
        let there = stage.pinterest().boards(Environment::Sandbox, "demo_account");
        let ids: Vec<_> =
            there.iter().filter(|board| board.name == name).map(|board| board.id.as_str()).collect();
        assert_eq!(ids, [found.json()["pinterest_board_id"].as_str().unwrap()], "{kind:?}");
    }
}

#[tokio::test]
async fn a_board_that_was_not_made_is_not_said_to_be() {
    let (stage, channel) = Stage::connected().await;
    for kind in [FaultKind::CutBefore, FaultKind::Status500Before] {
        stage.pinterest().inject(Fault::once(Operation::CreateBoard, kind.clone()));
        let answer = create(&stage, &channel, json!({"name": "Not there"})).await;
        assert_eq!(said(&answer), "502 pinterest_unreachable", "{kind:?}");
    }
    assert!(named(&boards(&stage, &channel, "").await, "Not there").is_empty());
    create(&stage, &channel, json!({"name": "Not there"})).await.expect(201);
}

#[tokio::test]
async fn a_name_that_is_no_name_is_refused_before_pinterest_is_asked() {
    let (stage, channel) = Stage::connected().await;
    for (name, wanted) in [
        (json!(""), "422 missing_field"),
        (json!("x".repeat(181)), "422 too_long"),
        (json!("👩".repeat(181)), "422 too_long"),
        (json!("a\u{0}b"), "422 control_character"),
        (json!(null), "422 invalid_type"),
        (json!(5), "422 invalid_type"),
    ] {
        let refused = create(&stage, &channel, json!({"name": name})).await;
        assert_eq!(said(&refused), wanted, "{name}");
    }
    assert_eq!(stage.pinterest().calls_of(Operation::CreateBoard), 0);
    create(&stage, &channel, json!({"name": "x".repeat(180)})).await.expect(201);
    create(&stage, &channel, json!({"name": "👩".repeat(180)})).await.expect(201);
}

#[tokio::test]
async fn a_name_of_nothing_but_space_is_refused() {
    let (stage, channel) = Stage::connected().await;
    let refused = create(&stage, &channel, json!({"name": "   "})).await;
    assert!(said(&refused).starts_with("422 "), "{}", refused.text);
    assert_eq!(boards(&stage, &channel, "").await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_secret_board_that_the_scopes_do_not_allow_is_refused_with_what_to_do() {
    let (stage, channel) = Stage::connected().await;
    let refused = create(&stage, &channel, json!({"name": "Hidden", "privacy": "SECRET"})).await;
    assert!(said(&refused).ends_with("invalid_scope"), "{}", refused.text);
    assert!(refused.json()["fix"].as_str().unwrap().contains("boards:write_secret"), "{}", refused.text);
}

#[tokio::test]
async fn the_default_board_is_one_that_exists_or_none() {
    let (stage, channel) = Stage::connected().await;
    let before = default_board(&stage, &channel).await;
    let production = stage.pinterest().boards(Environment::Production, "demo_account")[0].id.clone();
    let others = stage.pinterest().boards(Environment::Sandbox, "second_account")[0].id.clone();
    for board in [NOWHERE.to_owned(), production, others] {
        let refused = choose(&stage, &channel, json!(board)).await;
        assert_eq!(said(&refused), "422 board_id_invalid", "{board}");
        assert_eq!(refused.json()["detail"], "board_id is invalid");
        assert!(refused.json()["fix"].as_str().unwrap().contains("default board"));
    }
    assert_eq!(default_board(&stage, &channel).await, before);

    let cleared = choose(&stage, &channel, Value::Null).await.expect(200);
    assert_eq!(cleared["default_board"], Value::Null);
    assert_eq!(default_board(&stage, &channel).await, Value::Null);
    assert_eq!(said(&stage.publish("ada", &channel, "Nowhere").await), "422 no_board");
}

#[tokio::test]
async fn the_default_board_stays_when_pinterest_cannot_be_asked() {
    let (stage, channel) = Stage::connected().await;
    let before = default_board(&stage, &channel).await;
    let listed = boards(&stage, &channel, "").await;
    let travel = named(&listed, "Travel")[0]["pinterest_board_id"].clone();
    for kind in [FaultKind::CutBefore, FaultKind::Status500Before, FaultKind::Garbage] {
        stage.pinterest().inject(Fault::once(Operation::GetBoard, kind.clone()));
        assert_eq!(
            said(&choose(&stage, &channel, travel.clone()).await),
            "502 pinterest_unreachable",
            "{kind:?}"
        );
        assert_eq!(default_board(&stage, &channel).await, before);
    }
    let limit = FaultKind::RateLimited { reset: 30 };
    stage.pinterest().inject(Fault::once(Operation::GetBoard, limit));
    let limited = choose(&stage, &channel, travel.clone()).await;
    assert_eq!(said(&limited), "429 pinterest_rate_limited");
    assert!(limited.headers.contains_key("retry-after"));
    choose(&stage, &channel, travel).await.expect(200);
    assert_eq!(default_board(&stage, &channel).await["name"], "Travel");
}

#[tokio::test]
async fn a_pin_to_a_board_that_is_gone_is_kept_as_failed_in_the_same_words() {
    let (stage, channel) = Stage::connected().await;
    let production = stage.pinterest().boards(Environment::Production, "demo_account")[0].id.clone();
    for board in [NOWHERE, &production] {
        let mut body = pin(&channel, "Nowhere");
        body["board_id"] = json!(board);

        let refused = stage.post(PINS, "ada", body).await;

        assert_eq!(said(&refused), "422 board_id_invalid");
        let problem = refused.json();
        assert_eq!(problem["detail"], "board_id is invalid");
        let kept = stage.pin("ada", problem["pin_id"].as_str().unwrap()).await;
        assert_eq!(kept["state"], "failed");
        for word in ["code", "detail", "fix"] {
            assert_eq!(kept["error"][word], problem[word]);
        }
    }
    stage.advance(days(1)).await;
    assert_eq!(stage.sent(), 2, "what is refused for good is not sent again");
    assert_eq!(stage.at_pinterest("Nowhere"), 0);
}

#[tokio::test]
async fn a_failed_pin_is_sent_again_on_request_and_fails_again_while_the_cause_is_there() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().inject(Fault::once(Operation::CreatePin, gone()).times(2));
    let refused = stage.publish("ada", &channel, "Second chance").await;
    assert_eq!(said(&refused), "422 board_id_invalid");
    let id = refused.json()["pin_id"].as_str().unwrap().to_owned();
    let retry = format!("/api/v1/pins/{id}/retry");

    let again = stage.post(&retry, "ada", json!({})).await.expect(202);
    assert_eq!(
        (&again["id"], &again["state"], &again["error"]),
        (&json!(id), &json!("scheduled"), &Value::Null)
    );
    stage.stack.tick().await.unwrap();
    assert_eq!(stage.pin("ada", &id).await["error"]["code"], "board_id_invalid");

    stage.post(&retry, "ada", json!({})).await.expect(202);
    stage.stack.tick().await.unwrap();
    let published = stage.pin("ada", &id).await;
    assert_eq!((&published["state"], &published["error"]), (&json!("published"), &Value::Null));
    assert_eq!(stage.at_pinterest("Second chance"), 1);
    assert_eq!(said(&stage.post(&retry, "ada", json!({})).await), "409 wrong_state");
    let kinds = stage.event_kinds().await;
    let of_pins: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("pin.")).collect();
    let expected = ["pin.failed", "pin.scheduled", "pin.failed", "pin.scheduled", "pin.published"];
    assert_eq!(of_pins, expected);
}

#[tokio::test]
async fn two_retries_at_once_send_once() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().inject(Fault::once(Operation::CreatePin, gone()));
    let refused = stage.publish("ada", &channel, "Once").await.json();
    let retry = format!("/api/v1/pins/{}/retry", refused["pin_id"].as_str().unwrap());
    let retries = (0..6).map(|_| stage.post(&retry, "ada", json!({})));
    let answers = futures::future::join_all(retries).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    let late = answers.iter().filter(|answer| said(answer) == "409 wrong_state").count();
    assert_eq!((taken, late), (1, 5));
    stage.advance(minutes(2)).await;
    assert_eq!(stage.at_pinterest("Once"), 1);
}

#[tokio::test]
async fn only_a_failed_pin_is_retried_and_only_one_that_is_not_sent_is_cancelled() {
    let (stage, channel) = Stage::connected().await;
    let published = stage.publish("ada", &channel, "Sent").await.expect(201);
    let tomorrow = stage.stack.now() + days(1);
    let scheduled = stage.schedule("ada", &channel, "Later", tomorrow).await.expect(202);
    stage.pinterest().inject(Fault::once(Operation::CreatePin, gone()));
    let failed = stage.publish("ada", &channel, "Failed").await.json();
    let path = |pin: &Value| format!("{PINS}/{}", pin.as_str().unwrap());
    let ada = stage.user("ada");
    let cancel = async |pin: &Value| stage.call(Method::DELETE, &path(pin), &ada, None).await;
    let retry = async |pin: &Value| stage.post(&format!("{}/retry", path(pin)), "ada", json!({})).await;

    assert_eq!(said(&cancel(&published["id"]).await), "409 wrong_state");
    assert_eq!(said(&cancel(&failed["pin_id"]).await), "409 wrong_state");
    assert_eq!(said(&retry(&published["id"]).await), "409 wrong_state");
    assert_eq!(said(&retry(&scheduled["id"]).await), "409 wrong_state");

    let cancelled = cancel(&scheduled["id"]).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancel(&scheduled["id"]).await.expect(200)["state"], "cancelled", "again is as good");
    assert_eq!(said(&retry(&scheduled["id"]).await), "409 wrong_state");
    stage.advance(days(2)).await;
    assert_eq!(stage.at_pinterest("Later"), 0);
    assert_eq!(stage.at_pinterest("Sent"), 1);
    let kinds = stage.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "pin.cancelled").count(), 1);
}

#[tokio::test]
async fn a_scheduled_pin_whose_board_is_gone_by_then_fails_with_the_fixed_words() {
    let (stage, channel) = Stage::connected().await;
    let mut later = pin(&channel, "Later");
    later["publish_at"] = json!(stage.stack.now() + days(1));
    later["board_id"] = json!(NOWHERE);
    let scheduled = stage.post(PINS, "ada", later).await.expect(202);
    stage.advance(days(1) + minutes(1)).await;
    let failed = stage.pin("ada", &id(&scheduled)).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["code"], "board_id_invalid");
    assert_eq!(failed["error"]["detail"], "board_id is invalid");
    let last = failed["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["http_status"]), (&json!("failed"), &json!(404)));
}

#[tokio::test]
async fn a_section_of_another_board_is_told_apart_from_a_board_that_is_gone() {
    let (stage, channel) = Stage::connected().await;
    let mut body = pin(&channel, "Nowhere");
    body["board_section_id"] = json!(NOWHERE);
    let refused = stage.post(PINS, "ada", body).await;
    assert_eq!(said(&refused), "422 board_section_id_invalid");
    assert!(refused.json()["pin_id"].is_string());
}

#[tokio::test]
async fn a_channel_of_one_environment_keeps_to_it_when_the_setting_changes() {
    let (stage, channel) = Stage::connected().await;
    stage.save(json!({"environment": "production"})).await;
    stage.publish("ada", &channel, "Still sandbox").await.expect(201);
    assert_eq!(stage.at_pinterest("Still sandbox"), 1);
    assert!(stage.pinterest().pins(Environment::Production).is_empty());
    let other = stage.connect("ada").await;
    assert_ne!(other, channel, "the same account in production is another channel");
    let sandbox_board = stage.pinterest().boards(Environment::Sandbox, "demo_account")[0].id.clone();
    assert_eq!(said(&choose(&stage, &other, json!(sandbox_board)).await), "422 board_id_invalid");
}
