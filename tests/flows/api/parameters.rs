//! Query parameters: what the contract does not declare is refused, as an unknown field of a body is.

use app::{Function, endpoints};
use edge::Access;
use reqwest::Method;
use serde_json::Value;

use crate::{
    api::contract::contract,
    harness::problems::{Findings, nothing_was_written, status_and_code},
    harness::{PINS, TestApp, pin},
    publish::bulk::{LINES, send},
};

#[tokio::test]
async fn a_dry_run_that_is_neither_true_nor_false_publishes_nothing() {
    let (app, channel) = TestApp::start_connected().await;
    let file = pin(&channel, "Not yet").to_string();
    let mut findings = Findings::default();
    for (query, expected) in [
        ("?dry_run=yes", "422 invalid_type"),
        ("?dry_run=", "422 invalid_type"),
        ("?dry_run", "422 invalid_type"),
        ("?dryRun=true", "422 unknown_parameter"),
        ("?dry-run=true", "422 unknown_parameter"),
        ("?dry_run=true&dry_run=false", "422 repeated_parameter"),
        ("?channel_id=garbage", "422 invalid_id"),
    ] {
        let refused = send(&app, query, LINES, &file).await;
        findings.compare(query, &refused, expected);
        let parameter = query.trim_start_matches('?').split(['=', '&']).next();
        if refused.json()["field"].as_str() != parameter {
            findings.note(format!("{query}: {}", refused.text));
        }
    }
    nothing_was_written(&app).await;

    for query in ["?dry_run=true", "?dry_run=True", "?dry_run=TRUE", "?dry_run=1"] {
        let results = send(&app, query, LINES, &file).await.expect(200);
        assert_eq!(results["rows"][0]["status"], "valid", "{query}");
        nothing_was_written(&app).await;
    }
    let results = send(&app, "?dry_run=false", LINES, &file).await.expect(200);
    assert_eq!(results["rows"][0]["status"], "accepted");
}

#[tokio::test]
async fn every_operation_refuses_a_parameter_that_it_does_not_know() {
    let (app, channel) = TestApp::start_connected().await;
    let pin = app.publish("ada", &channel, "One").await.expect(201);
    let pin = pin["id"].as_str().unwrap();
    let mut findings = Findings::default();
    for route in &endpoints() {
        if route.function == Function::Console || route.operation_id() == Some("oauth_callback") {
            continue;
        }
        let id = if route.path.starts_with("/api/v1/pins") { pin } else { &channel };
        let path = format!("{}?surprise=1", route.path.replace("{id}", id));
        let token = if route.access == Access::Admin { app.admin() } else { app.user("ada") };
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let refused = app.call(method, &path, &token, None).await;
        findings.compare(&format!("{} {path}", route.method), &refused, "422 unknown_parameter");
    }
    let channel_view = app.get(&format!("/api/v1/channels/{channel}"), "ada").await.expect(200);
    assert_eq!(channel_view["status"], "connected", "nothing was disconnected");
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_with_the_names_of_the_known_ones() {
    let app = TestApp::start().await;
    let refused = app.get(&format!("{PINS}?board_id=1"), "ada").await;
    assert_eq!(status_and_code(&refused), "422 unknown_parameter");
    assert_eq!(refused.json()["field"], "board_id");
    let fix = refused.json()["fix"].as_str().unwrap().to_owned();
    assert!(fix.contains("channel_id, state, from, to, sort, cursor, limit"), "{fix}");
    let refused = app.get(&format!("{PINS}?state=published&state=failed"), "ada").await;
    assert_eq!(status_and_code(&refused), "422 repeated_parameter");
}

#[tokio::test]
async fn the_callback_ignores_what_pinterest_adds() {
    let app = TestApp::start_configured().await;
    let path = "/api/v1/auth/pinterest/callback?state=guess&code=1&scope=pins%3Aread&scope=x";
    let answer = app.call(Method::GET, path, "", None).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
}

#[tokio::test]
async fn each_parameter_has_its_type_in_the_contract() {
    let app = TestApp::start().await;
    let document = contract(&app).await;
    let schema = |path: &str, method: &str, name: &str| -> Value {
        let all = document["paths"][path][method]["parameters"].as_array().unwrap();
        all.iter().find(|parameter| parameter["name"] == name).unwrap()["schema"].clone()
    };
    assert_eq!(schema("/api/v1/pins/bulk", "post", "dry_run")["type"], "boolean");
    let limit = schema("/api/v1/pins", "get", "limit");
    assert_eq!(
        (&limit["type"], &limit["minimum"], &limit["maximum"]),
        (&"integer".into(), &1.into(), &200.into())
    );
    assert_eq!(schema("/api/v1/pins", "get", "state")["$ref"], "#/components/schemas/PinState");
    assert_eq!(schema("/api/v1/channels/{id}/analytics", "get", "from")["format"], "date");
    let metrics = schema("/api/v1/channels/{id}/analytics", "get", "metrics");
    assert_eq!(
        (&metrics["type"], &metrics["items"]["$ref"]),
        (&"array".into(), &"#/components/schemas/ChannelMetric".into())
    );
}
