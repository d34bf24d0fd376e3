//! Invalid bodies and keys: each is refused with a code and a fix, and nothing is stored.

use reqwest::Method;
use serde_json::json;
use simulated_pinterest::Environment;

use crate::{
    harness::problems::{Findings, nothing_was_written, raw, status_and_code},
    harness::{PINS, SETTINGS, TestApp, answer, pin},
};

#[tokio::test]
async fn a_body_of_7_mb_is_too_large_and_so_is_one_of_11() {
    let (app, channel) = TestApp::start_connected().await;
    for megabytes in [7, 11] {
        for (method, path, token) in [
            (Method::POST, PINS, app.user("ada")),
            (Method::PUT, SETTINGS, app.admin()),
            (Method::POST, "/api/v1/connections/claim", app.user("ada")),
        ] {
            let body = pin(&channel, &"x".repeat(megabytes * 1024 * 1024)).to_string();
            let refused = answer(raw(&app, method, path, &token, body)).await;
            assert_eq!(status_and_code(&refused), "413 body_too_large", "{megabytes} MB to {path}");
        }
    }
    nothing_was_written(&app).await;
}

#[tokio::test]
async fn a_key_that_is_not_1_to_255_visible_ascii_characters_is_refused() {
    let (app, channel) = TestApp::start_connected().await;
    let body = pin(&channel, "Once").to_string();
    let send = async |key: &[u8]| {
        let request = raw(&app, Method::POST, PINS, &app.user("ada"), body.clone());
        answer(request.header("idempotency-key", key)).await
    };

    {
        let mut findings = Findings::default();
        let long = "k".repeat(256);
        let invalid_keys: [&[u8]; 9] = [
            b"",
            long.as_bytes(),
            b"with space",
            b"with\ttab",
            "schlüssel".as_bytes(),
            b"\xff\xfe",
            "١٢".as_bytes(),
            "\u{a0}".as_bytes(),
            "🔑".as_bytes(),
        ];
        for key in invalid_keys {
            let case = String::from_utf8_lossy(key).into_owned();
            findings.compare(&case, &send(key).await, "422 invalid_idempotency_key");
        }
    }
    nothing_was_written(&app).await;

    let longest = "~".repeat(255);
    let first = send(longest.as_bytes()).await.expect(201);
    let repeated = send(longest.as_bytes()).await.expect(201);
    assert_eq!(first["id"], repeated["id"]);
    assert_eq!(app.at_pinterest("Once"), 1);
}

