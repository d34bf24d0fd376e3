//! Upgrades: this version reads the rows of older versions. It also reads the rows of a newer version, because both run
//! side by side for a while.
//!
//! `rows-0.1.json` holds all rows of a stack of version 0.1, as `freeze` made them once. Do not make it again or edit it
//! to make a test pass: there are stacks with such rows, and nobody can edit those. Code that cannot read it is wrong. A
//! later version adds a file of its own.

mod freeze;
pub(crate) mod rows;

use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::Operation;

use self::rows::{Stored, TOKENS, plain_row};
use crate::harness::{SETTINGS, TestApp, answer, days, id, minutes};

/// The rows of version 0.1. They never change.
const FROZEN: &str = include_str!("rows-0.1.json");

fn frozen() -> Stored {
    serde_json::from_str(FROZEN).unwrap()
}

#[test]
fn the_frozen_rows_are_those_that_were_frozen() {
    // FNV-1a is enough: it protects against a mistake, not against an attack.
    let hash = FROZEN.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    assert_eq!(hash, 0x6b7d_fa9a_4aff_b92d, "rows-0.1.json is not to be changed: see the top of this file");
    freeze::is_complete(&frozen());
}

#[tokio::test]
async fn rows_of_version_0_1_are_read_and_worked_on() {
    goes_on(frozen()).await;
}

#[tokio::test]
async fn attributes_that_a_later_version_has_added_change_nothing() {
    let mut stored = frozen();
    for row in stored.main.iter_mut().chain(&mut stored.tokens) {
        add_unknown(row.as_object_mut().unwrap());
    }
    assert!(stored.main[0]["of_a_later_version"].is_object());
    goes_on(stored).await;
}

/// Adds an attribute of every type to a row and to each map in it.
fn add_unknown(map: &mut serde_json::Map<String, Value>) {
    for value in map.values_mut() {
        match value.as_object_mut().and_then(|typed| typed.iter_mut().next()) {
            Some((kind, Value::Object(inner))) if kind == "M" => add_unknown(inner),
            Some((kind, Value::Array(items))) if kind == "L" => {
                let maps = items.iter_mut().filter_map(|item| item.get_mut("M"));
                maps.for_each(|inner| add_unknown(inner.as_object_mut().unwrap()));
            }
            _ => {}
        }
    }
    let unknown = json!({"M": {
        "text": {"S": "text"}, "number": {"N": "-7.5"}, "flag": {"BOOL": true}, "nothing": {"NULL": true},
        "list": {"L": [{"S": "text"}, {"N": "7"}]}, "texts": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2"]},
        "bytes": {"B": "AAEC"},
    }});
    for (name, value) in unknown["M"].as_object().unwrap() {
        map.insert(format!("unknown_{name}"), value.clone());
    }
    map.insert("of_a_later_version".to_owned(), unknown);
}

/// A row without the attributes that [`add_unknown`] has added, as this version may write it.
fn known_fields(value: &Value) -> Value {
    let is_known = |name: &str| !name.starts_with("unknown_") && name != "of_a_later_version";
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| is_known(name));
            fields.map(|(name, value)| (name.clone(), known_fields(value))).collect()
        }
        Value::Array(items) => items.iter().map(known_fields).collect(),
        other => other.clone(),
    }
}

/// Does everything that callers, ticks and the daily check do with existing rows.
async fn goes_on(stored: Stored) {
    let (app, _folder) = rows::restore(&stored).await;
    let old: Vec<_> = stored.rows().iter().map(known_fields).collect();
    everything_is_read(&app, &old).await;
    settings_count(&app, &old).await;
    what_was_under_way_is_finished(&app, &stored, &old).await;
    what_is_due_is_done(&app, &old).await;
    a_channel_is_forgotten(&app, &old).await;
}

/// The row of the Pin with this title.
fn titled<'a>(rows: &'a [Value], title: &str) -> &'a Value {
    rows.iter().find(|row| row["draft"]["title"] == title).unwrap()
}

/// The row of this tenant's channel.
fn channel_of<'a>(rows: &'a [Value], tenant: &str) -> &'a Value {
    let is_channel = |row: &&Value| row["sk"].as_str().unwrap().starts_with("CHANNEL#");
    rows.iter().filter(is_channel).find(|row| row["tenant"] == tenant).unwrap()
}

