//! What disconnects a channel and what does not, and how the owner connects it again, with the Pins that waited.

use domain::{AppSecret, Pin, PinId, PinRecord, TenantId};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{DeadRefreshToken, Environment, FaultKind, Operation, Rotation};
use store::WriteOutcome;

use crate::{
    harness::token_faults::{
        LONG, access_expires_at, calls, event_count, inject, is_connected, is_lost, is_renewed,
        make_tokens_due, rotating,
    },
    harness::{APP_ID, APP_SECRET, CLAIM, PINS, TestApp, days, id, minutes, network, pin, seconds, waits},
    refresh::sealing_keys::pair as stored_pair,
};

#[tokio::test]
async fn a_lost_answer_ends_a_channel_if_the_old_token_dies_at_once_and_its_pins_wait() {
    let (app, channel) = rotating(Rotation::DeadAtOnce).await;
    inject(&app, Operation::Token, FaultKind::CutAfter, 1);
    app.advance(days(24)).await;

    is_lost(&app, &channel, "refresh_token_rejected").await;
    app.publish("ada", &channel, "Meanwhile").await.expect(201); // the access token is used until its end

    app.advance(days(7)).await;
    let now = app.stack.now();
    let schedule = async |title, at| app.schedule("ada", &channel, title, at).await.expect(202);
    let mut pins = vec![schedule("Third", now + minutes(20)).await];
    pins.push(app.publish("ada", &channel, "First").await.expect(202));
    waits(&pins[1], "reconnect");
    assert_eq!(pins[1]["retry_at"], Value::Null);
    pins.push(schedule("Second", now + minutes(10)).await);
    app.advance(minutes(30)).await;
    for waiting in &pins {
        waits(&app.pin("ada", &id(waiting)).await, "reconnect");
    }
    assert_eq!(event_count(&app, "channel.reconnect_required").await, 1);
    let calls_before = calls(&app, Operation::CreatePin);

    assert_eq!(app.connect("ada").await, channel);
    app.stack.tick().await.unwrap();

    is_renewed(&app, &channel).await;
    let remote_titles = app.pinterest().pins(Environment::Sandbox);
    let remote_titles: Vec<_> = remote_titles.into_iter().rev().filter_map(|pin| pin.title).collect();
    assert_eq!(remote_titles, ["Meanwhile", "First", "Second", "Third"]);
    assert_eq!(calls(&app, Operation::CreatePin), calls_before + 3);
    assert_eq!(event_count(&app, "channel.connected").await, 2);
    let events = app.stack.events().await.unwrap();
    let event = events.iter().find(|event| event.detail_type == "channel.reconnect_required").unwrap();
    assert_eq!(
        (&event.detail["cause"], &event.detail["channel_id"]),
        (&json!("refresh_token_rejected"), &json!(channel))
    );
}

#[tokio::test]
async fn weeks_without_a_token_endpoint_end_a_channel_only_with_its_refresh_token_after_three_warnings() {
    let app = TestApp::start_configured().await;
    // At noon, far from the daily check: one daily check has to come in the last day, less what is left of it below.
    let noon = seconds(86_400 - (app.stack.now().as_second() - 43_200).rem_euclid(86_400));
    app.advance(noon).await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    app.advance(days(22)).await;
    // Like an outage, but each answer asks for a wait of one day. This needs fewer steps of the test.
    inject(&app, Operation::Token, FaultKind::RateLimited { reset: 86_400 }, LONG);
    app.advance(days(9)).await;
    let mut urgent = pin(&channel, "Urgent");
    urgent["publish_within"] = json!("PT2M");
    let urgent = app.post(PINS, "ada", urgent).await.expect(202);
    waits(&urgent, "token_refresh");

    app.advance(days(29) - minutes(10)).await;
    is_connected(&app, &channel).await;
    let urgent = app.pin("ada", &id(&urgent)).await;
    assert_eq!(urgent["error"]["code"], "too_late", "{urgent}");
    let events = app.stack.events().await.unwrap();
    let warnings = events.iter().filter(|event| event.detail_type == "token.expiring");
    let warnings: Vec<_> = warnings.map(|event| event.detail["expires_in_days"].clone()).collect();
    assert_eq!(warnings, [14, 7, 1]);
    assert_eq!(event_count(&app, "channel.reconnect_required").await, 0);

    app.advance(days(2)).await; // the last try may come a day after the token has expired
    is_lost(&app, &channel, "refresh_token_expired").await;
    assert_eq!(event_count(&app, "channel.reconnect_required").await, 1);
    let held_pin = app.publish("ada", &channel, "Held").await.expect(202);
    waits(&held_pin, "reconnect");

    app.pinterest().clear_faults();
    app.connect("ada").await;
    app.stack.tick().await.unwrap();
    assert_eq!(app.at_pinterest("Held"), 1);
}

