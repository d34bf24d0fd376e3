//! How much memory the largest requests take.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use edge::Access;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    harness::{self, TestApp, event, image},
};

/// Three quarters of what a function has.
const MAX_BYTES: usize = 192 << 20;
/// As much as Lambda carries of a request.
const REQUEST_BYTES: usize = 5_900_000;
/// As much as Lambda carries of an answer, in which each quotation mark takes two bytes.
const ANSWER_BYTES: usize = 6_291_556;

/// Tells how much memory is in use, and how much was in use at most since `reset`.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Bytes in use.
    pub current: fn() -> usize,
    /// Forgets the peak.
    pub reset: fn(),
    /// The peak, in bytes.
    pub peak: fn() -> usize,
}

impl Meter {
    /// Sends an event as Lambda does, as one text, and checks what that took.
    async fn measure(self, app: &TestApp, case: &str, event: &Value) -> Answer {
        let text = event.to_string();
        let before = (self.current)();
        (self.reset)();
        let request = harness::parse_event(text.as_bytes()).expect("events of ours are events");
        let answer = app.answer(request).await;
        let took = (self.peak)().saturating_sub(before) + text.len();
        assert!(took <= MAX_BYTES, "{case} takes {} MB", took >> 20);
        answer
    }
}

/// Every operation that takes JSON refuses a body of many small values, within a small part of the memory.
pub fn hostile_json(meter: Meter) {
    let nested = "[0],".repeat(REQUEST_BYTES / 4);
    let objects = r#"{"a":0},"#.repeat(REQUEST_BYTES / 8);
    let keys: Vec<_> = (0..REQUEST_BYTES / 12).map(|number| format!("\"{number:07}\":0,")).collect();
    let keys = keys.concat();
    let bodies = [
        format!(r#"{{"x":[{nested}0]}}"#),
        format!(r#"{{"media":{{"kind":"image","x":[{nested}0]}}}}"#),
        format!(r#"{{"x":[{objects}0]}}"#),
        format!(r#"{{{keys}"x":0}}"#),
        "[".repeat(REQUEST_BYTES),
        format!(r#"{{"x":"{}"}}"#, "y".repeat(REQUEST_BYTES)),
    ];
    harness::with(async |app| {
        let routes = app.endpoints().iter().filter(|route| route.access != Access::Open);
        for route in routes.filter(|route| matches!(route.method, "POST" | "PUT" | "PATCH")) {
            let path = route.path.replace("{id}", &app.pins[1]);
            for body in &bodies {
                let case = format!("{} {path}", route.method);
                let headers = json!({ "content-type": "application/json", "idempotency-key": "k" });
                let answer = meter.measure(app, &case, &event(route.method, &path, "", &headers, body)).await;
                assert!((400..500).contains(&answer.status), "{case}: {}", answer.status);
            }
        }
    });
}

/// The largest requests that are accepted.
pub fn largest_requests(meter: Meter) {
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), vec![7; 4 << 20]].concat();
    let png = STANDARD.encode(&png[..4 << 20]);
    harness::with(async |app| {
        let inline = json!({ "channel_id": app.channel, "media": { "kind": "image", "base64": png } });
        let headers = json!({ "idempotency-key": "k" });
        for path in ["/api/v1/pins", "/api/v1/pins/validate"] {
            meter.measure(app, path, &event("POST", path, "", &headers, &inline.to_string())).await;
        }

        let text = "x".repeat(700);
        let row = |number| {
            let link = format!("https://example.com/{number}?{}", "y".repeat(1900));
            json!({ "media": image(), "title": format!("{number}"), "description": text, "link": link })
        };
        let lines: Vec<_> = (0..1000).map(|number| row(number).to_string()).collect();
        let cells = |number: i32| {
            let row = row(number);
            format!(
                "{number},{text},{},https://images.example.com/{number}.jpg",
                row["link"].as_str().unwrap()
            )
        };
        let cells: Vec<_> = (0..1000).map(cells).collect();
        for (content_type, file) in [
            ("application/x-ndjson", lines.join("\n")),
            ("application/x-ndjson", inline.to_string()),
            ("application/x-ndjson", "{}\n".repeat(REQUEST_BYTES / 3)),
            ("text/csv", format!("title,description,link,media_url\n{}\n", cells.join("\n"))),
            ("text/csv", format!("title\n{}", "a\n".repeat(REQUEST_BYTES / 2))),
            ("text/csv", ",".repeat(REQUEST_BYTES)),
            ("text/csv", format!("title\n{}", ";".repeat(REQUEST_BYTES))),
            ("text/csv", format!("{}\n", ",".repeat(16_000)).repeat(REQUEST_BYTES / 16_001)),
        ] {
            let query = format!("dry_run=true&channel_id={}", app.channel);
            let headers = json!({ "content-type": content_type });
            let case = format!("{content_type} of {} bytes", file.len());
            let answer =
                meter.measure(app, &case, &event("POST", "/api/v1/pins/bulk", &query, &headers, &file)).await;
            assert!(answer.status < 500, "{case}: {}", answer.status);
        }
    });
}

/// A page of the heaviest Pins is an answer that Lambda carries, and its cursor leads to the rest.
pub fn heaviest_pins(meter: Meter) {
    harness::with(async |app| {
        let text = |letters: usize| "\"".repeat(letters); // in JSON, it takes two bytes
        let address = |host: &str| format!("https://{host}/{}", "a".repeat(2000));
        let slide = json!({
            "url": address("images.example.com"), "link": address("example.com"), "title": text(100),
            "description": text(500),
        });
        let pin = json!({
            "channel_id": app.channel, "title": text(100), "description": text(800), "alt_text": text(500),
            "publish_at": "2026-12-24T18:00:00Z",
            "media": { "kind": "carousel", "items": [slide, slide, slide, slide, slide] },
        });
        let mut lines = Vec::new();
        for number in 0..200 {
            let mut pin = pin.clone();
            pin["alt_text"] = json!(format!("{number}"));
            lines.push(pin.to_string());
        }
        let headers = json!({ "content-type": "application/x-ndjson" });
        for chunk in lines.chunks(150) {
            let file = chunk.join("\n");
            let response =
                app.send_event(&event("POST", "/api/v1/pins/bulk", "", &headers, &file)).await.expect(200);
            let rows = response["rows"].as_array().unwrap();
            assert!(rows.iter().all(|row| row["status"] == "accepted"), "{}", rows[0]);
        }
        let (mut item_count, mut pages, mut cursor) = (0, 0, String::new());
        loop {
            let page = event("GET", "/api/v1/pins", &format!("limit=200&{cursor}"), &json!({}), "");
            let answer = meter.measure(app, "a page of Pins", &page).await;
            let answer_bytes = Value::from(answer.text.as_str()).to_string().len();
            assert!(answer_bytes <= ANSWER_BYTES, "an answer of {answer_bytes} bytes");
            item_count += answer.json["items"].as_array().unwrap().len();
            pages += 1;
            match answer.json["next"].as_str() {
                Some(next) => cursor = format!("cursor={next}"),
                None => break,
            }
        }
        assert_eq!((item_count, pages > 1), (200 + harness::PINS, true));
    });
}
