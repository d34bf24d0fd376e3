//! The contract: what `/openapi.json` says is what the API does; and each function takes the event that it is for.

use std::collections::BTreeSet;

use app::routes::{Access, ROUTES};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Map, Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::stage::{APP_ID, APP_SECRET, Answer, SETTINGS, Stage, answer, days, pin};

/// The contract, read by somebody who has no token.
async fn contract(stage: &Stage) -> Value {
    let read = answer(stage.client.get(format!("{}/openapi.json", stage.stack.url()))).await;
    assert_eq!(read.headers["content-type"], "application/json");
    read.expect(200)
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}

/// What a `$ref` points to, as a JSON Pointer into the document.
fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(reference) if name == "$ref" => {
                        found.insert(reference.clone());
                    }
                    other => references(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// A small part of JSON Schema, and one rule more: a property that the schema does not name is a fault.
struct Schemas<'a>(&'a Value);

impl Schemas<'_> {
    /// What is wrong with `value`, each fault with its place.
    fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        if *schema == json!(true) {
            return Vec::new();
        }
        let mut faults = Vec::new();
        if let Some(reference) = schema["$ref"].as_str() {
            match target(self.0, reference) {
                Some(schema) => faults.extend(self.faults(schema, value, at)),
                None => faults.push(format!("{at}: {reference} leads nowhere")),
            }
        }
        for any in ["anyOf", "oneOf"] {
            if let Some(branches) = schema[any].as_array() {
                let tried: Vec<_> = branches.iter().map(|branch| self.faults(branch, value, at)).collect();
                if !tried.iter().any(Vec::is_empty) {
                    faults.push(format!("{at}: none of {any} takes {value}: {tried:?}"));
                }
            }
        }
        for all in schema["allOf"].as_array().into_iter().flatten() {
            faults.extend(self.faults(all, value, at));
        }
        let types: Vec<_> = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !types.is_empty() && !types.iter().any(|name| is_of(value, name)) {
            faults.push(format!("{at}: {value} is not {types:?}"));
        }
        if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            faults.push(format!("{at}: {value} is not one of {}", schema["enum"]));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            faults.push(format!("{at}: {value} is not {}", schema["const"]));
        }
        if let Some(text) = value.as_str() {
            if schema["format"] == "date-time" && text.parse::<Timestamp>().is_err() {
                faults.push(format!("{at}: {text} is not a time"));
            }
            let length = u64::try_from(text.chars().count()).unwrap();
            if schema["maxLength"].as_u64().is_some_and(|most| most < length) {
                faults.push(format!("{at}: {text} is too long"));
            }
        }
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    faults.extend(self.faults(&schema["items"], item, &format!("{at}[{number}]")));
                }
            }
            Value::Object(fields) if schema["properties"].is_object() => {
                for (name, value) in fields {
                    let at = format!("{at}.{name}");
                    match schema["properties"].get(name) {
                        Some(schema) => faults.extend(self.faults(schema, value, &at)),
                        None => faults.push(format!("{at} is not in the contract")),
                    }
                }
            }
            _ => {}
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.is_object() && value.get(name).is_none() {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        faults
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type of JSON Schema: {other}"),
    }
}

#[test]
fn the_check_of_answers_finds_what_is_wrong() {
    let document = json!({"components": {"schemas": {"Name": {"type": "string", "maxLength": 3}}}});
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "kind": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]},
            "list": {"type": "array", "items": {"type": "integer"}},
            "at": {"type": ["string", "null"], "format": "date-time"},
        },
        "required": ["name"],
    });
    let faults = |value: Value| Schemas(&document).faults(&schema, &value, "x").len();
    assert_eq!(faults(json!({"name": "abc", "kind": "a", "list": [1], "at": null})), 0);
    for bad in [
        json!({}),
        json!([]),
        json!({"name": null}),
        json!({"name": "abcd"}),
        json!({"name": "abc", "other": 1}),
        json!({"name": "abc", "kind": "c"}),
        json!({"name": "abc", "list": [1, "2"]}),
        json!({"name": "abc", "list": [1.5]}),
        json!({"name": "abc", "at": "noon"}),
    ] {
        assert_eq!(faults(bad.clone()), 1, "{bad}");
    }
}

#[tokio::test]
async fn the_contract_holds_every_route_with_its_method_and_nothing_more() {
    let stage = Stage::set().await;
    let document = contract(&stage).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], stage.stack.url());
    let mut described = BTreeSet::new();
    for (path, operations) in object(&document["paths"]) {
        for method in object(operations).keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, routes);
}

