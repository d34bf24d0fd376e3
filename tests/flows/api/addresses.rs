//! Wrong paths, ids and headers: each is refused, and every request gets an answer.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use app::endpoints;
use edge::{RouteMatch, find};

use crate::{
    harness::problems::{Findings, missing, nothing_was_written, status_and_code},
    harness::{Answer, PINS, TestApp, answer},
};

#[tokio::test]
async fn another_tenants_channel_gets_the_same_answer_as_a_missing_one() {
    let (app, channel) = TestApp::start_connected().await;
    let comparable = |answer: Answer| {
        assert_eq!(status_and_code(&answer), "404 not_found");
        let mut comparable = answer.json();
        comparable["request_id"] = Value::Null;
        comparable
    };
    let foreign = comparable(app.publish("eve", &channel, "Stolen").await);
    let nonexistent = comparable(app.publish("eve", &missing(&channel), "Stolen").await);
    assert_eq!(foreign, nonexistent);

    let filter = format!("{PINS}?channel_id={channel}");
    assert_eq!(app.get(&filter, "eve").await.expect(200), json!({"items": [], "next": null}));
    nothing_was_written(&app).await;
}

#[tokio::test]
async fn an_id_of_another_form_is_not_found() {
    let (app, channel) = TestApp::start_connected().await;
    let published = app.publish("ada", &channel, "Here").await.expect(201);
    let pin = published["id"].as_str().unwrap();
    let at_pinterest = published["pinterest_pin_id"].as_str().unwrap();
    let upper = channel.to_uppercase();
    let encoded = channel.replace('_', "%5F");
    let long = "x".repeat(8000);
    let ids = [
        "1",
        "ch_",
        "pin_",
        "ch_1",
        "%00",
        "%2e%2e",
        "..%2f..%2f",
        "%ff%fe",
        "%E0%A4%A",
        "%",
        "%zz",
        "a%20b",
        "a+b",
        "'%22%3C%3E",
        "%F0%9F%94%91",
        "null",
        "undefined",
        "{id}",
        "*",
        &upper,
        &long,
        at_pinterest,
    ];
    let mut findings = Findings::default();
    for id in ids {
        for path in [
            format!("/api/v1/pins/{id}"),
            format!("/api/v1/channels/{id}"),
            format!("/api/v1/channels/{id}/boards"),
        ] {
            findings.compare(&path, &app.get(&path, "ada").await, "404 not_found");
        }
    }
    let wrong_kind = [format!("/api/v1/pins/{channel}"), format!("/api/v1/channels/{pin}")];
    let wrong_kind_below =
        [format!("/api/v1/channels/{pin}/boards"), format!("/api/v1/pins/{channel}/retry")];
    for path in wrong_kind {
        findings.compare(&path, &app.get(&path, "ada").await, "404 not_found");
        let deleted = app.call(Method::DELETE, &path, &app.user("ada"), None).await;
        findings.compare(&path, &deleted, "404 not_found");
    }
    for path in wrong_kind_below {
        findings.compare(&path, &app.post(&path, "ada", json!({"name": "x"})).await, "404 not_found");
    }
    // An escaped id may be accepted or refused, but it must not be an internal error.
    let escaped = app.get(&format!("/api/v1/channels/{encoded}"), "ada").await;
    assert!(escaped.status == 200 || escaped.status == 404, "{}", escaped.text);
}

#[tokio::test]
async fn an_unknown_path_is_not_found_and_a_wrong_method_is_not_allowed() {
    let app = TestApp::start_configured().await;
    let mut findings = Findings::default();
    for path in [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/pins",
        "/api/v1/pins/",
        "/api/v1//pins",
        "//api/v1/pins",
        "/API/V1/PINS",
        "/api/v1/pins;x=1",
        "/api/v1/pins%3Flimit=1",
        "/api/v1/pins%2F",
        "/api/v1/pins/x/y/z",
        "/api/v1/channels/x/boards/y",
        "/api/v1/./pins",
        "/api/v1/channels/../pins",
        "/api/v1/channels/%2e%2e/pins",
        "/openapi.json/",
        "/dev/nothing",
        "/.env",
        "/index.php",
    ] {
        // A URL library would normalise the path, so it is sent as it is.
        let text = over_the_wire(
            &app,
            &format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {}\r\n", app.user("ada")),
        )
        .await;
        if !text.starts_with("HTTP/1.1 404 ") || !text.contains("\"code\":\"not_found\"") {
            findings.note(format!("{path}: {text}"));
        }
    }
    let endpoints = endpoints();
    for route in &endpoints {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"] {
            let path = route.path.replace("{id}", "x");
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            // `/pins/move` is a route for POST. For other methods `move` is an id that does not exist.
            if matches!(
                find(&endpoints, |endpoint| (endpoint.method, endpoint.path), &method, &path),
                RouteMatch::Found(..)
            ) {
                continue;
            }
            let refused = app.call(method.clone(), &path, &app.user("ada"), None).await;
            if method == Method::HEAD {
                assert!(refused.status.as_u16() < 500, "{path}: {}", refused.status);
            } else {
                findings.compare(&format!("{method} {path}"), &refused, "405 method_not_allowed");
                // `/pins/move` is no Pin, so it does not take what a Pin takes.
                let allowed: BTreeSet<_> = endpoints
                    .iter()
                    .filter(|endpoint| endpoint.path == route.path)
                    .map(|endpoint| endpoint.method)
                    .collect();
                let listed = refused.headers["allow"].to_str().unwrap().split(", ").collect::<BTreeSet<_>>();
                assert_eq!(listed, allowed, "{method} {path}");
            }
        }
    }
}

