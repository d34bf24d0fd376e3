//! Lost answers: what became of a Pin is found out on its board, and only then is it sent again.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::stage::{PINS, Stage, id, minutes, pin, seconds, until, waits};

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

/// Publishes a Pin whose answer is lost by `kind`: its id.
pub(crate) async fn lose(stage: &Stage, channel: &str, title: &str, kind: FaultKind) -> String {
    stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
    let lost = stage.publish("ada", channel, title).await.expect(202);
    waits(&lost, "outcome_unknown");
    assert!(lost["retry_at"].is_string(), "{lost}");
    assert_eq!(lost["pinterest_pin_id"], Value::Null);
    id(&lost)
}

/// Lets all three looks pass, in steps as a person at `/dev/advance` would.
pub(crate) async fn looks(stage: &Stage) {
    for pause in [20, 60, 280] {
        stage.advance(seconds(pause)).await;
    }
}

/// The Pin after it was found or sent again: bound to the one Pin of its title at Pinterest.
pub(crate) async fn bound(stage: &Stage, pin: &str, title: &str) -> Value {
    let pin = stage.pin("ada", pin).await;
    assert_eq!(pin["state"], "published", "{pin}");
    let there = remotes(stage, title);
    assert_eq!(there.len(), 1, "{title}: {there:?}");
    assert_eq!(pin["pinterest_pin_id"], there[0], "{pin}");
    assert_eq!(pin["error"], Value::Null);
    pin
}

/// The ids of all Pins of this title at Pinterest.
fn remotes(stage: &Stage, title: &str) -> Vec<String> {
    let pins = stage.pinterest().pins(Environment::Sandbox);
    pins.into_iter().filter(|pin| pin.title.as_deref() == Some(title)).map(|pin| pin.id).collect()
}

/// The lines of a Pin's timeline, as `event: detail`.
pub(crate) fn lines(pin: &Value) -> Vec<String> {
    let entries = pin["timeline"].as_array().unwrap();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    entries.iter().map(|entry| format!("{}: {}", text(entry, "event"), text(entry, "detail"))).collect()
}

/// Loses answers in these ways, and expects one Pin for each in the end.
pub(crate) async fn each_lost_answer_ends_as_one_pin(
    stage: &Stage,
    channel: &str,
    before: &[FaultKind],
    after: &[FaultKind],
) {
    let mut pins = Vec::new();
    for (number, kind) in before.iter().chain(after).enumerate() {
        let title = format!("Lost {number}");
        pins.push((lose(stage, channel, &title, kind.clone()).await, title, number >= before.len()));
    }

    looks(stage).await;

    for (pin, title, was_made) in pins {
        let lines = lines(&bound(stage, &pin, &title).await);
        let told = lines.join("\n");
        assert!(told.contains("waiting: Pinterest's answer did not come, so the Pin may exist"), "{told}");
        let (end, attempts) = match was_made {
            true => ("published: found on the board as ", 1),
            false => ("published: created as ", 2),
        };
        assert!(lines.last().unwrap().starts_with(end), "{told}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("sending:")).count(), attempts, "{told}");
        assert_eq!(told.contains("looked: not on the board: the attempt made nothing"), !was_made, "{told}");
    }
    assert_eq!(stage.sent(), 2 * before.len() + after.len());
}

#[tokio::test]
async fn whichever_way_an_answer_is_lost_there_is_one_pin_in_the_end() {
    let (stage, channel) = Stage::connected().await;
    each_lost_answer_ends_as_one_pin(&stage, &channel, &BEFORE, &AFTER).await;
}

#[tokio::test]
async fn two_identical_pins_on_purpose_stay_two_whatever_is_lost() {
    let (stage, channel) = Stage::connected().await;
    let pairs = [
        [FaultKind::CutAfter, FaultKind::Code2787After],
        [FaultKind::CutAfter, FaultKind::CutBefore],
        [FaultKind::CutBefore, FaultKind::CutAfter],
        [FaultKind::CutBefore, FaultKind::Status500Before],
    ];
    for (number, [first, second]) in pairs.into_iter().enumerate() {
        let title = format!("Twins {number}");
        let one = lose(&stage, &channel, &title, first).await;
        let other = lose(&stage, &channel, &title, second).await;
        assert_ne!(one, other);

        looks(&stage).await;

        let (one, other) = (stage.pin("ada", &one).await, stage.pin("ada", &other).await);
        assert_eq!((&one["state"], &other["state"]), (&json!("published"), &json!("published")), "{title}");
        let mut ours =
            [one["pinterest_pin_id"].as_str().unwrap(), other["pinterest_pin_id"].as_str().unwrap()];
        let mut there = remotes(&stage, &title);
        ours.sort_unstable();
        there.sort_unstable();
        assert_eq!(ours.as_slice(), there, "{title}: each is bound to a Pin of its own");
    }
}

#[tokio::test]
async fn an_older_identical_pin_of_ours_is_not_taken_for_the_new_one() {
    let (stage, channel) = Stage::connected().await;
    let old = stage.publish("ada", &channel, "Same").await.expect(201);

    let never = lose(&stage, &channel, "Same", FaultKind::CutBefore).await;
    looks(&stage).await;
    let never = stage.pin("ada", &never).await;
    assert_eq!(never["state"], "published");
    assert_ne!(never["pinterest_pin_id"], old["pinterest_pin_id"]);
    assert_eq!(stage.at_pinterest("Same"), 2);

    let made = lose(&stage, &channel, "Same", FaultKind::CutAfter).await;
    assert_eq!(stage.at_pinterest("Same"), 3);
    looks(&stage).await;
    let made = stage.pin("ada", &made).await;
    assert_eq!(made["pinterest_pin_id"], remotes(&stage, "Same")[0], "the newest is the new one");
    assert_eq!(stage.at_pinterest("Same"), 3);
}

#[tokio::test]
async fn an_outage_ends_with_one_pin() {
    let (stage, channel) = Stage::connected().await;
    let outage = Fault::once(Operation::CreatePin, FaultKind::Status500Before).times(10);
    stage.pinterest().inject(outage);
    let pin = id(&stage.publish("ada", &channel, "Patient").await.expect(202));

    stage.advance(minutes(80)).await;

    bound(&stage, &pin, "Patient").await;
    assert_eq!(stage.sent(), 11);
}

#[tokio::test]
async fn an_outage_of_all_of_pinterest_ends_with_one_pin() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().inject(Fault::once(None, FaultKind::Status500Before).times(10));
    let never = id(&stage.publish("ada", &channel, "Patient").await.expect(202));

    stage.advance(minutes(3 * 60)).await;

    bound(&stage, &never, "Patient").await;
}

