//! The two secrets that people edit by hand: the settings, and the ring of keys.

use edge::CALLBACK;
use serde_json::{Map, Value, json};

use crate::{
    dice::Dice,
    harness::{self, RING},
    mutate, tally,
};

/// Secrets Manager holds no larger secret.
const LARGEST: usize = 65_536;
const SETTINGS: &str = "/api/v1/admin/integrations/pinterest";

/// Settings that are a JSON object are read, with anything odd in them taken for nothing; others are a 500, which
/// is the operator's, and never tells the secret.
pub fn settings(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let mut secret = json!({
            "pinterest_app-id": "1234567", "pinterest_app-secret": "s3cret_planted",
            "pinterest_integration_status": "enabled", "pinterest_environment": "production",
        });
        mutate::json(&mut dice, &mut secret);
        let text = mutate::serialize(&mut dice, &secret);
        let text = String::from_utf8_lossy(&text).into_owned();
        if text.len() > LARGEST {
            return;
        }
        let is_valid = text.trim().is_empty() || serde_json::from_str::<Map<String, Value>>(&text).is_ok();
        app.account(|account| account.settings.clone_from(&text));
        let mut all_succeeded = true;
        for (method, path, body) in [
            ("GET", SETTINGS.to_owned(), Value::Null),
            ("POST", format!("{SETTINGS}/test"), Value::Null),
            ("PUT", SETTINGS.to_owned(), json!({ "status": "disabled" })),
        ] {
            let answer = app.send(method, &path, "", &body).await;
            answer.check(if is_valid { &[] } else { &[500] });
            all_succeeded &= answer.is_success();
        }
        tally::count("settings secrets", all_succeeded);
    });
}

/// A valid key ring lets an account be connected; with an invalid one nobody can connect.
pub fn rings(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let mut ring: Value = serde_json::from_str(RING).unwrap();
        if dice.once_in(2) {
            let id = dice.pick(&["k2", "2026.12.01"]);
            let id = mutate::text(&mut dice, id);
            ring["current"] = id.clone().into();
            ring[id] = "fedcba9876543210fedcba9876543210".into();
        }
        mutate::json(&mut dice, &mut ring);
        let text = mutate::serialize(&mut dice, &ring);
        let text = String::from_utf8_lossy(&text).into_owned();
        if text.len() > LARGEST {
            return;
        }
        app.account(|account| account.ring.clone_from(&text));
        app.renew();

        let started = app.send("POST", "/api/v1/auth/pinterest/start", "", &json!({})).await.expect(200);
        let query = format!("code=c&state={}", harness::state(&started));
        let redirect = app.send("GET", CALLBACK, &query, &Value::Null).await;
        redirect.check(&[]);
        let ticket = redirect.location().split_once("#connection=");
        let is_valid = serde_json::from_str::<Value>(&text).is_ok_and(|ring| {
            let long = |text: &Value| text.as_str().is_some_and(|text| text.len() >= 32);
            let keys = ring
                .as_object()
                .map(|ring| ring.iter().filter(|(name, _)| *name != "current").collect::<Vec<_>>());
            let current = ring["current"].as_str();
            keys.is_some_and(|keys| {
                keys.iter().all(|(_, key)| long(key))
                    && keys.iter().any(|(name, _)| Some(name.as_str()) == current)
            })
        });
        tally::count("rings", is_valid);
        assert_eq!(ticket.is_some(), is_valid, "{text}: {}", redirect.location());
        let Some((_, ticket)) = ticket else {
            assert!(redirect.location().ends_with("#error=internal"), "{}", redirect.location());
            return;
        };
        let claim = json!({ "connection": ticket });
        app.send("POST", "/api/v1/connections/claim", "", &claim).await.expect(201);
    });
}
