//! Every known error of Pinterest, from the table in `ERRORS.md`.

use serde_json::{Value, json};
use simulated_pinterest::FaultKind;

use crate::{harness::TestApp, publish::waiting::inject};

const TABLE: &str = include_str!("../../../shared/pinterest/ERRORS.md");

#[tokio::test]
async fn each_line_of_the_table_is_true() {
    let lines: Vec<Vec<&str>> = TABLE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| status"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    assert!(lines.len() >= 29, "{}", lines.len());
    let mut wrong = Vec::new();
    for line in &lines {
        let [status, code, words, _, _, state, why] = line[..] else { panic!("{line:?}") };
        let (app, channel) = TestApp::start_connected().await;
        let (status, code) = (status.parse().unwrap(), code.parse().unwrap());
        inject(&app, FaultKind::Refused { status, code, message: words.to_owned() });

        let told = app.publish("ada", &channel, "Whatever").await;
        let pins = app.get("/api/v1/pins", "ada").await.expect(200);
        let pin = &pins["items"][0];

        let explains = pin["timeline"].as_array().unwrap().last().unwrap()["detail"] != json!("");
        let said = match state {
            "failed" => (told.problem(422), pin["error"]["code"].clone()),
            _ => (told.json()["reason"].as_str().unwrap_or_default().to_owned(), pin["reason"].clone()),
        };
        let expected = (why.to_owned(), Value::from(why));
        if (pin["state"].as_str(), &said, explains) != (Some(state), &expected, true) {
            wrong.push(format!("{status} {code} {words}: {pin}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
