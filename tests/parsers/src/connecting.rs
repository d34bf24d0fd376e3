//! Connecting an account: what the frontend, the browser and Pinterest say on the way.

use edge::CALLBACK;
use serde_json::{Value, json};

use crate::{
    dice::Dice,
    harness::{self, TestApp},
    mutate, tally, wire,
};

const REASONS: [&str; 10] = [
    "state_invalid",
    "access_denied",
    "integration_disabled",
    "invalid_scope",
    "code_refused",
    "account_refused",
    "pinterest_rate_limited",
    "pinterest_unreachable",
    "pinterest_unreadable",
    "internal",
];

/// The browser always comes back to where it may go, with a ticket that can be claimed or a reason.
pub fn connecting(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let valid =
            dice.pick(&["/app/channels?x=1", "https://other.example.com/x", "https://app.example.com/y"]);
        let return_to = if dice.once_in(2) { mutate::text(&mut dice, valid) } else { valid.to_owned() };
        let started =
            app.send("POST", "/api/v1/auth/pinterest/start", "", &json!({ "return_to": return_to })).await;
        started.check(&[]);
        tally::count("return addresses", started.status == 200);
        if started.status != 200 {
            assert!(["return_to_not_allowed", "too_long"].contains(&started.code()), "{return_to:?}");
            return;
        }
        let mut usual = true;
        let mut query = format!("code=planted&state={}", harness::state(&started.json));
        if dice.once_in(8) {
            (query, usual) = (mutate::text(&mut dice, &query), false);
        }
        for operation in ["token", "user_account"] {
            if dice.once_in(3) {
                usual = false;
                let reply = wire::reply(&mut dice, operation);
                app.pinterest.lock().unwrap().action.push_back((operation, reply));
            }
        }
        let redirect = app.send("GET", CALLBACK, &query, &Value::Null).await;
        redirect.check(&[]);
        assert_eq!(redirect.status, 302, "{return_to:?}: {}", redirect.text);
        check_way_back(app, redirect.location(), usual).await;
    });
}

async fn check_way_back(app: &TestApp, location: &str, usual: bool) {
    let address = reqwest::Url::parse(location).unwrap();
    let origin = address.origin().ascii_serialization();
    assert!(
        ["https://app.example.com", "https://other.example.com"].contains(&origin.as_str()),
        "{location}"
    );
    let (kind, value) = address.fragment().unwrap().split_once('=').unwrap();
    tally::count("connections", kind == "connection");
    if kind == "error" {
        assert!(REASONS.contains(&value) && !usual, "{location}");
        return;
    }
    assert_eq!(kind, "connection", "{location}");
    let claimed = app.send("POST", "/api/v1/connections/claim", "", &json!({ "connection": value })).await;
    claimed.check(&[]);
    assert!(claimed.is_success(), "{}", claimed.text);
}