#[tokio::test]
async fn other_bodies_are_checked_as_strictly_and_change_nothing() {
    let (app, channel) = TestApp::start_connected().await;
    let channel_path = format!("/api/v1/channels/{channel}");
    let boards = format!("{channel_path}/boards");
    let claim = "/api/v1/connections/claim";
    let start = "/api/v1/auth/pinterest/start";
    let (ada, admin) = (app.user("ada"), app.admin());
    let settings = app.call(Method::GET, SETTINGS, &admin, None).await.expect(200);
    let channel_before = app.get(&channel_path, "ada").await.expect(200);
    let boards_before = app.pinterest().boards(Environment::Sandbox, "demo_account").len();
    let long = "x".repeat(3000);
    let table = [
        (Method::POST, start, json!({"return_to": 5}), "422 invalid_type"),
        (Method::POST, start, json!({"return_to": null}), "422 invalid_type"),
        (Method::POST, start, json!({"return_to": ""}), "422 return_to_not_allowed"),
        (Method::POST, start, json!({"return_to": "//evil.example.com"}), "422 return_to_not_allowed"),
        (Method::POST, start, json!({"return_to": "/\\evil.example.com"}), "422 return_to_not_allowed"),
        (Method::POST, start, json!({"return_to": "https://evil.example.com"}), "422 return_to_not_allowed"),
        (Method::POST, start, json!({"return_to": "javascript:alert(1)"}), "422 return_to_not_allowed"),
        (Method::POST, start, json!({"return_to": "/a\u{0}"}), "422 return_to_not_allowed"),
        (Method::POST, start, json!({"return_to": "/app#connection=x"}), "422 return_to_not_allowed"),
        (Method::POST, start, json!({"return_to": "/", "user": "eve"}), "422 unknown_field"),
        (Method::POST, start, json!([]), "4*"),
        (Method::POST, start, json!(["/app"]), "4*"),
        (Method::POST, claim, json!({}), "422 missing_field"),
        (Method::POST, claim, json!({"connection": null}), "422 invalid_type"),
        (Method::POST, claim, json!({"connection": 5}), "422 invalid_type"),
        (Method::POST, claim, json!({"connection": ""}), "4*"),
        (Method::POST, claim, json!({"connection": "\u{0}"}), "4*"),
        (Method::POST, claim, json!({"connection": "guess"}), "404 not_found"),
        (Method::POST, claim, json!({"connection": long}), "404 not_found"),
        (Method::POST, claim, json!({"connection": "guess", "user": "eve"}), "422 unknown_field"),
        (Method::POST, claim, json!(["guess"]), "422 *"),
        (Method::PATCH, &channel_path, json!({}), "422 missing_field"),
        (Method::PATCH, &channel_path, json!({"default_board_id": 5}), "422 *"),
        (Method::PATCH, &channel_path, json!({"default_board_id": "recipes"}), "422 *"),
        (Method::PATCH, &channel_path, json!({"default_board_id": ""}), "422 *"),
        (Method::PATCH, &channel_path, json!({"default_board_id": "../boards"}), "422 *"),
        (Method::PATCH, &channel_path, json!({"default_board": null}), "422 *"),
        (
            Method::PATCH,
            &channel_path,
            json!({"default_board_id": null, "status": "connected"}),
            "422 unknown_field",
        ),
        (Method::PATCH, &channel_path, json!([null]), "4*"),
        (Method::PATCH, &channel_path, json!([]), "4*"),
        (Method::POST, &boards, json!({}), "422 missing_field"),
        (Method::POST, &boards, json!({"name": null}), "422 invalid_type"),
        (Method::POST, &boards, json!({"name": 5}), "422 invalid_type"),
        (Method::POST, &boards, json!({"name": ""}), "422 missing_field"),
        (Method::POST, &boards, json!({"name": "a\u{0}b"}), "422 control_character"),
        (Method::POST, &boards, json!({"name": "x".repeat(181)}), "422 too_long"),
        (Method::POST, &boards, json!({"name": "x", "description": "x".repeat(501)}), "422 too_long"),
        (Method::POST, &boards, json!({"name": "x", "description": 5}), "422 invalid_type"),
        (Method::POST, &boards, json!({"name": "x", "privacy": "public"}), "422 invalid_type"),
        (Method::POST, &boards, json!({"name": "x", "privacy": "NOBODY"}), "422 invalid_type"),
        (Method::POST, &boards, json!({"name": "x", "owner": "eve"}), "422 unknown_field"),
        (Method::POST, &boards, json!(["From a list"]), "4*"),
        (Method::PUT, SETTINGS, json!([]), "4*"),
        (Method::PUT, SETTINGS, json!(["1", "s", "disabled", "production"]), "4*"),
        (Method::PUT, SETTINGS, json!("disabled"), "422 invalid_type"),
    ];

    {
        let mut findings = Findings::default();
        for (method, path, body, expected) in table {
            let token = if path == SETTINGS { &admin } else { &ada };
            let case = format!("{method} {path} {body}");
            findings.compare(&case, &app.call(method, path, token, Some(body)).await, expected);
        }
        if app.call(Method::GET, SETTINGS, &admin, None).await.expect(200) != settings {
            findings.note("the settings have changed".to_owned());
        }
        if app.get(&channel_path, "ada").await.expect(200) != channel_before {
            findings.note("the channel has changed".to_owned());
        }
        if app.pinterest().boards(Environment::Sandbox, "demo_account").len() != boards_before {
            findings.note("there are new boards".to_owned());
        }
    }
}
