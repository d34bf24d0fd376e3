//! Boards that go away, and Pins that move to another one.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::FaultKind;

use crate::{
    stage::{PINS, Stage, id, minutes, waits},
    waiting::{inject, published},
};

const MOVE: &str = "/api/v1/pins/move";

/// The account's boards, in their order.
async fn boards(stage: &Stage, channel: &str) -> Vec<String> {
    let boards = stage.get(&format!("/api/v1/channels/{channel}/boards"), "ada").await.expect(200);
    let items = boards["items"].as_array().unwrap();
    items.iter().map(|board| board["pinterest_board_id"].as_str().unwrap().to_owned()).collect()
}

fn moving(channel: &str, from: &str, to: &str) -> Value {
    json!({"channel_id": channel, "from_board_id": from, "to_board_id": to})
}

#[tokio::test]
async fn every_pin_that_is_not_yet_sent_moves_to_the_other_board() {
    let (stage, channel) = Stage::connected().await;
    let boards = boards(&stage, &channel).await;
    let (from, to) = (&boards[0], &boards[1]);
    let at = stage.stack.now() + minutes(60);
    let sent = stage.publish("ada", &channel, "Sent").await.expect(201);
    let scheduled = stage.schedule("ada", &channel, "Scheduled", at).await.expect(202);
    inject(&stage, FaultKind::Refused { status: 404, code: 40, message: "Board not found.".into() });
    let refused = stage.publish("ada", &channel, "Refused").await;
    assert_eq!(refused.problem(422), "board_id_invalid");
    assert_eq!(refused.json()["pin_ids"], json!([id(&scheduled)]), "what goes to the same board");
    let refused = stage.pin("ada", refused.json()["pin_id"].as_str().unwrap()).await;
    inject(&stage, FaultKind::ImageNotFetched);
    let waiting = stage.publish("ada", &channel, "Waiting").await.expect(202);
    waits(&waiting, "pinterest_unavailable");

    let moved = stage.post(MOVE, "ada", moving(&channel, from, to)).await.expect(200);

    assert_eq!(moved, json!({"moved": [id(&waiting), id(&scheduled), id(&refused)], "left": []}));
    assert_eq!(stage.pin("ada", &id(&sent)).await["board_id"], json!(from));
    stage.post(&format!("{PINS}/{}/retry", id(&refused)), "ada", json!({})).await.expect(202);
    stage.advance(minutes(61)).await;
    for (pin, title) in [(&scheduled, "Scheduled"), (&refused, "Refused"), (&waiting, "Waiting")] {
        let pin = published(&stage, "ada", pin, title).await;
        assert_eq!(pin["board_id"], json!(to), "{pin}");
        let told = pin["timeline"].as_array().unwrap().iter().find(|entry| entry["event"] == "changed");
        assert_eq!(told.unwrap()["detail"], format!("from board {from} to board {to}"));
    }
}

#[tokio::test]
async fn a_pin_in_doubt_stays_where_it_may_be() {
    let (stage, channel) = Stage::connected().await;
    let boards = boards(&stage, &channel).await;
    inject(&stage, FaultKind::Status500After);
    let doubtful = stage.publish("ada", &channel, "Perhaps").await.expect(202);

    let moved = stage.post(MOVE, "ada", moving(&channel, &boards[0], &boards[1])).await.expect(200);

    assert_eq!(moved, json!({"moved": [], "left": [id(&doubtful)]}));
    stage.advance(minutes(10)).await;
    assert_eq!(published(&stage, "ada", &doubtful, "Perhaps").await["board_id"], json!(boards[0]));
}

#[tokio::test]
async fn nobody_moves_the_pins_of_another_tenant() {
    let (stage, channel) = Stage::connected().await;
    let boards = boards(&stage, &channel).await;
    let at = stage.stack.now() + minutes(60);
    let pin = stage.schedule("ada", &channel, "Mine", at).await.expect(202);

    let stranger = stage.post(MOVE, "eve", moving(&channel, &boards[0], &boards[1])).await;

    assert_eq!(stranger.problem(404), "not_found");
    assert_eq!(stage.pin("ada", &id(&pin)).await["board_id"], json!(boards[0]));
}

#[tokio::test]
async fn a_board_that_is_no_id_is_refused_with_its_place() {
    let (stage, channel) = Stage::connected().await;
    for (field, wanted) in [
        ("from_board_id", moving(&channel, "Recipes", "1")),
        ("to_board_id", moving(&channel, "1", "")),
        ("channel_id", moving("Recipes", "1", "2")),
    ] {
        let answer = stage.call(Method::POST, MOVE, &stage.user("ada"), Some(wanted)).await;
        assert_eq!(answer.problem(422), "invalid_id");
        assert_eq!(answer.json()["field"], json!(field));
    }
}
