//! Keeping tokens alive: through rotations, lost answers and outages, to the owner's no and back.

use std::{collections::BTreeSet, time::Duration};

use app::functions::{Refresh, Tick};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{DeadRefreshToken, Environment, Fault, FaultKind, Operation, Rotation};
use tokio::time::Instant;

use crate::stage::{APP_SECRET, PINS, Stage, days, id, minutes, pin, until, waits};

const LONG: u32 = 1_000_000;

fn inject(stage: &Stage, operation: Operation, kind: FaultKind, times: u32) {
    stage.pinterest().inject(Fault::once(operation, kind).times(times));
}

fn calls(stage: &Stage, operation: Operation) -> usize {
    stage.pinterest().calls_of(operation)
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Connected, and with an access token that lives for more than the days between two refreshes.
async fn is_renewed(stage: &Stage, id: &str) {
    let channel = stage.channel("ada", id).await;
    assert_eq!((&channel["status"], &channel["cause"]), (&json!("connected"), &Value::Null), "{channel}");
    assert!(time(&channel["access_expires_at"]) > stage.stack.now() + days(7) - minutes(1), "{channel}");
}

async fn is_connected(stage: &Stage, id: &str) {
    let channel = stage.channel("ada", id).await;
    assert_eq!((&channel["status"], &channel["cause"]), (&json!("connected"), &Value::Null), "{channel}");
}

async fn is_lost(stage: &Stage, id: &str, cause: &str) {
    let channel = stage.channel("ada", id).await;
    assert_eq!(channel["status"], "reconnect_required", "{channel}");
    assert_eq!(channel["cause"], cause, "{channel}");
    assert!(channel["detail"].as_str().unwrap().contains("connect the account again"), "{channel}");
}

/// How often an event of this kind was told.
async fn told(stage: &Stage, kind: &str) -> usize {
    stage.event_kinds().await.into_iter().filter(|told| told == kind).count()
}

/// A stage whose Pinterest rotates like this.
async fn rotating(rotation: Rotation) -> (Stage, String) {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.rotation = rotation).unwrap();
    (stage, channel)
}

/// A worker of another process, whose clock runs ahead: what is to come is due for it now.
fn worker(stage: &Stage, ahead: SignedDuration) -> Refresh {
    let setup = stage.setup(ahead);
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    Refresh::new(
        setup.settings_secret().unwrap(),
        setup.vault().unwrap(),
        main,
        tokens,
        setup.pinterest(),
        &setup,
    )
}

/// A Pin whose access token Pinterest refuses, once: that makes the tokens due now.
async fn refused(stage: &Stage, channel: &str, title: &str) -> Value {
    inject(stage, Operation::CreatePin, FaultKind::Unauthorized, 1);
    let pin = stage.publish("ada", channel, title).await.expect(202);
    waits(&pin, "token_refresh");
    pin
}

/// Makes the tokens due now, and leaves nothing behind that waits for them.
async fn hurry(stage: &Stage, channel: &str) {
    let path = format!("{PINS}/{}", id(&refused(stage, channel, "Hurry").await));
    stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);
}

async fn access_expires_at(stage: &Stage, id: &str) -> Timestamp {
    time(&stage.channel("ada", id).await["access_expires_at"])
}

/// Rotates every 22 to 23 days, without a loss.
async fn survives(rotation: Rotation, number: i64) {
    let (stage, channel) = rotating(rotation).await;
    let before = calls(&stage, Operation::Token);

    stage.advance(days(number)).await;

    is_renewed(&stage, &channel).await;
    let refreshes = i64::try_from(calls(&stage, Operation::Token) - before).unwrap();
    assert!((number / 23..=number / 22).contains(&refreshes), "{refreshes}");
    stage.publish("ada", &channel, "Still here").await.expect(201);
    assert_eq!(stage.at_pinterest("Still here"), 1);
    assert_eq!(
        (told(&stage, "channel.reconnect_required").await, told(&stage, "token.expiring").await),
        (0, 0)
    );
}

#[tokio::test]
async fn a_channel_lives_200_days_where_the_old_token_is_dead_at_once() {
    survives(Rotation::DeadAtOnce, 200).await;
}

