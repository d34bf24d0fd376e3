//! Load: many Pins of many channels in the same minute. `CROWD_CHANNELS` and `CROWD_PINS` set its size. Run a large one
//! alone, because it prints the peak memory of its process.

use std::{
    collections::BTreeMap,
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use local::Data;
use serde_json::json;
use simulated_pinterest::{Environment, Fault, FaultKind, Operation, Quota};

use crate::{
    harness::{TestApp, answer, id, minutes, pin, seconds, until},
    operations::upgrade::rows,
};

/// How much later than its time a Pin may be sent.
const LATE: i64 = 5;

fn size(name: &str, usual: usize) -> usize {
    env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// The peak memory of this process, if the system reports it.
pub(crate) fn peak() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().to_owned())
}

/// A person with an own account and channel.
pub(crate) async fn connect(app: &TestApp, number: usize) -> (String, String) {
    let (sub, account) = (format!("person{number}"), format!("account{number}"));
    app.pinterest().add_account(&account).unwrap();
    let end = app.decide(&app.start_oauth(&sub).await, &format!("decision=allow&account={account}")).await;
    let ticket = end.split_once("#connection=").unwrap().1;
    let claimed =
        app.post("/api/v1/connections/claim", &sub, json!({"connection": ticket})).await.expect(201);
    let channel = id(&claimed);
    app.choose_board(&sub, &channel).await;
    (sub, channel)
}

/// Schedules `count` Pins of a channel within the minute after `at`. Returns their titles and times.
pub(crate) async fn schedule(
    app: &TestApp,
    (sub, channel): &(String, String),
    count: usize,
    at: Timestamp,
) -> BTreeMap<String, Timestamp> {
    let mut expected = BTreeMap::new();
    for rows in (0..count).collect::<Vec<_>>().chunks(1000) {
        let mut file = Vec::new();
        for number in rows {
            let (title, publish_at) =
                (format!("{sub} {number}"), at + seconds(i64::try_from(number % 60).unwrap()));
            let mut body = pin(channel, &title);
            body["publish_at"] = json!(publish_at);
            file.push(body.to_string());
            expected.insert(title, publish_at);
        }
        let request = app.client.post(format!("{}/api/v1/pins/bulk", app.stack.url()));
        let request = request.bearer_auth(app.user(sub)).header("content-type", "application/x-ndjson");
        let rows = answer(request.body(file.join("\n"))).await.expect(200)["rows"].take();
        assert!(rows.as_array().unwrap().iter().all(|row| row["status"] == "accepted"), "{rows}");
    }
    expected
}

/// When each Pin at Pinterest was created, by its title. Checks that there is only one of each title.
pub(crate) fn creation_times(app: &TestApp) -> BTreeMap<String, Timestamp> {
    let pins = app.pinterest().pins(Environment::Sandbox);
    let count = pins.len();
    let creation_times: BTreeMap<_, _> =
        pins.into_iter().map(|pin| (pin.title.unwrap(), pin.created_at)).collect();
    assert_eq!(creation_times.len(), count, "a Pin is there twice");
    creation_times
}

