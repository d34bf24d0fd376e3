//! The contract: `/openapi.json` is complete, and describes what the API does.

use std::collections::BTreeSet;

use app::{Endpoint, Function, endpoints};
use edge::Access;
use reqwest::Method;
use serde_json::{Map, Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    harness::json_schema::{Schemas, resolved, target},
    harness::{APP_ID, APP_SECRET, PINS, SETTINGS, TestApp, answer, days, id, minutes, pin},
};

/// The contract, read without a token.
pub(crate) async fn contract(app: &TestApp) -> Value {
    let response = answer(app.client.get(format!("{}/openapi.json", app.stack.url()))).await;
    assert_eq!(response.headers["content-type"], "application/json");
    response.expect(200)
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
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

/// The routes for programs, without the pages.
fn of_the_api() -> impl Iterator<Item = Endpoint> {
    endpoints().into_iter().filter(|route| route.function != Function::Console)
}

#[tokio::test]
async fn the_contract_holds_every_route_with_its_method_and_nothing_more() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], app.stack.url());
    let mut described = BTreeSet::new();
    for (path, operations) in object(&document["paths"]) {
        for method in object(operations).keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let routes: BTreeSet<_> = of_the_api().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, routes);
}

#[tokio::test]
async fn each_operation_is_described_in_full() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    let mut ids = BTreeSet::new();
    for route in of_the_api() {
        let operation_name = format!("{} {}", route.method, route.path);
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{operation_name}");
        let security = operation["security"].as_array().unwrap();
        assert_eq!(security.is_empty(), route.access == Access::Open, "{operation_name}");
        for scheme in security.iter().flat_map(|requirement| object(requirement).keys()) {
            assert!(document["components"]["securitySchemes"][scheme].is_object(), "{operation_name}");
        }

        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{operation_name}");
        assert!(
            document["tags"].as_array().unwrap().iter().any(|tag| tag["name"] == operation["tags"][0]),
            "{operation_name}"
        );

        let responses = object(&operation["responses"]);
        assert!(
            responses.keys().any(|status| status.starts_with('2') || status == "302"),
            "{operation_name}"
        );
        assert!(responses.keys().any(|status| status.starts_with('4')), "{operation_name}");
        assert_eq!(responses.contains_key("401"), route.access != Access::Open, "{operation_name}");
        assert_eq!(responses.contains_key("403"), route.access != Access::Open, "{operation_name}");
        assert!(!responses.contains_key("default"), "{operation_name}: each status is listed");
        for (status, response) in responses {
            let response = resolved(&document, response);
            assert!(response["description"].is_string(), "{operation_name} {status}");
            if status.as_str() >= "400" {
                let problem = &response["content"]["application/problem+json"]["schema"];
                assert!(problem.is_object(), "{operation_name} {status}");
            }
        }

        let parameters = operation["parameters"].as_array().unwrap();
        let in_path: Vec<_> = parameters.iter().filter(|parameter| parameter["in"] == "path").collect();
        assert_eq!(in_path.len(), route.path.matches('{').count(), "{operation_name}");
        for parameter in &in_path {
            let schema = resolved(&document, &parameter["schema"]);
            assert!(schema["pattern"].is_string() || !schema["enum"].is_null(), "{operation_name}");
        }
        assert!(in_path.iter().all(|parameter| parameter["required"] == true), "{operation_name}");
        let mut names = BTreeSet::new();
        for parameter in parameters {
            assert!(parameter["schema"].is_object(), "{operation_name}");
            assert!(
                names.insert((parameter["in"].to_string(), parameter["name"].to_string())),
                "{operation_name}"
            );
        }
        if route.method == "GET" || route.method == "DELETE" {
            assert_eq!(operation.get("requestBody"), None, "{operation_name}");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_contract_leads_somewhere_and_every_schema_is_used() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
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
    let app = TestApp::start_configured().await;
    let text = contract(&app).await.to_string();
    for secret in [APP_ID, APP_SECRET] {
        assert!(!text.contains(secret));
    }
}

#[tokio::test]
async fn health_answers_without_a_token_and_asks_nobody() {
    let app = TestApp::start().await;
    let health = answer(app.client.get(format!("{}/api/v1/health", app.stack.url()))).await.expect(200);
    assert_eq!(health, json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(app.pinterest().calls().len(), 0);
}

#[tokio::test]
async fn the_contract_and_the_api_refuse_the_same_bodies() {
    let (app, channel) = TestApp::start_connected().await;
    let document = contract(&app).await;
    let channel_path = format!("/api/v1/channels/{channel}");
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
        ("PATCH", "/api/v1/channels/{id}", &channel_path, json!({"default_board_id": null})),
        ("PATCH", "/api/v1/channels/{id}", &channel_path, json!({})),
        ("PATCH", "/api/v1/channels/{id}", &channel_path, json!({"default_board_id": 5})),
        (
            "PATCH",
            "/api/v1/channels/{id}",
            &channel_path,
            json!({"default_board_id": null, "status": "connected"}),
        ),
        ("POST", "/api/v1/auth/pinterest/start", "/api/v1/auth/pinterest/start", json!({})),
        ("POST", "/api/v1/auth/pinterest/start", "/api/v1/auth/pinterest/start", json!({"return_to": null})),
        ("POST", "/api/v1/connections/claim", "/api/v1/connections/claim", json!({"connection": "x"})),
        ("POST", "/api/v1/connections/claim", "/api/v1/connections/claim", json!({})),
        ("POST", "/api/v1/media", "/api/v1/media", json!({"content_type": "image/png", "bytes": 1})),
        ("POST", "/api/v1/media", "/api/v1/media", json!({"content_type": "image/gif", "bytes": 1})),
        ("POST", "/api/v1/media", "/api/v1/media", json!({"content_type": "image/png", "bytes": 0})),
        ("POST", "/api/v1/media", "/api/v1/media", json!({"content_type": "image/png", "bytes": -1})),
        ("POST", "/api/v1/media", "/api/v1/media", json!({"content_type": "image/png", "bytes": 1.5})),
        ("POST", "/api/v1/media", "/api/v1/media", json!({"content_type": "image/png"})),
        ("POST", "/api/v1/media", "/api/v1/media", json!({"content_type": null, "bytes": 1})),
        (
            "POST",
            "/api/v1/media",
            "/api/v1/media",
            json!({"content_type": "image/png", "bytes": 1, "name": "a"}),
        ),
        ("PUT", SETTINGS, SETTINGS, json!({})),
        ("PUT", SETTINGS, SETTINGS, json!({"app_id": null, "app_secret": null})),
        ("PUT", SETTINGS, SETTINGS, json!({"status": "on"})),
        ("PUT", SETTINGS, SETTINGS, json!({"status": "disabled", "environment": "sandbox"})),
        ("PUT", SETTINGS, SETTINGS, json!({"app_secret_set": true})),
    ];
    let mut findings = crate::harness::problems::Findings::default();
    for (method, path, address, body) in table {
        let operation = &document["paths"][path][method.to_lowercase()];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path}");
        let faults = Schemas(&document).faults(schema, &body, "body");
        let token = if path == SETTINGS { app.admin() } else { app.user("ada") };
        let response = app
            .call(Method::from_bytes(method.as_bytes()).unwrap(), address, &token, Some(body.clone()))
            .await;
        let code = response.json()["code"].as_str().unwrap_or_default().to_owned();
        let by_form = [
            "missing_field",
            "unknown_field",
            "invalid_type",
            "invalid_json",
            "unsupported_media_type",
            "empty_media",
        ]
        .contains(&code.as_str());
        if faults.is_empty() == by_form {
            findings.note(format!(
                "{method} {path} {body}: {} {code}, but the contract: {faults:?}",
                response.status
            ));
        }
    }
}