#[tokio::test]
async fn a_channel_outlives_its_first_tokens_where_the_old_one_works_until_the_new_one_is_used() {
    survives(Rotation::OldUntilNewUsed, 65).await;
}

#[tokio::test]
async fn a_channel_outlives_its_first_tokens_where_the_old_one_has_a_grace() {
    survives(Rotation::Grace { seconds: 60 }, 65).await;
}

#[tokio::test]
async fn lost_answers_to_a_refresh_lose_nothing_where_the_old_token_still_works() {
    for rotation in [Rotation::OldUntilNewUsed, Rotation::Grace { seconds: 3600 }] {
        let (stage, channel) = rotating(rotation).await;
        let (before, first) = (calls(&stage, Operation::Token), access_expires_at(&stage, &channel).await);
        for kind in
            [FaultKind::CutAfter, FaultKind::Status500After, FaultKind::Garbage, FaultKind::CutInAnswer]
        {
            inject(&stage, Operation::Token, kind, 1);
        }
        hurry(&stage, &channel).await;

        stage.advance(minutes(20)).await;

        is_connected(&stage, &channel).await;
        assert_eq!(calls(&stage, Operation::Token), before + 5);
        let second = access_expires_at(&stage, &channel).await;
        assert!(second > first);
        // What came last is what was kept: it can be used, and refreshed.
        hurry(&stage, &channel).await;
        stage.advance(minutes(3)).await;
        assert_eq!(calls(&stage, Operation::Token), before + 6);
        assert!(access_expires_at(&stage, &channel).await > second);
        stage.publish("ada", &channel, "Still here").await.expect(201);
        assert_eq!(told(&stage, "channel.reconnect_required").await, 0);
    }
}

#[tokio::test]
async fn a_lost_answer_ends_a_channel_where_the_old_token_is_dead_at_once_and_its_pins_wait_for_the_owner() {
    let (stage, channel) = rotating(Rotation::DeadAtOnce).await;
    inject(&stage, Operation::Token, FaultKind::CutAfter, 1);
    stage.advance(days(24)).await;

    is_lost(&stage, &channel, "refresh_token_rejected").await;
    stage.publish("ada", &channel, "Meanwhile").await.expect(201); // the access token is used until its end

    stage.advance(days(7)).await;
    let now = stage.stack.now();
    let schedule = async |title, at| stage.schedule("ada", &channel, title, at).await.expect(202);
    let mut pins = vec![schedule("Third", now + minutes(20)).await];
    pins.push(stage.publish("ada", &channel, "First").await.expect(202));
    waits(&pins[1], "reconnect");
    assert_eq!(pins[1]["retry_at"], Value::Null);
    pins.push(schedule("Second", now + minutes(10)).await);
    stage.advance(minutes(30)).await;
    for waiting in &pins {
        waits(&stage.pin("ada", &id(waiting)).await, "reconnect");
    }
    assert_eq!(told(&stage, "channel.reconnect_required").await, 1);
    let sent = calls(&stage, Operation::CreatePin);

    assert_eq!(stage.connect("ada").await, channel);
    stage.stack.tick().await.unwrap();

    is_renewed(&stage, &channel).await;
    let there = stage.pinterest().pins(Environment::Sandbox);
    let there: Vec<_> = there.into_iter().rev().filter_map(|pin| pin.title).collect();
    assert_eq!(there, ["Meanwhile", "First", "Second", "Third"]);
    assert_eq!(calls(&stage, Operation::CreatePin), sent + 3);
    assert_eq!(told(&stage, "channel.connected").await, 2);
    let events = stage.stack.events().await.unwrap();
    let lost = events.iter().find(|event| event.detail_type == "channel.reconnect_required").unwrap();
    assert_eq!(
        (&lost.detail["cause"], &lost.detail["channel_id"]),
        (&json!("refresh_token_rejected"), &json!(channel))
    );
}

#[tokio::test]
async fn three_days_without_a_token_endpoint_are_noticed_by_nobody() {
    let (stage, channel) = Stage::connected().await;
    let first = access_expires_at(&stage, &channel).await;
    inject(&stage, Operation::Token, FaultKind::Status500Before, LONG);
    hurry(&stage, &channel).await;
    stage.advance(days(3)).await;

    is_connected(&stage, &channel).await;
    assert_eq!(access_expires_at(&stage, &channel).await, first);
    stage.publish("ada", &channel, "During").await.expect(201);

    stage.pinterest().clear_faults();
    stage.advance(minutes(6 * 60)).await;
    is_connected(&stage, &channel).await;
    assert!(access_expires_at(&stage, &channel).await > first + days(3));
    assert_eq!(
        (told(&stage, "channel.reconnect_required").await, told(&stage, "token.expiring").await),
        (0, 0)
    );
}

