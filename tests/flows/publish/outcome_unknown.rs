//! Unknown outcomes: after a lost answer the board is checked, and only then is a Pin sent again.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::harness::{PINS, TestApp, id, minutes, pin, seconds, until, waits};

/// The answer is lost, and no Pin was made.
const BEFORE: [FaultKind; 4] =
    [FaultKind::Status500Before, FaultKind::CutBefore, FaultKind::Code2787Before, FaultKind::GarbageBefore];
/// The answer is lost, and the Pin is there.
const AFTER: [FaultKind; 5] = [
    FaultKind::Status500After,
    FaultKind::CutAfter,
    FaultKind::CutInAnswer,
    FaultKind::Code2787After,
    FaultKind::Garbage,
];

/// Publishes a Pin whose answer is lost by a fault of this kind. Returns its id.
pub(crate) async fn publish_with_lost_answer(
    app: &TestApp,
    channel: &str,
    title: &str,
    kind: FaultKind,
) -> String {
    app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
    let response = app.publish("ada", channel, title).await.expect(202);
    waits(&response, "outcome_unknown");
    assert!(response["retry_at"].is_string(), "{response}");
    assert_eq!(response["pinterest_pin_id"], Value::Null);
    id(&response)
}

/// Publishes a Pin without a fault: Pinterest works again, and no row of failures lets the channel rest.
async fn publish_soundly(app: &TestApp, channel: &str) {
    app.publish("ada", channel, "Sound").await.expect(201);
}

/// Advances the clock beyond all three board checks, in the steps of a person who uses `/dev/advance`.
pub(crate) async fn pass_board_checks(app: &TestApp) {
    for pause in [20, 60, 280] {
        app.advance(seconds(pause)).await;
    }
}

/// Checks that the Pin was found or sent again, and belongs to the one Pin of its title at Pinterest.
pub(crate) async fn expect_bound(app: &TestApp, pin: &str, title: &str) -> Value {
    let pin = app.pin("ada", pin).await;
    assert_eq!(pin["state"], "published", "{pin}");
    let remote_ids = remotes(app, title);
    assert_eq!(remote_ids.len(), 1, "{title}: {remote_ids:?}");
    assert_eq!(pin["pinterest_pin_id"], remote_ids[0], "{pin}");
    assert_eq!(pin["error"], Value::Null);
    pin
}

/// The ids of all Pins of this title at Pinterest.
fn remotes(app: &TestApp, title: &str) -> Vec<String> {
    let pins = app.pinterest().pins(Environment::Sandbox);
    pins.into_iter().filter(|pin| pin.title.as_deref() == Some(title)).map(|pin| pin.id).collect()
}

/// The lines of a Pin's timeline, as `event: detail`.
pub(crate) fn lines(pin: &Value) -> Vec<String> {
    let entries = pin["timeline"].as_array().unwrap();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    entries.iter().map(|entry| format!("{}: {}", text(entry, "event"), text(entry, "detail"))).collect()
}