#[tokio::test]
async fn many_pins_of_the_same_minute_are_published_once_and_none_before_its_time() {
    let (channels, pins) = (size("CROWD_CHANNELS", 20), size("CROWD_PINS", 200));
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(Data::Folder(folder.path().to_owned()), []).await;
    app.configure().await;
    let at = app.stack.now() + minutes(24 * 60);
    let mut expected = BTreeMap::new();
    for number in 0..channels {
        let channel = connect(&app, number).await;
        // A tenth of all Pins belong to one channel.
        let count = if number == 0 { pins / 10 } else { (pins - pins / 10).div_ceil(channels - 1) };
        expected.extend(schedule(&app, &channel, count, at).await);
    }

    let start = Instant::now();
    app.advance(minutes(24 * 60 + 2)).await;
    let took = start.elapsed();

    let creation_times = creation_times(&app);
    assert_eq!(creation_times.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let early = creation_times.iter().filter(|(title, at)| **at < expected[*title]).count();
    assert_eq!(early, 0);
    let memory = peak().unwrap_or_default();
    println!("{} Pins of {channels} channels: {took:.1?}, {memory} at most", creation_times.len());
}

/// The partition of the due index in which a channel's work stands, before its return was seen.
async fn partition(app: &TestApp, channel: &str) -> String {
    let rows = rows::all(app, "pinwright-main").await;
    let row = rows.iter().find(|row| row["sk"]["S"] == format!("CHANNEL#{channel}").as_str()).unwrap();
    row["due_pk"]["S"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn one_busy_channel_does_not_hold_up_another_and_is_left_to_the_tick_that_has_it() {
    let (app, channel) = TestApp::start_connected().await;
    let at = app.stack.now() + minutes(60);
    let partition_of_busy = partition(&app, &channel).await;
    schedule(&app, &("ada".to_owned(), channel), 10, at).await;
    let functions = Arc::new(app.functions(minutes(62)));
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::HangBefore));
    let busy_tick = tokio::spawn({
        let functions = functions.clone();
        async move { functions.deliver.tick(tokio::time::Instant::now() + Duration::from_secs(300)).await }
    });
    until(|| app.send_count() == 1).await;
    // A worker has all channels of a partition.
    let mut number = 1;
    let other = loop {
        let other = connect(&app, number).await;
        if partition(&app, &other.1).await != partition_of_busy {
            break other;
        }
        number += 1;
    };
    schedule(&app, &other, 1, at).await;

    functions.deliver.tick(tokio::time::Instant::now() + Duration::from_secs(300)).await.unwrap();

    let title = format!("{} 0", other.0);
    assert_eq!((app.at_pinterest(&title), app.send_count()), (1, 2), "the other channel's, and no more");
    assert!(!busy_tick.is_finished());
    busy_tick.abort();
}

#[tokio::test]
async fn more_pins_of_one_channel_than_a_round_takes_do_not_hide_another_channels() {
    const MANY: usize = 1100;
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().change_policy(|policy| policy.documented_limits = false).unwrap();
    let at = app.stack.now() + minutes(60);
    schedule(&app, &("ada".to_owned(), channel), MANY, at).await;
    let other = connect(&app, 1).await;
    schedule(&app, &other, 1, at + minutes(2)).await;

    let deadline = tokio::time::Instant::now() + Duration::from_secs(300);
    app.functions(minutes(64)).deliver.tick(deadline).await.unwrap();

    let mut creation_times: Vec<_> =
        creation_times(&app).into_iter().map(|(title, at)| (at, title)).collect();
    creation_times.sort();
    let before = creation_times.iter().position(|(_, title)| title == "person1 0").unwrap();
    assert!(before < 60, "{before} Pins of the other channel went first");
    assert_eq!(creation_times.len(), MANY + 1);
}

#[tokio::test]
async fn a_rate_limited_channel_waits_for_its_limit_and_delays_no_other() {
    const CALLS: usize = 10;
    let app = TestApp::start_configured().await;
    let at = app.stack.now() + minutes(60);
    let big = connect(&app, 0).await;
    let mut others = BTreeMap::new();
    let many = schedule(&app, &big, 5 * CALLS, at).await;
    for number in 1..6 {
        let channel = connect(&app, number).await;
        others.extend(schedule(&app, &channel, 5, at + minutes(i64::try_from(number).unwrap())).await);
    }
    let quota = Quota { calls: u32::try_from(CALLS).unwrap(), seconds: 60 };
    app.pinterest().change_policy(|policy| policy.writes_of_each = Some(quota)).unwrap();

    app.advance(minutes(60 + 15)).await;

    let creation_times = creation_times(&app);
    for (title, expected) in &others {
        let seconds_late = creation_times[title].duration_since(*expected).as_secs();
        assert!((0..=LATE).contains(&seconds_late), "{title} is {seconds_late} s late");
    }
    assert!(
        many.keys().all(|title| creation_times.contains_key(title)),
        "{} of {}",
        creation_times.len(),
        many.len()
    );
    let last = many.keys().map(|title| creation_times[title]).max().unwrap();
    let took = last.duration_since(at).as_secs();
    // The first of five windows of the limit has already begun.
    assert!((3 * 60..=6 * 60).contains(&took), "{took} s for five minutes' worth");
    let refused = app.pinterest().calls().iter().filter(|call| call.status == Some(429)).count();
    assert!(refused <= 6, "{refused} calls were refused: the last one that is allowed says so");
}
