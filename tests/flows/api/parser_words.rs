//! Texts of problems: people read plain words, and none of the parsers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::problems::{Findings, raw},
    harness::{PINS, TestApp, answer, pin},
};

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
fn texts(answer: &Value, found: &mut Vec<String>) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if ["detail", "fix"].contains(&name.as_str()) => {
                        found.push(text.to_lowercase());
                    }
                    _ => texts(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn no_word_of_a_parser_reaches_a_person() {
    let (app, channel) = TestApp::start_connected().await;
    let odd_values = [
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
        for value in &odd_values {
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
    for value in odd_values.iter().filter_map(|value| value.as_str()).filter(|text| !text.trim().is_empty()) {
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
