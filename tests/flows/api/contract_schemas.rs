//! The schemas of the contract: clients can be generated from them, and every example matches its schema.

use serde_json::{Map, Value, json};

use crate::{
    api::contract::{contract, object},
    harness::json_schema::{Schemas, resolved, target},
    harness::problems::Findings,
    harness::{SETTINGS, TestApp},
};

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
    let mut findings = Findings::default();
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
    let mut findings = Findings::default();
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