#[tokio::test]
async fn each_operation_is_described_in_full() {
    let stage = Stage::set().await;
    let document = contract(&stage).await;
    let mut ids = BTreeSet::new();
    for route in &ROUTES {
        let what = format!("{} {}", route.method, route.path);
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
        let security = operation["security"].as_array().unwrap();
        assert_eq!(security.is_empty(), route.access == Access::Open, "{what}");
        for scheme in security.iter().flat_map(|wanted| object(wanted).keys()) {
            assert!(document["components"]["securitySchemes"][scheme].is_object(), "{what}");
        }

        let responses = object(&operation["responses"]);
        assert!(responses.keys().any(|status| status.starts_with('2') || status == "302"), "{what}");
        let problem = &responses["default"]["content"]["application/problem+json"]["schema"];
        assert!(problem.is_object(), "{what}");
        assert!(responses.values().all(|response| response["description"].is_string()), "{what}");

        let parameters = operation["parameters"].as_array().unwrap();
        let in_path: Vec<_> = parameters.iter().filter(|parameter| parameter["in"] == "path").collect();
        assert_eq!(in_path.len(), route.path.matches('{').count(), "{what}");
        assert!(in_path.iter().all(|parameter| parameter["required"] == true), "{what}");
        let mut names = BTreeSet::new();
        for parameter in parameters {
            assert!(parameter["schema"].is_object(), "{what}");
            assert!(names.insert((parameter["in"].to_string(), parameter["name"].to_string())), "{what}");
        }
        if route.method == "GET" || route.method == "DELETE" {
            assert_eq!(operation.get("requestBody"), None, "{what}");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_contract_leads_somewhere_and_every_schema_is_used() {
    let stage = Stage::set().await;
    let document = contract(&stage).await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10);
    for reference in &found {
        assert!(target(&document, reference).is_some(), "{reference}");
    }
    for name in object(&document["components"]["schemas"]).keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "nothing uses {name}");
    }
}

#[tokio::test]
async fn the_contract_shows_no_secret_and_no_settings() {
    let stage = Stage::configured().await;
    let text = contract(&stage).await.to_string();
    for secret in [APP_ID, APP_SECRET] {
        assert!(!text.contains(secret));
    }
}

#[tokio::test]
async fn health_answers_without_a_token_and_asks_nobody() {
    let stage = Stage::set().await;
    let health = answer(stage.client.get(format!("{}/api/v1/health", stage.stack.url()))).await.expect(200);
    assert_eq!(health, json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(stage.pinterest().calls().len(), 0);
}

/// The answers of a story, each with the route that it is of.
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
            let (response, kind) = match responses.get(status.to_string()) {
                Some(response) => (response, "application/json"),
                None => (&responses["default"], "application/problem+json"),
            };
            let at = format!("{method} {path} {status}");
            match response["content"][kind].get("schema") {
                Some(schema) => faults.extend(schemas.faults(schema, body, &at)),
                None => faults.push(format!("{at} is not in the contract")),
            }
            if kind.contains("problem") && *status < 400 {
                faults.push(format!("{at} is not in the contract"));
            }
        }
        faults
    }
}

