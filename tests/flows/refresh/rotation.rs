//! Refreshing tokens through rotations, lost answers and outages, and the Pins that wait for new tokens.

use std::{collections::BTreeSet, time::Duration};

use app::handlers::RefreshJob;
use futures::future::join_all;
use serde_json::json;
use simulated_pinterest::{FaultKind, Operation, Rotation, TokenAnswer};
use tokio::time::Instant;

use crate::{
    harness::token_faults::{
        LONG, access_expires_at, calls, event_count, inject, is_connected, is_renewed, make_tokens_due,
        refused, rotating,
    },
    harness::{TestApp, days, id, minutes, until, waits},
};

/// Checks that tokens are refreshed every 22 to 23 days, and that the channel stays connected.
async fn survives(rotation: Rotation, number: i64) {
    let (app, channel) = rotating(rotation).await;
    let before = calls(&app, Operation::Token);

    app.advance(days(number)).await;

    is_renewed(&app, &channel).await;
    let refreshes = i64::try_from(calls(&app, Operation::Token) - before).unwrap();
    assert!((number / 23..=number / 22).contains(&refreshes), "{refreshes}");
    app.publish("ada", &channel, "Still here").await.expect(201);
    assert_eq!(app.at_pinterest("Still here"), 1);
    assert_eq!(
        (event_count(&app, "channel.reconnect_required").await, event_count(&app, "token.expiring").await),
        (0, 0)
    );
}

#[tokio::test]
async fn a_channel_lives_200_days_if_old_tokens_die_at_once() {
    survives(Rotation::DeadAtOnce, 200).await;
}

#[tokio::test]
async fn a_channel_outlives_its_first_tokens_if_old_tokens_work_until_the_new_ones_are_used() {
    survives(Rotation::OldUntilNewUsed, 65).await;
}

#[tokio::test]
async fn a_channel_outlives_its_first_tokens_if_old_tokens_have_a_grace_period() {
    survives(Rotation::Grace { seconds: 60 }, 65).await;
}

#[tokio::test]
async fn a_channel_is_renewed_by_a_refresh_token_that_no_other_replaces() {
    survives(Rotation::None, 50).await;
}

#[tokio::test]
async fn new_tokens_are_taken_with_201_and_without_their_scopes() {
    let app = TestApp::start_configured().await;
    let answer = TokenAnswer { is_created: true, has_scope: false };
    app.pinterest().change_policy(|policy| policy.token_answer = answer).unwrap();
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;

    app.advance(days(25)).await;

    is_renewed(&app, &channel).await;
    assert_eq!(app.channel("ada", &channel).await["missing_scopes"], json!([]));
    app.publish("ada", &channel, "Still here").await.expect(201);
}

#[tokio::test]
async fn lost_answers_to_a_refresh_cost_no_channel_if_old_tokens_still_work() {
    for rotation in [Rotation::OldUntilNewUsed, Rotation::Grace { seconds: 3600 }] {
        let (app, channel) = rotating(rotation).await;
        let (before, first) = (calls(&app, Operation::Token), access_expires_at(&app, &channel).await);
        for kind in
            [FaultKind::CutAfter, FaultKind::Status500After, FaultKind::Garbage, FaultKind::CutInAnswer]
        {
            inject(&app, Operation::Token, kind, 1);
        }
        make_tokens_due(&app, &channel).await;

        app.advance(minutes(20)).await;

        is_connected(&app, &channel).await;
        assert_eq!(calls(&app, Operation::Token), before + 5);
        let second = access_expires_at(&app, &channel).await;
        assert!(second > first);
        // The stored pair is the newest one: it can be used and refreshed.
        make_tokens_due(&app, &channel).await;
        app.advance(minutes(3)).await;
        assert_eq!(calls(&app, Operation::Token), before + 6);
        assert!(access_expires_at(&app, &channel).await > second);
        app.publish("ada", &channel, "Still here").await.expect(201);
        assert_eq!(event_count(&app, "channel.reconnect_required").await, 0);
    }
}

#[tokio::test]
async fn three_days_without_a_token_endpoint_disturb_nobody() {
    let (app, channel) = TestApp::start_connected().await;
    let first = access_expires_at(&app, &channel).await;
    inject(&app, Operation::Token, FaultKind::Status500Before, LONG);
    make_tokens_due(&app, &channel).await;
    app.advance(days(3)).await;

    is_connected(&app, &channel).await;
    assert_eq!(access_expires_at(&app, &channel).await, first);
    app.publish("ada", &channel, "During").await.expect(201);

    app.pinterest().clear_faults();
    app.advance(minutes(6 * 60)).await;
    is_connected(&app, &channel).await;
    assert!(access_expires_at(&app, &channel).await > first + days(3));
    assert_eq!(
        (event_count(&app, "channel.reconnect_required").await, event_count(&app, "token.expiring").await),
        (0, 0)
    );
}

#[tokio::test]
async fn tokens_are_refreshed_while_the_integration_is_switched_off() {
    let (app, channel) = TestApp::start_connected().await;
    app.save(json!({"status": "disabled"})).await;

    app.advance(days(31)).await;

    is_renewed(&app, &channel).await;
    app.save(json!({"status": "enabled"})).await;
    app.publish("ada", &channel, "Back").await.expect(201);
}

