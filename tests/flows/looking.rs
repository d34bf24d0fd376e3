//! The board on which a Pin in doubt is looked for: its list may be late, long, in any order, or out of reach.

use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation, PinOrder};

use crate::{
    doubt::{bound, each_lost_answer_ends_as_one_pin, lines, looks, lose},
    stage::{APP_ID, APP_SECRET, Answer, PINS, Stage, answer, id, minutes, pin, seconds, until, waits},
};

/// A token of the account's owner's own, to do at Pinterest what they might do there.
async fn owner(stage: &Stage) -> String {
    let page = stage.start("ada").await;
    let redirect_uri = reqwest::Url::parse(&page).unwrap();
    let redirect_uri = redirect_uri.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
    let form = "application/x-www-form-urlencoded";
    let back = stage.client.post(&page).body("decision=allow").header("content-type", form);
    let back = reqwest::Url::parse(answer(back).await.headers[LOCATION].to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1;
    let mut body = reqwest::Url::parse("http://form").unwrap();
    let pairs = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &*redirect_uri)];
    body.query_pairs_mut().extend_pairs(pairs);
    let url = format!("{}/oauth/token", stage.pinterest().sandbox_api_url());
    let tokens = stage.client.post(url).basic_auth(APP_ID, Some(APP_SECRET)).header("content-type", form);
    let tokens = answer(tokens.body(body.query().unwrap().to_owned())).await.expect(200);
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// One call of the owner's at Pinterest.
async fn as_owner(stage: &Stage, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let url = format!("{}/{path}", stage.pinterest().sandbox_api_url());
    answer(stage.client.request(method, url).bearer_auth(token).json(&body)).await
}

/// So many Pins of the owner's own on a board.
async fn fill(stage: &Stage, owner: &str, board: &str, count: usize) {
    let media = json!({"source_type": "image_url", "url": "https://images.example.com/old.jpg"});
    for number in 0..count {
        let old = json!({"board_id": board, "title": format!("Old {number}"), "media_source": media});
        as_owner(stage, owner, Method::POST, "pins", old).await.expect(201);
    }
}

/// A board whose first 250 Pins were made within one second, and so many more.
async fn board_of_one_second(stage: &Stage, owner: &str, more: usize) -> String {
    for board in stage.pinterest().add_boards(Environment::Sandbox, "demo_account", 20).unwrap() {
        until(|| stage.stack.now().subsec_millisecond() < 20).await;
        let began = stage.stack.now().as_second();
        fill(stage, owner, &board, 250).await;
        if stage.stack.now().as_second() == began {
            fill(stage, owner, &board, more).await;
            return board;
        }
    }
    panic!("this machine is too slow");
}

async fn default_board(stage: &Stage, channel: &str) -> String {
    let channel = stage.channel("ada", channel).await;
    channel["default_board"]["pinterest_board_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_list_that_lags_by_two_minutes_makes_no_double() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.lag_seconds = 120).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&stage, &channel, before, after).await;
}

#[tokio::test]
async fn a_list_in_no_order_hides_nothing() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.pin_order = PinOrder::Shuffled).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&stage, &channel, before, after).await;
}

#[tokio::test]
async fn a_list_with_the_oldest_first_hides_nothing() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.pin_order = PinOrder::OldestFirst).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&stage, &channel, before, after).await;
}

#[tokio::test]
async fn a_board_of_more_than_one_page_is_read_to_where_the_pin_can_be() {
    let (stage, channel) = Stage::connected().await;
    let (owner, board) = (owner(&stage).await, default_board(&stage, &channel).await);
    for _ in 0..15 {
        fill(&stage, &owner, &board, 20).await;
        stage.advance(minutes(1)).await;
    }
    stage.advance(minutes(10)).await;

    let orders = [(PinOrder::NewestFirst, 1), (PinOrder::OldestFirst, 2), (PinOrder::Shuffled, 2)];
    for (order, pages) in orders {
        stage.pinterest().change_policy(|policy| policy.pin_order = order).unwrap();
        let (made, never) = (format!("{order:?} made"), format!("{order:?} never"));
        let first = lose(&stage, &channel, &made, FaultKind::CutAfter).await;
        let read = stage.pinterest().calls_of(Operation::ListBoardPins);
        stage.advance(seconds(20)).await;
        bound(&stage, &first, &made).await;
        assert_eq!(stage.pinterest().calls_of(Operation::ListBoardPins) - read, pages, "{order:?}");

        let second = lose(&stage, &channel, &never, FaultKind::CutBefore).await;
        looks(&stage).await;
        bound(&stage, &second, &never).await;
    }
}