#[tokio::test]
async fn real_answers_are_what_the_contract_says() {
    const TEST: &str = "/api/v1/admin/integrations/pinterest/test";
    const START: &str = "/api/v1/auth/pinterest/start";
    const CLAIM: &str = "/api/v1/connections/claim";
    const CHANNELS: &str = "/api/v1/channels";
    const CHANNEL: &str = "/api/v1/channels/{id}";
    const BOARDS: &str = "/api/v1/channels/{id}/boards";
    const PINS: &str = "/api/v1/pins";
    const PIN: &str = "/api/v1/pins/{id}";
    const RETRY: &str = "/api/v1/pins/{id}/retry";
    let stage = Stage::set().await;
    let mut story = Story::default();
    let call = async |method: Method, path: &str, body: Option<Value>| {
        let token = if path.starts_with(SETTINGS) { stage.admin() } else { stage.user("ada") };
        stage.call(method, path, &token, body).await
    };
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);

    story.note("GET", SETTINGS, call(get.clone(), SETTINGS, None).await, 200);
    story.note("POST", TEST, call(post.clone(), TEST, None).await, 200);
    story.note("POST", START, call(post.clone(), START, Some(json!({}))).await, 409);
    let settings =
        json!({"app_id": APP_ID, "app_secret": APP_SECRET, "status": "enabled", "environment": "sandbox"});
    story.note("PUT", SETTINGS, call(put.clone(), SETTINGS, Some(settings)).await, 200);
    story.note("PUT", SETTINGS, call(put, SETTINGS, Some(json!({"app_id": "x"}))).await, 422);
    stage.stack.roll_call().await.unwrap();
    stage.stack.tick().await.unwrap();
    story.note("GET", SETTINGS, call(get.clone(), SETTINGS, None).await, 200);
    story.note("POST", TEST, call(post.clone(), TEST, None).await, 200);
    story.note("POST", START, call(post.clone(), START, Some(json!({"return_to": "/x"}))).await, 200);
    story.note("GET", SETTINGS, stage.get(SETTINGS, "ada").await, 403);

    let ticket = json!({"connection": stage.ticket("ada").await});
    let channel = story.note("POST", CLAIM, call(post.clone(), CLAIM, Some(ticket.clone())).await, 201);
    story.note("POST", CLAIM, call(post.clone(), CLAIM, Some(ticket)).await, 200);
    story.note("GET", CHANNELS, call(get.clone(), CHANNELS, None).await, 200);
    let channel = channel["id"].as_str().unwrap();
    let one = CHANNEL.replace("{id}", channel);
    let boards = BOARDS.replace("{id}", channel);
    story.note("POST", PINS, call(post.clone(), PINS, Some(pin(channel, "No board"))).await, 422);
    story.note("GET", BOARDS, call(get.clone(), &boards, None).await, 200);
    let whole = call(get.clone(), &format!("{boards}?sections=true"), None).await;
    let listed = story.note("GET", BOARDS, whole, 200);
    let new = Some(json!({"name": "Soups", "privacy": "PROTECTED", "description": "Hot"}));
    story.note("POST", BOARDS, call(post.clone(), &boards, new.clone()).await, 201);
    story.note("POST", BOARDS, call(post.clone(), &boards, new).await, 200);
    let board = Some(json!({"default_board_id": listed["items"][0]["pinterest_board_id"]}));
    story.note("PATCH", CHANNEL, call(Method::PATCH, &one, board).await, 200);
    story.note("GET", CHANNEL, call(get.clone(), &one, None).await, 200);

    let mut full = pin(channel, "Full");
    full["board_section_id"] = listed["items"]
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
        full[name] = json!(text);
    }
    let board_of_section =
        listed["items"].as_array().unwrap().iter().find(|b| b["sections"][0].is_object()).unwrap();
    full["board_id"] = board_of_section["pinterest_board_id"].clone();
    let published = story.note("POST", PINS, call(post.clone(), PINS, Some(full)).await, 201);
    story.note("POST", PINS, call(post.clone(), PINS, Some(pin(channel, "Plain"))).await, 201);
    let mut later = pin(channel, "Later");
    later["publish_at"] = json!(stage.stack.now() + days(1));
    let scheduled = story.note("POST", PINS, call(post.clone(), PINS, Some(later)).await, 202);
    stage.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    story.note("POST", PINS, call(post.clone(), PINS, Some(pin(channel, "Unknown"))).await, 202);
    let mut nowhere = pin(channel, "Nowhere");
    nowhere["board_id"] = json!("999999999999");
    let failed = story.note("POST", PINS, call(post.clone(), PINS, Some(nowhere)).await, 422);
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
    stage.pinterest().revoke("demo_account").unwrap();
    stage.publish("ada", channel, "Refused").await.expect(202);
    story.note("GET", BOARDS, call(get.clone(), &boards, None).await, 503);
    stage.advance(days(2)).await;
    let lost = story.note("GET", CHANNEL, call(get.clone(), &one, None).await, 200);
    assert_eq!(lost["status"], "reconnect_required", "{lost}");
    story.note("GET", PINS, call(get.clone(), PINS, None).await, 200);
    story.note("DELETE", CHANNEL, call(Method::DELETE, &one, None).await, 200);
    story.note("GET", CHANNEL, call(get.clone(), &one, None).await, 404);
    story.note("GET", "/api/v1/health", call(get, "/api/v1/health", None).await, 200);

    let faults = story.faults(&contract(&stage).await);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn a_body_is_of_the_wrong_form_for_the_contract_exactly_when_it_is_for_the_api() {
    let (stage, channel) = Stage::connected().await;
    let document = contract(&stage).await;
    let one = format!("/api/v1/channels/{channel}");
    let image = json!({"kind": "image", "url": "https://images.example.com/a.jpg"});
    let pins = "/api/v1/pins";
    let table = [
        ("POST", pins, pins, pin(&channel, "Right")),
        (
            "POST",
            pins,
            pins,
            json!({"channel_id": channel, "media": image, "title": null, "publish_at": null}),
        ),
        ("POST", pins, pins, json!({"channel_id": channel})),
        ("POST", pins, pins, json!({"media": image})),
        ("POST", pins, pins, json!({"channel_id": 5, "media": image})),
        ("POST", pins, pins, json!({"channel_id": null, "media": image})),
        ("POST", pins, pins, json!({"channel_id": channel, "media": image, "tile": "x"})),
        ("POST", pins, pins, json!({"channel_id": channel, "media": {"kind": "image"}})),
        (
            "POST",
            pins,
            pins,
            json!({"channel_id": channel, "media": {"kind": "hologram", "url": "https://a.example"}}),
        ),
        ("POST", pins, pins, json!({"channel_id": channel, "media": null})),
        ("POST", pins, pins, json!([])),
        ("PATCH", "/api/v1/channels/{id}", &one, json!({"default_board_id": null})),
        ("PATCH", "/api/v1/channels/{id}", &one, json!({})),
        ("PATCH", "/api/v1/channels/{id}", &one, json!({"default_board_id": 5})),
        ("PATCH", "/api/v1/channels/{id}", &one, json!({"default_board_id": null, "status": "connected"})),
        ("POST", "/api/v1/auth/pinterest/start", "/api/v1/auth/pinterest/start", json!({})),
        ("POST", "/api/v1/auth/pinterest/start", "/api/v1/auth/pinterest/start", json!({"return_to": null})),
        ("POST", "/api/v1/connections/claim", "/api/v1/connections/claim", json!({"connection": "x"})),
        ("POST", "/api/v1/connections/claim", "/api/v1/connections/claim", json!({})),
        ("PUT", SETTINGS, SETTINGS, json!({})),
        ("PUT", SETTINGS, SETTINGS, json!({"app_id": null, "app_secret": null})),
        ("PUT", SETTINGS, SETTINGS, json!({"status": "on"})),
        ("PUT", SETTINGS, SETTINGS, json!({"status": "disabled", "environment": "sandbox"})),
        ("PUT", SETTINGS, SETTINGS, json!({"app_secret_set": true})),
    ];
    let mut findings = crate::refusals::Findings::default();
    for (method, path, address, body) in table {
        let operation = &document["paths"][path][method.to_lowercase()];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path}");
        let faults = Schemas(&document).faults(schema, &body, "body");
        let token = if path == SETTINGS { stage.admin() } else { stage.user("ada") };
        let answered = stage
            .call(Method::from_bytes(method.as_bytes()).unwrap(), address, &token, Some(body.clone()))
            .await;
        let code = answered.json()["code"].as_str().unwrap_or_default().to_owned();
        let by_form =
            ["missing_field", "unknown_field", "invalid_type", "invalid_json"].contains(&code.as_str());
        if faults.is_empty() == by_form {
            findings.note(format!(
                "{method} {path} {body}: {} {code}, but the contract: {faults:?}",
                answered.status
            ));
        }
    }
}

#[tokio::test]
async fn what_every_answer_holds_is_promised() {
    // A client made of the contract need not ask for what is always there.
    let stage = Stage::set().await;
    let document = contract(&stage).await;
    for (path, method, names) in [
        ("/api/v1/pins", "get", &["items", "next"][..]),
        ("/api/v1/channels", "get", &["items", "next"]),
        (
            "/api/v1/channels/{id}",
            "get",
            &["id", "account", "status", "cause", "default_board", "refresh_expires_at"],
        ),
        (
            "/api/v1/pins/{id}",
            "get",
            &["id", "channel_id", "state", "reason", "error", "pinterest_pin_id", "timeline"],
        ),
        (SETTINGS, "get", &["app_id", "app_secret_set", "worker", "redirect_uris"]),
    ] {
        let content = &document["paths"][path][method]["responses"]["200"]["content"];
        let schema = &content["application/json"]["schema"];
        let schema = target(&document, schema["$ref"].as_str().unwrap()).unwrap();
        let required: Vec<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for name in names {
            assert!(required.contains(name), "{path}: {name} is not among {required:?}");
        }
    }
}
