//! Every known error of Pinterest, from the table in `ERRORS.md`.

use serde_json::{Value, json};
use simulated_pinterest::FaultKind;

use crate::{
    harness::{PINS, TestApp, pin},
    publish::waiting::inject,
};

const TABLE: &str = include_str!("../../../shared/pinterest/ERRORS.md");

#[tokio::test]
async fn each_line_of_the_table_is_true() {
    let lines: Vec<Vec<&str>> = TABLE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| status"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    assert!(lines.len() >= 29, "{}", lines.len());
    let mut mismatches = Vec::new();
    for line in &lines {
        let [status, code, words, _, _, state, reason] = line[..] else { panic!("{line:?}") };
        let (app, channel) = TestApp::start_connected().await;
        let (status, code) = (status.parse().unwrap(), code.parse().unwrap());
        inject(&app, FaultKind::Refused { status, code, message: words.to_owned() });

        let response = app.publish("ada", &channel, "Whatever").await;
        let pins = app.get("/api/v1/pins", "ada").await.expect(200);
        let pin = &pins["items"][0];

        let explains = pin["timeline"].as_array().unwrap().last().unwrap()["detail"] != json!("");
        let actual = match state {
            "failed" => (response.problem(422), pin["error"]["code"].clone()),
            _ => (response.json()["reason"].as_str().unwrap_or_default().to_owned(), pin["reason"].clone()),
        };
        let expected = (reason.to_owned(), Value::from(reason));
        if (pin["state"].as_str(), &actual, explains) != (Some(state), &expected, true) {
            mismatches.push(format!("{status} {code} {words}: {pin}"));
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[tokio::test]
async fn a_403_without_a_reason_is_about_the_board_if_pinterest_does_not_show_it() {
    let app = TestApp::start_configured().await;
    app.save(json!({"environment": "production"})).await;
    let channel = app.connect("ada").await;
    let board = app.choose_board("ada", &channel).await;
    let not_permitted = || FaultKind::Refused {
        status: 403,
        code: 29,
        message: "You are not permitted to access that resource.".to_owned(),
    };
    let publish = async |title: &str, board: &str| {
        inject(&app, not_permitted());
        let mut body = pin(&channel, title);
        body["board_id"] = json!(board);
        app.post(PINS, "ada", body).await.problem(422)
    };
    let tier = async || {
        let validation =
            app.post(&format!("{PINS}/validate"), "ada", pin(&channel, "Other")).await.expect(200);
        let checks = validation["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["check"] == "tier").unwrap()["ok"].clone()
    };

    assert_eq!(publish("Somebody else's board", "123456789").await, "board_id_invalid");
    assert_eq!(tier().await, json!(true), "it was about the board");

    assert_eq!(publish("Own board", &board).await, "invalid_scope");
    assert_eq!(tier().await, json!(false));
}

#[tokio::test]
async fn an_unknown_outcome_has_the_reason_why_it_is_unknown() {
    let table = [
        (FaultKind::CutAfter, "answer_lost"),
        (FaultKind::Garbage, "answer_unreadable"),
        (FaultKind::Status500After, "pinterest_failed"),
        (FaultKind::Code2787After, "pinterest_failed"),
    ];
    for (kind, reason) in table {
        let (app, channel) = TestApp::start_connected().await;
        inject(&app, kind.clone());

        let unknown = app.publish("ada", &channel, "Unknown").await.expect(202);

        assert_eq!(unknown["timeline"].as_array().unwrap().last().unwrap()["reason"], reason, "{kind:?}");
    }
}