#[tokio::test]
async fn a_field_of_every_answer_is_required_in_the_contract() {
    // A client that is generated from the contract need not handle the absence of a field that is always there.
    let app = TestApp::start().await;
    let document = contract(&app).await;
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

/// Every schema in a part of the document, with its place.
fn visit_objects<'a>(part: &'a Value, place: &str, visit: &mut impl FnMut(&str, &'a Map<String, Value>)) {
    match part {
        Value::Object(fields) => {
            visit(place, fields);
            for (name, value) in fields {
                if name != "example" {
                    visit_objects(value, &format!("{place}/{name}"), visit);
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                visit_objects(item, &format!("{place}/{number}"), visit);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn schemas_are_of_forms_that_client_generators_read() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    let mut findings = crate::harness::problems::Findings::default();
    visit_objects(&document, "", &mut |place, fields| {
        let is_schema = !place.ends_with("/properties") && !place.ends_with("/schemas");
        if is_schema && fields.contains_key("const") {
            findings.note(format!("{place}: a constant, which generators do not take for an enumeration"));
        }
        if fields.get("default").is_some_and(Value::is_null) {
            findings
                .note(format!("{place}: a default of null makes an optional field required in TypeScript"));
        }
        if is_schema && place.contains("/components/") && fields.contains_key("default") {
            findings.note(format!("{place}: a default makes an optional field required in TypeScript"));
        }
        if fields.get("enum").is_some() && fields.get("type") != Some(&json!("string")) {
            findings.note(format!("{place}: an enumeration of no type"));
        }
        let allowed_formats = ["date-time", "date", "duration", "uri", "int32", "int64", "double"];
        if let Some(format) = fields.get("format").and_then(Value::as_str)
            && is_schema
            && !allowed_formats.contains(&format)
        {
            findings.note(format!("{place}: {format} is not a format of OpenAPI"));
        }
        if let Some(text) = fields.get("description").and_then(Value::as_str)
            && (text.contains("MAX") || text.contains("::"))
        {
            findings.note(format!("{place}: words of Rust in '{text}'"));
        }
    });
    for name in object(&document["components"]["schemas"]).keys() {
        if name.ends_with(|last: char| last.is_ascii_digit()) || name.ends_with("View") || name.contains('_')
        {
            findings.note(format!("{name} is not a name for people"));
        }
    }
}

#[tokio::test]
async fn the_words_of_states_reasons_and_codes_are_enumerations() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    let property = |schema: &str, name: &str| {
        let schema_of_property = &document["components"]["schemas"][schema]["properties"][name];
        let schema_of_property =
            schema_of_property["anyOf"].as_array().map_or(schema_of_property, |any| &any[0]);
        let words = resolved(&document, schema_of_property)["enum"].clone();
        assert!(
            words.as_array().is_some_and(|words| !words.is_empty()),
            "{schema}.{name}: {schema_of_property}"
        );
        words
    };
    for (schema, name) in [
        ("Pin", "reason"),
        ("Channel", "status"),
        ("Channel", "cause"),
        ("Channel", "environment"),
        ("Settings", "status"),
        ("Settings", "app_id_source"),
        ("TimelineEntry", "event"),
        ("Board", "privacy"),
        ("CreateBoardRequest", "privacy"),
        ("BulkRow", "status"),
        ("BulkRow", "code"),
        ("ValidationCheck", "code"),
        ("PinFailure", "code"),
        ("CreateUploadRequest", "content_type"),
        ("TopPins", "sort_by"),
    ] {
        property(schema, name);
    }
    let states =
        json!(["scheduled", "sending", "waiting", "published", "needs_review", "failed", "cancelled"]);
    assert_eq!(property("Pin", "state"), states);
    assert!(property("Problem", "code").as_array().unwrap().contains(&json!("unknown_parameter")));
}

#[tokio::test]
async fn unions_name_their_alternatives_and_tell_them_apart() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    for (union, kinds) in
        [("Media", ["image", "carousel", "video"]), ("NewMedia", ["image", "carousel", "video"])]
    {
        let union = &document["components"]["schemas"][union];
        assert_eq!(union["discriminator"]["propertyName"], "kind");
        for kind in kinds {
            let reference = union["discriminator"]["mapping"][kind].as_str().unwrap();
            assert!(union["oneOf"].as_array().unwrap().contains(&json!({ "$ref": reference })));
            let alternative = target(&document, reference).unwrap();
            assert_eq!(alternative["properties"]["kind"]["enum"], json!([kind]));
        }
    }
}

#[tokio::test]
async fn every_example_matches_its_schema() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    let mut findings = crate::harness::problems::Findings::default();
    let mut count = 0;
    let mut check_examples = |place: &str, content: &Value| {
        for (kind, content) in object(content) {
            let example = content.get("example");
            count += 1;
            match example {
                None | Some(Value::Null) => findings.note(format!("{place} {kind}: no example")),
                Some(example) => {
                    for fault in Schemas(&document).faults(&content["schema"], example, place) {
                        findings.note(fault);
                    }
                }
            }
        }
    };
    for (path, operations) in object(&document["paths"]) {
        for (method, operation) in object(operations) {
            if let Some(body) = operation.get("requestBody") {
                check_examples(&format!("{method} {path}"), &body["content"]);
            }
            for (status, response) in object(&operation["responses"]) {
                if let Some(content) = response.get("content") {
                    check_examples(&format!("{method} {path} {status}"), content);
                }
            }
        }
    }
    for (kind, webhook) in object(&document["webhooks"]) {
        check_examples(kind, &webhook["post"]["requestBody"]["content"]);
    }
    for (name, response) in object(&document["components"]["responses"]) {
        check_examples(name, &response["content"]);
    }
    assert!(count > 50);
}

#[tokio::test]
async fn bodies_that_may_be_left_out_are_not_required() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    let required =
        |path: &str, method: &str| document["paths"][path][method]["requestBody"]["required"] == true;
    assert!(!required("/api/v1/auth/pinterest/start", "post"));
    assert!(!required(SETTINGS, "put"));
    assert!(required("/api/v1/pins", "post"));
    let token = app.admin();
    app.call(Method::PUT, SETTINGS, &token, None).await.expect(200);
}

/// Where the document of the repository says that the API is.
const EXAMPLE_ADDRESS: &str = "https://api.example.com";

#[tokio::test]
async fn the_document_in_the_repository_is_the_one_that_is_served() {
    let app = TestApp::start().await;
    let mut document = contract(&app).await;
    document["servers"][0]["url"] = EXAMPLE_ADDRESS.into();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, format!("{}\n", serde_json::to_string_pretty(&document).unwrap())).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        serde_json::from_str::<Value>(&committed).ok() == Some(document),
        "openapi.json is not what the code says. If the change is wanted, write it anew with \
         UPDATE_OPENAPI=1 cargo test --test flows the_document_in_the_repository"
    );
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
