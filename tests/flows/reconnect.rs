//! What ends a channel and what does not, and how its owner gets it back, with all that waited for it.

use serde_json::{Value, json};
use simulated_pinterest::{DeadRefreshToken, Environment, FaultKind, Operation, Rotation};

use crate::{
    stage::{APP_SECRET, PINS, Stage, days, id, minutes, pin, seconds, waits},
    tokens::{
        LONG, access_expires_at, calls, hurry, inject, is_connected, is_lost, is_renewed, rotating, told,
    },
};

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
async fn weeks_without_a_token_endpoint_end_a_channel_only_with_its_refresh_token_after_three_warnings() {
    let stage = Stage::configured().await;
    // At noon, far from the daily roll-call: one of them has to come in the last day, less what is left of it below.
    let noon = seconds(86_400 - (stage.stack.now().as_second() - 43_200).rem_euclid(86_400));
    stage.advance(noon).await;
    let channel = stage.connect("ada").await;
    stage.choose_board("ada", &channel).await;
    stage.advance(days(22)).await;
    // As good as an outage, but it asks for a day's patience each time: fewer steps for the test.
    inject(&stage, Operation::Token, FaultKind::RateLimited { reset: 86_400 }, LONG);
    stage.advance(days(9)).await;
    let mut urgent = pin(&channel, "Urgent");
    urgent["publish_within"] = json!("PT2M");
    let urgent = stage.post(PINS, "ada", urgent).await.expect(202);
    waits(&urgent, "token_refresh");

    stage.advance(days(29) - minutes(10)).await;
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
