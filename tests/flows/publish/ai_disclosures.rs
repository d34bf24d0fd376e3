//! What a Pin discloses of artificial intelligence, from the request to Pinterest.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use local::Data;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::Environment;

use super::bulk::{LINES, send};
use crate::{
    harness::{PINS, TestApp, answer, id, minutes, pin},
    media::{files::uploaded, uploads::PNG},
};

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
async fn a_disclosure_reaches_pinterest_the_answer_and_the_events() {
    let (app, channel) = TestApp::start_connected().await;

    let created =
        app.post(PINS, "ada", disclosing(&channel, "Made", &["SYNTHETIC_PERFORMER", "AI_MODIFIED"]));
    let created = created.await.expect(201);
    let empty = app.post(PINS, "ada", disclosing(&channel, "Empty", &[])).await.expect(201);

    assert_eq!(created["ai_disclosures"], json!({ "values": BOTH }));
    assert_eq!(app.pin("ada", &id(&created)).await["ai_disclosures"], json!({ "values": BOTH }));
    assert_eq!(disclosed(&app, "Made"), BOTH);
    assert_eq!((empty.get("ai_disclosures"), disclosed(&app, "Empty")), (None, vec![]));
    let events = app.stack.events().await.unwrap();
    let event = events.iter().find(|event| event.detail["pin_id"] == created["id"]).unwrap();
    assert_eq!(event.detail["ai_disclosures"], json!({ "values": BOTH }));
}

#[tokio::test]
async fn an_edit_changes_or_removes_a_disclosure() {
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
    for empty in [json!(null), json!({"values": []})] {
        edit(json!({"ai_disclosures": {"values": BOTH}})).await;
        assert_eq!(edit(json!({"ai_disclosures": empty})).await.get("ai_disclosures"), None);
    }
}

#[tokio::test]
async fn a_key_belongs_to_the_disclosures_of_its_body() {
    let (app, channel) = TestApp::start_connected().await;
    let post = async |body: Value| {
        let request = app.client.post(format!("{}{PINS}", app.stack.url())).bearer_auth(app.user("ada"));
        answer(request.header("idempotency-key", "salad-1").json(&body)).await
    };
    post(disclosing(&channel, "Once", &["AI_MODIFIED"])).await.expect(201);

    assert_eq!(post(disclosing(&channel, "Once", &["AI_MODIFIED"])).await.status, 201);
    assert_eq!(post(pin(&channel, "Once")).await.problem(422), "idempotency_key_reused");
    assert_eq!(app.send_count(), 1);
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

/// A PNG whose XMP says that a model made it, and one whose C2PA manifest says so of an edit.
const MADE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x90iTXtXML:com.adobe.xmp\0\0\0\0\0<rdf:Description \
    Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"/>";
const EDITED: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\x90caBXjumbc2pa\xa2factionlc2pa.edited\x71digitalSourceType\x78\x53\
    http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

fn showing(channel: &str, title: &str, media: Value) -> Value {
    let mut body = pin(channel, title);
    body["media"] = media;
    body
}

fn enclosed(content: &[u8]) -> Value {
    json!({"kind": "image", "content_type": "image/png", "base64": STANDARD.encode(content)})
}

/// The reasons in a Pin's timeline that are about disclosures, with what was found.
fn disclosure_entries(pin: &Value) -> Vec<(&str, &str)> {
    let entries = pin["timeline"].as_array().unwrap().iter();
    let about = entries.filter(|entry| entry["reason"].as_str().unwrap().starts_with("ai_disclosure"));
    about
        .map(|entry| (entry["reason"].as_str().unwrap(), entry["params"]["digital_source"].as_str().unwrap()))
        .collect()
}

async fn app_with(policy: &str) -> (TestApp, String) {
    let app = TestApp::start_with(Data::Memory, [("AI_DISCLOSURES", policy)]).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    (app, channel)
}

#[tokio::test]
async fn a_file_that_says_that_a_model_made_it_suggests_to_disclose_it() {
    let (app, channel) = TestApp::start_connected().await;
    let uploaded = json!({"kind": "image", "media_id": uploaded(&app, "ada", "image/png", EDITED).await});

    for (media, source) in
        [(enclosed(MADE), "trainedAlgorithmicMedia"), (uploaded, "compositeWithTrainedAlgorithmicMedia")]
    {
        let body = showing(&channel, source, media);
        let checked = app.post("/api/v1/pins/validate", "ada", body.clone()).await.expect(200);
        let files =
            checked["checks"].as_array().unwrap().iter().find(|check| check["check"] == "files").unwrap();
        assert_eq!(
            (&files["ok"], &files["code"]),
            (&json!(true), &json!("ai_disclosure_suggested")),
            "{files}"
        );
        assert!(files["detail"].as_str().unwrap().contains(source), "{files}");
        let created = app.post(PINS, "ada", body.clone()).await.expect(201);
        assert_eq!(disclosure_entries(&created), [("ai_disclosure_suggested", source)]);
        assert_eq!((created.get("ai_disclosures"), disclosed(&app, source)), (None, vec![]));

        let mut body = body;
        body["ai_disclosures"] = json!({"values": ["AI_MODIFIED"]});
        let checked = app.post("/api/v1/pins/validate", "ada", body.clone()).await.expect(200);
        assert!(!checked.to_string().contains("ai_disclosure_suggested"), "it is disclosed: {checked}");
        assert_eq!(disclosure_entries(&app.post(PINS, "ada", body).await.expect(201)), []);
    }
    let without_source = app.post(PINS, "ada", showing(&channel, "Silent", enclosed(PNG))).await.expect(201);
    assert_eq!(disclosure_entries(&without_source), [], "nothing is said of a file that says nothing");
}

#[tokio::test]
async fn a_disclosure_can_be_set_by_what_a_file_says() {
    let (app, channel) = app_with("set").await;
    let mut performer = showing(&channel, "Performer", enclosed(MADE));
    performer["ai_disclosures"] = json!({"values": ["SYNTHETIC_PERFORMER"]});

    let created = app.post(PINS, "ada", showing(&channel, "Made", enclosed(MADE))).await.expect(201);
    let both = app.post(PINS, "ada", performer).await.expect(201);

    assert_eq!(created["ai_disclosures"]["values"], json!(["AI_MODIFIED"]));
    assert_eq!(disclosure_entries(&created), [("ai_disclosure_set", "trainedAlgorithmicMedia")]);
    assert_eq!((disclosed(&app, "Made"), disclosed(&app, "Performer")), (vec!["AI_MODIFIED"], BOTH.to_vec()));
    assert_eq!(both["ai_disclosures"]["values"], json!(BOTH));
    let line = showing(&channel, "Row", enclosed(MADE)).to_string();
    send(&app, "", LINES, &line).await.expect(200);
    app.stack.tick().await.unwrap();
    assert_eq!(disclosed(&app, "Row"), ["AI_MODIFIED"]);
}

#[tokio::test]
async fn files_are_not_searched_if_that_is_switched_off() {
    let (app, channel) = app_with("off").await;
    let body = showing(&channel, "Made", enclosed(MADE));

    let checked = app.post("/api/v1/pins/validate", "ada", body.clone()).await.expect(200);
    let created = app.post(PINS, "ada", body).await.expect(201);

    assert!(!checked.to_string().contains("ai_disclosure_suggested"), "{checked}");
    assert_eq!((disclosure_entries(&created), created.get("ai_disclosures")), (vec![], None));
}
