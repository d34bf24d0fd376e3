//! Scheduled Pins: they are sent at their time and in order, unless they were cancelled.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use simulated_pinterest::{Environment, FaultKind};

use crate::{
    harness::{PINS, TestApp, id, minutes},
    publish::waiting::{inject, published},
};

#[tokio::test]
async fn a_scheduled_pin_goes_out_at_its_time_and_not_before() {
    let (app, channel) = TestApp::start_connected().await;
    let at = app.stack.now() + minutes(60);
    let pin = app.schedule("ada", &channel, "Later", at).await.expect(202);
    assert_eq!(pin["state"], "scheduled");
    assert_eq!(pin["publish_at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second(), at.as_second());
    assert_eq!(pin["pinterest_pin_id"], Value::Null);

    app.advance(minutes(59)).await;
    assert_eq!(app.send_count(), 0);
    app.advance(minutes(2)).await;

    let pin = published(&app, "ada", &pin, "Later").await;
    let published_at: Timestamp = pin["published_at"].as_str().unwrap().parse().unwrap();
    assert!((0..60).contains(&published_at.duration_since(at).as_secs()), "{published_at}");
    let kinds = app.event_kinds().await;
    assert_eq!(kinds[kinds.len() - 2..], ["pin.scheduled", "pin.published"]);
}

#[tokio::test]
async fn a_pin_that_is_cancelled_before_its_time_is_never_sent() {
    let (app, channel) = TestApp::start_connected().await;
    let pin = app.schedule("ada", &channel, "Never", app.stack.now() + minutes(60)).await.expect(202);
    let path = format!("{PINS}/{}", id(&pin));

    let cancelled = app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    app.advance(minutes(120)).await;

    assert_eq!(app.send_count(), 0);
    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "cancelled");
    let kinds = app.event_kinds().await;
    assert_eq!(kinds[kinds.len() - 2..], ["pin.scheduled", "pin.cancelled"]);
}

#[tokio::test]
async fn pins_of_the_same_moment_go_out_one_by_one_in_the_order_of_their_times() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::RateLimited { reset: 3000 });
    app.publish("ada", &channel, "C").await.expect(202);
    let now = app.stack.now();
    for (title, in_minutes) in [("F", 30), ("D", 10), ("E", 20)] {
        app.schedule("ada", &channel, title, now + minutes(in_minutes)).await.expect(202);
    }

    app.advance(minutes(60)).await;

    let titles: Vec<_> =
        app.pinterest().pins(Environment::Sandbox).into_iter().rev().filter_map(|pin| pin.title).collect();
    assert_eq!(titles, ["C", "D", "E", "F"]);
}
