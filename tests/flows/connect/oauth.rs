//! Connecting an account: state, consent, ticket, claim.

use reqwest::Method;
use serde_json::json;
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    harness::{PINS, TestApp, answer, days, id, minutes, pin},
    publish::bulk::{LINES, send},
};

#[tokio::test]
async fn an_empty_stack_connects_and_publishes_and_refreshes_after_24_days() {
    let (app, channel) = TestApp::start_connected().await;
    let pin = app.publish("ada", &channel, "First").await.expect(201);
    assert_eq!(pin["state"], "published");
    assert_eq!(app.at_pinterest("First"), 1);
    let before = app.channel("ada", &channel).await;

    app.advance(days(24)).await;

    let after = app.channel("ada", &channel).await;
    assert!(after["access_expires_at"].as_str() > before["access_expires_at"].as_str());
    assert!(after["refresh_expires_at"].as_str() > before["refresh_expires_at"].as_str());
    app.publish("ada", &channel, "Second").await.expect(201);
    assert_eq!(app.at_pinterest("Second"), 1);
    let kinds = app.event_kinds().await;
    assert_eq!(kinds, ["settings.changed", "channel.connected", "pin.published", "pin.published"]);
}

#[tokio::test]
async fn a_state_works_once() {
    let app = TestApp::start_configured().await;
    let page = app.start_oauth("ada").await;
    assert!(app.decide(&page, "decision=allow").await.contains("#connection="));
    assert!(app.decide(&page, "decision=allow").await.ends_with("#error=state_invalid"));
}

#[tokio::test]
async fn a_state_is_dead_after_ten_minutes() {
    let app = TestApp::start_configured().await;
    let page = app.start_oauth("ada").await;
    app.advance(minutes(10)).await;
    assert!(app.decide(&page, "decision=allow").await.ends_with("#error=state_invalid"));
}

#[tokio::test]
async fn a_denial_of_the_owner_is_another_error_than_an_unapproved_app() {
    let app = TestApp::start_configured().await;
    let page = app.start_oauth("ada").await;
    assert!(app.decide(&page, "decision=deny").await.ends_with("#error=access_denied"));
}

#[tokio::test]
async fn only_the_user_who_started_can_claim_and_another_try_consumes_nothing() {
    let app = TestApp::start_configured().await;
    let body = json!({"connection": app.ticket("ada").await});
    assert_eq!(app.post("/api/v1/connections/claim", "eve", body.clone()).await.problem(404), "not_found");
    let first = app.post("/api/v1/connections/claim", "ada", body.clone()).await.expect(201);
    let repeated = app.post("/api/v1/connections/claim", "ada", body.clone()).await.expect(200);
    assert_eq!(first["id"], repeated["id"]);
    assert_eq!(app.post("/api/v1/connections/claim", "eve", body).await.problem(404), "not_found");
}

#[tokio::test]
async fn a_ticket_is_dead_after_fifteen_minutes() {
    let app = TestApp::start_configured().await;
    let body = json!({"connection": app.ticket("ada").await});
    app.advance(minutes(15)).await;
    assert_eq!(app.post("/api/v1/connections/claim", "ada", body).await.problem(404), "not_found");
}

#[tokio::test]
async fn connecting_the_same_account_again_keeps_the_channel_and_its_board() {
    let (app, channel) = TestApp::start_connected().await;
    let before = app.channel("ada", &channel).await;
    assert_eq!(app.connect("ada").await, channel);
    let after = app.channel("ada", &channel).await;
    assert_eq!(after["default_board"], before["default_board"]);
    app.publish("ada", &channel, "After").await.expect(201);
}

#[tokio::test]
async fn two_tenants_may_connect_the_same_account() {
    let app = TestApp::start_configured().await;
    let (ada, bob) = (app.connect("ada").await, app.connect("bob").await);
    assert_ne!(ada, bob);
    assert_eq!(app.get(&format!("/api/v1/channels/{ada}"), "bob").await.problem(404), "not_found");
}

#[tokio::test]
async fn missing_scopes_are_named_and_publishing_is_refused_at_once() {
    let app = TestApp::start_configured().await;
    let page = app.start_oauth("ada").await;
    let fewer_scopes = "decision=allow&scope=boards:read,pins:read,pins:write,user_accounts:read";
    let end = app.decide(&page, fewer_scopes).await;
    let body = json!({"connection": end.split_once("#connection=").unwrap().1});
    let channel = app.post("/api/v1/connections/claim", "ada", body).await.expect(201);
    assert_eq!(channel["missing_scopes"], json!(["boards:write"]));

    let mut pin = crate::harness::pin(&id(&channel), "Never");
    pin["board_id"] = json!("123");
    let refused = app.post(PINS, "ada", pin).await;
    assert_eq!(refused.problem(422), "invalid_scope");
    assert_eq!(refused.json()["detail"], "403 invalid scope");
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_disconnected_channel_is_removed_with_its_queue() {
    let (app, channel) = TestApp::start_connected().await;
    let tomorrow = app.stack.now() + days(1);
    let pin = app.schedule("ada", &channel, "Later", tomorrow).await.expect(202);

    let path = format!("/api/v1/channels/{channel}");
    let disconnected = app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
    assert_eq!(disconnected["cancelled_pins"], 1);
    assert!(disconnected["fix"].as_str().unwrap().contains("Connected apps"));

    assert_eq!(app.get(&path, "ada").await.problem(404), "not_found");
    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "cancelled");
    app.advance(days(2)).await;
    assert_eq!(app.at_pinterest("Later"), 0);
}

