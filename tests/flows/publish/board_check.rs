//! Board checks after an unknown outcome: the list may be late, long, in any order, or unreadable.

use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation, PinOrder};

use crate::{
    harness::{APP_ID, APP_SECRET, Answer, PINS, TestApp, answer, id, minutes, pin, seconds, until, waits},
    publish::outcome_unknown::{
        each_lost_answer_ends_as_one_pin, expect_bound, lines, pass_board_checks, publish_with_lost_answer,
    },
};

/// A token of the account's owner, for what the owner does at Pinterest without Pinwright.
async fn owner(app: &TestApp) -> String {
    let page = app.start_oauth("ada").await;
    let redirect_uri = reqwest::Url::parse(&page).unwrap();
    let redirect_uri = redirect_uri.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
    let form = "application/x-www-form-urlencoded";
    let redirect = app.client.post(&page).body("decision=allow").header("content-type", form);
    let redirect = reqwest::Url::parse(answer(redirect).await.headers[LOCATION].to_str().unwrap()).unwrap();
    let code = redirect.query_pairs().find(|(name, _)| name == "code").unwrap().1;
    let mut body = reqwest::Url::parse("http://form").unwrap();
    let pairs = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &*redirect_uri)];
    body.query_pairs_mut().extend_pairs(pairs);
    let url = format!("{}/oauth/token", app.pinterest().sandbox_api_url());
    let tokens = app.client.post(url).basic_auth(APP_ID, Some(APP_SECRET)).header("content-type", form);
    let tokens = answer(tokens.body(body.query().unwrap().to_owned())).await.expect(200);
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// One call of the owner at Pinterest.
async fn as_owner(app: &TestApp, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let url = format!("{}/{path}", app.pinterest().sandbox_api_url());
    answer(app.client.request(method, url).bearer_auth(token).json(&body)).await
}

/// Creates this many Pins of the owner on a board.
async fn fill(app: &TestApp, owner: &str, board: &str, count: usize) {
    let media = json!({"source_type": "image_url", "url": "https://images.example.com/old.jpg"});
    for number in 0..count {
        let old = json!({"board_id": board, "title": format!("Old {number}"), "media_source": media});
        as_owner(app, owner, Method::POST, "pins", old).await.expect(201);
    }
}

/// A board whose first 250 Pins were created within one second, and `more` after them.
async fn board_of_one_second(app: &TestApp, owner: &str, other_pins: usize) -> String {
    for board in app.pinterest().add_boards(Environment::Sandbox, "demo_account", 20).unwrap() {
        until(|| app.stack.now().subsec_millisecond() < 20).await;
        let start = app.stack.now().as_second();
        fill(app, owner, &board, 250).await;
        if app.stack.now().as_second() == start {
            fill(app, owner, &board, other_pins).await;
            return board;
        }
    }
    panic!("this machine is too slow");
}

async fn default_board(app: &TestApp, channel: &str) -> String {
    let channel = app.channel("ada", channel).await;
    channel["default_board"]["pinterest_board_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_list_that_lags_by_two_minutes_makes_no_double() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().change_policy(|policy| policy.lag_seconds = 120).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&app, &channel, before, after).await;
}

#[tokio::test]
async fn a_list_in_no_order_hides_nothing() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().change_policy(|policy| policy.pin_order = PinOrder::Shuffled).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&app, &channel, before, after).await;
}

#[tokio::test]
async fn a_list_with_the_oldest_first_hides_nothing() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().change_policy(|policy| policy.pin_order = PinOrder::OldestFirst).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&app, &channel, before, after).await;
}

#[tokio::test]
async fn a_long_board_is_read_as_far_as_the_pin_can_be() {
    let (app, channel) = TestApp::start_connected().await;
    let (owner, board) = (owner(&app).await, default_board(&app, &channel).await);
    for _ in 0..15 {
        fill(&app, &owner, &board, 20).await;
        app.advance(minutes(1)).await;
    }
    app.advance(minutes(10)).await;

    let orders = [(PinOrder::NewestFirst, 1), (PinOrder::OldestFirst, 2), (PinOrder::Shuffled, 2)];
    for (order, pages) in orders {
        app.pinterest().change_policy(|policy| policy.pin_order = order).unwrap();
        let (created_title, missing_title) = (format!("{order:?} made"), format!("{order:?} never"));
        let first = publish_with_lost_answer(&app, &channel, &created_title, FaultKind::CutAfter).await;
        let page_reads = app.pinterest().calls_of(Operation::ListBoardPins);
        app.advance(seconds(20)).await;
        expect_bound(&app, &first, &created_title).await;
        assert_eq!(app.pinterest().calls_of(Operation::ListBoardPins) - page_reads, pages, "{order:?}");

        let second = publish_with_lost_answer(&app, &channel, &missing_title, FaultKind::CutBefore).await;
        pass_board_checks(&app).await;
        expect_bound(&app, &second, &missing_title).await;
    }
}