/// Loses answers by faults of these kinds, and expects that each ends with one Pin.
pub(crate) async fn each_lost_answer_ends_as_one_pin(
    app: &TestApp,
    channel: &str,
    before: &[FaultKind],
    after: &[FaultKind],
) {
    let mut pins = Vec::new();
    for (number, kind) in before.iter().chain(after).enumerate() {
        let title = format!("Lost {number}");
        pins.push((
            publish_with_lost_answer(app, channel, &title, kind.clone()).await,
            title,
            number >= before.len(),
        ));
        publish_soundly(app, channel).await;
    }

    pass_board_checks(app).await;

    for (pin, title, was_created) in pins {
        let lines = lines(&expect_bound(app, &pin, &title).await);
        let timeline = lines.join("\n");
        assert!(
            lines.iter().any(|line| line.starts_with("waiting:") && line.contains("so the Pin may exist")),
            "{timeline}"
        );
        let (end, attempts) = match was_created {
            true => ("published: found on the board as ", 1),
            false => ("published: created as ", 2),
        };
        assert!(lines.last().unwrap().starts_with(end), "{timeline}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("sending:")).count(), attempts, "{timeline}");
        assert_eq!(
            timeline.contains("looked: not on the board: the attempt created nothing"),
            !was_created,
            "{timeline}"
        );
    }
    assert_eq!(app.send_count(), 3 * before.len() + 2 * after.len());
}

#[tokio::test]
async fn every_kind_of_lost_answer_ends_with_one_pin() {
    let (app, channel) = TestApp::start_connected().await;
    each_lost_answer_ends_as_one_pin(&app, &channel, &BEFORE, &AFTER).await;
}

#[tokio::test]
async fn two_identical_pins_stay_two_after_lost_answers() {
    let (app, channel) = TestApp::start_connected().await;
    let pairs = [
        [FaultKind::CutAfter, FaultKind::Code2787After],
        [FaultKind::CutAfter, FaultKind::CutBefore],
        [FaultKind::CutBefore, FaultKind::CutAfter],
        [FaultKind::CutBefore, FaultKind::Status500Before],
    ];
    for (number, [first, second]) in pairs.into_iter().enumerate() {
        let title = format!("Twins {number}");
        let first_pin = publish_with_lost_answer(&app, &channel, &title, first).await;
        let second_pin = publish_with_lost_answer(&app, &channel, &title, second).await;
        assert_ne!(first_pin, second_pin);
        publish_soundly(&app, &channel).await;

        pass_board_checks(&app).await;

        let (first_pin, second_pin) = (app.pin("ada", &first_pin).await, app.pin("ada", &second_pin).await);
        assert_eq!(
            (&first_pin["state"], &second_pin["state"]),
            (&json!("published"), &json!("published")),
            "{title}"
        );
        let mut bound_ids = [
            first_pin["pinterest_pin_id"].as_str().unwrap(),
            second_pin["pinterest_pin_id"].as_str().unwrap(),
        ];
        let mut remote_ids = remotes(&app, &title);
        bound_ids.sort_unstable();
        remote_ids.sort_unstable();
        assert_eq!(bound_ids.as_slice(), remote_ids, "{title}: each is bound to a Pin of its own");
    }
}

#[tokio::test]
async fn an_older_identical_pin_of_ours_is_not_taken_for_the_new_one() {
    let (app, channel) = TestApp::start_connected().await;
    let old = app.publish("ada", &channel, "Same").await.expect(201);

    let missing = publish_with_lost_answer(&app, &channel, "Same", FaultKind::CutBefore).await;
    pass_board_checks(&app).await;
    let missing = app.pin("ada", &missing).await;
    assert_eq!(missing["state"], "published");
    assert_ne!(missing["pinterest_pin_id"], old["pinterest_pin_id"]);
    assert_eq!(app.at_pinterest("Same"), 2);

    let created = publish_with_lost_answer(&app, &channel, "Same", FaultKind::CutAfter).await;
    assert_eq!(app.at_pinterest("Same"), 3);
    pass_board_checks(&app).await;
    let created = app.pin("ada", &created).await;
    assert_eq!(created["pinterest_pin_id"], remotes(&app, "Same")[0], "the newest is the new one");
    assert_eq!(app.at_pinterest("Same"), 3);
}

#[tokio::test]
async fn an_outage_ends_with_one_pin_and_costs_few_calls() {
    let (app, channel) = TestApp::start_connected().await;
    let outage = Fault::once(Operation::CreatePin, FaultKind::Status500Before).times(5);
    app.pinterest().inject(outage);
    let pin = id(&app.publish("ada", &channel, "Patient").await.expect(202));

    app.advance(minutes(2 * 60)).await;
    let waiting = app.pin("ada", &pin).await;
    waits(&waiting, "pinterest_unavailable");
    assert_eq!(app.send_count(), 4, "at 0, 5, 25 and 95 minutes");

    app.advance(minutes(13 * 60)).await;
    expect_bound(&app, &pin, "Patient").await;
    assert_eq!(app.send_count(), 6);
}

#[tokio::test]
async fn a_channel_rests_when_pinterest_fails_for_one_pin_after_the_other() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::Status500Before).times(3));
    for number in 0..3 {
        waits(&app.publish("ada", &channel, &format!("Fails {number}")).await.expect(202), "outcome_unknown");
    }
    let held_pin = app.publish("ada", &channel, "Held").await.expect(202);
    waits(&held_pin, "pinterest_unavailable");
    assert_eq!(app.send_count(), 3, "nobody else's Pin is risked");
    app.get(&format!("/api/v1/channels/{channel}/boards"), "ada").await.expect(200);

    app.advance(minutes(30)).await;

    for number in 0..3 {
        assert_eq!(app.at_pinterest(&format!("Fails {number}")), 1);
    }
    assert_eq!(app.pin("ada", &id(&held_pin)).await["state"], "published");
}