#[tokio::test]
async fn a_long_queue_ends_with_its_channel() {
    let (app, channel) = TestApp::start_connected().await;
    let row = |number: usize| {
        let mut row = pin(&channel, &format!("Row {number}"));
        row["publish_at"] = json!(app.stack.now() + days(1));
        row.to_string()
    };
    let rows: Vec<_> = (0..150).map(row).collect();
    send(&app, "", LINES, &rows.join("\n")).await.expect(200);

    let path = format!("/api/v1/channels/{channel}");
    let disconnected = app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);

    assert_eq!(disconnected["cancelled_pins"], 150);
    let open_pins = app.get(&format!("{PINS}?state=scheduled"), "ada").await.expect(200);
    assert_eq!(open_pins["items"], json!([]));
}

#[tokio::test]
async fn a_prefetch_of_the_callback_uses_nothing_up() {
    let app = TestApp::start_configured().await;
    let page = app.start_oauth("ada").await;
    let consent = app.client.post(&page).body("decision=allow&account=demo_account");
    let consent = consent.header("content-type", "application/x-www-form-urlencoded");
    let callback = answer(consent).await.headers["location"].to_str().unwrap().to_owned();
    let calls = app.pinterest().calls().len();
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-purpose", "preview"),
        ("x-moz", "prefetch"),
    ] {
        let prefetch = answer(app.client.get(&callback).header(name, value)).await;
        assert_eq!(
            (prefetch.status.as_u16(), prefetch.headers.get("location")),
            (204, None),
            "{name}: {value}"
        );
        assert_eq!(prefetch.headers["cache-control"], "no-store");
    }
    assert_eq!(app.pinterest().calls().len(), calls, "the code is not used");
    let navigation = answer(app.client.get(&callback)).await;
    assert!(navigation.headers["location"].to_str().unwrap().contains("#connection="));
}

#[tokio::test]
async fn the_same_callback_twice_at_once_leads_to_the_same_place() {
    let app = TestApp::start_configured().await;
    let page = app.start_oauth("ada").await;
    let consent = app.client.post(&page).body("decision=allow&account=demo_account");
    let consent = consent.header("content-type", "application/x-www-form-urlencoded");
    let callback = answer(consent).await.headers["location"].to_str().unwrap().to_owned();
    let tokens = app.pinterest().calls_of(Operation::Token);

    let callback_result = async || {
        let callback_result = answer(app.client.get(&callback)).await;
        (callback_result.status.as_u16(), callback_result.headers["location"].to_str().unwrap().to_owned())
    };
    let (first, second, third) = tokio::join!(callback_result(), callback_result(), callback_result());

    assert_eq!((&first, &first), (&second, &third));
    let (_, ticket) = first.1.split_once("#connection=").unwrap();
    assert_eq!(app.pinterest().calls_of(Operation::Token), tokens + 1, "the code is used once");
    let claim = json!({"connection": ticket});
    assert_eq!(app.post("/api/v1/connections/claim", "eve", claim.clone()).await.problem(404), "not_found");
    app.post("/api/v1/connections/claim", "ada", claim).await.expect(201);
    assert_eq!(callback_result().await, first, "and once more, a moment later");

    let other_code = callback.replace("code=", "code=x");
    let refused = answer(app.client.get(&other_code)).await;
    assert!(refused.headers["location"].to_str().unwrap().ends_with("#error=state_invalid"));
    app.advance(minutes(11)).await;
    assert!(callback_result().await.1.ends_with("#error=state_invalid"), "not after its minutes");
}

#[tokio::test]
async fn the_reason_of_a_refusal_is_the_same_for_each_request() {
    let app = TestApp::start_configured().await;
    let table = [
        (
            FaultKind::Refused { status: 400, code: 7, message: "redirect_uri does not match".into() },
            "code_refused",
        ),
        (FaultKind::RateLimited { reset: 30 }, "pinterest_rate_limited"),
        (FaultKind::GarbageBefore, "pinterest_unreadable"),
        (FaultKind::CutBefore, "pinterest_unreachable"),
        (FaultKind::Scope, "invalid_scope"),
    ];
    for (kind, reason) in table {
        app.pinterest().inject(Fault::once(Operation::Token, kind.clone()));
        let end = app.decide(&app.start_oauth("ada").await, "decision=allow&account=demo_account").await;
        assert!(end.ends_with(&format!("#error={reason}")), "{kind:?}: {end}");
    }
    let no_reason = FaultKind::Refused { status: 403, code: 403, message: "Not authorized".into() };
    app.pinterest().inject(Fault::once(Operation::UserAccount, no_reason));
    let end = app.decide(&app.start_oauth("ada").await, "decision=allow&account=demo_account").await;
    assert!(end.ends_with("#error=account_refused"), "{end}");
}

#[tokio::test]
async fn a_denial_without_a_state_is_still_a_denial() {
    let app = TestApp::start_configured().await;
    let callback_result = async |query: &str| {
        let path = format!("{}/api/v1/auth/pinterest/callback?{query}", app.stack.url());
        answer(app.client.get(path)).await.headers["location"].to_str().unwrap().to_owned()
    };
    assert!(callback_result("error=access_denied").await.ends_with("#error=access_denied"));
    assert!(callback_result("error=access_denied&state=unknown").await.ends_with("#error=state_invalid"));
    assert!(callback_result("code=c").await.ends_with("#error=state_invalid"));
}
