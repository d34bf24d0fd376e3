//! A long flow through the API: every answer and every event is checked against the contract.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    api::contract::{contract, object},
    harness::json_schema::{Schemas, resolved},
    harness::{APP_ID, APP_SECRET, Answer, PINS, SETTINGS, TestApp, days, id, minutes, pin},
};

/// The answers of a flow, each with its route.
#[derive(Default)]
struct Story(Vec<(&'static str, &'static str, u16, Value)>);

impl Story {
    /// Notes an answer, after checking its status.
    fn note(&mut self, method: &'static str, path: &'static str, answer: Answer, status: u16) -> Value {
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
        let body = answer.json();
        self.0.push((method, path, status, body.clone()));
        body
    }

    fn faults(&self, document: &Value) -> Vec<String> {
        let schemas = Schemas(document);
        let mut faults = Vec::new();
        for (method, path, status, body) in &self.0 {
            let responses = &document["paths"][path][method.to_lowercase()]["responses"];
            let response = resolved(document, &responses[status.to_string()]);
            let kind = if *status < 400 { "application/json" } else { "application/problem+json" };
            let at = format!("{method} {path} {status}");
            match response["content"][kind].get("schema") {
                Some(schema) => faults.extend(schemas.faults(schema, body, &at)),
                None => faults.push(format!("{at} is not in the contract")),
            }
        }
        faults
    }
}

#[tokio::test]
async fn real_answers_match_the_contract() {
    const TEST: &str = "/api/v1/admin/integrations/pinterest/test";
    const START: &str = "/api/v1/auth/pinterest/start";
    const CLAIM: &str = "/api/v1/connections/claim";
    const CHANNELS: &str = "/api/v1/channels";
    const CHANNEL: &str = "/api/v1/channels/{id}";
    const BOARDS: &str = "/api/v1/channels/{id}/boards";
    const PIN: &str = "/api/v1/pins/{id}";
    const RETRY: &str = "/api/v1/pins/{id}/retry";
    let app = TestApp::start().await;
    let mut story = Story::default();
    let call = async |method: Method, path: &str, body: Option<Value>| {
        let token = if path.starts_with(SETTINGS) { app.admin() } else { app.user("ada") };
        app.call(method, path, &token, body).await
    };
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);

    story.note("GET", SETTINGS, call(get.clone(), SETTINGS, None).await, 200);
    story.note("POST", TEST, call(post.clone(), TEST, None).await, 200);
    story.note("POST", START, call(post.clone(), START, Some(json!({}))).await, 409);
    let settings =
        json!({"app_id": APP_ID, "app_secret": APP_SECRET, "status": "enabled", "environment": "sandbox"});
    story.note("PUT", SETTINGS, call(put.clone(), SETTINGS, Some(settings)).await, 200);
    story.note("PUT", SETTINGS, call(put, SETTINGS, Some(json!({"app_id": "x"}))).await, 422);
    app.stack.run_daily_check().await.unwrap();
    app.stack.tick().await.unwrap();
    story.note("GET", SETTINGS, call(get.clone(), SETTINGS, None).await, 200);
    story.note("POST", TEST, call(post.clone(), TEST, None).await, 200);
    story.note("POST", START, call(post.clone(), START, Some(json!({"return_to": "/x"}))).await, 200);
    story.note("GET", SETTINGS, app.get(SETTINGS, "ada").await, 403);

    let ticket = json!({"connection": app.ticket("ada").await});
    let channel = story.note("POST", CLAIM, call(post.clone(), CLAIM, Some(ticket.clone())).await, 201);
    story.note("POST", CLAIM, call(post.clone(), CLAIM, Some(ticket)).await, 200);
    story.note("GET", CHANNELS, call(get.clone(), CHANNELS, None).await, 200);
    let channel = channel["id"].as_str().unwrap();
    let channel_path = CHANNEL.replace("{id}", channel);
    let boards = BOARDS.replace("{id}", channel);
    story.note("POST", PINS, call(post.clone(), PINS, Some(pin(channel, "No board"))).await, 422);
    story.note("GET", BOARDS, call(get.clone(), &boards, None).await, 200);
    let with_sections = call(get.clone(), &format!("{boards}?sections=true"), None).await;
    let board_list = story.note("GET", BOARDS, with_sections, 200);
    let new = Some(json!({"name": "Soups", "privacy": "PROTECTED", "description": "Hot"}));
    story.note("POST", BOARDS, call(post.clone(), &boards, new.clone()).await, 201);
    story.note("POST", BOARDS, call(post.clone(), &boards, new).await, 200);
    let board = Some(json!({"default_board_id": board_list["items"][0]["pinterest_board_id"]}));
    story.note("PATCH", CHANNEL, call(Method::PATCH, &channel_path, board).await, 200);
    story.note("GET", CHANNEL, call(get.clone(), &channel_path, None).await, 200);

    let mut complete_pin = pin(channel, "Full");
    complete_pin["board_section_id"] = board_list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|board| board["sections"][0].get("pinterest_section_id"))
        .unwrap()
        .clone();
    for (name, text) in [
        ("description", "d"),
        ("link", "https://example.com/"),
        ("alt_text", "a"),
        ("dominant_color", "#6E7874"),
        ("publish_within", "P1D"),
    ] {
        complete_pin[name] = json!(text);
    }
    let board_of_section =
        board_list["items"].as_array().unwrap().iter().find(|b| b["sections"][0].is_object()).unwrap();
    complete_pin["board_id"] = board_of_section["pinterest_board_id"].clone();
    let published = story.note("POST", PINS, call(post.clone(), PINS, Some(complete_pin)).await, 201);
    story.note("POST", PINS, call(post.clone(), PINS, Some(pin(channel, "Plain"))).await, 201);
    let mut later = pin(channel, "Later");
    later["publish_at"] = json!(app.stack.now() + days(1));
    let scheduled = story.note("POST", PINS, call(post.clone(), PINS, Some(later)).await, 202);
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    story.note("POST", PINS, call(post.clone(), PINS, Some(pin(channel, "Unknown"))).await, 202);
    let mut unknown_board = pin(channel, "Nowhere");
    unknown_board["board_id"] = json!("999999999999");
    let failed = story.note("POST", PINS, call(post.clone(), PINS, Some(unknown_board)).await, 422);
    let failed = failed["pin_id"].as_str().unwrap();
    story.note("GET", PINS, call(get.clone(), PINS, None).await, 200);
    story.note("GET", PINS, call(get.clone(), &format!("{PINS}?limit=2"), None).await, 200);
    story.note("GET", PINS, call(get.clone(), &format!("{PINS}?limit=0"), None).await, 422);
    for id in [published["id"].as_str().unwrap(), scheduled["id"].as_str().unwrap(), failed] {
        story.note("GET", PIN, call(get.clone(), &PIN.replace("{id}", id), None).await, 200);
    }
    story.note("POST", RETRY, call(post.clone(), &RETRY.replace("{id}", failed), None).await, 202);
    let path = PIN.replace("{id}", scheduled["id"].as_str().unwrap());
    story.note("DELETE", PIN, call(Method::DELETE, &path, None).await, 200);
    let path = PIN.replace("{id}", published["id"].as_str().unwrap());
    story.note("DELETE", PIN, call(Method::DELETE, &path, None).await, 409);
    app.pinterest().revoke("demo_account").unwrap();
    app.publish("ada", channel, "Refused").await.expect(202);
    story.note("GET", BOARDS, call(get.clone(), &boards, None).await, 503);
    app.advance(days(2)).await;
    let channel_state = story.note("GET", CHANNEL, call(get.clone(), &channel_path, None).await, 200);
    assert_eq!(channel_state["status"], "reconnect_required", "{channel_state}");
    story.note("GET", PINS, call(get.clone(), PINS, None).await, 200);
    story.note("DELETE", CHANNEL, call(Method::DELETE, &channel_path, None).await, 200);
    story.note("GET", CHANNEL, call(get.clone(), &channel_path, None).await, 404);
    story.note("GET", "/api/v1/health", call(get, "/api/v1/health", None).await, 200);

    let faults = story.faults(&contract(&app).await);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every kind of event, as it comes from the bus.
