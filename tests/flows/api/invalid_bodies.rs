//! Invalid bodies: each is refused with a code and a fix, and nothing is stored.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use simulated_pinterest::Environment;

use crate::{
    harness::problems::{Findings, missing, nothing_was_written, raw, status_and_code},
    harness::{PINS, SETTINGS, TestApp, answer, minutes, pin},
};

#[tokio::test]
async fn a_body_that_is_no_pin_is_refused_and_leaves_nothing_behind() {
    let (app, channel) = TestApp::start_connected().await;
    let token = app.user("ada");
    let deep = "[".repeat(100_000);
    let deep_media = format!(r#"{{"channel_id":"{channel}","media":{}"#, r#"{"kind":"#.repeat(10_000));
    let lone_surrogate =
        format!(r#"{{"channel_id":"{channel}","title":"\ud800","media":{{"kind":"image"}}}}"#);
    let repeated_field = format!(r#"{{"channel_id":"{channel}","channel_id":"{channel}","media":{{}}}}"#);
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
        ("half a surrogate pair", lone_surrogate.into_bytes(), "400 invalid_json"),
        ("a comment", b"{/* here */}".to_vec(), "400 invalid_json"),
        ("a list", b"[]".to_vec(), "4*"),
        ("a list of the fields", list.to_string().into_bytes(), "4*"),
        ("text", br#""text""#.to_vec(), "422 invalid_type"),
        ("a number", b"5".to_vec(), "422 invalid_type"),
        ("null", b"null".to_vec(), "422 invalid_type"),
        ("true", b"true".to_vec(), "422 invalid_type"),
        ("a field twice", repeated_field.into_bytes(), "422 *"),
        ("100,000 open brackets", deep.into_bytes(), "4*"),
        ("10,000 open braces", deep_media.into_bytes(), "4*"),
    ];

    {
        let mut findings = Findings::default();
        for (case, body, expected) in table {
            let refused = answer(raw(&app, Method::POST, PINS, &token, body.clone())).await;
            findings.compare(case, &refused, expected);
            let with_key = raw(&app, Method::POST, PINS, &token, body).header("idempotency-key", "k");
            findings.compare(&format!("{case}, with a key"), &answer(with_key).await, expected);
        }
    }

    nothing_was_written(&app).await;
}

#[tokio::test]
async fn a_field_that_breaks_a_rule_is_refused_by_name_and_leaves_nothing_behind() {
    let (app, channel) = TestApp::start_connected().await;
    let now = app.stack.now();
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
        ("ai_disclosures", json!({"values": ["NONE"]}), "422 invalid_ai_disclosure"),
        ("ai_disclosures", json!({"values": ["ai_modified"]}), "422 invalid_ai_disclosure"),
        ("ai_disclosures", json!({"values": "AI_MODIFIED"}), "422 invalid_type"),
        ("ai_disclosures", json!(["AI_MODIFIED"]), "422 invalid_type"),
        ("ai_disclosures", json!([["AI_MODIFIED"]]), "422 invalid_type"),
        ("ai_disclosures", json!("AI_MODIFIED"), "422 invalid_type"),
        ("ai_disclosures", json!({}), "422 missing_field"),
        ("ai_disclosures", json!({"values": [], "by": "me"}), "422 unknown_field"),
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
        ("media", image("https://videos.example.com/a.mp4"), "422 unsupported_media_type"),
        ("media", image("https://videos.example.com/a.MOV?x=1.jpg"), "422 unsupported_media_type"),
        (
            "media",
            json!({"kind": "video", "url": "https://images.example.com/a.jpg"}),
            "422 unsupported_media_type",
        ),
        (
            "media",
            json!({"kind": "carousel", "items": [{"url": "https://a.example/1.jpg"}, {"url": "https://a.example/2.mp4"}]}),
            "422 unsupported_media_type",
        ),
        ("media", image(&format!("https://images.example.com/{}", x(2048))), "422 too_long"),
        ("tile", json!("x"), "422 unknown_field"),
        ("Title", json!("x"), "422 unknown_field"),
        ("tenant", json!("bob"), "422 unknown_field"),
        ("state", json!("published"), "422 unknown_field"),
        ("", json!(null), "422 unknown_field"),
    ];

    {
        let mut findings = Findings::default();
        for (field, value, expected) in table {
            let mut body = pin(&channel, "Never");
            body[field] = value.clone();
            findings.compare(&format!("{field} = {value}"), &app.post(PINS, "ada", body).await, expected);
        }
        let texts =
            ["channel_id", "board_id", "board_section_id", "title", "description", "link", "alt_text"];
        for field in texts.into_iter().chain(["dominant_color", "publish_within"]) {
            for value in [json!(5), json!(true), json!([]), json!(["x"]), json!({}), json!({"x": 1})] {
                let mut body = pin(&channel, "Never");
                body[field] = value.clone();
                let refused = app.post(PINS, "ada", body).await;
                findings.compare(&format!("{field} = {value}"), &refused, "422 invalid_type");
            }
        }
        for field in ["channel_id", "media"] {
            let mut body = pin(&channel, "Never");
            body.as_object_mut().unwrap().remove(field);
            let refused = app.post(PINS, "ada", body).await;
            findings.compare(&format!("without {field}"), &refused, "422 missing_field");
        }
    }

    nothing_was_written(&app).await;
}

/// Words of Rust, of Serde, and of the parsers of JSON, CSV, times and addresses.
const PARSERS_WORDS: [&str; 34] = [
    "expected",
    "invalid type",
    "invalid value",
    "invalid length",
    "u8",
    "u16",
    "u32",
    "u64",
    "i64",
    "f64",
    "usize",
    "struct",
    "enum",
    "variant",
    "tuple",
    "newtype",
    "sequence",
    "map",
    "unit",
    "string",
    "integer",
    "floating",
    "boolean",
    "serde",
    "missing field",
    "unknown field",
    "duplicate field",
    "at line",
    "eof",
    "parse",
    "digit",
    "sign for",
    "byte index",
    "record",
];

/// Every text for people in an answer: of a problem, of a row, of a check.
fn texts(answer: &serde_json::Value, found: &mut Vec<String>) {
    match answer {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if ["detail", "fix"].contains(&name.as_str()) => {
                        found.push(text.to_lowercase());
                    }
                    _ => texts(value, found),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn no_word_of_a_parser_reaches_a_person() {
    let (app, channel) = TestApp::start_connected().await;
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!(" "),
        json!("5"),
        json!("12/7/2026 22:00"),
        json!("-009999-01-02T01:59:59Z"),
        json!("2026-12-01T25:00:00Z"),
        json!("https://[::1"),
        json!("https://a.example:99999/"),
        json!("P1Y2X"),
        json!([]),
        json!([null]),
        json!({}),
        json!({"x": 1}),
        json!({"url": "https://images.example.com/a.jpg", "frame_seconds": "3"}),
        json!({"kind": "video", "url": "https://videos.example.com/a.mp4", "cover": {"frame_seconds": -3}}),
        json!({"kind": "video", "url": "https://videos.example.com/a.mp4", "cover": {"frame_seconds": "3"}}),
        json!({"kind": "video", "url": "https://videos.example.com/a.mp4", "cover": {"frame_seconds": 4_294_967_296_u64}}),
        json!({"kind": "hologram"}),
        json!({"kind": "carousel", "items": [{"url": 5}]}),
        json!({"kind": "carousel", "items": "none"}),
        json!({"local": 5, "time_zone": "UTC"}),
        json!({"local": "2026-12-01T09:00", "time_zone": "UTC", "occurrence": "third"}),
        json!({"local": "2026-12-01T09:00"}),
    ];
    let fields = [
        "channel_id",
        "board_id",
        "board_section_id",
        "title",
        "description",
        "link",
        "alt_text",
        "dominant_color",
        "media",
        "publish_at",
        "publish_within",
        "colour",
    ];
    let mut answers = Vec::new();
    let mut lines = Vec::new();
    for field in fields {
        for value in &odd {
            let mut body = pin(&channel, "Never");
            body[field] = value.clone();
            answers.push((
                format!("{field} = {value}"),
                app.post("/api/v1/pins/validate", "ada", body.clone()).await.json(),
            ));
            lines.push(body.to_string());
        }
    }
    let raw_bodies: [&[u8]; 10] = [
        b"{",
        b"[1,",
        b"{\"a\" 1}",
        b"\"",
        b"\xff",
        b"{\"title\":\"\\ud800\"}",
        b"{\"title\":\"a\nb\"}",
        b"nul",
        b"{\"a\":1e999}",
        b"[[[[",
    ];
    for body in raw_bodies {
        let refused = answer(raw(&app, Method::POST, PINS, &app.user("ada"), body.to_vec())).await;
        answers.push((String::from_utf8_lossy(body).into_owned(), refused.json()));
        lines.push(String::from_utf8_lossy(body).into_owned());
    }
    let mut cells = vec![
        "title,media_url,thumbnail,publish_at,time_zone,publish_within,board_id,dominant_color,link"
            .to_owned(),
    ];
    for value in odd.iter().filter_map(|value| value.as_str()).filter(|text| !text.trim().is_empty()) {
        for column in 1..9 {
            let mut row = vec!["Never", "https://videos.example.com/a.mp4", "", "", "", "", "", "", ""];
            row[column] = value;
            cells.push(row.join(","));
        }
    }
    cells.push("Ragged,https://images.example.com/a.jpg,,,,,,,,,more".to_owned());
    let (lines, cells) = (lines.join("\n"), cells.join("\n"));
    let files: [(&str, &[u8]); 4] = [
        ("application/x-ndjson", lines.as_bytes()),
        ("text/csv", cells.as_bytes()),
        ("text/csv", b"title\n\xff\n"),
        ("text/csv", b"title,\"media_url\n"),
    ];
    for (content_type, file) in files {
        let path = format!("{}{PINS}/bulk?dry_run=true", app.stack.url());
        let request = app.client.post(path).bearer_auth(app.user("ada")).header("content-type", content_type);
        answers.push((content_type.to_owned(), answer(request.body(file.to_vec())).await.json()));
    }

    {
        let mut findings = Findings::default();
        for (case, answer) in &answers {
            let mut messages = Vec::new();
            texts(answer, &mut messages);
            assert!(!messages.is_empty(), "{case}: {answer}");
            for text in messages {
                let words_of_text: Vec<_> = text.split(|letter: char| !letter.is_alphanumeric()).collect();
                let contains_phrase = |phrase: &str| {
                    let phrase: Vec<_> = phrase.split(' ').collect();
                    words_of_text.windows(phrase.len()).any(|window| window == phrase)
                };
                if let Some(word) = PARSERS_WORDS.iter().find(|word| contains_phrase(word)) {
                    findings.note(format!("{case}: `{word}` in: {text}"));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_field_that_is_wrong() {
    let (app, channel) = TestApp::start_connected().await;
    for (field, value, named) in [
        ("title", json!("x".repeat(101)), "title"),
        ("title", json!(5), "title"),
        ("link", json!("/x"), "link"),
        ("board_id", json!("x"), "board_id"),
        ("board_section_id", json!("x"), "board_section_id"),
        ("publish_within", json!("x"), "publish_within"),
        ("media", json!({"kind": "image", "url": "x"}), "media.url"),
        ("media", json!({"url": "https://a.example/a.jpg"}), "media.kind"),
        ("media", json!({"kind": "image", "url": 5}), "media.url"),
        ("media", json!({"kind": "gif"}), "media.kind"),
        ("media", json!({"kind": "image", "cover": {"frame_seconds": 1}}), "media.cover"),
        (
            "media",
            json!({"kind": "video", "url": "https://a.example/a.mp4", "cover": {"frame_seconds": "x"}}),
            "media.cover.frame_seconds",
        ),
        ("media", json!({"kind": "carousel"}), "media.items"),
        ("media", json!({"kind": "carousel", "items": [{"url": 5}]}), "media.items[0].url"),
        ("media", json!({"url": "https://images.example.com/a.jpg"}), "media.kind"),
        ("tile", json!("x"), "tile"),
        ("publish_at", json!("12/7/2026 22:00"), "publish_at"),
    ] {
        let mut body = pin(&channel, "Never");
        body[field] = value;
        let refused = app.post(PINS, "ada", body).await.expect(422);
        assert_eq!(refused["field"], named, "{refused}");
    }
    for field in ["channel_id", "media"] {
        let mut body = pin(&channel, "Never");
        body.as_object_mut().unwrap().remove(field);
        let refused = app.post(PINS, "ada", body).await.expect(422);
        assert_eq!(
            (&refused["field"], &refused["code"]),
            (&json!(field), &json!("missing_field")),
            "{refused}"
        );
    }
    let refused = app.get(&format!("{PINS}?cursor=x"), "ada").await.expect(422);
    assert_eq!(
        (&refused["field"], &refused["code"]),
        (&json!("cursor"), &json!("invalid_cursor")),
        "{refused}"
    );
}

#[tokio::test]
async fn texts_of_exactly_the_allowed_length_are_published_as_they_are() {
    let (app, channel) = TestApp::start_connected().await;
    let now = app.stack.now();
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
        let response = app.post(PINS, "ada", body).await;
        assert_eq!(response.status, 201, "{field} = {value}: {}", response.text);
    }
    let remote_pins = app.pinterest().pins(Environment::Sandbox);
    assert_eq!(remote_pins.len(), 13);
    assert!(remote_pins.iter().any(|pin| pin.title.as_ref() == Some(&letters)));
    assert!(remote_pins.iter().any(|pin| pin.title.as_ref() == Some(&emoji)));
    assert!(remote_pins.iter().any(|pin| pin.link.as_ref() == Some(&link)));
}

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
async fn a_pin_without_any_board_is_refused() {
    let app = TestApp::start_configured().await;
    let channel = app.connect("ada").await;
    assert_eq!(status_and_code(&app.publish("ada", &channel, "Nowhere").await), "422 no_board");
    let mut empty = pin(&channel, "Nowhere");
    empty["board_id"] = json!("");
    assert_eq!(status_and_code(&app.post(PINS, "ada", empty).await), "422 no_board");
    nothing_was_written(&app).await;
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