#[tokio::test]
async fn a_page_of_pins_of_one_second_does_not_show_the_order_of_a_list() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().change_policy(|policy| policy.documented_limits = false).unwrap();
    let board = board_of_one_second(&app, &owner(&app).await, 10).await;
    app.advance(minutes(10)).await;
    app.pinterest().change_policy(|policy| policy.pin_order = PinOrder::OldestFirst).unwrap();
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let mut body = pin(&channel, "On the last page");
    body["board_id"] = json!(board);
    let pin = id(&app.post(PINS, "ada", body).await.expect(202));

    pass_board_checks(&app).await;

    expect_bound(&app, &pin, "On the last page").await;
    assert_eq!(app.send_count(), 261);
}

#[tokio::test]
async fn failed_board_checks_do_not_count() {
    let (app, channel) = TestApp::start_connected().await;
    let missing = publish_with_lost_answer(&app, &channel, "Never", FaultKind::CutBefore).await;
    let created = publish_with_lost_answer(&app, &channel, "Made", FaultKind::CutAfter).await;
    let kinds = [FaultKind::Status500Before, FaultKind::CutInAnswer, FaultKind::Garbage, FaultKind::Scope];
    for kind in kinds {
        app.pinterest().inject(Fault::once(Operation::ListBoardPins, kind).times(2));
    }
    let unreadable = Fault::once(Operation::ListBoardPins, FaultKind::CutBefore);
    app.pinterest().inject(unreadable.times(100));

    app.advance(minutes(60)).await;

    for pin in [&missing, &created] {
        let pin = app.pin("ada", pin).await;
        waits(&pin, "outcome_unknown");
        let timeline = lines(&pin).join("\n");
        assert!(timeline.contains("looked: the board could not be read"), "{timeline}");
    }
    assert_eq!((app.send_count(), app.at_pinterest("Never"), app.at_pinterest("Made")), (2, 0, 1));

    app.pinterest().clear_faults();
    app.advance(minutes(40)).await;
    expect_bound(&app, &missing, "Never").await;
    expect_bound(&app, &created, "Made").await;
    assert_eq!(app.send_count(), 3);
}

#[tokio::test]
async fn an_unreadable_board_ends_a_pin_with_an_unknown_outcome_without_a_second_send() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().inject(Fault::once(Operation::ListBoardPins, FaultKind::CutBefore).times(1000));
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let mut body = pin(&channel, "Who knows");
    body["publish_within"] = json!("PT3H");
    let pin = id(&app.post(PINS, "ada", body).await.expect(202));

    app.advance(minutes(4 * 60)).await;

    let pin = app.pin("ada", &pin).await;
    assert_eq!(
        (&pin["state"], &pin["error"]["code"]),
        (&json!("needs_review"), &json!("outcome_unknown")),
        "{pin}"
    );
    assert_eq!((app.send_count(), app.at_pinterest("Who knows")), (1, 1));
}

#[tokio::test]
async fn a_board_that_was_deleted_meanwhile_fails_the_pin_by_its_name() {
    let (app, channel) = TestApp::start_connected().await;
    let (owner, board) = (owner(&app).await, default_board(&app, &channel).await);
    let created = publish_with_lost_answer(&app, &channel, "Made", FaultKind::CutAfter).await;
    let missing = publish_with_lost_answer(&app, &channel, "Never", FaultKind::CutBefore).await;
    as_owner(&app, &owner, Method::DELETE, &format!("boards/{board}"), Value::Null).await.expect(204);

    pass_board_checks(&app).await;

    for pin in [created, missing] {
        let pin = app.pin("ada", &pin).await;
        assert_eq!(pin["state"], "failed", "{pin}");
        assert_eq!(pin["error"]["code"], "board_id_invalid");
        assert_eq!(pin["error"]["detail"], "board_id is invalid");
        assert!(pin["error"]["fix"].as_str().unwrap().contains("default board"));
    }
    assert_eq!(app.send_count(), 2);
}
