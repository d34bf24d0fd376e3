//! Keeping tokens alive through rotations, lost answers and outages, and the Pins that wait for a new one.

use std::{collections::BTreeSet, time::Duration};

use app::functions::Tick;
use futures::future::join_all;
use serde_json::json;
use simulated_pinterest::{FaultKind, Operation, Rotation};
use tokio::time::Instant;

use crate::{
    stage::{Stage, days, id, minutes, until, waits},
    tokens::{
        LONG, access_expires_at, calls, hurry, inject, is_connected, is_renewed, refused, rotating, told,
    },
};

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
    let workers = [days(24); 3].map(|ahead| stage.functions(ahead).refresh);

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
