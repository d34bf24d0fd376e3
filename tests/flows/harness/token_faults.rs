//! Faults of tokens and the state of a channel, for the tests of refreshing and of reconnecting.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation, Rotation};

use crate::harness::{PINS, TestApp, days, id, minutes, waits};

/// More calls than any test makes: the fault does not end.
pub(crate) const LONG: u32 = 1_000_000;

pub(crate) fn inject(app: &TestApp, operation: Operation, kind: FaultKind, times: u32) {
    app.pinterest().inject(Fault::once(operation, kind).times(times));
}

pub(crate) fn calls(app: &TestApp, operation: Operation) -> usize {
    app.pinterest().calls_of(operation)
}

/// An app whose Pinterest has this rotation policy.
pub(crate) async fn rotating(rotation: Rotation) -> (TestApp, String) {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().change_policy(|policy| policy.rotation = rotation).unwrap();
    (app, channel)
}

/// Publishes a Pin whose access token Pinterest refuses once. This makes the tokens due now.
pub(crate) async fn refused(app: &TestApp, channel: &str, title: &str) -> Value {
    inject(app, Operation::CreatePin, FaultKind::Unauthorized, 1);
    let pin = app.publish("ada", channel, title).await.expect(202);
    waits(&pin, "token_refresh");
    pin
}

/// Makes the tokens due now, and leaves no Pin that waits for them.
pub(crate) async fn make_tokens_due(app: &TestApp, channel: &str) {
    let path = format!("{PINS}/{}", id(&refused(app, channel, "Hurry").await));
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) async fn access_expires_at(app: &TestApp, id: &str) -> Timestamp {
    time(&app.channel("ada", id).await["access_expires_at"])
}

/// Checks that the channel is connected, and that its access token lives longer than the days between two refreshes.
pub(crate) async fn is_renewed(app: &TestApp, id: &str) {
    let channel = app.channel("ada", id).await;
    assert_eq!((&channel["status"], &channel["cause"]), (&json!("connected"), &Value::Null), "{channel}");
    assert!(time(&channel["access_expires_at"]) > app.stack.now() + days(7) - minutes(1), "{channel}");
}

pub(crate) async fn is_connected(app: &TestApp, id: &str) {
    let channel = app.channel("ada", id).await;
    assert_eq!((&channel["status"], &channel["cause"]), (&json!("connected"), &Value::Null), "{channel}");
}

pub(crate) async fn is_lost(app: &TestApp, id: &str, cause: &str) {
    let channel = app.channel("ada", id).await;
    assert_eq!(channel["status"], "reconnect_required", "{channel}");
    assert_eq!(channel["cause"], cause, "{channel}");
    assert!(channel["detail"].as_str().unwrap().contains("connect the account again"), "{channel}");
}

/// How many events of this kind there were.
pub(crate) async fn event_count(app: &TestApp, kind: &str) -> usize {
    app.event_kinds().await.into_iter().filter(|event_kind| event_kind == kind).count()
}
