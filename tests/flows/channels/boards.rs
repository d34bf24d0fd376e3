//! Boards: they are listed whole, created once, and chosen only if they exist. And Pins without a board.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::{
    harness::problems::status_and_code,
    harness::{Answer, PINS, TestApp, days, id, minutes, pin},
};

const NOWHERE: &str = "999999999999";

async fn boards(app: &TestApp, channel: &str, query: &str) -> Value {
    app.get(&format!("/api/v1/channels/{channel}/boards{query}"), "ada").await.expect(200)
}

async fn create(app: &TestApp, channel: &str, body: Value) -> Answer {
    app.post(&format!("/api/v1/channels/{channel}/boards"), "ada", body).await
}

async fn choose(app: &TestApp, channel: &str, board: Value) -> Answer {
    let body = Some(json!({"default_board_id": board}));
    app.call(Method::PATCH, &format!("/api/v1/channels/{channel}"), &app.user("ada"), body).await
}

async fn default_board(app: &TestApp, channel: &str) -> Value {
    app.channel("ada", channel).await["default_board"].clone()
}

fn named<'a>(boards: &'a Value, name: &str) -> Vec<&'a Value> {
    boards["items"].as_array().unwrap().iter().filter(|board| board["name"] == name).collect()
}

/// Pinterest's answer about a board that is gone.
fn board_not_found() -> FaultKind {
    FaultKind::Refused { status: 404, code: 40, message: "Board not found.".to_owned() }
}

#[tokio::test]
async fn three_hundred_boards_are_listed_each_once() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().add_boards(Environment::Sandbox, "demo_account", 300).unwrap();
    app.pinterest().add_boards(Environment::Production, "demo_account", 5).unwrap();
    app.pinterest().add_boards(Environment::Sandbox, "second_account", 5).unwrap();
    app.advance(minutes(5)).await; // the list that was read before is kept so long
    let before = app.pinterest().calls_of(Operation::ListBoards);

    let list = boards(&app, &channel, "").await;

    assert_eq!(list["next"], Value::Null);
    let mut ids: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|b| b["pinterest_board_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 302, "300, and Recipes and Travel; a secret board is not granted");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 302);
    assert!(app.pinterest().calls_of(Operation::ListBoards) - before >= 2);
    assert_eq!(app.pinterest().calls_of(Operation::ListSections), 0);
    assert!(list["items"].as_array().unwrap().iter().all(|board| board["sections"] == json!([])));
}

#[tokio::test]
async fn sections_are_listed_on_request() {
    let (app, channel) = TestApp::start_connected().await;
    let with = boards(&app, &channel, "?sections=true").await;
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
    app.post(PINS, "ada", body).await.expect(201);
    let remote_pins = app.pinterest().pins(Environment::Sandbox);
    assert_eq!(remote_pins[0].section.as_deref(), Some("Salads"));
}

/// The error code of a list that was not read: no answer came, or an unreadable one.
fn silent_or_odd(kind: &FaultKind) -> &'static str {
    if *kind == FaultKind::Garbage { "pinterest_unreadable" } else { "pinterest_unreachable" }
}

#[tokio::test]
async fn an_interrupted_list_is_not_returned_in_part() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().add_boards(Environment::Sandbox, "demo_account", 300).unwrap();
    for kind in [FaultKind::CutBefore, FaultKind::CutInAnswer, FaultKind::Status500Before, FaultKind::Garbage]
    {
        app.advance(minutes(6)).await; // a list may be cached for five minutes
        app.pinterest().inject(Fault::once(Operation::ListBoards, kind.clone()));
        let path = format!("/api/v1/channels/{channel}/boards");
        let answer = app.get(&path, "ada").await;
        if answer.status == 200 {
            assert_eq!(answer.json()["items"].as_array().unwrap().len(), 302, "{kind:?}: asked again");
        } else {
            assert_eq!(status_and_code(&answer), format!("502 {}", silent_or_odd(&kind)), "{kind:?}");
        }
        app.pinterest().clear_faults();
    }
    assert_eq!(boards(&app, &channel, "").await["items"].as_array().unwrap().len(), 302);
}

#[tokio::test]
async fn a_board_is_made_once_and_its_name_leads_to_it() {
    let (app, channel) = TestApp::start_connected().await;
    let body = json!({"name": "Soups", "description": "Hot", "privacy": "PUBLIC"});
    let created = create(&app, &channel, body).await.expect(201);
    assert_eq!((&created["name"], &created["privacy"]), (&json!("Soups"), &json!("PUBLIC")));

    let repeated = create(&app, &channel, json!({"name": "Soups"})).await.expect(200);
    assert_eq!(repeated["pinterest_board_id"], created["pinterest_board_id"]);

    assert_eq!(named(&boards(&app, &channel, "").await, "Soups"), [&created]);
    let chosen = choose(&app, &channel, created["pinterest_board_id"].clone()).await.expect(200);
    assert_eq!(chosen["default_board"]["name"], "Soups");
}