/// A row with its times as answers have them.
fn with_millis(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), with_millis(value))).collect()
        }
        Value::Array(items) => items.iter().map(with_millis).collect(),
        Value::String(text) => {
            text.parse::<jiff::Timestamp>().map_or_else(|_| value.clone(), |at| json!(format!("{at:.3}")))
        }
        other => other.clone(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn everything_is_read(app: &TestApp, old: &[Value]) {
    for tenant in ["ada", "bob"] {
        let row = channel_of(old, tenant);
        let channel_list = app.get("/api/v1/channels", tenant).await.expect(200);
        let view = app.get(&format!("/api/v1/channels/{}", text(&row["id"])), tenant).await.expect(200);
        assert_eq!(channel_list["items"], json!([view]));
        for field in ["id", "environment", "account", "scopes", "connected_at"] {
            assert_eq!(view[field], with_millis(&row[field]), "{field}");
        }
        assert_eq!(view["default_board"], row["default_board"]);
        assert_eq!(view["status"], row["connection"]["status"]);
        assert_eq!(view["cause"], row["connection"]["cause"]);

        let pins: Vec<_> =
            old.iter().filter(|row| row["draft"].is_object() && row["tenant"] == tenant).collect();
        let pin_list = app.get("/api/v1/pins", tenant).await.expect(200);
        assert_eq!(pin_list["items"].as_array().unwrap().len(), pins.len());
        are_listed(app, tenant, &pins).await;
        for row in pins {
            is_shown(&app.pin(tenant, text(&row["id"])).await, row);
        }
    }
}

/// Checks that every list holds them in its order: by each time, by state and by channel.
async fn are_listed(app: &TestApp, tenant: &str, rows: &[&Value]) {
    let state_of =
        |row: &Value| if row["state"] == "in_doubt" { "waiting" } else { text(&row["state"]) }.to_owned();
    let states: BTreeSet<_> = rows.iter().map(|row| state_of(row)).chain([String::new()]).collect();
    for state in &states {
        for sort in ["created_at", "-created_at", "publish_at", "-publish_at"] {
            for channel in ["", text(&rows[0]["channel_id"])] {
                let mut wanted: Vec<_> = rows
                    .iter()
                    .filter(|row| state.is_empty() || state_of(row) == *state)
                    .filter(|row| channel.is_empty() || row["channel_id"] == channel)
                    .map(|row| {
                        (
                            text(&row[sort.trim_start_matches('-')]).parse::<Timestamp>().unwrap(),
                            text(&row["id"]),
                        )
                    })
                    .collect();
                wanted.sort_unstable();
                if sort.starts_with('-') {
                    wanted.reverse();
                }
                let wanted: Vec<_> = wanted.into_iter().map(|(_, id)| id.to_owned()).collect();
                let path = format!("/api/v1/pins?state={state}&sort={sort}&channel_id={channel}");
                let listed = app.get(&path, tenant).await.expect(200);
                let listed: Vec<_> = listed["items"].as_array().unwrap().iter().map(id).collect();
                assert_eq!(listed, wanted, "{path}");
            }
        }
    }
}

/// Checks that the API shows a Pin as it is stored.
fn is_shown(view: &Value, row: &Value) {
    let row = &with_millis(row);
    let draft = &row["draft"];
    for (field, value) in draft.as_object().unwrap() {
        assert_eq!(&view[field], value, "{field}: {view}");
    }
    for field in ["channel_id", "publish_at", "give_up_at", "created_at"] {
        assert_eq!(view[field], row[field], "{field}: {view}");
    }
    let state = if row["state"] == "in_doubt" { "waiting" } else { text(&row["state"]) };
    assert_eq!(view["state"], state, "{view}");
    if state == "waiting" {
        let reason = row.get("reason").cloned().unwrap_or(json!("outcome_unknown"));
        assert_eq!((&view["reason"], &view["retry_at"]), (&reason, &row["retry_at"]), "{view}");
    }
    assert_eq!(
        (&view["pinterest_pin_id"], &view["published_at"]),
        (&row["pinterest_pin_id"], &row["published_at"])
    );
    assert_eq!(view["error"], row["error"], "{view}");
    assert_eq!(view["timeline"], row["timeline"]["entries"], "{view}");
    assert_eq!(view["timeline_dropped"], row["timeline"]["dropped"], "{view}");
}

async fn settings_count(app: &TestApp, old: &[Value]) {
    let of = |key: &str| old.iter().find(|row| row["pk"] == key).unwrap();
    let (settings, worker) = (of("SETTINGS"), with_millis(of("WORKER")));
    let view = app.call(Method::GET, SETTINGS, &app.admin(), None).await.expect(200);
    for field in ["app_id", "configured", "status", "environment"] {
        assert_eq!(view[field], settings[field], "{field}: {view}");
    }
    let last = [&worker["delivered_at"], &worker["refreshed_at"]].into_iter().map(text).min().unwrap();
    assert_eq!(view["worker"]["last_tick_at"], last);
    assert_eq!(view["worker"]["last_daily_at"], worker["rolled_at"]);
    let check = app.call(Method::POST, &format!("{SETTINGS}/test"), &app.admin(), None).await.expect(200);
    assert_eq!(check["result"], "ok", "{check}");
}

/// Repeats a request, claims a claimed and an unclaimed ticket, finishes a consent, and retries a failed Pin.
async fn what_was_under_way_is_finished(app: &TestApp, stored: &Stored, old: &[Value]) {
    let calls_before = app.pinterest().calls_of(Operation::CreatePin);
    let repeated = freeze::publish_once(app, &stored.under_way.once).await;
    assert_eq!(repeated.json()["id"], titled(old, "Once")["id"]);
    assert_eq!(app.pinterest().calls_of(Operation::CreatePin), calls_before, "the key was used before");

    let claimed = freeze::claim(app, "bob", &stored.under_way.claimed).await.expect(200);
    assert_eq!(
        (&claimed["id"], &claimed["status"]),
        (&channel_of(old, "bob")["id"], &json!("reconnect_required"))
    );
    let claimed = freeze::claim(app, "bob", &stored.under_way.ticket).await.expect(200);
    assert_eq!((&claimed["id"], &claimed["status"]), (&channel_of(old, "bob")["id"], &json!("connected")));
    let ticket = freeze::come_back(app, &stored.under_way.callback).await;
    freeze::claim(app, "carol", &ticket).await.expect(201);

    app.stack.run_daily_check().await.unwrap();
}

async fn what_is_due_is_done(app: &TestApp, old: &[Value]) {
    let tokens = old.iter().find(|row| row["sk"] == "TOKEN" && row["tenant"] == "ada").unwrap();
    let path = format!("/api/v1/channels/{}", text(&tokens["channel_id"]));
    app.advance(minutes(10)).await;
    let renewed_until = app.get(&path, "ada").await.expect(200)["access_expires_at"].clone();
    assert!(
        text(&renewed_until) > text(&tokens["access_expires_at"]),
        "the lease of a process that died is over"
    );

    app.advance(minutes(200)).await; // the app's pause is over
    for (tenant, title) in freeze::OPEN {
        let pin = app.pin(tenant, text(&titled(old, title)["id"])).await;
        assert_eq!((&pin["state"], app.at_pinterest(title)), (&json!("published"), 1), "{pin}");
    }
    let failed = text(&titled(old, "Failed")["id"]);
    app.post(&format!("/api/v1/pins/{failed}/retry"), "ada", json!({})).await.expect(202);
    app.stack.tick().await.unwrap();
    assert_eq!(app.pin("ada", failed).await["state"], "published");
    assert_eq!(app.pin("ada", text(&titled(old, "Cancelled")["id"])).await["state"], "cancelled");

    app.advance(days(3)).await;
    assert_eq!(app.pin("ada", text(&titled(old, "Scheduled")["id"])).await["state"], "published");
    app.advance(days(24)).await;
    let channel = app.get(&path, "ada").await.expect(200);
    assert_eq!(channel["status"], "connected", "{channel}");
    assert!(text(&channel["access_expires_at"]) > text(&renewed_until), "{channel}");
    for title in ["Once", "Failed", "Scheduled"] {
        assert_eq!(app.at_pinterest(title), 1, "{title}");
    }
    let events = app.stack.events().await.unwrap();
    for row in old.iter().filter(|row| row["draft"].is_object() && row["state"] != "cancelled") {
        let mut pin_events = events.iter().filter(|event| event.detail["pin_id"] == row["id"]);
        assert!(pin_events.any(|event| event.detail_type == "pin.published"), "{row}");
    }
}

async fn a_channel_is_forgotten(app: &TestApp, old: &[Value]) {
    let path = format!("/api/v1/channels/{}", text(&channel_of(old, "bob")["id"]));
    app.call(Method::DELETE, &path, &app.user("bob"), None).await.expect(200);
    let response = answer(app.client.get(format!("{}{path}", app.stack.url())).bearer_auth(app.user("bob")));
    assert_eq!(response.await.problem(404), "not_found");
    let remaining = rows::all(app, TOKENS).await;
    let remaining =
        remaining.iter().map(plain_row).filter(|row| row["sk"] == "TOKEN" && row["tenant"] == "bob");
    assert_eq!(remaining.count(), 0);
}
