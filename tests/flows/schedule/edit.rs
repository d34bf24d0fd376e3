//! Editing and rescheduling Pins before their time.

use jiff::{Timestamp, tz::TimeZoneDatabase};
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, FaultKind};

use crate::{
    harness::{Answer, PINS, TestApp, days, id, minutes, pin},
    publish::waiting::{inject, published},
};

async fn change(app: &TestApp, sub: &str, pin: &Value, change: Value) -> Answer {
    app.call(Method::PATCH, &format!("{PINS}/{}", id(pin)), &app.user(sub), Some(change)).await
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// The local time in Istanbul, which has no daylight saving time.
fn in_istanbul(at: Timestamp) -> String {
    let zone = TimeZoneDatabase::bundled().get("Europe/Istanbul").unwrap();
    at.to_zoned(zone).datetime().strftime("%Y-%m-%dT%H:%M").to_string()
}

#[tokio::test]
async fn a_local_time_with_a_zone_is_stored_as_an_instant() {
    let (app, channel) = TestApp::start_connected().await;
    let at = app.stack.now() + minutes(90);
    let mut body = pin(&channel, "At nine in Istanbul");
    body["publish_at"] = json!({"local": in_istanbul(at), "time_zone": "Europe/Istanbul"});

    let created = app.post(PINS, "ada", body).await.expect(202);

    assert!((0..60).contains(&at.duration_since(time(&created["publish_at"])).as_secs()), "{created}");
    app.advance(minutes(90)).await;
    published(&app, "ada", &created, "At nine in Istanbul").await;
}

#[tokio::test]
async fn an_invalid_time_is_refused_with_its_place_and_nothing_is_stored() {
    let (app, channel) = TestApp::start_connected().await;
    let local = in_istanbul(app.stack.now() + days(1));
    let zoned = |zone: &str| json!({"local": local, "time_zone": zone});
    for (publish_at, code, field) in [
        (zoned("Istanbul"), "unknown_time_zone", "publish_at.time_zone"),
        (json!({"local": "noon", "time_zone": "UTC"}), "invalid_local_time", "publish_at.local"),
        (json!({"local": local}), "missing_field", "publish_at.time_zone"),
        (json!({"time_zone": "UTC"}), "missing_field", "publish_at.local"),
        (json!({"local": local, "time_zone": "UTC", "zone": "UTC"}), "unknown_field", "publish_at.zone"),
        (
            json!({"local": local, "time_zone": "UTC", "occurrence": "third"}),
            "invalid_type",
            "publish_at.occurrence",
        ),
        (json!({"local": "2020-01-01T00:00", "time_zone": "UTC"}), "publish_at_past", "publish_at"),
        (json!({"local": "2999-12-31T23:59", "time_zone": "UTC"}), "publish_at_too_far", "publish_at"),
        (
            json!({"local": "2021-03-28T02:30", "time_zone": "Europe/Berlin"}),
            "local_time_skipped",
            "publish_at.local",
        ),
        (json!([local, "UTC"]), "invalid_type", "publish_at"),
        (json!(true), "invalid_type", "publish_at"),
    ] {
        let mut body = pin(&channel, "Never");
        body["publish_at"] = publish_at.clone();
        let answer = app.post(PINS, "ada", body).await;
        let problem_code = answer.problem(422);
        assert_eq!((problem_code.as_str(), &answer.json()["field"]), (code, &json!(field)), "{publish_at}");
    }
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_pin_is_published_as_it_was_changed() {
    let (app, channel) = TestApp::start_connected().await;
    let at = app.stack.now() + minutes(60);
    let created = app.schedule("ada", &channel, "Draft", at).await.expect(202);

    let edits = json!({
        "title": "Final", "description": "New words", "link": null, "alt_text": "",
        "dominant_color": "#6E7874", "media": {"kind": "image", "url": "https://images.example.com/other.jpg"},
    });
    let changed = change(&app, "ada", &created, edits).await.expect(200);
    assert_eq!((&changed["title"], &changed["publish_at"]), (&json!("Final"), &created["publish_at"]));
    assert_eq!((&changed["link"], &changed["alt_text"]), (&Value::Null, &Value::Null), "{changed}");
    let repeated = change(&app, "ada", &created, json!({"title": "Final"})).await.expect(200);
    assert_eq!(repeated["timeline"], changed["timeline"], "what changes nothing is not told");

    app.advance(minutes(61)).await;
    published(&app, "ada", &created, "Final").await;
    let [remote_pin] = &app.pinterest().pins(Environment::Sandbox)[..] else { panic!("one Pin") };
    assert_eq!((remote_pin.title.as_deref(), remote_pin.link.as_deref()), (Some("Final"), None));
    assert_eq!(remote_pin.description.as_deref(), Some("New words"));
}

#[tokio::test]
async fn a_rescheduled_pin_is_sent_at_its_new_time_only() {
    let (app, channel) = TestApp::start_connected().await;
    let now = app.stack.now();
    let later = app.schedule("ada", &channel, "Later", now + minutes(30)).await.expect(202);
    let sooner = app.schedule("ada", &channel, "Sooner", now + days(2)).await.expect(202);

    let postponed = change(&app, "ada", &later, json!({"publish_at": now + days(1)})).await.expect(200);
    let time_to_publish = |pin: &Value| time(&pin["give_up_at"]).duration_since(time(&pin["publish_at"]));
    assert_eq!(time_to_publish(&postponed), time_to_publish(&later), "it may be as late as before");
    let earlier = json!({"publish_at": now + minutes(10), "publish_within": "PT2H"});
    let earlier = change(&app, "ada", &sooner, earlier).await.expect(200);
    assert_eq!(time_to_publish(&earlier), minutes(120));

    app.advance(minutes(40)).await;
    assert_eq!((app.at_pinterest("Sooner"), app.at_pinterest("Later")), (1, 0));
    app.advance(days(1)).await;
    assert_eq!((app.at_pinterest("Sooner"), app.at_pinterest("Later")), (1, 1));
    let event_kinds = app.event_kinds().await;
    assert_eq!(event_kinds.iter().filter(|kind| *kind == "pin.scheduled").count(), 4, "{event_kinds:?}");
}

#[tokio::test]
async fn another_board_leaves_the_section_of_the_old_one_behind() {
    let (app, channel) = TestApp::start_connected().await;
    let boards =
        app.get(&format!("/api/v1/channels/{channel}/boards?sections=true"), "ada").await.expect(200);
    let [first, second, ..] = &boards["items"].as_array().unwrap()[..] else { panic!("two boards") };
    let mut body = pin(&channel, "Moved");
    body["publish_at"] = json!(app.stack.now() + minutes(30));
    body["board_id"] = first["pinterest_board_id"].clone();
    body["board_section_id"] = first["sections"][0]["pinterest_section_id"].clone();
    let created = app.post(PINS, "ada", body).await.expect(202);

    let target_board = second["pinterest_board_id"].clone();
    let updated = change(&app, "ada", &created, json!({"board_id": target_board})).await.expect(200);
    assert_eq!((&updated["board_id"], &updated["board_section_id"]), (&target_board, &Value::Null));
    app.advance(minutes(31)).await;
    published(&app, "ada", &created, "Moved").await;
}

#[tokio::test]
async fn only_a_scheduled_pin_can_be_changed_and_only_to_valid_values() {
    let (app, channel) = TestApp::start_connected().await;
    let created = app.schedule("ada", &channel, "Kept", app.stack.now() + minutes(30)).await.expect(202);
    for (body, code) in [
        (json!({"title": "x".repeat(101)}), "too_long"),
        (json!({"link": "javascript:alert(1)"}), "invalid_url"),
        (json!({"board_id": ""}), "invalid_id"),
        (json!({"board_section_id": "salads"}), "invalid_id"),
        (json!({"media": null}), "invalid_type"),
        (json!({"publish_at": null}), "invalid_type"),
        (json!({"board_id": null}), "invalid_type"),
        (json!({"publish_within": null}), "invalid_type"),
        (json!({"publish_at": app.stack.now() - days(1)}), "publish_at_past"),
        (json!({"publish_within": "P1M"}), "invalid_duration"),
        (json!({"channel_id": channel}), "unknown_field"),
        (json!({"state": "published"}), "unknown_field"),
    ] {
        assert_eq!(change(&app, "ada", &created, body.clone()).await.problem(422), code, "{body}");
    }
    assert_eq!(app.pin("ada", &id(&created)).await, created, "nothing is half done");
    assert_eq!(change(&app, "bob", &created, json!({"title": "Mine"})).await.problem(404), "not_found");

    app.advance(minutes(31)).await;
    let title = || json!({"title": "Too late"});
    assert_eq!(change(&app, "ada", &created, title()).await.problem(409), "wrong_state");
    inject(&app, FaultKind::CutAfter);
    let uncertain = app.publish("ada", &channel, "In doubt").await.expect(202);
    assert_eq!(change(&app, "ada", &uncertain, title()).await.problem(409), "wrong_state");
}
