//! `Idempotency-Key`.

use serde_json::json;

use crate::{dice::Dice, harness, mutate, tally};

/// A key is taken if it is 1 to 255 visible ASCII characters; it makes one Pin, and belongs to one body.
pub fn keys(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let key = mutate::text(&mut dice, "5b0d6f3e-6a0e-4d39-9a53-0f6f2b1c7d48");
        let body = json!({ "channel_id": app.channel, "media": harness::image(), "title": "A" });
        let with = |key: &str, body: &str| {
            harness::event("POST", "/api/v1/pins", "", &json!({ "idempotency-key": key }), body)
        };
        let event = with(&key, &body.to_string());
        // What no header can hold does not get here.
        let Some(request) = harness::parse_event(event.to_string().as_bytes()) else { return };
        let first = app.answer(request).await;
        first.check(&[]);
        let valid = (1..=255).contains(&key.len()) && key.bytes().all(|letter| letter.is_ascii_graphic());
        tally::count("keys", valid);
        if !valid {
            assert_eq!((first.status, first.code()), (422, "invalid_idempotency_key"), "{key:?}");
            assert!(app.requests("create_pin").is_empty(), "{key:?}");
            return;
        }
        assert_eq!(first.status, 201, "{key:?}: {}", first.text);

        // The same, spaced otherwise.
        let repeated = app.send_event(&with(&key, &serde_json::to_string_pretty(&body).unwrap())).await;
        assert_eq!((repeated.status, &repeated.json["id"]), (201, &first.json["id"]), "{key:?}");
        let other_body = json!({ "channel_id": app.channel, "media": harness::image(), "title": "B" });
        let refused = app.send_event(&with(&key, &other_body.to_string())).await;
        assert_eq!((refused.status, refused.code()), (422, "idempotency_key_reused"), "{key:?}");
        assert_eq!(app.requests("create_pin").len(), 1, "{key:?}");
        if key.len() < 255 {
            let other = app.send_event(&with(&format!("{key}x"), &body.to_string())).await.expect(201);
            assert_ne!(other["id"], first.json["id"], "{key:?}");
        }
    });
}