#[tokio::test]
async fn weeks_without_a_token_endpoint_end_a_channel_only_with_its_refresh_token_after_three_warnings() {
    let (stage, channel) = Stage::connected().await;
    stage.advance(days(22)).await;
    // As good as an outage, but it asks for a day's patience each time: fewer steps for the test.
    inject(&stage, Operation::Token, FaultKind::RateLimited { reset: 86_400 }, LONG);
    stage.advance(days(9)).await;
    let mut urgent = pin(&channel, "Urgent");
    urgent["publish_within"] = json!("PT2M");
    let urgent = stage.post(PINS, "ada", urgent).await.expect(202);
    waits(&urgent, "token_refresh");

    stage.advance(days(29) - minutes(10)).await; // whenever the daily roll-call is, one was in the last day
    is_connected(&stage, &channel).await;
    let urgent = stage.pin("ada", &id(&urgent)).await;
    assert_eq!(urgent["error"]["code"], "too_late", "{urgent}");
    let events = stage.stack.events().await.unwrap();
    let warnings = events.iter().filter(|event| event.detail_type == "token.expiring");
    let warnings: Vec<_> = warnings.map(|event| event.detail["expires_in_days"].clone()).collect();
    assert_eq!(warnings, [14, 7, 1]);
    assert_eq!(told(&stage, "channel.reconnect_required").await, 0);

    stage.advance(days(2)).await; // the last try may come a day after its end
    is_lost(&stage, &channel, "refresh_token_expired").await;
    assert_eq!(told(&stage, "channel.reconnect_required").await, 1);
    let held = stage.publish("ada", &channel, "Held").await.expect(202);
    waits(&held, "reconnect");

    stage.pinterest().clear_faults();
    stage.connect("ada").await;
    stage.stack.tick().await.unwrap();
    assert_eq!(stage.at_pinterest("Held"), 1);
}

#[tokio::test]
async fn an_owner_who_removes_the_app_is_believed_at_the_second_refusal() {
    for refusal in [DeadRefreshToken::Unauthorized, DeadRefreshToken::BadRequest] {
        let (stage, channel) = Stage::connected().await;
        stage.pinterest().change_policy(|policy| policy.dead_refresh_token = refusal).unwrap();
        stage.pinterest().revoke("demo_account").unwrap();

        let pin = stage.publish("ada", &channel, "Waiting").await.expect(202);
        waits(&pin, "token_refresh");
        let before = calls(&stage, Operation::Token);
        stage.stack.tick().await.unwrap();
        assert_eq!(calls(&stage, Operation::Token), before + 1);
        is_connected(&stage, &channel).await;
        stage.advance(minutes(3)).await;
        is_connected(&stage, &channel).await;
        assert_eq!(told(&stage, "channel.reconnect_required").await, 0);

        stage.advance(minutes(5)).await;
        is_lost(&stage, &channel, "refresh_token_rejected").await;
        waits(&stage.pin("ada", &id(&pin)).await, "reconnect");
        assert_eq!(told(&stage, "channel.reconnect_required").await, 1);

        stage.connect("ada").await;
        stage.stack.tick().await.unwrap();
        assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "published");
        assert_eq!(stage.at_pinterest("Waiting"), 1);
    }
}

#[tokio::test]
async fn a_pin_in_doubt_is_looked_for_when_its_account_is_connected_again() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, Operation::CreatePin, FaultKind::CutAfter, 1);
    let pin = stage.publish("ada", &channel, "Doubt").await.expect(202);
    stage.pinterest().revoke("demo_account").unwrap();
    stage.advance(minutes(20)).await;
    is_lost(&stage, &channel, "refresh_token_rejected").await;
    waits(&stage.pin("ada", &id(&pin)).await, "outcome_unknown");

    stage.connect("ada").await;
    stage.stack.tick().await.unwrap();

    assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "published");
    assert_eq!((stage.at_pinterest("Doubt"), calls(&stage, Operation::CreatePin)), (1, 1));
}