#[tokio::test]
async fn a_page_of_pins_of_one_second_says_nothing_about_the_order_of_a_list() {
    let (stage, channel) = Stage::connected().await;
    let board = board_of_one_second(&stage, &owner(&stage).await, 10).await;
    stage.advance(minutes(10)).await;
    stage.pinterest().change_policy(|policy| policy.pin_order = PinOrder::OldestFirst).unwrap();
    stage.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let mut body = pin(&channel, "On the last page");
    body["board_id"] = json!(board);
    let pin = id(&stage.post(PINS, "ada", body).await.expect(202));

    looks(&stage).await;

    bound(&stage, &pin, "On the last page").await;
    assert_eq!(stage.sent(), 261);
}

#[tokio::test]
async fn looks_that_fail_do_not_count() {
    let (stage, channel) = Stage::connected().await;
    let never = lose(&stage, &channel, "Never", FaultKind::CutBefore).await;
    let made = lose(&stage, &channel, "Made", FaultKind::CutAfter).await;
    let kinds = [FaultKind::Status500Before, FaultKind::CutInAnswer, FaultKind::Garbage, FaultKind::Scope];
    for kind in kinds {
        stage.pinterest().inject(Fault::once(Operation::ListBoardPins, kind).times(2));
    }
    let rest = Fault::once(Operation::ListBoardPins, FaultKind::CutBefore);
    stage.pinterest().inject(rest.times(100));

    stage.advance(minutes(60)).await;

    for pin in [&never, &made] {
        let pin = stage.pin("ada", pin).await;
        waits(&pin, "outcome_unknown");
        let told = lines(&pin).join("\n");
        assert!(told.contains("looked: the board could not be read"), "{told}");
    }
    assert_eq!((stage.sent(), stage.at_pinterest("Never"), stage.at_pinterest("Made")), (2, 0, 1));

    stage.pinterest().clear_faults();
    stage.advance(minutes(40)).await;
    bound(&stage, &never, "Never").await;
    bound(&stage, &made, "Made").await;
    assert_eq!(stage.sent(), 3);
}

#[tokio::test]
async fn a_board_that_can_never_be_read_ends_a_pin_in_doubt_without_another_try() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().inject(Fault::once(Operation::ListBoardPins, FaultKind::CutBefore).times(1000));
    stage.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let mut body = pin(&channel, "Who knows");
    body["publish_within"] = json!("PT3H");
    let pin = id(&stage.post(PINS, "ada", body).await.expect(202));

    stage.advance(minutes(4 * 60)).await;

    let pin = stage.pin("ada", &pin).await;
    assert_eq!(
        (&pin["state"], &pin["error"]["code"]),
        (&json!("failed"), &json!("outcome_unknown")),
        "{pin}"
    );
    assert_eq!((stage.sent(), stage.at_pinterest("Who knows")), (1, 1));
}

#[tokio::test]
async fn a_board_that_was_deleted_meanwhile_fails_the_pin_by_its_name() {
    let (stage, channel) = Stage::connected().await;
    let (owner, board) = (owner(&stage).await, default_board(&stage, &channel).await);
    let made = lose(&stage, &channel, "Made", FaultKind::CutAfter).await;
    let never = lose(&stage, &channel, "Never", FaultKind::CutBefore).await;
    as_owner(&stage, &owner, Method::DELETE, &format!("boards/{board}"), Value::Null).await.expect(204);

    looks(&stage).await;

    for pin in [made, never] {
        let pin = stage.pin("ada", &pin).await;
        assert_eq!(pin["state"], "failed", "{pin}");
        assert_eq!(pin["error"]["code"], "board_id_invalid");
        assert_eq!(pin["error"]["detail"], "board_id is invalid");
        assert!(pin["error"]["fix"].as_str().unwrap().contains("default board"));
    }
    assert_eq!(stage.sent(), 2);
}
