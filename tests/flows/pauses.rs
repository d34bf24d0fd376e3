//! Rate limits and spam holds: who rests, for how long, and who does not.

use serde_json::json;
use simulated_pinterest::{Environment, FaultKind};

use crate::{
    stage::{Stage, days, id, minutes, seconds, waits},
    waiting::{inject, published, wait},
};

/// A channel of another tenant's, for another account.
async fn second_channel(stage: &Stage) -> String {
    let end = stage.decide(&stage.start("bob").await, "decision=allow&account=second_account").await;
    let ticket = json!({"connection": end.split_once("#connection=").unwrap().1});
    let channel = stage.post("/api/v1/connections/claim", "bob", ticket).await.expect(201);
    stage.choose_board("bob", channel["id"].as_str().unwrap()).await;
    id(&channel)
}

#[tokio::test]
async fn a_short_rate_limit_makes_a_pin_wait_and_go_out_when_it_ends() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::RateLimited { reset: 30 });

    let first = stage.publish("ada", &channel, "First").await.expect(202);
    waits(&first, "quota");
    assert!((28..=33).contains(&wait(&stage, &first)), "{first}");
    let second = stage.publish("ada", &channel, "Second").await.expect(202);
    waits(&second, "quota");
    assert_eq!(stage.sent(), 1, "the channel rests: nothing is sent to be refused");

    stage.advance(seconds(25)).await;
    assert_eq!(stage.sent(), 1);
    stage.advance(seconds(15)).await;
    published(&stage, "ada", &first, "First").await;
    published(&stage, "ada", &second, "Second").await;
    assert_eq!(stage.sent(), 3);
}

#[tokio::test]
async fn a_short_rate_limit_does_not_stop_other_channels() {
    let (stage, ada) = Stage::connected().await;
    let bob = second_channel(&stage).await;
    inject(&stage, FaultKind::RateLimited { reset: 30 });
    stage.publish("ada", &ada, "Ada's").await.expect(202);

    stage.publish("bob", &bob, "Bob's").await.expect(201);
}

#[tokio::test]
async fn a_long_rate_limit_stops_all_channels_of_the_app_without_a_call() {
    let (stage, ada) = Stage::connected().await;
    let bob = second_channel(&stage).await;
    inject(&stage, FaultKind::RateLimited { reset: 67150 });

    let first = stage.publish("ada", &ada, "Ada's").await.expect(202);
    let second = stage.publish("bob", &bob, "Bob's").await.expect(202);

    for pin in [&first, &second] {
        waits(pin, "quota");
        assert!((67_140..=73_866).contains(&wait(&stage, pin)), "{pin}");
    }
    assert_eq!(stage.sent(), 1);
    stage.advance(seconds(67_100)).await;
    assert_eq!(stage.sent(), 1);
    stage.advance(seconds(6_800)).await;
    published(&stage, "ada", &first, "Ada's").await;
    published(&stage, "bob", &second, "Bob's").await;
    assert_eq!(stage.sent(), 3);
}

#[tokio::test]
async fn spam_holds_the_whole_channel_longer_each_time() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::Spam);
    let held = stage.publish("ada", &channel, "Held").await.expect(202);
    waits(&held, "spam_hold");

    let holds = [10 * 60, 60 * 60, 6 * 60 * 60, 24 * 60 * 60, 24 * 60 * 60];
    for (number, hold) in holds.into_iter().enumerate() {
        let pin = stage.pin("ada", &id(&held)).await;
        waits(&pin, "spam_hold");
        // It is said seconds before it is looked at here, or more on a slow machine.
        let left = wait(&stage, &pin);
        assert!((hold - 60..=hold).contains(&left), "hold {number}: {left} s are left: {pin}");
        let calls = stage.pinterest().calls().len();
        let other = stage.publish("ada", &channel, &format!("Other {number}")).await.expect(202);
        waits(&other, "spam_hold");
        assert_eq!(stage.pinterest().calls().len(), calls, "nothing is asked while the channel rests");
        inject(&stage, if number % 2 == 0 { FaultKind::SpamBlock } else { FaultKind::Spam });
        stage.advance(seconds(wait(&stage, &pin) - 5)).await;
        assert_eq!(stage.sent(), number + 1);
        stage.advance(seconds(10)).await;
        assert_eq!(stage.sent(), number + 2, "one try, and the hold is on again");
    }

    stage.pinterest().clear_faults();
    stage.advance(days(1) + seconds(10)).await;
    published(&stage, "ada", &held, "Held").await;
    for number in 0..holds.len() {
        assert_eq!(stage.at_pinterest(&format!("Other {number}")), 1);
    }
}

#[tokio::test]
async fn a_pin_that_was_taken_for_spam_is_tried_after_those_that_were_held_with_it() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::SpamBlock);
    for title in ["Suspect", "Second", "Third"] {
        stage.publish("ada", &channel, title).await.expect(202);
    }

    stage.advance(minutes(11)).await;

    let newest_first = stage.pinterest().pins(Environment::Sandbox);
    let titles: Vec<_> = newest_first.iter().rev().filter_map(|pin| pin.title.as_deref()).collect();
    assert_eq!(titles, ["Second", "Third", "Suspect"]);
}

#[tokio::test]
async fn after_a_day_in_peace_holds_begin_from_the_start() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::SpamBlock);
    stage.publish("ada", &channel, "First").await.expect(202);
    stage.advance(minutes(11)).await;
    assert_eq!(stage.at_pinterest("First"), 1);
    stage.advance(days(1)).await;

    inject(&stage, FaultKind::SpamBlock);
    let second = stage.publish("ada", &channel, "Second").await.expect(202);
    assert!((595..=605).contains(&wait(&stage, &second)), "{second}");
}

#[tokio::test]
async fn a_spam_hold_is_the_accounts_alone() {
    let (stage, ada) = Stage::connected().await;
    let bob = second_channel(&stage).await;
    inject(&stage, FaultKind::SpamBlock);
    stage.publish("ada", &ada, "Ada's").await.expect(202);

    stage.publish("bob", &bob, "Bob's").await.expect(201);
}

#[tokio::test]
async fn connecting_again_does_not_end_a_spam_hold() {
    let (stage, channel) = Stage::connected().await;
    inject(&stage, FaultKind::SpamBlock);
    let held = stage.publish("ada", &channel, "Held").await.expect(202);

    assert_eq!(stage.connect("ada").await, channel);
    stage.advance(minutes(5)).await;

    waits(&stage.pin("ada", &id(&held)).await, "spam_hold");
    assert_eq!(stage.sent(), 1);
    stage.advance(minutes(6)).await;
    published(&stage, "ada", &held, "Held").await;
}