#[tokio::test]
async fn a_name_with_space_around_it_leads_to_the_same_board() {
    // Pinterest trims names.
    let (app, channel) = TestApp::start_connected().await;
    let recipes = create(&app, &channel, json!({"name": "Recipes"})).await.expect(200);
    let padded = create(&app, &channel, json!({"name": " Recipes "})).await.expect(200);
    assert_eq!(padded["pinterest_board_id"], recipes["pinterest_board_id"]);

    let fault = Fault::once(Operation::CreateBoard, FaultKind::CutAfter);
    app.pinterest().inject(fault);
    let created = create(&app, &channel, json!({"name": "Soups "})).await;
    assert!(created.status.is_success(), "{}", created.text);
}

#[tokio::test]
async fn a_board_whose_answer_was_lost_is_found_and_not_made_twice() {
    let (app, channel) = TestApp::start_connected().await;
    let faults = [FaultKind::CutAfter, FaultKind::CutInAnswer, FaultKind::Status500After, FaultKind::Garbage];
    for (number, kind) in faults.into_iter().enumerate() {
        let name = format!("Lost {number}");
        app.pinterest().inject(Fault::once(Operation::CreateBoard, kind.clone()));
        let response = create(&app, &channel, json!({"name": name})).await;
        assert!(response.status.is_success(), "{kind:?}: {}", response.text);
        let remote_boards = app.pinterest().boards(Environment::Sandbox, "demo_account");
        let ids: Vec<_> =
            remote_boards.iter().filter(|board| board.name == name).map(|board| board.id.as_str()).collect();
        assert_eq!(ids, [response.json()["pinterest_board_id"].as_str().unwrap()], "{kind:?}");
    }
}

#[tokio::test]
async fn a_board_that_was_not_created_is_not_reported_as_created() {
    let (app, channel) = TestApp::start_connected().await;
    for kind in [FaultKind::CutBefore, FaultKind::Status500Before] {
        app.pinterest().inject(Fault::once(Operation::CreateBoard, kind.clone()));
        let answer = create(&app, &channel, json!({"name": "Not there"})).await;
        assert_eq!(status_and_code(&answer), "502 pinterest_unreachable", "{kind:?}");
    }
    assert!(named(&boards(&app, &channel, "").await, "Not there").is_empty());
    create(&app, &channel, json!({"name": "Not there"})).await.expect(201);
}

#[tokio::test]
async fn an_invalid_board_name_is_refused_before_a_call_to_pinterest() {
    let (app, channel) = TestApp::start_connected().await;
    for (name, expected) in [
        (json!(""), "422 missing_field"),
        (json!("x".repeat(181)), "422 too_long"),
        (json!("👩".repeat(181)), "422 too_long"),
        (json!("a\u{0}b"), "422 control_character"),
        (json!(null), "422 invalid_type"),
        (json!(5), "422 invalid_type"),
    ] {
        let refused = create(&app, &channel, json!({"name": name})).await;
        assert_eq!(status_and_code(&refused), expected, "{name}");
    }
    assert_eq!(app.pinterest().calls_of(Operation::CreateBoard), 0);
    create(&app, &channel, json!({"name": "x".repeat(180)})).await.expect(201);
    create(&app, &channel, json!({"name": "👩".repeat(180)})).await.expect(201);
}