#[tokio::test]
async fn an_outage_of_all_of_pinterest_ends_with_one_pin() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().inject(Fault::once(None, FaultKind::Status500Before).times(10));
    let pin = id(&app.publish("ada", &channel, "Patient").await.expect(202));

    app.advance(minutes(3 * 60)).await;

    expect_bound(&app, &pin, "Patient").await;
}

#[tokio::test]
async fn a_pin_with_an_unknown_outcome_cannot_be_cancelled_or_retried() {
    let (app, channel) = TestApp::start_connected().await;
    let pin = publish_with_lost_answer(&app, &channel, "Doubt", FaultKind::CutAfter).await;

    let path = format!("{PINS}/{pin}");
    let cancelled = app.call(Method::DELETE, &path, &app.user("ada"), None).await;
    assert_eq!(cancelled.problem(409), "wrong_state");
    let retry = app.post(&format!("{path}/retry"), "ada", json!({})).await;
    assert_eq!(retry.problem(409), "wrong_state");

    pass_board_checks(&app).await;
    expect_bound(&app, &pin, "Doubt").await;
}

#[tokio::test]
async fn a_late_pin_with_an_unknown_outcome_is_checked_and_not_sent_again() {
    let (app, channel) = TestApp::start_connected().await;
    let mut pins = Vec::new();
    for (title, kind) in [("Late made", FaultKind::CutAfter), ("Late never", FaultKind::CutBefore)] {
        app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let mut body = pin(&channel, title);
        body["publish_within"] = json!("PT1M");
        pins.push(id(&app.post(PINS, "ada", body).await.expect(202)));
    }
    app.pinterest().change_policy(|policy| policy.lag_seconds = 120).unwrap();

    pass_board_checks(&app).await;

    expect_bound(&app, &pins[0], "Late made").await;
    let late_pin = app.pin("ada", &pins[1]).await;
    assert_eq!(
        (&late_pin["state"], &late_pin["error"]["code"]),
        (&json!("failed"), &json!("too_late")),
        "{late_pin}"
    );
    assert_eq!((app.send_count(), app.at_pinterest("Late never")), (2, 0));
}

#[tokio::test]
async fn a_process_that_ends_while_it_sends_leaves_one_pin() {
    for kind in [FaultKind::HangAfter, FaultKind::HangBefore] {
        let (app, channel) = TestApp::start_connected().await;
        app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let url = format!("{}{PINS}", app.stack.url());
        let request = app.client.post(url).bearer_auth(app.user("ada")).json(&pin(&channel, "Cut off"));
        let request = tokio::spawn(request.send());
        until(|| app.send_count() == 1).await;
        let pin_list = app.get(PINS, "ada").await.expect(200);
        assert_eq!(pin_list["items"][0]["state"], "sending");
        request.abort();

        app.advance(seconds(30)).await;
        assert_eq!(app.pin("ada", &id(&pin_list["items"][0])).await["state"], "sending", "it may be alive");
        pass_board_checks(&app).await;

        let pin = expect_bound(&app, &id(&pin_list["items"][0]), "Cut off").await;
        let timeline = lines(&pin).join("\n");
        assert!(timeline.contains("the process that was sending it ended without a result"), "{timeline}");
    }
}
