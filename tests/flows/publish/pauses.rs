//! Pauses after rate limits and spam blocks: which channels pause, for how long, and which do not.

use serde_json::json;
use simulated_pinterest::{Environment, FaultKind};

use crate::{
    harness::{TestApp, days, id, minutes, seconds, waits},
    publish::waiting::{inject, published, wait},
};

/// A channel of another tenant, for another account.
async fn second_channel(app: &TestApp) -> String {
    let end = app.decide(&app.start_oauth("bob").await, "decision=allow&account=second_account").await;
    let ticket = json!({"connection": end.split_once("#connection=").unwrap().1});
    let channel = app.post("/api/v1/connections/claim", "bob", ticket).await.expect(201);
    app.choose_board("bob", channel["id"].as_str().unwrap()).await;
    id(&channel)
}

#[tokio::test]
async fn a_short_rate_limit_makes_a_pin_wait_and_go_out_when_it_ends() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::RateLimited { reset: 30 });

    let first = app.publish("ada", &channel, "First").await.expect(202);
    waits(&first, "quota");
    assert!((28..=33).contains(&wait(&app, &first)), "{first}");
    let (_, fraction) = first["retry_at"].as_str().unwrap().split_once('.').unwrap_or(("", "Z"));
    assert!(fraction.len() <= 4, "whole milliseconds: {first}");
    let second = app.publish("ada", &channel, "Second").await.expect(202);
    waits(&second, "quota");
    assert_eq!(app.send_count(), 1, "the channel rests: nothing is sent to be refused");

    app.advance(seconds(25)).await;
    assert_eq!(app.send_count(), 1);
    app.advance(seconds(15)).await;
    published(&app, "ada", &first, "First").await;
    published(&app, "ada", &second, "Second").await;
    assert_eq!(app.send_count(), 3);
}

#[tokio::test]
async fn a_short_rate_limit_does_not_stop_other_channels() {
    let (app, ada) = TestApp::start_connected().await;
    let bob = second_channel(&app).await;
    inject(&app, FaultKind::RateLimited { reset: 30 });
    app.publish("ada", &ada, "Ada's").await.expect(202);

    app.publish("bob", &bob, "Bob's").await.expect(201);
}

#[tokio::test]
async fn a_long_rate_limit_stops_all_channels_of_the_app_without_a_call() {
    let (app, ada) = TestApp::start_connected().await;
    let bob = second_channel(&app).await;
    inject(&app, FaultKind::RateLimited { reset: 67150 });

    let first = app.publish("ada", &ada, "Ada's").await.expect(202);
    let second = app.publish("bob", &bob, "Bob's").await.expect(202);

    for pin in [&first, &second] {
        waits(pin, "quota");
        assert!((67_140..=73_866).contains(&wait(&app, pin)), "{pin}");
    }
    assert_eq!(app.send_count(), 1);
    app.advance(seconds(67_100)).await;
    assert_eq!(app.send_count(), 1);
    app.advance(seconds(6_800)).await;
    published(&app, "ada", &first, "Ada's").await;
    published(&app, "bob", &second, "Bob's").await;
    assert_eq!(app.send_count(), 3);
}

#[tokio::test]
async fn spam_holds_the_whole_channel_longer_each_time() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::Spam);
    let held_pin = app.publish("ada", &channel, "Held").await.expect(202);
    waits(&held_pin, "spam_hold");

    let holds = [10 * 60, 60 * 60, 6 * 60 * 60, 24 * 60 * 60, 24 * 60 * 60];
    for (number, hold) in holds.into_iter().enumerate() {
        let pin = app.pin("ada", &id(&held_pin)).await;
        waits(&pin, "spam_hold");
        // Some seconds pass between the pause and this check, and more on a slow machine.
        let remaining = wait(&app, &pin);
        assert!((hold - 60..=hold).contains(&remaining), "hold {number}: {remaining} s are left: {pin}");
        let calls = app.pinterest().calls().len();
        let other = app.publish("ada", &channel, &format!("Other {number}")).await.expect(202);
        waits(&other, "spam_hold");
        assert_eq!(app.pinterest().calls().len(), calls, "nothing is asked while the channel rests");
        inject(&app, if number % 2 == 0 { FaultKind::SpamBlock } else { FaultKind::Spam });
        app.advance(seconds(wait(&app, &pin) - 5)).await;
        assert_eq!(app.send_count(), number + 1);
        app.advance(seconds(10)).await;
        assert_eq!(app.send_count(), number + 2, "one try, and the hold is on again");
    }

    app.pinterest().clear_faults();
    app.advance(days(1) + seconds(10)).await;
    published(&app, "ada", &held_pin, "Held").await;
    for number in 0..holds.len() {
        assert_eq!(app.at_pinterest(&format!("Other {number}")), 1);
    }
}

#[tokio::test]
async fn a_pin_that_was_taken_for_spam_is_tried_after_those_that_were_held_with_it() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::SpamBlock);
    for title in ["Suspect", "Second", "Third"] {
        app.publish("ada", &channel, title).await.expect(202);
    }

    app.advance(minutes(11)).await;

    let newest_first = app.pinterest().pins(Environment::Sandbox);
    let titles: Vec<_> = newest_first.iter().rev().filter_map(|pin| pin.title.as_deref()).collect();
    assert_eq!(titles, ["Second", "Third", "Suspect"]);
}

#[tokio::test]
async fn holds_begin_with_the_shortest_after_a_day_without_spam() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::SpamBlock);
    app.publish("ada", &channel, "First").await.expect(202);
    app.advance(minutes(11)).await;
    assert_eq!(app.at_pinterest("First"), 1);
    app.advance(days(1)).await;

    inject(&app, FaultKind::SpamBlock);
    let second = app.publish("ada", &channel, "Second").await.expect(202);
    assert!((595..=605).contains(&wait(&app, &second)), "{second}");
}

#[tokio::test]
async fn a_spam_hold_is_the_accounts_alone() {
    let (app, ada) = TestApp::start_connected().await;
    let bob = second_channel(&app).await;
    inject(&app, FaultKind::SpamBlock);
    app.publish("ada", &ada, "Ada's").await.expect(202);

    app.publish("bob", &bob, "Bob's").await.expect(201);
}

#[tokio::test]
async fn connecting_again_does_not_end_a_spam_hold() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::SpamBlock);
    let held_pin = app.publish("ada", &channel, "Held").await.expect(202);

    assert_eq!(app.connect("ada").await, channel);
    app.advance(minutes(5)).await;

    waits(&app.pin("ada", &id(&held_pin)).await, "spam_hold");
    assert_eq!(app.send_count(), 1);
    app.advance(minutes(6)).await;
    published(&app, "ada", &held_pin, "Held").await;
}
