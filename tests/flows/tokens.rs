//! Trouble with tokens, and what a channel says of them: for the tests of refreshing and of reconnecting.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation, Rotation};

use crate::stage::{PINS, Stage, days, id, minutes, waits};

/// As often as anybody will ask.
pub(crate) const LONG: u32 = 1_000_000;

pub(crate) fn inject(stage: &Stage, operation: Operation, kind: FaultKind, times: u32) {
    stage.pinterest().inject(Fault::once(operation, kind).times(times));
}

pub(crate) fn calls(stage: &Stage, operation: Operation) -> usize {
    stage.pinterest().calls_of(operation)
}

/// A stage whose Pinterest rotates like this.
pub(crate) async fn rotating(rotation: Rotation) -> (Stage, String) {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.rotation = rotation).unwrap();
    (stage, channel)
}

/// A Pin whose access token Pinterest refuses, once: that makes the tokens due now.
pub(crate) async fn refused(stage: &Stage, channel: &str, title: &str) -> Value {
    inject(stage, Operation::CreatePin, FaultKind::Unauthorized, 1);
    let pin = stage.publish("ada", channel, title).await.expect(202);
    waits(&pin, "token_refresh");
    pin
}

/// Makes the tokens due now, and leaves nothing behind that waits for them.
pub(crate) async fn hurry(stage: &Stage, channel: &str) {
    let path = format!("{PINS}/{}", id(&refused(stage, channel, "Hurry").await));
    stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) async fn access_expires_at(stage: &Stage, id: &str) -> Timestamp {
    time(&stage.channel("ada", id).await["access_expires_at"])
}

/// Connected, and with an access token that lives for more than the days between two refreshes.
pub(crate) async fn is_renewed(stage: &Stage, id: &str) {
    let channel = stage.channel("ada", id).await;
    assert_eq!((&channel["status"], &channel["cause"]), (&json!("connected"), &Value::Null), "{channel}");
    assert!(time(&channel["access_expires_at"]) > stage.stack.now() + days(7) - minutes(1), "{channel}");
}

pub(crate) async fn is_connected(stage: &Stage, id: &str) {
    let channel = stage.channel("ada", id).await;
    assert_eq!((&channel["status"], &channel["cause"]), (&json!("connected"), &Value::Null), "{channel}");
}

pub(crate) async fn is_lost(stage: &Stage, id: &str, cause: &str) {
    let channel = stage.channel("ada", id).await;
    assert_eq!(channel["status"], "reconnect_required", "{channel}");
    assert_eq!(channel["cause"], cause, "{channel}");
    assert!(channel["detail"].as_str().unwrap().contains("connect the account again"), "{channel}");
}

/// How often an event of this kind was told.
pub(crate) async fn told(stage: &Stage, kind: &str) -> usize {
    stage.event_kinds().await.into_iter().filter(|told| told == kind).count()
}