/// Sends the head of a request as it is, with the headers that every request needs, and reads the answer.
async fn over_the_wire(app: &TestApp, head: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let host = app.stack.url().strip_prefix("http://").unwrap();
    let mut connection = tokio::net::TcpStream::connect(host).await.unwrap();
    let host_line = if head.contains("\r\nHost:") { String::new() } else { format!("Host: {host}\r\n") };
    connection.write_all(format!("{head}{host_line}Connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = Vec::new();
    connection.read_to_end(&mut text).await.ok(); // the connection may be cut: the test checks what has arrived
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn no_header_of_a_client_ends_a_request_without_an_answer() {
    let app = TestApp::start_configured().await;
    let port = app.stack.url().rsplit(':').next().unwrap();
    let mut findings = Findings::default();
    for headers in [
        "X-Forwarded-Proto: http\r\n",
        "X-Forwarded-Proto: \r\n",
        "X-Forwarded-Proto: not a scheme\r\n",
        "X-Forwarded-Proto: 1\r\n",
        "X-Forwarded-Proto: javascript\r\n",
        "X-Forwarded-Proto: https, http\r\n",
        "X-Forwarded-Host: evil.example.com\r\n",
        "X-Forwarded-For: <script>\r\n",
        "Forwarded: proto=\"\r\n",
        "Cookie: a=b; =; \u{e9}\r\n",
        "User-Agent: \u{e9}\u{fc}\r\n",
        "Content-Type: \u{e9}\r\n",
        "Accept: \r\n",
        "Content-Length: 0\r\n",
        "Host: 127.0.0.1:99999\r\n",
        "Host: 127.0.0.1:\r\n",
        "Host: user@127.0.0.1\r\n",
        "Host: localhost:x\r\n",
        "Host: [::1]\r\n",
        &format!("Host: localhost:{port}\r\n"),
    ] {
        let text = over_the_wire(&app, &format!("GET /api/v1/health HTTP/1.1\r\n{headers}")).await;
        let status = text.get(9..10).unwrap_or_default();
        if !["2", "4"].contains(&status) {
            findings.note(format!("{headers:?}: {text:?}"));
        }
    }
    for query in ["?", "?a", "?%", "?%zz", "?%ff=%00", "?=&=&&", "?limit=1&limit=2", "?{}", "?\u{e9}=\u{e9}"]
    {
        let text = over_the_wire(&app, &format!("GET /api/v1/health{query} HTTP/1.1\r\n")).await;
        let status = text.get(9..10).unwrap_or_default();
        if !["2", "4"].contains(&status) {
            findings.note(format!("{query:?}: {text:?}"));
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_common_headers() {
    let (app, channel) = TestApp::start_connected().await;
    let get = |path: &str| app.client.get(format!("{}{path}", app.stack.url())).bearer_auth(app.user("ada"));
    for path in ["/api/v1/health", "/openapi.json", "/app/channels", PINS, "/nowhere", "/api/v1/pins/none"] {
        let response = answer(get(path).header("x-request-id", "ours-1.2:3")).await;
        for (name, value) in [
            ("x-request-id", "ours-1.2:3"),
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(response.headers[name], value, "{path}");
        }
        if let Some(id) = response.json().get("request_id") {
            assert_eq!(id, "ours-1.2:3");
        }
    }
    for invalid_id in ["a b", "\u{e9}", "<script>", &"x".repeat(129)] {
        let response = answer(get(PINS).header("x-request-id", invalid_id)).await;
        let id = response.headers["x-request-id"].to_str().unwrap();
        assert!(id != invalid_id && !id.is_empty(), "{invalid_id}");
    }

    let unauthenticated = answer(app.client.get(format!("{}{PINS}", app.stack.url()))).await;
    assert_eq!(
        (unauthenticated.status.as_u16(), &unauthenticated.headers["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );

    let created = app.publish("ada", &channel, "Here").await;
    let location = created.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(location, format!("{PINS}/{}", created.json()["id"].as_str().unwrap()));
    assert_eq!(app.get(&location, "ada").await.expect(200)["title"], "Here");
}

#[tokio::test]
async fn the_contract_is_compressed_and_may_be_kept_for_minutes() {
    let app = TestApp::start().await;
    let get = async |coding: &str| {
        let request = app.client.get(format!("{}/openapi.json", app.stack.url()));
        request.header("accept-encoding", coding).send().await.unwrap()
    };
    let (plain, gzip) = (get("identity").await, get("gzip").await);
    assert_eq!(plain.headers().get("content-encoding"), None);
    assert_eq!(gzip.headers()["content-encoding"], "gzip");
    for answer in [&plain, &gzip] {
        assert_eq!(answer.headers()["cache-control"], "public, max-age=300");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
    }
    let (plain, gzip) = (plain.bytes().await.unwrap(), gzip.bytes().await.unwrap());
    assert!(
        gzip.starts_with(&[0x1f, 0x8b]) && gzip.len() < plain.len() / 4,
        "{} of {}",
        gzip.len(),
        plain.len()
    );
}
