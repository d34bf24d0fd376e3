//! The contract: `/openapi.json` is complete, and describes what the API does.

use std::collections::BTreeSet;

use app::{Endpoint, Function, endpoints};
use edge::Access;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{
    harness::json_schema::{Schemas, resolved, target},
    harness::problems::Findings,
    harness::{APP_ID, APP_SECRET, SETTINGS, TestApp, answer, pin},
};

/// The contract, read without a token.
pub(crate) async fn contract(app: &TestApp) -> Value {
    let response = answer(app.client.get(format!("{}/openapi.json", app.stack.url()))).await;
    assert_eq!(response.headers["content-type"], "application/json");
    response.expect(200)
}

pub(crate) fn object(value: &Value) -> &Map<String, Value> {
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
    let mut findings = Findings::default();
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