#[tokio::test]
async fn a_revoked_app_ends_a_channel_at_the_second_refusal() {
    for refusal in [DeadRefreshToken::Unauthorized, DeadRefreshToken::BadRequest] {
        let (app, channel) = TestApp::start_connected().await;
        app.pinterest().change_policy(|policy| policy.dead_refresh_token = refusal).unwrap();
        app.pinterest().revoke("demo_account").unwrap();

        let pin = app.publish("ada", &channel, "Waiting").await.expect(202);
        waits(&pin, "token_refresh");
        let before = calls(&app, Operation::Token);
        app.stack.tick().await.unwrap();
        assert_eq!(calls(&app, Operation::Token), before + 1);
        is_connected(&app, &channel).await;
        app.advance(minutes(3)).await;
        is_connected(&app, &channel).await;
        assert_eq!(event_count(&app, "channel.reconnect_required").await, 0);

        app.advance(minutes(5)).await;
        is_lost(&app, &channel, "refresh_token_rejected").await;
        waits(&app.pin("ada", &id(&pin)).await, "reconnect");
        assert_eq!(event_count(&app, "channel.reconnect_required").await, 1);

        app.connect("ada").await;
        app.stack.tick().await.unwrap();
        assert_eq!(app.pin("ada", &id(&pin)).await["state"], "published");
        assert_eq!(app.at_pinterest("Waiting"), 1);
    }
}

#[tokio::test]
async fn a_pin_with_an_unknown_outcome_is_checked_after_a_reconnection() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, Operation::CreatePin, FaultKind::CutAfter, 1);
    let pin = app.publish("ada", &channel, "Doubt").await.expect(202);
    app.pinterest().revoke("demo_account").unwrap();
    app.advance(minutes(20)).await;
    is_lost(&app, &channel, "refresh_token_rejected").await;
    waits(&app.pin("ada", &id(&pin)).await, "outcome_unknown");

    app.connect("ada").await;
    app.stack.tick().await.unwrap();

    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "published");
    assert_eq!((app.at_pinterest("Doubt"), calls(&app, Operation::CreatePin)), (1, 1));
}

#[tokio::test]
async fn a_wrong_app_secret_costs_no_channel() {
    let (app, channel) = TestApp::start_connected().await;
    let first = access_expires_at(&app, &channel).await;
    app.save(json!({"app_secret": "not-the-secret"})).await;
    app.advance(minutes(2)).await; // functions cache settings for at most a minute
    make_tokens_due(&app, &channel).await;
    app.advance(minutes(12 * 60)).await;

    is_connected(&app, &channel).await;
    assert_eq!(access_expires_at(&app, &channel).await, first);
    app.publish("ada", &channel, "During").await.expect(201);

    app.save(json!({"app_secret": APP_SECRET})).await;
    app.advance(minutes(6 * 60)).await;
    is_connected(&app, &channel).await;
    assert!(access_expires_at(&app, &channel).await > first);
    assert_eq!(event_count(&app, "channel.reconnect_required").await, 0);
}

#[tokio::test]
async fn a_refusal_that_may_be_the_secrets_fault_is_undone_by_a_later_success() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().change_policy(|policy| policy.client_credentials = false).unwrap();
    let first = access_expires_at(&app, &channel).await;
    inject(&app, Operation::Token, FaultKind::Unauthorized, 2);
    inject(&app, Operation::Token, FaultKind::Scope, 1); // the credential check gets no clear answer
    inject(&app, Operation::Token, FaultKind::Unauthorized, 1);
    inject(&app, Operation::UserAccount, FaultKind::Unauthorized, 1);
    make_tokens_due(&app, &channel).await;
    app.advance(minutes(10)).await;
    is_lost(&app, &channel, "token_refused").await;

    app.advance(days(1)).await;

    is_connected(&app, &channel).await;
    assert!(access_expires_at(&app, &channel).await > first);
    let mut kinds = app.event_kinds().await;
    kinds.retain(|kind| kind.starts_with("channel."));
    assert_eq!(kinds, ["channel.connected", "channel.reconnect_required", "channel.recovered"]);
}

#[tokio::test]
async fn refusals_that_do_not_name_a_dead_grant_never_end_a_channel() {
    let refused =
        |status, code, message: &str| FaultKind::Refused { status, code, message: message.to_owned() };
    for kind in [
        refused(400, 12, "Sorry! Something went wrong on our end."),
        refused(401, 2, "Sorry! Something went wrong on our end."),
        refused(404, 404, "Not found."),
        refused(403, 403, "Temporarily unavailable."),
        refused(400, 1, "grant_type is invalid."),
        refused(401, 401, "Unauthorized"),
    ] {
        let (app, channel) = TestApp::start_connected().await;
        let first = access_expires_at(&app, &channel).await;
        // `client_credentials` works all the while: only the refreshes are refused.
        inject(&app, Operation::Token, kind.clone(), 4);
        make_tokens_due(&app, &channel).await;

        app.advance(days(2)).await;

        is_connected(&app, &channel).await;
        assert!(access_expires_at(&app, &channel).await > first, "{kind:?}");
        assert_eq!(event_count(&app, "channel.reconnect_required").await, 0, "{kind:?}");
    }
}