#[tokio::test]
async fn an_access_token_that_is_refused_is_renewed_by_the_next_tick_and_the_pin_goes_out_once() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, Operation::CreatePin, FaultKind::Unauthorized, 1);
    let before = calls(&app, Operation::Token);
    let pin = app.publish("ada", &channel, "Renewed").await.expect(202);
    waits(&pin, "token_refresh");
    assert!(pin["retry_at"].is_string(), "{pin}");

    app.stack.tick().await.unwrap();
    assert_eq!(calls(&app, Operation::Token), before + 1);
    app.advance(minutes(2)).await;

    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "published");
    assert_eq!((app.at_pinterest("Renewed"), calls(&app, Operation::CreatePin)), (1, 2));
    assert_eq!(calls(&app, Operation::Token), before + 1);
    is_connected(&app, &channel).await;
}

/// While it is unknown whether the token is valid, the Pin is not given up before its week is over.
#[tokio::test]
async fn a_pin_waits_for_its_token_as_long_as_the_token_endpoint_is_down() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, Operation::CreatePin, FaultKind::Unauthorized, LONG);
    inject(&app, Operation::Token, FaultKind::Status500Before, LONG);
    let pin = app.publish("ada", &channel, "Patient").await.expect(202);

    app.advance(minutes(150)).await;

    waits(&app.pin("ada", &id(&pin)).await, "token_refresh");
    is_connected(&app, &channel).await;
    app.pinterest().clear_faults();
    // The longest backoff of a refresh.
    app.advance(minutes(360)).await;
    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "published");
    assert_eq!(app.at_pinterest("Patient"), 1);
}

#[tokio::test]
async fn pins_that_wait_for_a_token_do_not_hurry_a_refresh_that_backs_off() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, Operation::CreatePin, FaultKind::Unauthorized, LONG);
    inject(&app, Operation::Token, FaultKind::RateLimited { reset: 3600 }, LONG);
    app.publish("ada", &channel, "Refused").await.expect(202);
    let before = calls(&app, Operation::Token);

    app.advance(minutes(50)).await;

    assert_eq!(calls(&app, Operation::Token), before + 1, "Pinterest asked not to be asked for an hour");
}

#[tokio::test]
async fn pins_that_wait_for_an_expired_token_do_not_hurry_its_refresh_either() {
    let (app, channel) = TestApp::start_connected().await;
    app.advance(days(22)).await;
    inject(&app, Operation::Token, FaultKind::RateLimited { reset: 86_400 }, LONG);
    app.advance(days(8) + minutes(5)).await;
    let pin = app.publish("ada", &channel, "Waiting").await.expect(202);
    waits(&pin, "token_refresh");
    let before = calls(&app, Operation::Token);

    app.advance(minutes(30)).await;

    let new_calls = calls(&app, Operation::Token) - before;
    assert!(
        new_calls <= 1,
        "{new_calls} refreshes in half an hour, and Pinterest asked for a day's patience"
    );
    // The number of waiting Pins causes no calls. Nothing can be done before the next refresh.
    let mut checks = BTreeSet::new();
    for _ in 0..6 {
        app.advance(minutes(1)).await;
        checks.insert(app.pin("ada", &id(&pin)).await["retry_at"].to_string());
    }
    assert!(checks.len() <= 3, "in six minutes the Pin was put off to {checks:?}");
}

#[tokio::test]
async fn workers_at_once_refresh_each_channel_once() {
    let app = TestApp::start_configured().await;
    app.pinterest().change_policy(|policy| policy.rotation = Rotation::DeadAtOnce).unwrap();
    for number in 0..6 {
        app.connect(&format!("person-{number}")).await;
    }
    let before = calls(&app, Operation::Token);
    let workers = [days(24); 3].map(|offset| app.functions(offset).refresh);

    let deadline = Instant::now() + Duration::from_secs(300);
    let ticks = join_all(workers.iter().map(|worker| worker.run(RefreshJob::Tick, deadline))).await;

    ticks.into_iter().for_each(Result::unwrap);
    assert_eq!(calls(&app, Operation::Token) - before, 6);
}

#[tokio::test]
async fn a_rate_limit_ends_the_minute_for_those_who_were_not_asked_for_yet() {
    let app = TestApp::start_configured().await;
    for number in 0..24 {
        app.connect(&format!("person-{number}")).await;
    }
    inject(&app, Operation::Token, FaultKind::RateLimited { reset: 60 }, LONG);
    let before = calls(&app, Operation::Token);
    let deadline = || Instant::now() + Duration::from_secs(300);

    app.functions(days(24)).refresh.run(RefreshJob::Tick, deadline()).await.unwrap();
    let limited = calls(&app, Operation::Token) - before;
    assert!((1..=16).contains(&limited), "{limited} of 24: those that were under way, and no more");

    app.pinterest().clear_faults();
    app.functions(days(24) + minutes(30)).refresh.run(RefreshJob::Tick, deadline()).await.unwrap();
    assert_eq!(calls(&app, Operation::Token) - before, limited + 24, "all have a new pair");
}

#[tokio::test]
async fn a_worker_that_ends_in_the_middle_of_a_refresh_costs_no_channel() {
    let (app, channel) = TestApp::start_connected().await;
    for kind in [FaultKind::HangAfter, FaultKind::HangBefore] {
        let pin = refused(&app, &channel, "Renewed").await;
        inject(&app, Operation::Token, kind, 1);
        let before = calls(&app, Operation::Token);
        tokio::select! {
            _ = app.stack.tick() => panic!("it hangs"),
            () = until(|| calls(&app, Operation::Token) > before) => {}
        }

        app.stack.tick().await.unwrap();
        assert_eq!(calls(&app, Operation::Token), before + 1, "the lease is not over");
        app.advance(minutes(5)).await;

        is_connected(&app, &channel).await;
        assert_eq!(calls(&app, Operation::Token), before + 2);
        assert_eq!(app.pin("ada", &id(&pin)).await["state"], "published");
    }
    assert_eq!(event_count(&app, "channel.reconnect_required").await, 0);
}
