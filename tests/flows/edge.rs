//! Bad input: each is refused with a code and what to do next, and leaves nothing behind.

use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use simulated_pinterest::{Environment, FaultKind, Operation};

use app::routes::ROUTES;

use crate::stage::{Answer, SETTINGS, Stage, answer, days, minutes, pin};

const PINS: &str = "/api/v1/pins";

/// What a refusal says, as `<status> <code>`; anything that is not a refusal in the right form says what it is.
pub(crate) fn said(answer: &Answer) -> String {
    let problem = answer.json();
    let status = answer.status.as_u16();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let code = text("code");
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let whole = kind == "application/problem+json"
        && problem["status"] == status
        && ["title", "detail", "fix"].iter().all(|name| !text(name).trim().is_empty())
        && text("type").ends_with(&format!("/problems/{code}"))
        && !code.is_empty()
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && problem["request_id"].is_string();
    if whole { format!("{status} {code}") } else { format!("{status}, and no problem: {}", answer.text) }
}

/// Whether a refusal is the one that is wanted: `422 *` takes any code.
pub(crate) fn is(said: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(status) => said.starts_with(status) && !said.contains(','),
        None => said == wanted,
    }
}

/// Collects what is not as wanted, so that one run shows all of it.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn compare(&mut self, what: &str, answer: &Answer, wanted: &str) {
        let said = said(answer);
        if !is(&said, wanted) {
            self.note(format!("{what}: wanted {wanted}, got {said}"));
        }
    }

    pub(crate) fn note(&mut self, finding: String) {
        self.0.push(finding.chars().take(400).collect());
    }
}

impl Drop for Findings {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{} findings:\n{}", self.0.len(), self.0.join("\n"));
        }
    }
}

/// A request with a body of bytes that are sent as they are.
fn raw(
    stage: &Stage,
    method: Method,
    path: &str,
    token: &str,
    body: impl Into<reqwest::Body>,
) -> RequestBuilder {
    let request = stage.client.request(method, format!("{}{path}", stage.stack.url()));
    request.bearer_auth(token).header("content-type", "application/json").body(body)
}

/// Neither now nor later is there a Pin, here or at Pinterest.
async fn nothing_was_written(stage: &Stage) {
    assert_eq!(stage.get(PINS, "ada").await.expect(200), json!({"items": [], "next": null}));
    stage.advance(minutes(2)).await;
    assert_eq!(stage.pinterest().calls_of(Operation::CreatePin), 0);
    let kinds = stage.event_kinds().await;
    assert!(!kinds.iter().any(|kind| kind.starts_with("pin.")), "{kinds:?}");
}

/// An id of the same kind that nothing has.
pub(crate) fn missing(id: &str) -> String {
    let (front, last) = id.split_at(id.len() - 1);
    format!("{front}{}", if last == "0" { "1" } else { "0" })
}

