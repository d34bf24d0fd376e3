//! Invalid Pins: each is refused with a code, a fix and the name of the field, and nothing is stored.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use simulated_pinterest::Environment;

use crate::{
    harness::problems::{Findings, missing, nothing_was_written, raw, status_and_code},
    harness::{PINS, TestApp, answer, minutes, pin},
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
async fn a_pin_without_any_board_is_refused() {
    let app = TestApp::start_configured().await;
    let channel = app.connect("ada").await;
    assert_eq!(status_and_code(&app.publish("ada", &channel, "Nowhere").await), "422 no_board");
    let mut empty = pin(&channel, "Nowhere");
    empty["board_id"] = json!("");
    assert_eq!(status_and_code(&app.post(PINS, "ada", empty).await), "422 no_board");
    nothing_was_written(&app).await;
}