#[tokio::test]
async fn a_name_of_nothing_but_space_is_refused() {
    let (app, channel) = TestApp::start_connected().await;
    let refused = create(&app, &channel, json!({"name": "   "})).await;
    assert!(status_and_code(&refused).starts_with("422 "), "{}", refused.text);
    assert_eq!(boards(&app, &channel, "").await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_secret_board_without_its_scopes_is_refused_with_a_fix() {
    let (app, channel) = TestApp::start_connected().await;
    let refused = create(&app, &channel, json!({"name": "Hidden", "privacy": "SECRET"})).await;
    assert!(status_and_code(&refused).ends_with("invalid_scope"), "{}", refused.text);
    assert!(refused.json()["fix"].as_str().unwrap().contains("boards:write_secret"), "{}", refused.text);
}

#[tokio::test]
async fn the_default_board_is_one_that_exists_or_none() {
    let (app, channel) = TestApp::start_connected().await;
    let before = default_board(&app, &channel).await;
    let production = app.pinterest().boards(Environment::Production, "demo_account")[0].id.clone();
    let others = app.pinterest().boards(Environment::Sandbox, "second_account")[0].id.clone();
    for board in [NOWHERE.to_owned(), production, others] {
        let refused = choose(&app, &channel, json!(board)).await;
        assert_eq!(status_and_code(&refused), "422 board_id_invalid", "{board}");
        assert_eq!(refused.json()["detail"], "board_id is invalid");
        assert!(refused.json()["fix"].as_str().unwrap().contains("default board"));
    }
    assert_eq!(default_board(&app, &channel).await, before);

    let channel_view = choose(&app, &channel, Value::Null).await.expect(200);
    assert_eq!(channel_view["default_board"], Value::Null);
    assert_eq!(default_board(&app, &channel).await, Value::Null);
    assert_eq!(status_and_code(&app.publish("ada", &channel, "Nowhere").await), "422 no_board");
}

#[tokio::test]
async fn the_default_board_stays_while_pinterest_does_not_answer() {
    let (app, channel) = TestApp::start_connected().await;
    let before = default_board(&app, &channel).await;
    let list = boards(&app, &channel, "").await;
    let travel = named(&list, "Travel")[0]["pinterest_board_id"].clone();
    for kind in [FaultKind::CutBefore, FaultKind::Status500Before, FaultKind::Garbage] {
        app.pinterest().inject(Fault::once(Operation::GetBoard, kind.clone()));
        let answer = choose(&app, &channel, travel.clone()).await;
        assert_eq!(status_and_code(&answer), format!("502 {}", silent_or_odd(&kind)), "{kind:?}");
        assert_eq!(default_board(&app, &channel).await, before);
    }
    let limit = FaultKind::RateLimited { reset: 30 };
    app.pinterest().inject(Fault::once(Operation::GetBoard, limit));
    let limited = choose(&app, &channel, travel.clone()).await;
    assert_eq!(status_and_code(&limited), "429 pinterest_rate_limited");
    assert!(limited.headers.contains_key("retry-after"));
    choose(&app, &channel, travel).await.expect(200);
    assert_eq!(default_board(&app, &channel).await["name"], "Travel");
}

#[tokio::test]
async fn a_pin_to_a_deleted_board_is_stored_as_failed_with_the_same_text() {
    let (app, channel) = TestApp::start_connected().await;
    let production = app.pinterest().boards(Environment::Production, "demo_account")[0].id.clone();
    for board in [NOWHERE, &production] {
        let mut body = pin(&channel, "Nowhere");
        body["board_id"] = json!(board);

        let refused = app.post(PINS, "ada", body).await;

        assert_eq!(status_and_code(&refused), "422 board_id_invalid");
        let problem = refused.json();
        assert_eq!(problem["detail"], "board_id is invalid");
        let stored = app.pin("ada", problem["pin_id"].as_str().unwrap()).await;
        assert_eq!(stored["state"], "failed");
        for field in ["code", "detail", "fix"] {
            assert_eq!(stored["error"][field], problem[field]);
        }
    }
    app.advance(days(1)).await;
    assert_eq!(app.send_count(), 2, "what is refused for good is not sent again");
    assert_eq!(app.at_pinterest("Nowhere"), 0);
}

#[tokio::test]
async fn a_failed_pin_is_sent_again_on_request_and_fails_again_while_the_cause_is_there() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().inject(Fault::once(Operation::CreatePin, board_not_found()).times(2));
    let refused = app.publish("ada", &channel, "Second chance").await;
    assert_eq!(status_and_code(&refused), "422 board_id_invalid");
    let id = refused.json()["pin_id"].as_str().unwrap().to_owned();
    let retry = format!("/api/v1/pins/{id}/retry");

    let scheduled = app.post(&retry, "ada", json!({})).await.expect(202);
    assert_eq!(
        (&scheduled["id"], &scheduled["state"], &scheduled["error"]),
        (&json!(id), &json!("scheduled"), &Value::Null)
    );
    app.stack.tick().await.unwrap();
    assert_eq!(app.pin("ada", &id).await["error"]["code"], "board_id_invalid");

    app.post(&retry, "ada", json!({})).await.expect(202);
    app.stack.tick().await.unwrap();
    let published = app.pin("ada", &id).await;
    assert_eq!((&published["state"], &published["error"]), (&json!("published"), &Value::Null));
    assert_eq!(app.at_pinterest("Second chance"), 1);
    assert_eq!(status_and_code(&app.post(&retry, "ada", json!({})).await), "409 wrong_state");
    let kinds = app.event_kinds().await;
    let of_pins: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("pin.")).collect();
    let expected = ["pin.failed", "pin.scheduled", "pin.failed", "pin.scheduled", "pin.published"];
    assert_eq!(of_pins, expected);
}

