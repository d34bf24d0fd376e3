//! Pins with a time of their own: sent then, in the order of their times, unless they were cancelled.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use simulated_pinterest::{Environment, FaultKind};

use crate::{
    stage::{PINS, Stage, id, minutes},
    waiting::{inject, published},
};

#[tokio::test]
async fn a_scheduled_pin_goes_out_at_its_time_and_not_before() {
    let (stage, channel) = Stage::connected().await;
    let at = stage.stack.now() + minutes(60);
    let pin = stage.schedule("ada", &channel, "Later", at).await.expect(202);
    assert_eq!(pin["state"], "scheduled");
    assert_eq!(pin["publish_at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second(), at.as_second());
    assert_eq!(pin["pinterest_pin_id"], Value::Null);

    stage.advance(minutes(59)).await;
    assert_eq!(stage.sent(), 0);
    stage.advance(minutes(2)).await;

    let pin = published(&stage, "ada", &pin, "Later").await;
    let published_at: Timestamp = pin["published_at"].as_str().unwrap().parse().unwrap();
    assert!((0..60).contains(&published_at.duration_since(at).as_secs()), "{published_at}");
    let kinds = stage.event_kinds().await;
    assert_eq!(kinds[kinds.len() - 2..], ["pin.scheduled", "pin.published"]);
}

#[tokio::test]
async fn a_pin_that_is_cancelled_before_its_time_is_never_sent() {
    let (stage, channel) = Stage::connected().await;
    let pin = stage.schedule("ada", &channel, "Never", stage.stack.now() + minutes(60)).await.expect(202);
    let path = format!("{PINS}/{}", id(&pin));

    let cancelled = stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    stage.advance(minutes(120)).await;

    assert_eq!(stage.sent(), 0);
    assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "cancelled");
    let kinds = stage.event_kinds().await;
    assert_eq!(kinds[kinds.len() - 2..], ["pin.scheduled", "pin.cancelled"]);
}

#[tokio::test]
async fn pins_of_the_same_moment_go_out_one_by_one_in_the_order_of_their_times() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::RateLimited { reset: 3000 });
    stage.publish("ada", &channel, "C").await.expect(202);
    let now = stage.stack.now();
    for (title, in_minutes) in [("F", 30), ("D", 10), ("E", 20)] {
        stage.schedule("ada", &channel, title, now + minutes(in_minutes)).await.expect(202);
    }

    stage.advance(minutes(60)).await;

    let titles: Vec<_> =
        stage.pinterest().pins(Environment::Sandbox).into_iter().rev().filter_map(|pin| pin.title).collect();
    assert_eq!(titles, ["C", "D", "E", "F"]);
}
