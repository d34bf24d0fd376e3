//! Moving Pins to another board, for example after a board was deleted.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::FaultKind;

use crate::{
    harness::{PINS, TestApp, id, minutes, waits},
    publish::waiting::{inject, published},
};

const MOVE: &str = "/api/v1/pins/move";

/// The account's boards, in their order.
async fn boards(app: &TestApp, channel: &str) -> Vec<String> {
    let boards = app.get(&format!("/api/v1/channels/{channel}/boards"), "ada").await.expect(200);
    let items = boards["items"].as_array().unwrap();
    items.iter().map(|board| board["pinterest_board_id"].as_str().unwrap().to_owned()).collect()
}

fn move_request(channel: &str, from: &str, to: &str) -> Value {
    json!({"channel_id": channel, "from_board_id": from, "to_board_id": to})
}

#[tokio::test]
async fn every_pin_that_is_not_yet_sent_moves_to_the_other_board() {
    let (app, channel) = TestApp::start_connected().await;
    let boards = boards(&app, &channel).await;
    let (from, to) = (&boards[0], &boards[1]);
    let at = app.stack.now() + minutes(60);
    let published_pin = app.publish("ada", &channel, "Sent").await.expect(201);
    let scheduled = app.schedule("ada", &channel, "Scheduled", at).await.expect(202);
    inject(&app, FaultKind::Refused { status: 404, code: 40, message: "Board not found.".into() });
    let refused = app.publish("ada", &channel, "Refused").await;
    assert_eq!(refused.problem(422), "board_id_invalid");
    assert_eq!(refused.json()["pin_ids"], json!([id(&scheduled)]), "what goes to the same board");
    let refused = app.pin("ada", refused.json()["pin_id"].as_str().unwrap()).await;
    inject(&app, FaultKind::ImageNotFetched);
    let waiting = app.publish("ada", &channel, "Waiting").await.expect(202);
    waits(&waiting, "pinterest_unavailable");

    let result = app.post(MOVE, "ada", move_request(&channel, from, to)).await.expect(200);

    assert_eq!(result, json!({"moved": [id(&waiting), id(&scheduled), id(&refused)], "left": []}));
    assert_eq!(app.pin("ada", &id(&published_pin)).await["board_id"], json!(from));
    app.post(&format!("{PINS}/{}/retry", id(&refused)), "ada", json!({})).await.expect(202);
    app.advance(minutes(61)).await;
    for (pin, title) in [(&scheduled, "Scheduled"), (&refused, "Refused"), (&waiting, "Waiting")] {
        let pin = published(&app, "ada", pin, title).await;
        assert_eq!(pin["board_id"], json!(to), "{pin}");
        let entry = pin["timeline"].as_array().unwrap().iter().find(|entry| entry["event"] == "changed");
        assert_eq!(entry.unwrap()["detail"], format!("from board {from} to board {to}"));
    }
}

#[tokio::test]
async fn a_pin_with_an_unknown_outcome_is_not_moved() {
    let (app, channel) = TestApp::start_connected().await;
    let boards = boards(&app, &channel).await;
    inject(&app, FaultKind::Status500After);
    let doubtful = app.publish("ada", &channel, "Perhaps").await.expect(202);

    let result = app.post(MOVE, "ada", move_request(&channel, &boards[0], &boards[1])).await.expect(200);

    assert_eq!(result, json!({"moved": [], "left": [id(&doubtful)]}));
    app.advance(minutes(10)).await;
    assert_eq!(published(&app, "ada", &doubtful, "Perhaps").await["board_id"], json!(boards[0]));
}

#[tokio::test]
async fn nobody_moves_the_pins_of_another_tenant() {
    let (app, channel) = TestApp::start_connected().await;
    let boards = boards(&app, &channel).await;
    let at = app.stack.now() + minutes(60);
    let pin = app.schedule("ada", &channel, "Mine", at).await.expect(202);

    let foreign = app.post(MOVE, "eve", move_request(&channel, &boards[0], &boards[1])).await;

    assert_eq!(foreign.problem(404), "not_found");
    assert_eq!(app.pin("ada", &id(&pin)).await["board_id"], json!(boards[0]));
}

#[tokio::test]
async fn a_board_that_is_no_id_is_refused_with_its_place() {
    let (app, channel) = TestApp::start_connected().await;
    for (field, expected) in [
        ("from_board_id", move_request(&channel, "Recipes", "1")),
        ("to_board_id", move_request(&channel, "1", "")),
        ("channel_id", move_request("Recipes", "1", "2")),
    ] {
        let answer = app.call(Method::POST, MOVE, &app.user("ada"), Some(expected)).await;
        assert_eq!(answer.problem(422), "invalid_id");
        assert_eq!(answer.json()["field"], json!(field));
    }
}