#[tokio::test]
async fn refusals_for_scope_and_rate_limits_at_a_refresh_never_change_the_status() {
    let (app, channel) = TestApp::start_connected().await;
    let first = access_expires_at(&app, &channel).await;
    inject(&app, Operation::Token, FaultKind::Scope, 5);
    inject(&app, Operation::Token, FaultKind::RateLimited { reset: 600 }, 3);
    inject(&app, Operation::Token, FaultKind::SpamBlock, 2);
    let before = calls(&app, Operation::Token);
    make_tokens_due(&app, &channel).await;

    app.advance(days(2)).await;
    is_connected(&app, &channel).await;
    assert!(access_expires_at(&app, &channel).await > first);
    assert_eq!(calls(&app, Operation::Token), before + 11);
    assert_eq!(event_count(&app, "channel.reconnect_required").await, 0);
}

#[tokio::test]
async fn of_two_consents_the_newer_one_stays_whichever_is_claimed_last() {
    for newer_first in [true, false] {
        let (app, channel) = rotating(Rotation::DeadAtOnce).await;
        app.advance(minutes(1)).await;
        let older = app.ticket("ada").await;
        app.advance(minutes(5)).await;
        let newer = app.ticket("ada").await;
        app.advance(minutes(1)).await;
        let expected = app.stack.now() + days(30) - minutes(1);

        let order = if newer_first { [&newer, &older] } else { [&older, &newer] };
        for ticket in order {
            // Repeated, as after a lost answer.
            for _ in 0..2 {
                let claimed = app.post(CLAIM, "ada", json!({ "connection": ticket })).await.expect(200);
                assert_eq!(claimed["id"], channel.as_str());
            }
        }

        let expires_at = access_expires_at(&app, &channel).await;
        assert!(
            expires_at.duration_since(expected).abs() < seconds(5),
            "{newer_first}: {expires_at} {expected}"
        );
        app.publish("ada", &channel, "Afterwards").await.expect(201);
        app.advance(days(24)).await;
        is_renewed(&app, &channel).await;
    }
}

#[tokio::test]
async fn an_older_consent_that_is_claimed_last_is_tried_when_the_newer_one_is_refused() {
    let (app, channel) = rotating(Rotation::DeadAtOnce).await;
    let older = app.ticket("ada").await;
    app.advance(minutes(5)).await;
    let newer = app.ticket("ada").await;
    app.post(CLAIM, "ada", json!({ "connection": newer })).await.expect(200);
    app.post(CLAIM, "ada", json!({ "connection": older })).await.expect(200);

    app.advance(minutes(5)).await;
    let before = access_expires_at(&app, &channel).await;

    // Somebody else has used the newer one up.
    let setup = app.setup(SignedDuration::ZERO, network(), []);
    let share = setup.tokens_table().unwrap().refresh_key_share().await.unwrap().clone();
    let newer = setup.vault().unwrap().open_pair(&stored_pair(&app).await, &channel, &share).await.unwrap();
    let credentials = ::pinterest::App { id: APP_ID, secret: &AppSecret::new(APP_SECRET.to_owned()) };
    let now = app.stack.now();
    let used =
        setup.pinterest().refresh(domain::Environment::Sandbox, credentials, &newer.refresh, now).await;
    used.unwrap();
    make_tokens_due(&app, &channel).await;
    app.advance(minutes(10)).await;

    assert!(access_expires_at(&app, &channel).await > before, "the older one was refreshed");
    app.publish("ada", &channel, "Afterwards").await.expect(201);
}

#[tokio::test]
async fn a_pin_that_is_created_while_its_channel_is_disconnected_is_cancelled_within_minutes() {
    let (app, channel) = TestApp::start_connected().await;
    let pin = app.schedule("ada", &channel, "Late", app.stack.now() + days(100)).await.expect(202);
    let (tenant, pin_id) = (TenantId("ada".to_owned()), id(&pin).try_into().unwrap());
    let main = app.setup(SignedDuration::ZERO, network(), []).main_table().unwrap();
    let created = main.pin(&tenant, &pin_id).await.unwrap().unwrap();
    let path = format!("/api/v1/channels/{channel}");
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "cancelled");

    // The request that creates it has read the channel before, and writes only now.
    let late = Pin::restore(PinRecord { id: PinId::new(app.stack.now(), [7; 10]), ..created.record() });
    assert!(matches!(main.create_pin(&late).await.unwrap(), WriteOutcome::Done));
    app.advance(minutes(3)).await;

    let late = app.pin("ada", late.id.as_str()).await;
    assert_eq!(late["state"], "cancelled", "{late}");
    // The entry is gone: an hour later, nothing is due.
    app.advance(minutes(60)).await;
    assert_eq!(app.save(json!({})).await["worker"]["oldest_due_at"], Value::Null);
}