#[tokio::test]
async fn events_on_the_bus_are_of_the_documented_form() {
    let (app, channel) = TestApp::start_connected().await;
    let document = contract(&app).await;
    app.publish("ada", &channel, "Published").await.expect(201);
    let later = app.stack.now() + minutes(60);
    let scheduled = app.schedule("ada", &channel, "Cancelled", later).await.expect(202);
    let path = format!("{PINS}/{}", id(&scheduled));
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::RateLimited { reset: 30 }));
    app.publish("ada", &channel, "Waiting").await.expect(202);
    app.advance(minutes(5)).await;
    let unreadable = Fault::once(Operation::ListBoardPins, FaultKind::CutBefore).times(1000);
    app.pinterest().inject(unreadable);
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let mut review = pin(&channel, "Needs a review");
    review["publish_within"] = json!("PT1H");
    app.post(PINS, "ada", review).await.expect(202);
    app.advance(minutes(2 * 60)).await;
    let mut failed = pin(&channel, "Failed");
    failed["board_id"] = json!("404404");
    app.post(PINS, "ada", failed).await.problem(422);
    let outage = || {
        let limited = FaultKind::RateLimited { reset: 86_400 }; // the fewest steps
        app.pinterest().inject(Fault::once(Operation::Token, limited).times(1000));
    };
    outage();
    app.advance(days(48)).await; // the owner is warned
    app.pinterest().clear_faults();
    app.advance(days(2)).await;
    outage();
    app.advance(days(61)).await;
    let path = format!("/api/v1/channels/{channel}");
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);

    let mut kinds = BTreeSet::new();
    for event in app.stack.events().await.unwrap() {
        let kind = event.detail_type;
        let schema =
            &document["webhooks"][&kind]["post"]["requestBody"]["content"]["application/json"]["schema"];
        let faults = Schemas(&document).faults(&schema["properties"]["detail"], &event.detail, &kind);
        assert!(faults.is_empty(), "{faults:#?}");
        kinds.insert(kind);
    }
    let documented: BTreeSet<_> = object(&document["webhooks"]).keys().cloned().collect();
    assert_eq!(kinds, documented);
}
