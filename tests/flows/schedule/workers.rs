//! Workers that share the work: several processes, entries of an older version, and rows that cannot be read.

use std::time::Duration;

use app::handlers::DeliverJob;
use jiff::Timestamp;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};
use tokio::time::Instant;

use super::load;
use crate::{
    harness::{PINS, TestApp, id, minutes, seconds, until, waits},
    operations::upgrade::rows,
};

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

/// The titles at Pinterest, oldest first.
fn published(app: &TestApp) -> Vec<String> {
    let pins = app.pinterest().pins(Environment::Sandbox);
    pins.into_iter().rev().filter_map(|pin| pin.title).collect()
}

/// Schedules Pins of a channel, one second apart.
async fn schedule(app: &TestApp, channel: &str, count: i64, at: Timestamp) -> Vec<Value> {
    let mut pins = Vec::new();
    for number in 0..count {
        let answer = app.schedule("ada", channel, &format!("Pin {number}"), at + seconds(number)).await;
        pins.push(answer.expect(202));
    }
    pins
}

/// The row of a Pin, as DynamoDB has it.
pub(crate) async fn row(app: &TestApp, pin: &Value) -> Value {
    let rows = rows::all(app, "pinwright-main").await;
    let sk = format!("PIN#{}", id(pin));
    rows.into_iter().find(|row| row["sk"]["S"] == sk.as_str()).unwrap()
}

pub(crate) async fn put_row(app: &TestApp, row: Value) {
    let body = json!({ "TableName": "pinwright-main", "Item": row });
    rows::aws(app, app.stack.aws().dynamodb_url(), "DynamoDB_20120810.PutItem", body).await;
}

#[tokio::test]
async fn a_tick_that_finds_much_starts_a_worker_and_each_pin_is_sent_by_one_of_them() {
    const CHANNELS: usize = 5;
    const PINS_EACH: usize = 210;
    let app = TestApp::start_configured().await;
    app.pinterest().change_policy(|policy| policy.documented_limits = false).unwrap();
    let at = app.stack.now() + minutes(60);
    for number in 0..CHANNELS {
        let channel = load::connect(&app, number).await;
        load::schedule(&app, &channel, PINS_EACH, at).await;
    }
    app.stack.tick().await.unwrap(); // the channels are back, and nothing waits for them
    let (tick, worker) = (app.functions(minutes(62)), app.functions(minutes(62)));

    let started = async {
        let event = app.stack.aws().next_invocation().await;
        worker.deliver.run(DeliverJob::from_event(&event), deadline()).await.unwrap();
        event
    };
    let (tick_result, event) = futures::join!(tick.deliver.tick(deadline()), started);

    tick_result.unwrap();
    assert!(!event["partitions"].as_array().unwrap().is_empty(), "{event}");
    assert_eq!(load::creation_times(&app).len(), CHANNELS * PINS_EACH);
    assert_eq!(app.send_count(), CHANNELS * PINS_EACH, "each once");
}

#[tokio::test]
async fn the_pins_of_a_channel_leave_in_order_however_many_processes_there_are() {
    const COUNT: i64 = 12;
    let (app, channel) = TestApp::start_connected().await;
    schedule(&app, &channel, COUNT, app.stack.now() + minutes(60)).await;
    let processes: Vec<_> = (0..3).map(|_| app.functions(minutes(62))).collect();

    let ticks = processes.iter().map(|functions| functions.deliver.tick(deadline()));
    for tick_result in futures::future::join_all(ticks).await {
        tick_result.unwrap();
    }

    let expected: Vec<_> = (0..COUNT).map(|number| format!("Pin {number}")).collect();
    assert_eq!(published(&app), expected);
    assert_eq!(app.send_count(), expected.len(), "each once");
}

#[tokio::test]
async fn another_process_leaves_a_channel_whose_pin_is_being_sent() {
    let (app, channel) = TestApp::start_connected().await;
    schedule(&app, &channel, 2, app.stack.now() + minutes(60)).await;
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::HangBefore));
    let busy_functions = app.functions(minutes(62));
    let busy_functions = tokio::spawn(async move { busy_functions.deliver.tick(deadline()).await });
    until(|| app.send_count() == 1).await;
    busy_functions.abort();
    busy_functions.await.unwrap_err();

    // Its lease is over before anybody may conclude that it ended: the clock of this process is ahead by so much.
    let other = app.functions(minutes(62) + seconds(46));
    let early = app.functions(minutes(62) + seconds(20));
    early.deliver.tick(deadline()).await.unwrap();
    assert_eq!(app.send_count(), 1, "the lease is another process's");
    other.deliver.tick(deadline()).await.unwrap();

    assert_eq!(published(&app), ["Pin 1"], "the first one is in doubt by then, and holds nobody up");
}

#[tokio::test]
async fn entries_of_the_version_before_are_found_moved_and_worked_on() {
    let (app, channel) = TestApp::start_connected().await;
    app.stack.tick().await.unwrap(); // the channel is back, and nothing waits for it
    let pins = schedule(&app, &channel, 4, app.stack.now() + minutes(60)).await;
    let mut partitions = Vec::new();
    for (number, pin) in pins.iter().enumerate() {
        let mut row = row(&app, pin).await;
        let at = row["due_sk"]["S"].as_str().unwrap().split('#').next().unwrap().to_owned();
        partitions.push(row["due_pk"]["S"].clone());
        row["due_sk"]["S"] = json!(format!("{at}#{}", id(pin)));
        row["due_pk"]["S"] = json!(number.to_string());
        put_row(&app, row).await;
    }
    assert!(partitions.iter().all(|partition| *partition == partitions[0]), "a channel has one partition");

    for seconds_ahead in [62, 63] {
        app.functions(minutes(seconds_ahead)).deliver.tick(deadline()).await.unwrap();
    }

    let mut remote_pins = published(&app);
    remote_pins.sort();
    assert_eq!(remote_pins, ["Pin 0", "Pin 1", "Pin 2", "Pin 3"]);
    assert_eq!(app.send_count(), 4);
}

#[tokio::test]
async fn a_pin_that_cannot_be_read_keeps_no_other_from_being_resumed_or_listed() {
    let (app, channel) = TestApp::start_connected().await;
    let pins = schedule(&app, &channel, 3, app.stack.now() + minutes(60)).await;
    let mut unknown = Value::Null;
    for (number, pin) in pins.iter().enumerate() {
        let mut row = row(&app, pin).await;
        row["state"]["S"] = json!("waiting");
        row["reason"] = json!({ "S": "reconnect" });
        if number == 1 {
            row["state"]["S"] = json!("a state of a later version");
            unknown = pin.clone();
        }
        put_row(&app, row).await;
    }
    waits(&app.pin("ada", &id(&pins[0])).await, "reconnect");

    let pin_list = app.get(PINS, "ada").await.expect(200);
    app.stack.tick().await.unwrap();

    assert_eq!(pin_list["unreadable"], json!([unknown["id"]]));
    let pin_list: Vec<_> = pin_list["items"].as_array().unwrap().iter().map(id).collect();
    assert_eq!(pin_list, [id(&pins[2]), id(&pins[0])], "newest first, without {unknown}");
    assert_eq!(published(&app), ["Pin 0", "Pin 2"]);
}