#[tokio::test]
async fn two_retries_at_once_send_once() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().inject(Fault::once(Operation::CreatePin, board_not_found()));
    let refused = app.publish("ada", &channel, "Once").await.json();
    let retry = format!("/api/v1/pins/{}/retry", refused["pin_id"].as_str().unwrap());
    let retries = (0..6).map(|_| app.post(&retry, "ada", json!({})));
    let answers = futures::future::join_all(retries).await;
    let accepted = answers.iter().filter(|answer| answer.status == 202).count();
    let conflicts = answers.iter().filter(|answer| status_and_code(answer) == "409 wrong_state").count();
    assert_eq!((accepted, conflicts), (1, 5));
    app.advance(minutes(2)).await;
    assert_eq!(app.at_pinterest("Once"), 1);
}

#[tokio::test]
async fn only_a_failed_pin_is_retried_and_only_one_that_is_not_sent_is_cancelled() {
    let (app, channel) = TestApp::start_connected().await;
    let published = app.publish("ada", &channel, "Sent").await.expect(201);
    let tomorrow = app.stack.now() + days(1);
    let scheduled = app.schedule("ada", &channel, "Later", tomorrow).await.expect(202);
    app.pinterest().inject(Fault::once(Operation::CreatePin, board_not_found()));
    let failed = app.publish("ada", &channel, "Failed").await.json();
    let path = |pin: &Value| format!("{PINS}/{}", pin.as_str().unwrap());
    let ada = app.user("ada");
    let cancel = async |pin: &Value| app.call(Method::DELETE, &path(pin), &ada, None).await;
    let retry = async |pin: &Value| app.post(&format!("{}/retry", path(pin)), "ada", json!({})).await;

    assert_eq!(status_and_code(&cancel(&published["id"]).await), "409 wrong_state");
    assert_eq!(status_and_code(&cancel(&failed["pin_id"]).await), "409 wrong_state");
    assert_eq!(status_and_code(&retry(&published["id"]).await), "409 wrong_state");
    assert_eq!(status_and_code(&retry(&scheduled["id"]).await), "409 wrong_state");

    let cancelled = cancel(&scheduled["id"]).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancel(&scheduled["id"]).await.expect(200)["state"], "cancelled", "again is as good");
    assert_eq!(status_and_code(&retry(&scheduled["id"]).await), "409 wrong_state");
    app.advance(days(2)).await;
    assert_eq!(app.at_pinterest("Later"), 0);
    assert_eq!(app.at_pinterest("Sent"), 1);
    let kinds = app.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "pin.cancelled").count(), 1);
}

#[tokio::test]
async fn a_scheduled_pin_fails_with_the_fixed_text_after_its_board_was_deleted() {
    let (app, channel) = TestApp::start_connected().await;
    let mut later = pin(&channel, "Later");
    later["publish_at"] = json!(app.stack.now() + days(1));
    later["board_id"] = json!(NOWHERE);
    let scheduled = app.post(PINS, "ada", later).await.expect(202);
    app.advance(days(1) + minutes(1)).await;
    let failed = app.pin("ada", &id(&scheduled)).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["code"], "board_id_invalid");
    assert_eq!(failed["error"]["detail"], "board_id is invalid");
    let last = failed["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["http_status"]), (&json!("failed"), &json!(404)));
}

#[tokio::test]
async fn a_section_of_another_board_is_another_problem_than_a_deleted_board() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "Nowhere");
    body["board_section_id"] = json!(NOWHERE);
    let refused = app.post(PINS, "ada", body).await;
    assert_eq!(status_and_code(&refused), "422 board_section_id_invalid");
    assert!(refused.json()["pin_id"].is_string());
}

#[tokio::test]
async fn a_channel_of_one_environment_keeps_to_it_when_the_setting_changes() {
    let (app, channel) = TestApp::start_connected().await;
    app.save(json!({"environment": "production"})).await;
    app.publish("ada", &channel, "Still sandbox").await.expect(201);
    assert_eq!(app.at_pinterest("Still sandbox"), 1);
    assert!(app.pinterest().pins(Environment::Production).is_empty());
    let other = app.connect("ada").await;
    assert_ne!(other, channel, "the same account in production is another channel");
    let sandbox_board = app.pinterest().boards(Environment::Sandbox, "demo_account")[0].id.clone();
    assert_eq!(status_and_code(&choose(&app, &other, json!(sandbox_board)).await), "422 board_id_invalid");
}