#[tokio::test]
async fn a_pin_in_doubt_is_not_cancelled_and_not_retried_by_request() {
    let (stage, channel) = Stage::connected().await;
    let pin = lose(&stage, &channel, "Doubt", FaultKind::CutAfter).await;

    let path = format!("{PINS}/{pin}");
    let cancelled = stage.call(Method::DELETE, &path, &stage.user("ada"), None).await;
    assert_eq!(cancelled.problem(409), "wrong_state");
    let retried = stage.post(&format!("{path}/retry"), "ada", json!({})).await;
    assert_eq!(retried.problem(409), "wrong_state");

    looks(&stage).await;
    bound(&stage, &pin, "Doubt").await;
}

#[tokio::test]
async fn a_pin_in_doubt_has_its_looks_even_when_it_is_late_and_is_not_sent_again() {
    let (stage, channel) = Stage::connected().await;
    let mut pins = Vec::new();
    for (title, kind) in [("Late made", FaultKind::CutAfter), ("Late never", FaultKind::CutBefore)] {
        stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let mut body = pin(&channel, title);
        body["publish_within"] = json!("PT1M");
        pins.push(id(&stage.post(PINS, "ada", body).await.expect(202)));
    }
    stage.pinterest().change_policy(|policy| policy.lag_seconds = 120).unwrap();

    looks(&stage).await;

    bound(&stage, &pins[0], "Late made").await;
    let never = stage.pin("ada", &pins[1]).await;
    assert_eq!((&never["state"], &never["error"]["code"]), (&json!("failed"), &json!("too_late")), "{never}");
    assert_eq!((stage.sent(), stage.at_pinterest("Late never")), (2, 0));
}

#[tokio::test]
async fn a_process_that_ends_while_it_sends_leaves_one_pin() {
    for kind in [FaultKind::HangAfter, FaultKind::HangBefore] {
        let (stage, channel) = Stage::connected().await;
        stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let url = format!("{}{PINS}", stage.stack.url());
        let request = stage.client.post(url).bearer_auth(stage.user("ada")).json(&pin(&channel, "Cut off"));
        let request = tokio::spawn(request.send());
        until(|| stage.sent() == 1).await;
        let listed = stage.get(PINS, "ada").await.expect(200);
        assert_eq!(listed["items"][0]["state"], "sending");
        request.abort();

        stage.advance(seconds(30)).await;
        assert_eq!(stage.pin("ada", &id(&listed["items"][0])).await["state"], "sending", "it may be alive");
        looks(&stage).await;

        let pin = bound(&stage, &id(&listed["items"][0]), "Cut off").await;
        let told = lines(&pin).join("\n");
        assert!(told.contains("the process that was sending it ended without a word"), "{told}");
    }
}
