//! What a Pin discloses of artificial intelligence, from the request to Pinterest.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::Environment;

use super::bulk::send;
use crate::harness::{PINS, TestApp, answer, id, minutes, pin};

const BOTH: [&str; 2] = ["AI_MODIFIED", "SYNTHETIC_PERFORMER"];

fn disclosing(channel: &str, title: &str, values: &[&str]) -> Value {
    let mut body = pin(channel, title);
    body["ai_disclosures"] = json!({ "values": values });
    body
}

/// What the Pin of this title discloses at Pinterest.
fn disclosed(app: &TestApp, title: &str) -> Vec<&'static str> {
    let pins = app.pinterest().pins(Environment::Sandbox);
    pins.into_iter().find(|pin| pin.title.as_deref() == Some(title)).unwrap().ai_disclosures
}

#[tokio::test]
async fn what_is_disclosed_reaches_pinterest_the_answer_and_the_events() {
    let (app, channel) = TestApp::start_connected().await;

    let made = app.post(PINS, "ada", disclosing(&channel, "Made", &["SYNTHETIC_PERFORMER", "AI_MODIFIED"]));
    let made = made.await.expect(201);
    let empty = app.post(PINS, "ada", disclosing(&channel, "Empty", &[])).await.expect(201);

    assert_eq!(made["ai_disclosures"], json!({ "values": BOTH }));
    assert_eq!(app.pin("ada", &id(&made)).await["ai_disclosures"], json!({ "values": BOTH }));
    assert_eq!(disclosed(&app, "Made"), BOTH);
    assert_eq!((empty.get("ai_disclosures"), disclosed(&app, "Empty")), (None, vec![]));
    let events = app.stack.events().await.unwrap();
    let event = events.iter().find(|event| event.detail["pin_id"] == made["id"]).unwrap();
    assert_eq!(event.detail["ai_disclosures"], json!({ "values": BOTH }));
}

#[tokio::test]
async fn an_edit_changes_what_is_disclosed_or_takes_it_away() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = disclosing(&channel, "Later", &["AI_MODIFIED"]);
    body["publish_at"] = json!(app.stack.now() + minutes(30));
    let id = id(&app.post(PINS, "ada", body).await.expect(202));
    let edit = async |change: Value| {
        let path = format!("{PINS}/{id}");
        app.call(Method::PATCH, &path, &app.user("ada"), Some(change)).await.expect(200)
    };

    assert_eq!(edit(json!({"title": "Soon"})).await["ai_disclosures"]["values"], json!(["AI_MODIFIED"]));
    let both = edit(json!({"ai_disclosures": {"values": BOTH}})).await;
    assert_eq!(both["ai_disclosures"]["values"], json!(BOTH));
    for none in [json!(null), json!({"values": []})] {
        edit(json!({"ai_disclosures": {"values": BOTH}})).await;
        assert_eq!(edit(json!({"ai_disclosures": none})).await.get("ai_disclosures"), None);
    }
}

#[tokio::test]
async fn a_key_belongs_to_what_was_disclosed_with_it() {
    let (app, channel) = TestApp::start_connected().await;
    let post = async |body: Value| {
        let request = app.client.post(format!("{}{PINS}", app.stack.url())).bearer_auth(app.user("ada"));
        answer(request.header("idempotency-key", "salad-1").json(&body)).await
    };
    post(disclosing(&channel, "Once", &["AI_MODIFIED"])).await.expect(201);

    assert_eq!(post(disclosing(&channel, "Once", &["AI_MODIFIED"])).await.status, 201);
    assert_eq!(post(pin(&channel, "Once")).await.problem(422), "idempotency_key_reused");
    assert_eq!(app.sent(), 1);
}

#[tokio::test]
async fn a_row_of_a_file_discloses_in_a_column_of_its_own() {
    let (app, channel) = TestApp::start_connected().await;
    let file = "Title,Media URL,AI disclosures\n\
                One,https://images.example.com/1.jpg,AI modified; synthetic performer\n\
                Two,https://images.example.com/2.jpg,\n\
                Three,https://images.example.com/3.jpg,perhaps\n";

    let rows = send(&app, &format!("?channel_id={channel}"), "text/csv", file).await.expect(200);

    let codes: Vec<_> = rows["rows"].as_array().unwrap().iter().map(|row| &row["code"]).collect();
    assert_eq!(codes, [&json!(null), &json!(null), &json!("invalid_ai_disclosure")]);
    app.stack.tick().await.unwrap();
    assert_eq!((disclosed(&app, "One"), disclosed(&app, "Two")), (BOTH.to_vec(), vec![]));
}