#[tokio::test]
async fn a_wrong_app_secret_costs_no_channel() {
    let (stage, channel) = Stage::connected().await;
    let first = access_expires_at(&stage, &channel).await;
    stage.save(json!({"app_secret": "not-the-secret"})).await;
    stage.advance(minutes(2)).await; // what functions have in memory is a minute old at most
    hurry(&stage, &channel).await;
    stage.advance(minutes(12 * 60)).await;

    is_connected(&stage, &channel).await;
    assert_eq!(access_expires_at(&stage, &channel).await, first);
    stage.publish("ada", &channel, "During").await.expect(201);

    stage.save(json!({"app_secret": APP_SECRET})).await;
    stage.advance(minutes(6 * 60)).await;
    is_connected(&stage, &channel).await;
    assert!(access_expires_at(&stage, &channel).await > first);
    assert_eq!(told(&stage, "channel.reconnect_required").await, 0);
}

#[tokio::test]
async fn a_refusal_that_may_be_the_secrets_fault_is_undone_by_a_later_success() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.client_credentials = false).unwrap();
    let first = access_expires_at(&stage, &channel).await;
    inject(&stage, Operation::Token, FaultKind::Unauthorized, 2);
    inject(&stage, Operation::Token, FaultKind::Scope, 1); // the question about the secret: no clear word
    inject(&stage, Operation::Token, FaultKind::Unauthorized, 1);
    inject(&stage, Operation::UserAccount, FaultKind::Unauthorized, 1);
    hurry(&stage, &channel).await;
    stage.advance(minutes(10)).await;
    is_lost(&stage, &channel, "token_refused").await;

    stage.advance(days(1)).await;

    is_connected(&stage, &channel).await;
    assert!(access_expires_at(&stage, &channel).await > first);
    let mut kinds = stage.event_kinds().await;
    kinds.retain(|kind| kind.starts_with("channel."));
    assert_eq!(kinds, ["channel.connected", "channel.reconnect_required", "channel.connected"]);
}

#[tokio::test]
async fn refusals_for_scope_and_rate_limits_at_a_refresh_never_change_the_status() {
    let (stage, channel) = Stage::connected().await;
    let first = access_expires_at(&stage, &channel).await;
    inject(&stage, Operation::Token, FaultKind::Scope, 5);
    inject(&stage, Operation::Token, FaultKind::RateLimited { reset: 600 }, 3);
    inject(&stage, Operation::Token, FaultKind::SpamBlock, 2);
    let before = calls(&stage, Operation::Token);
    hurry(&stage, &channel).await;

    stage.advance(days(2)).await;
    is_connected(&stage, &channel).await;
    assert!(access_expires_at(&stage, &channel).await > first);
    assert_eq!(calls(&stage, Operation::Token), before + 11);
    assert_eq!(told(&stage, "channel.reconnect_required").await, 0);
}

#[tokio::test]
async fn tokens_are_kept_alive_while_the_integration_is_switched_off() {
    let (stage, channel) = Stage::connected().await;
    stage.save(json!({"status": "disabled"})).await;

    stage.advance(days(31)).await;

    is_renewed(&stage, &channel).await;
    stage.save(json!({"status": "enabled"})).await;
    stage.publish("ada", &channel, "Back").await.expect(201);
}

#[tokio::test]
async fn an_access_token_that_is_refused_is_renewed_by_the_next_tick_and_the_pin_goes_out_once() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, Operation::CreatePin, FaultKind::Unauthorized, 1);
    let before = calls(&stage, Operation::Token);
    let pin = stage.publish("ada", &channel, "Renewed").await.expect(202);
    waits(&pin, "token_refresh");
    assert!(pin["retry_at"].is_string(), "{pin}");

    stage.stack.tick().await.unwrap();
    assert_eq!(calls(&stage, Operation::Token), before + 1);
    stage.advance(minutes(2)).await;

    assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "published");
    assert_eq!((stage.at_pinterest("Renewed"), calls(&stage, Operation::CreatePin)), (1, 2));
    assert_eq!(calls(&stage, Operation::Token), before + 1);
    is_connected(&stage, &channel).await;
}

