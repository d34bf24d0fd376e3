//! The bodies of requests.

use domain::{AltText, Color, Description, Title, WebAddress};
use serde_json::{Value, json};

use crate::{dice::Dice, harness, mutate, tally};

/// A body is refused with a reason, or does what it says: what is sent to Pinterest is what was asked for, and
/// keeps Pinterest's rules.
pub fn requests(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let channel = &app.channel;
        let (name, method, path, mut body) = match dice.below(14) {
            0 => ("start", "POST", "/api/v1/auth/pinterest/start".to_owned(), json!({ "return_to": "/app" })),
            1 => ("claim", "POST", "/api/v1/connections/claim".to_owned(), json!({ "connection": "ticket" })),
            2 => (
                "channel",
                "PATCH",
                format!("/api/v1/channels/{channel}"),
                json!({ "default_board_id": "5" }),
            ),
            3 => (
                "board",
                "POST",
                format!("/api/v1/channels/{channel}/boards"),
                json!({
                    "name": "Salads", "description": "Green.", "privacy": "PUBLIC",
                }),
            ),
            4 | 5 => (
                "settings",
                "PUT",
                "/api/v1/admin/integrations/pinterest".to_owned(),
                json!({
                    "app_id": "1234567", "app_secret": "s3cret", "status": "enabled", "environment": "sandbox",
                }),
            ),
            6 => (
                "file",
                "POST",
                "/api/v1/media".to_owned(),
                json!({ "content_type": "image/png", "bytes": 183_402 }),
            ),
            7 => (
                "validation",
                "POST",
                "/api/v1/pins/validate".to_owned(),
                json!({
                    "channel_id": channel, "title": "Lemon salad",
                    "media": { "kind": "carousel", "items": [
                        { "url": "https://example.com/1.jpg", "title": "One", "link": "https://example.com" },
                        { "url": "https://example.com/2.jpg", "description": "Two" },
                    ] },
                    "publish_at": { "local": "2026-12-24T18:00", "time_zone": "Europe/Berlin" },
                }),
            ),
            8 => (
                "video",
                "POST",
                "/api/v1/pins".to_owned(),
                json!({
                    "channel_id": channel, "board_id": "549755885007",
                    "media": { "kind": "video", "url": "https://example.com/a.mp4", "cover": { "frame_seconds": 3 } },
                }),
            ),
            9 => (
                "move",
                "POST",
                "/api/v1/pins/move".to_owned(),
                json!({ "channel_id": channel, "from_board_id": "5", "to_board_id": "6" }),
            ),
            _ => (
                "pin",
                "POST",
                "/api/v1/pins".to_owned(),
                json!({
                    "channel_id": channel, "board_id": "549755885007", "board_section_id": "5",
                    "title": "Lemon salad", "description": "Ready in ten minutes.",
                    "link": "https://example.com/lemon-salad", "alt_text": "A bowl", "dominant_color": "#6E7874",
                    "ai_disclosures": { "values": ["AI_MODIFIED"] },
                    "media": harness::image(), "publish_within": "P1D",
                }),
            ),
        };
        mutate::json(&mut dice, &mut body);
        let text = String::from_utf8_lossy(&mutate::serialize(&mut dice, &body)).into_owned();
        let answer = app.send_event(&harness::event(method, &path, "", &json!({}), &text)).await;
        answer.check(&[]);
        // No ticket is known here: a claim that was read finds nothing.
        tally::count(name, answer.is_success() || answer.status == 404);
        if answer.status == 201 && name == "pin" {
            let expected = serde_json::from_str(&text).unwrap();
            check_sent(
                &serde_json::from_slice(&app.requests("create_pin").pop().unwrap()).unwrap(),
                &expected,
            );
        }
    });
}

/// Whether `sent` is `wanted`, within the rules.
fn check_sent(sent: &Value, expected: &Value) {
    let requested = |name: &str| expected[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    for name in ["board_section_id", "title", "description", "link", "alt_text", "dominant_color"] {
        assert_eq!(sent[name].as_str().map(str::to_owned), requested(name), "{name}");
    }
    let text = |name: &str| sent[name].as_str().map(str::to_owned);
    assert!(Title::new("title", text("title")).is_ok());
    assert!(Description::new("description", text("description")).is_ok());
    assert!(AltText::new("alt_text", text("alt_text")).is_ok());
    assert!(text("dominant_color").is_none_or(|color| Color::new(color).is_ok()));
    for address in
        [text("link"), sent["media_source"]["url"].as_str().map(str::to_owned)].into_iter().flatten()
    {
        let url = reqwest::Url::parse(&address).unwrap();
        assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{address}");
        assert!(url.username().is_empty() && url.password().is_none(), "{address}");
        assert!(!address.contains(|letter: char| letter.is_control() || letter.is_whitespace()), "{address}");
        assert!(WebAddress::new("link", address).is_ok());
    }
    assert_eq!(sent["media_source"]["url"], expected["media"]["url"]);
}