#[tokio::test]
async fn a_body_that_is_no_pin_is_refused_and_leaves_nothing_behind() {
    let (stage, channel) = Stage::connected().await;
    let token = stage.user("ada");
    let deep = "[".repeat(100_000);
    let deep_media = format!(r#"{{"channel_id":"{channel}","media":{}"#, r#"{"kind":"#.repeat(10_000));
    let half = format!(r#"{{"channel_id":"{channel}","title":"\ud800","media":{{"kind":"image"}}}}"#);
    let twice = format!(r#"{{"channel_id":"{channel}","channel_id":"{channel}","media":{{}}}}"#);
    let list = json!([channel, null, null, "As a list", null, null, null, null, {"kind": "image", "url": "https://images.example.com/a.jpg"}, null, null]);
    let table: [(&str, Vec<u8>, &str); 20] = [
        ("empty", b"".to_vec(), "422 missing_field"),
        ("white space", b" \n".to_vec(), "400 invalid_json"),
        ("an open brace", b"{".to_vec(), "400 invalid_json"),
        ("cut off", br#"{"channel_id":"#.to_vec(), "400 invalid_json"),
        ("words", b"hello".to_vec(), "400 invalid_json"),
        ("a form", b"channel_id=ch_1&title=x".to_vec(), "400 invalid_json"),
        ("two objects", b"{}{}".to_vec(), "4*"),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec(), "400 invalid_json"),
        ("bytes that are no UTF-8", b"{\"title\":\"\xff\xfe\"}".to_vec(), "400 invalid_json"),
        ("half a surrogate pair", half.into_bytes(), "400 invalid_json"),
        ("a comment", b"{/* here */}".to_vec(), "400 invalid_json"),
        ("a list", b"[]".to_vec(), "4*"),
        ("a list of the fields", list.to_string().into_bytes(), "4*"),
        ("text", br#""text""#.to_vec(), "422 invalid_type"),
        ("a number", b"5".to_vec(), "422 invalid_type"),
        ("null", b"null".to_vec(), "422 invalid_type"),
        ("true", b"true".to_vec(), "422 invalid_type"),
        ("a field twice", twice.into_bytes(), "422 *"),
        ("100,000 open brackets", deep.into_bytes(), "4*"),
        ("10,000 open braces", deep_media.into_bytes(), "4*"),
    ];

    {
        let mut findings = Findings::default();
        for (what, body, wanted) in table {
            let refused = answer(raw(&stage, Method::POST, PINS, &token, body.clone())).await;
            findings.compare(what, &refused, wanted);
            let with_key = raw(&stage, Method::POST, PINS, &token, body).header("idempotency-key", "k");
            findings.compare(&format!("{what}, with a key"), &answer(with_key).await, wanted);
        }
    }

    nothing_was_written(&stage).await;
}

#[tokio::test]
async fn a_field_that_breaks_a_rule_is_refused_by_name_and_leaves_nothing_behind() {
    let (stage, channel) = Stage::connected().await;
    let now = stage.stack.now();
    let year = SignedDuration::from_hours(367 * 24);
    let x = |number: usize| "x".repeat(number);
    let image = |url: &str| json!({"kind": "image", "url": url});
    let table = [
        ("title", json!(x(101)), "422 too_long"),
        ("title", json!("👩".repeat(101)), "422 too_long"),
        ("title", json!("e\u{301}".repeat(51)), "422 too_long"),
        ("title", json!("a\u{0}b"), "422 control_character"),
        ("title", json!("a\u{1b}[31mb"), "422 control_character"),
        ("title", json!("a\u{85}b"), "422 control_character"),
        ("title", json!("a\u{7f}b"), "422 control_character"),
        ("description", json!(x(801)), "422 too_long"),
        ("description", json!("a\u{0}b"), "422 control_character"),
        ("alt_text", json!(x(501)), "422 too_long"),
        ("alt_text", json!("a\u{1b}b"), "422 control_character"),
        ("link", json!(format!("https://example.com/{}", x(2029))), "422 too_long"),
        ("link", json!("javascript:alert(1)"), "422 invalid_url"),
        ("link", json!("JavaScript:alert(1)"), "422 invalid_url"),
        ("link", json!(" javascript:alert(1)"), "422 invalid_url"),
        ("link", json!("data:text/html,x"), "422 invalid_url"),
        ("link", json!("file:///etc/passwd"), "422 invalid_url"),
        ("link", json!("ftp://example.com/"), "422 invalid_url"),
        ("link", json!("/relative"), "422 invalid_url"),
        ("link", json!("relative"), "422 invalid_url"),
        ("link", json!("//example.com/"), "422 invalid_url"),
        ("link", json!("https:example.com"), "422 invalid_url"),
        ("link", json!("https:/example.com/"), "422 invalid_url"),
        ("link", json!("https:\\\\example.com\\"), "422 invalid_url"),
        ("link", json!("https:///example.com/"), "422 invalid_url"),
        ("link", json!("https://example.com\\@evil.example.com/"), "422 invalid_url"),
        ("link", json!("https://"), "422 invalid_url"),
        ("link", json!("https://:443/"), "422 invalid_url"),
        ("link", json!("https://example.com:99999/"), "422 invalid_url"),
        ("link", json!("https://user:pass@example.com/"), "422 invalid_url"),
        ("link", json!("https://user@example.com/"), "422 invalid_url"),
        ("link", json!("https://:pass@example.com/"), "422 invalid_url"),
        ("link", json!("https://exa mple.com/"), "422 invalid_url"),
        ("link", json!("https://example.com/\r\nX: y"), "422 invalid_url"),
        ("link", json!("https://example.com/\u{0}"), "422 invalid_url"),
        ("channel_id", json!(""), "422 invalid_id"),
        ("channel_id", json!("ch_"), "422 invalid_id"),
        ("channel_id", json!("ch_\u{0}"), "422 invalid_id"),
        ("channel_id", json!(channel.to_uppercase()), "422 invalid_id"),
        ("channel_id", json!(channel.replace("ch_", "pin_")), "422 invalid_id"),
        ("channel_id", json!(format!("{channel} ")), "422 invalid_id"),
        ("channel_id", json!(missing(&channel)), "404 not_found"),
        ("board_id", json!("recipes"), "422 invalid_id"),
        ("board_id", json!("-1"), "422 invalid_id"),
        ("board_id", json!("1.5"), "422 invalid_id"),
        ("board_id", json!("1/../2"), "422 invalid_id"),
        ("board_id", json!("١٢"), "422 invalid_id"),
        ("board_id", json!(" 1"), "422 invalid_id"),
        ("board_id", json!("1".repeat(41)), "422 invalid_id"),
        ("board_section_id", json!("salads"), "422 invalid_id"),
        ("board_section_id", json!("1".repeat(41)), "422 invalid_id"),
        ("dominant_color", json!("red"), "422 invalid_color"),
        ("dominant_color", json!("#12345"), "422 invalid_color"),
        ("dominant_color", json!("#12345g"), "422 invalid_color"),
        ("dominant_color", json!("#1234567"), "422 invalid_color"),
        ("publish_at", json!(now - minutes(6)), "422 publish_at_past"),
        ("publish_at", json!("1970-01-01T00:00:00Z"), "422 publish_at_past"),
        ("publish_at", json!("-009999-01-02T01:59:59Z"), "422 publish_at_past"),
        ("publish_at", json!(now + year), "422 publish_at_too_far"),
        ("publish_at", json!("9999-12-30T22:00:00Z"), "422 publish_at_too_far"),
        ("publish_at", json!("tomorrow"), "422 *"),
        ("publish_at", json!(""), "422 *"),
        ("publish_at", json!("2026-13-01T00:00:00Z"), "422 *"),
        ("publish_at", json!("2026-12-01T09:00:00"), "422 *"),
        ("publish_at", json!("2026-12-01"), "422 *"),
        ("publish_at", json!(1_790_000_000), "422 *"),
        ("publish_within", json!(""), "422 invalid_duration"),
        ("publish_within", json!("7"), "422 invalid_duration"),
        ("publish_within", json!("P1M"), "422 invalid_duration"),
        ("publish_within", json!("-P1D"), "422 invalid_duration"),
        ("publish_within", json!("PT0S"), "422 invalid_duration"),
        ("publish_within", json!("PT59S"), "422 invalid_duration"),
        ("publish_within", json!("P400D"), "422 invalid_duration"),
        ("publish_within", json!("P9999999999999999999D"), "422 invalid_duration"),
        ("publish_within", json!("PT9223372036854775807H"), "422 invalid_duration"),
        ("media", json!(null), "422 *"),
        ("media", json!("https://images.example.com/a.jpg"), "422 *"),
        ("media", json!([]), "422 *"),
        ("media", json!(["image", "https://images.example.com/a.jpg"]), "422 *"),
        ("media", json!({}), "422 missing_field"),
        ("media", json!({"kind": "image"}), "422 *"),
        ("media", json!({"kind": "hologram", "url": "https://images.example.com/a.jpg"}), "422 *"),
        ("media", json!({"kind": "Image", "url": "https://images.example.com/a.jpg"}), "422 *"),
        ("media", json!({"kind": null, "url": "https://images.example.com/a.jpg"}), "422 *"),
        (
            "media",
            json!({"kind": "image", "url": "https://images.example.com/a.jpg", "uri": "x"}),
            "422 unknown_field",
        ),
        ("media", json!({"kind": "image", "url": 5}), "422 *"),
        ("media", json!({"kind": "image", "url": null}), "422 *"),
        ("media", image(""), "422 invalid_url"),
        ("media", image("images.example.com/a.jpg"), "422 invalid_url"),
        ("media", image("data:image/png;base64,AAAA"), "422 invalid_url"),
        ("media", image("https://user:pass@images.example.com/a.jpg"), "422 invalid_url"),
        ("media", image(&format!("https://images.example.com/{}", x(2048))), "422 too_long"),
        ("tile", json!("x"), "422 unknown_field"),
        ("Title", json!("x"), "422 unknown_field"),
        ("tenant", json!("bob"), "422 unknown_field"),
        ("state", json!("published"), "422 unknown_field"),
        ("", json!(null), "422 unknown_field"),
    ];

    {
        let mut findings = Findings::default();
        for (field, value, wanted) in table {
            let mut body = pin(&channel, "Never");
            body[field] = value.clone();
            findings.compare(&format!("{field} = {value}"), &stage.post(PINS, "ada", body).await, wanted);
        }
        let texts =
            ["channel_id", "board_id", "board_section_id", "title", "description", "link", "alt_text"];
        for field in texts.into_iter().chain(["dominant_color", "publish_within"]) {
            for value in [json!(5), json!(true), json!([]), json!(["x"]), json!({}), json!({"x": 1})] {
                let mut body = pin(&channel, "Never");
                body[field] = value.clone();
                let refused = stage.post(PINS, "ada", body).await;
                findings.compare(&format!("{field} = {value}"), &refused, "422 invalid_type");
            }
        }
        for field in ["channel_id", "media"] {
            let mut body = pin(&channel, "Never");
            body.as_object_mut().unwrap().remove(field);
            let refused = stage.post(PINS, "ada", body).await;
            findings.compare(&format!("without {field}"), &refused, "422 missing_field");
        }
    }

    nothing_was_written(&stage).await;
}

#[tokio::test]
async fn a_refusal_names_the_field_that_is_wrong() {
    let (stage, channel) = Stage::connected().await;
    for (field, value, named) in [
        ("title", json!("x".repeat(101)), "title"),
        ("title", json!(5), "title"),
        ("link", json!("/x"), "link"),
        ("board_id", json!("x"), "board_id"),
        ("board_section_id", json!("x"), "board_section_id"),
        ("publish_within", json!("x"), "publish_within"),
        ("media", json!({"kind": "image", "url": "x"}), "media.url"),
    ] {
        let mut body = pin(&channel, "Never");
        body[field] = value;
        let refused = stage.post(PINS, "ada", body).await.expect(422);
        assert_eq!(refused["field"], named, "{refused}");
    }
}

#[tokio::test]
async fn texts_of_exactly_the_allowed_length_are_published_as_they_are() {
    let (stage, channel) = Stage::connected().await;
    let now = stage.stack.now();
    let letters = "x".repeat(100);
    let emoji = "👩".repeat(100);
    let link = format!("https://example.com/{}", "a".repeat(2028));
    let changes = [
        ("title", json!(letters)),
        ("title", json!(emoji)),
        ("description", json!("é".repeat(800))),
        ("description", json!("two\nlines\tand a tab")),
        ("alt_text", json!("x".repeat(500))),
        ("link", json!(link)),
        ("link", json!("")),
        ("link", json!("http://bücher.example/ü?a=b#c")),
        ("board_id", json!("")),
        ("dominant_color", json!("#6E7874")),
        ("publish_at", json!(now - minutes(4))),
        ("publish_at", json!(null)),
        ("publish_within", json!("PT1M")),
    ];
    for (field, value) in changes {
        let mut body = pin(&channel, "Fits");
        body[field] = value.clone();
        let made = stage.post(PINS, "ada", body).await;
        assert_eq!(made.status, 201, "{field} = {value}: {}", made.text);
    }
    let there = stage.pinterest().pins(Environment::Sandbox);
    assert_eq!(there.len(), 13);
    assert!(there.iter().any(|pin| pin.title.as_ref() == Some(&letters)));
    assert!(there.iter().any(|pin| pin.title.as_ref() == Some(&emoji)));
    assert!(there.iter().any(|pin| pin.link.as_ref() == Some(&link)));
}

#[tokio::test]
async fn a_body_of_7_mb_is_too_large_and_so_is_one_of_11() {
    let (stage, channel) = Stage::connected().await;
    for megabytes in [7, 11] {
        for (method, path, token) in [
            (Method::POST, PINS, stage.user("ada")),
            (Method::PUT, SETTINGS, stage.admin()),
            (Method::POST, "/api/v1/connections/claim", stage.user("ada")),
        ] {
            let body = pin(&channel, &"x".repeat(megabytes * 1024 * 1024)).to_string();
            let refused = answer(raw(&stage, method, path, &token, body)).await;
            assert_eq!(said(&refused), "413 body_too_large", "{megabytes} MB to {path}");
        }
    }
    nothing_was_written(&stage).await;
}

#[tokio::test]
async fn a_key_that_is_not_1_to_255_visible_ascii_characters_is_refused() {
    let (stage, channel) = Stage::connected().await;
    let body = pin(&channel, "Once").to_string();
    let send = async |key: &[u8]| {
        let request = raw(&stage, Method::POST, PINS, &stage.user("ada"), body.clone());
        answer(request.header("idempotency-key", key)).await
    };

    {
        let mut findings = Findings::default();
        let long = "k".repeat(256);
        let bad: [&[u8]; 9] = [
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
        for key in bad {
            let what = String::from_utf8_lossy(key).into_owned();
            findings.compare(&what, &send(key).await, "422 invalid_idempotency_key");
        }
    }
    nothing_was_written(&stage).await;

    let longest = "~".repeat(255);
    let first = send(longest.as_bytes()).await.expect(201);
    let again = send(longest.as_bytes()).await.expect(201);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(stage.at_pinterest("Once"), 1);
}

#[tokio::test]
async fn without_any_board_a_pin_is_refused() {
    let stage = Stage::configured().await;
    let channel = stage.connect("ada").await;
    assert_eq!(said(&stage.publish("ada", &channel, "Nowhere").await), "422 no_board");
    let mut empty = pin(&channel, "Nowhere");
    empty["board_id"] = json!("");
    assert_eq!(said(&stage.post(PINS, "ada", empty).await), "422 no_board");
    nothing_was_written(&stage).await;
}

#[tokio::test]
async fn another_tenants_channel_is_refused_in_the_very_words_of_one_that_is_missing() {
    let (stage, channel) = Stage::connected().await;
    let words = |answer: Answer| {
        assert_eq!(said(&answer), "404 not_found");
        let mut words = answer.json();
        words["request_id"] = Value::Null;
        words
    };
    let theirs = words(stage.publish("eve", &channel, "Stolen").await);
    let none = words(stage.publish("eve", &missing(&channel), "Stolen").await);
    assert_eq!(theirs, none);

    let filter = format!("{PINS}?channel_id={channel}");
    assert_eq!(stage.get(&filter, "eve").await.expect(200), json!({"items": [], "next": null}));
    nothing_was_written(&stage).await;
}

#[tokio::test]
async fn an_id_that_is_none_of_ours_is_not_found() {
    let (stage, channel) = Stage::connected().await;
    let published = stage.publish("ada", &channel, "Here").await.expect(201);
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
            findings.compare(&path, &stage.get(&path, "ada").await, "404 not_found");
        }
    }
    let wrong = [format!("/api/v1/pins/{channel}"), format!("/api/v1/channels/{pin}")];
    let more = [format!("/api/v1/channels/{pin}/boards"), format!("/api/v1/pins/{channel}/retry")];
    for path in wrong {
        findings.compare(&path, &stage.get(&path, "ada").await, "404 not_found");
        let deleted = stage.call(Method::DELETE, &path, &stage.user("ada"), None).await;
        findings.compare(&path, &deleted, "404 not_found");
    }
    for path in more {
        findings.compare(&path, &stage.post(&path, "ada", json!({"name": "x"})).await, "404 not_found");
    }
    // Whether the escaped form of an id is the id is not promised; that it is no error of ours is.
    let escaped = stage.get(&format!("/api/v1/channels/{encoded}"), "ada").await;
    assert!(escaped.status == 200 || escaped.status == 404, "{}", escaped.text);
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_not_found_and_a_wrong_method_is_told() {
    let stage = Stage::configured().await;
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
        // A URL library would tidy the path up: it is sent as it stands.
        let text = over_the_wire(
            &stage,
            &format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {}\r\n", stage.user("ada")),
        )
        .await;
        if !text.starts_with("HTTP/1.1 404 ") || !text.contains("\"code\":\"not_found\"") {
            findings.note(format!("{path}: {text}"));
        }
    }
    for route in &ROUTES {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"] {
            let path = route.path.replace("{id}", "x");
            let known = |other: &app::routes::Route| other.method == method && other.path == route.path;
            if ROUTES.iter().any(known) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let refused = stage.call(method.clone(), &path, &stage.user("ada"), None).await;
            if method == Method::HEAD {
                assert!(refused.status.as_u16() < 500, "{path}: {}", refused.status);
            } else {
                findings.compare(&format!("{method} {path}"), &refused, "405 method_not_allowed");
            }
        }
    }
}

/// Sends a request's head as it stands, with the headers that every request needs, and reads to the end.
async fn over_the_wire(stage: &Stage, head: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let host = stage.stack.url().strip_prefix("http://").unwrap();
    let mut connection = tokio::net::TcpStream::connect(host).await.unwrap();
    let host_line = if head.contains("\r\nHost:") { String::new() } else { format!("Host: {host}\r\n") };
    connection.write_all(format!("{head}{host_line}Connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = Vec::new();
    connection.read_to_end(&mut text).await.ok(); // cut off is an answer too: the test looks at what came
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn no_header_of_a_client_ends_a_request_without_an_answer() {
    let stage = Stage::configured().await;
    let port = stage.stack.url().rsplit(':').next().unwrap();
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
        let text = over_the_wire(&stage, &format!("GET /api/v1/health HTTP/1.1\r\n{headers}")).await;
        let status = text.get(9..10).unwrap_or_default();
        if !["2", "4"].contains(&status) {
            findings.note(format!("{headers:?}: {text:?}"));
        }
    }
    for query in ["?", "?a", "?%", "?%zz", "?%ff=%00", "?=&=&&", "?limit=1&limit=2", "?{}", "?\u{e9}=\u{e9}"]
    {
        let text = over_the_wire(&stage, &format!("GET /api/v1/health{query} HTTP/1.1\r\n")).await;
        let status = text.get(9..10).unwrap_or_default();
        if !["2", "4"].contains(&status) {
            findings.note(format!("{query:?}: {text:?}"));
        }
    }
}

#[tokio::test]
async fn a_list_is_refused_for_what_is_wrong_with_its_parameters() {
    let (stage, channel) = Stage::connected().await;
    let mut findings = Findings::default();
    let pins = stage.publish("ada", &channel, "One").await.expect(201);
    let pin = pins["id"].as_str().unwrap();
    for list in [PINS, "/api/v1/channels"] {
        for limit in
            ["0", "201", "abc", "-1", "1.5", "1e1", "99999999999999999999", "%00", "%20", "%31%30%30%30"]
        {
            let path = format!("{list}?limit={limit}");
            findings.compare(&path, &stage.get(&path, "ada").await, "422 invalid_limit");
        }
        for cursor in ["garbage", "%00", "ch_", "pin_", "eyJhIjoxfQ", "-", &"x".repeat(4000)] {
            let path = format!("{list}?cursor={cursor}");
            findings.compare(&path, &stage.get(&path, "ada").await, "422 *");
        }
        for limit in ["1", "200", ""] {
            stage.get(&format!("{list}?limit={limit}"), "ada").await.expect(200);
        }
    }
    for (path, wanted) in [
        (format!("{PINS}?cursor={channel}"), "422 *"),
        (format!("/api/v1/channels?cursor={pin}"), "422 *"),
        (format!("{PINS}?state=nonsense"), "422 invalid_state"),
        (format!("{PINS}?state=Published"), "422 invalid_state"),
        (format!("{PINS}?state=in_doubt"), "422 invalid_state"),
        (format!("{PINS}?state=published,failed"), "422 invalid_state"),
        (format!("{PINS}?channel_id=garbage"), "422 invalid_id"),
        (format!("{PINS}?channel_id={pin}"), "422 invalid_id"),
    ] {
        findings.compare(&path, &stage.get(&path, "ada").await, wanted);
    }
}

/// All things of a list, page by page, and how many pages it took.
async fn all(stage: &Stage, list: &str, limit: usize) -> (Vec<Value>, usize) {
    let mut items = Vec::new();
    let mut cursor = String::new();
    for page in 1..=50 {
        let path = format!("{list}limit={limit}{cursor}");
        let mut answer = stage.get(&path, "ada").await.expect(200);
        let found = answer["items"].as_array_mut().unwrap();
        assert!(found.len() <= limit, "{path}");
        items.append(found);
        match answer["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, page),
        }
    }
    panic!("{list} does not end");
}

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_of_a_list_hold_all_pins_exactly_once_newest_first_and_by_channel_and_state() {
    let (stage, first) = Stage::connected().await;
    let page = stage.start("ada").await;
    let back = stage.decide(&page, "decision=allow&account=second_account").await;
    let ticket = json!({"connection": back.split_once("#connection=").unwrap().1});
    let second = stage.post("/api/v1/connections/claim", "ada", ticket).await.expect(201);
    let second = second["id"].as_str().unwrap().to_owned();
    stage.choose_board("ada", &second).await;
    let mut made = Vec::new();
    let mut scheduled = Vec::new();
    for number in 0..11 {
        let channel = if number % 3 == 0 { &second } else { &first };
        let mut body = pin(channel, &format!("Pin {number}"));
        if number % 4 == 1 {
            body["publish_at"] = json!(stage.stack.now() + days(1));
        }
        if number == 10 {
            let refusal = FaultKind::Refused { status: 400, code: 1, message: "no".to_owned() };
            stage.pinterest().inject(simulated_pinterest::Fault::once(Operation::CreatePin, refusal));
        }
        let answered = stage.post(PINS, "ada", body).await.json();
        let id = answered["id"].as_str().or(answered["pin_id"].as_str()).unwrap().to_owned();
        if number % 4 == 1 {
            scheduled.push(id.clone());
        }
        made.push(id);
        stage.advance(SignedDuration::from_secs(1)).await; // ids sort by the millisecond
    }
    made.reverse();
    scheduled.reverse();

    for limit in [1, 3, 11, 200] {
        let (items, _) = all(&stage, &format!("{PINS}?"), limit).await;
        assert_eq!(ids(&items), made, "by {limit}");
        let (items, _) = all(&stage, &format!("{PINS}?state=scheduled&"), limit).await;
        assert_eq!(ids(&items), scheduled, "scheduled, by {limit}");
        let (of_second, _) = all(&stage, &format!("{PINS}?channel_id={second}&"), limit).await;
        assert_eq!(of_second.len(), 4);
        assert!(of_second.iter().all(|pin| pin["channel_id"] == *second));
        let both = format!("{PINS}?channel_id={second}&state=scheduled&");
        assert_eq!(all(&stage, &both, limit).await.0.len(), 1);
        let states: usize = {
            let mut sum = 0;
            for state in ["scheduled", "sending", "waiting", "published", "failed", "cancelled"] {
                let (some, _) = all(&stage, &format!("{PINS}?state={state}&"), limit).await;
                assert!(some.iter().all(|pin| pin["state"] == state));
                sum += some.len();
            }
            sum
        };
        assert_eq!(states, 11);
    }
    assert_eq!(all(&stage, &format!("{PINS}?state=failed&"), 5).await.0.len(), 1);

    let (channels, pages) = all(&stage, "/api/v1/channels?", 1).await;
    let mut both = ids(&channels);
    both.sort();
    assert!(pages <= 3);
    assert_eq!(both, {
        let mut wanted = vec![first, second];
        wanted.sort();
        wanted
    });
}

#[tokio::test]
async fn a_pin_that_is_made_while_a_list_is_read_moves_nothing_in_it() {
    let (stage, channel) = Stage::connected().await;
    for number in 0..4 {
        stage.publish("ada", &channel, &format!("Old {number}")).await.expect(201);
        stage.advance(SignedDuration::from_secs(1)).await;
    }
    let first = stage.get(&format!("{PINS}?limit=2"), "ada").await.expect(200);
    stage.publish("ada", &channel, "New").await.expect(201);
    let next = first["next"].as_str().unwrap();
    let second = stage.get(&format!("{PINS}?limit=2&cursor={next}"), "ada").await.expect(200);
    let titles: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|pin| pin["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles, ["Old 3", "Old 2", "Old 1", "Old 0"]);
}

#[tokio::test]
async fn other_bodies_are_checked_as_strictly_and_change_nothing() {
    let (stage, channel) = Stage::connected().await;
    let one = format!("/api/v1/channels/{channel}");
    let boards = format!("{one}/boards");
    let claim = "/api/v1/connections/claim";
    let start = "/api/v1/auth/pinterest/start";
    let (ada, admin) = (stage.user("ada"), stage.admin());
    let settings = stage.call(Method::GET, SETTINGS, &admin, None).await.expect(200);
    let before = stage.get(&one, "ada").await.expect(200);
    let boards_before = stage.pinterest().boards(Environment::Sandbox, "demo_account").len();
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
        (Method::PATCH, &one, json!({}), "422 missing_field"),
        (Method::PATCH, &one, json!({"default_board_id": 5}), "422 *"),
        (Method::PATCH, &one, json!({"default_board_id": "recipes"}), "422 *"),
        (Method::PATCH, &one, json!({"default_board_id": ""}), "422 *"),
        (Method::PATCH, &one, json!({"default_board_id": "../boards"}), "422 *"),
        (Method::PATCH, &one, json!({"default_board": null}), "422 *"),
        (Method::PATCH, &one, json!({"default_board_id": null, "status": "connected"}), "422 unknown_field"),
        (Method::PATCH, &one, json!([null]), "4*"),
        (Method::PATCH, &one, json!([]), "4*"),
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
        for (method, path, body, wanted) in table {
            let token = if path == SETTINGS { &admin } else { &ada };
            let what = format!("{method} {path} {body}");
            findings.compare(&what, &stage.call(method, path, token, Some(body)).await, wanted);
        }
        if stage.call(Method::GET, SETTINGS, &admin, None).await.expect(200) != settings {
            findings.note("the settings have changed".to_owned());
        }
        if stage.get(&one, "ada").await.expect(200) != before {
            findings.note("the channel has changed".to_owned());
        }
        if stage.pinterest().boards(Environment::Sandbox, "demo_account").len() != boards_before {
            findings.note("there are new boards".to_owned());
        }
    }
}