/// While nobody can say whether the token is dead, the Pin is not given up: it has a week.
#[tokio::test]
async fn a_pin_waits_for_its_token_as_long_as_the_token_endpoint_is_down() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, Operation::CreatePin, FaultKind::Unauthorized, LONG);
    inject(&stage, Operation::Token, FaultKind::Status500Before, LONG);
    let pin = stage.publish("ada", &channel, "Patient").await.expect(202);

    stage.advance(minutes(150)).await;

    waits(&stage.pin("ada", &id(&pin)).await, "token_refresh");
    is_connected(&stage, &channel).await;
    stage.pinterest().clear_faults();
    // The longest that a refresh waits after the ones that failed.
    stage.advance(minutes(360)).await;
    assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "published");
    assert_eq!(stage.at_pinterest("Patient"), 1);
}

#[tokio::test]
async fn pins_that_wait_for_a_token_do_not_hurry_a_refresh_that_backs_off() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, Operation::CreatePin, FaultKind::Unauthorized, LONG);
    inject(&stage, Operation::Token, FaultKind::RateLimited { reset: 3600 }, LONG);
    stage.publish("ada", &channel, "Refused").await.expect(202);
    let before = calls(&stage, Operation::Token);

    stage.advance(minutes(50)).await;

    assert_eq!(calls(&stage, Operation::Token), before + 1, "Pinterest asked not to be asked for an hour");
}

#[tokio::test]
async fn pins_that_wait_for_an_expired_token_do_not_hurry_its_refresh_either() {
    let (stage, channel) = Stage::connected().await;
    stage.advance(days(22)).await;
    inject(&stage, Operation::Token, FaultKind::RateLimited { reset: 86_400 }, LONG);
    stage.advance(days(8) + minutes(5)).await;
    let pin = stage.publish("ada", &channel, "Waiting").await.expect(202);
    waits(&pin, "token_refresh");
    let before = calls(&stage, Operation::Token);

    stage.advance(minutes(30)).await;

    let more = calls(&stage, Operation::Token) - before;
    assert!(more <= 1, "{more} refreshes in half an hour, and Pinterest asked for a day's patience");
    // Work follows what can be done, not how much waits: nothing can be done until the next refresh.
    let mut looks = BTreeSet::new();
    for _ in 0..6 {
        stage.advance(minutes(1)).await;
        looks.insert(stage.pin("ada", &id(&pin)).await["retry_at"].to_string());
    }
    assert!(looks.len() <= 3, "in six minutes the Pin was put off to {looks:?}");
}

#[tokio::test]
async fn workers_at_once_refresh_each_channel_once() {
    let stage = Stage::configured().await;
    stage.pinterest().change_policy(|policy| policy.rotation = Rotation::DeadAtOnce).unwrap();
    for number in 0..6 {
        stage.connect(&format!("person-{number}")).await;
    }
    let before = calls(&stage, Operation::Token);
    let workers = [worker(&stage, days(24)), worker(&stage, days(24)), worker(&stage, days(24))];

    let deadline = Instant::now() + Duration::from_secs(300);
    let ticks = join_all(workers.iter().map(|worker| worker.tick(Tick::Due, deadline))).await;

    ticks.into_iter().for_each(Result::unwrap);
    assert_eq!(calls(&stage, Operation::Token) - before, 6);
}

#[tokio::test]
async fn a_worker_that_ends_in_the_middle_of_a_refresh_costs_no_channel() {
    let (stage, channel) = Stage::connected().await;
    for kind in [FaultKind::HangAfter, FaultKind::HangBefore] {
        let pin = refused(&stage, &channel, "Renewed").await;
        inject(&stage, Operation::Token, kind, 1);
        let before = calls(&stage, Operation::Token);
        tokio::select! {
            _ = stage.stack.tick() => panic!("it hangs"),
            () = until(|| calls(&stage, Operation::Token) > before) => {}
        }

        stage.stack.tick().await.unwrap();
        assert_eq!(calls(&stage, Operation::Token), before + 1, "the lease is not over");
        stage.advance(minutes(5)).await;

        is_connected(&stage, &channel).await;
        assert_eq!(calls(&stage, Operation::Token), before + 2);
        assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "published");
    }
    assert_eq!(told(&stage, "channel.reconnect_required").await, 0);
}
