//! Connecting an account: state, consent, ticket, claim.

use reqwest::Method;
use serde_json::json;

use crate::{
    bulk::{LINES, send},
    stage::{PINS, Stage, days, id, minutes, pin},
};

#[tokio::test]
async fn the_main_job_from_empty_to_a_pin_and_24_days_on_with_a_new_pair() {
    let (stage, channel) = Stage::connected().await;
    let pin = stage.publish("ada", &channel, "First").await.expect(201);
    assert_eq!(pin["state"], "published");
    assert_eq!(stage.at_pinterest("First"), 1);
    let before = stage.channel("ada", &channel).await;

    stage.advance(days(24)).await;

    let after = stage.channel("ada", &channel).await;
    assert!(after["access_expires_at"].as_str() > before["access_expires_at"].as_str());
    assert!(after["refresh_expires_at"].as_str() > before["refresh_expires_at"].as_str());
    stage.publish("ada", &channel, "Second").await.expect(201);
    assert_eq!(stage.at_pinterest("Second"), 1);
    let kinds = stage.event_kinds().await;
    assert_eq!(kinds, ["settings.changed", "channel.connected", "pin.published", "pin.published"]);
}

#[tokio::test]
async fn a_state_works_once() {
    let stage = Stage::configured().await;
    let page = stage.start("ada").await;
    assert!(stage.decide(&page, "decision=allow").await.contains("#connection="));
    assert!(stage.decide(&page, "decision=allow").await.ends_with("#error=state_invalid"));
}

#[tokio::test]
async fn a_state_is_dead_after_ten_minutes() {
    let stage = Stage::configured().await;
    let page = stage.start("ada").await;
    stage.advance(minutes(10)).await;
    assert!(stage.decide(&page, "decision=allow").await.ends_with("#error=state_invalid"));
}

#[tokio::test]
async fn an_owner_who_says_no_is_told_apart_from_an_app_that_may_not() {
    let stage = Stage::configured().await;
    let page = stage.start("ada").await;
    assert!(stage.decide(&page, "decision=deny").await.ends_with("#error=access_denied"));
}

#[tokio::test]
async fn only_the_person_who_started_can_claim_and_a_stranger_burns_nothing() {
    let stage = Stage::configured().await;
    let body = json!({"connection": stage.ticket("ada").await});
    assert_eq!(stage.post("/api/v1/connections/claim", "eve", body.clone()).await.problem(404), "not_found");
    let first = stage.post("/api/v1/connections/claim", "ada", body.clone()).await.expect(201);
    let again = stage.post("/api/v1/connections/claim", "ada", body.clone()).await.expect(200);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(stage.post("/api/v1/connections/claim", "eve", body).await.problem(404), "not_found");
}

#[tokio::test]
async fn a_ticket_is_dead_after_fifteen_minutes() {
    let stage = Stage::configured().await;
    let body = json!({"connection": stage.ticket("ada").await});
    stage.advance(minutes(15)).await;
    assert_eq!(stage.post("/api/v1/connections/claim", "ada", body).await.problem(404), "not_found");
}

#[tokio::test]
async fn connecting_the_same_account_again_keeps_the_channel_and_its_board() {
    let (stage, channel) = Stage::connected().await;
    let before = stage.channel("ada", &channel).await;
    assert_eq!(stage.connect("ada").await, channel);
    let after = stage.channel("ada", &channel).await;
    assert_eq!(after["default_board"], before["default_board"]);
    stage.publish("ada", &channel, "After").await.expect(201);
}

#[tokio::test]
async fn two_tenants_may_connect_the_same_account() {
    let stage = Stage::configured().await;
    let (ada, bob) = (stage.connect("ada").await, stage.connect("bob").await);
    assert_ne!(ada, bob);
    assert_eq!(stage.get(&format!("/api/v1/channels/{ada}"), "bob").await.problem(404), "not_found");
}

#[tokio::test]
async fn what_was_not_granted_is_named_and_publishing_is_refused_at_once() {
    let stage = Stage::configured().await;
    let page = stage.start("ada").await;
    let some = "decision=allow&scope=boards:read,pins:read,pins:write,user_accounts:read";
    let end = stage.decide(&page, some).await;
    let body = json!({"connection": end.split_once("#connection=").unwrap().1});
    let channel = stage.post("/api/v1/connections/claim", "ada", body).await.expect(201);
    assert_eq!(channel["missing_scopes"], json!(["boards:write"]));

    let mut pin = crate::stage::pin(&id(&channel), "Never");
    pin["board_id"] = json!("123");
    let refused = stage.post(PINS, "ada", pin).await;
    assert_eq!(refused.problem(422), "invalid_scope");
    assert_eq!(refused.json()["detail"], "403 invalid scope");
    assert_eq!(stage.get(PINS, "ada").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_disconnected_channel_is_gone_with_its_queue() {
    let (stage, channel) = Stage::connected().await;
    let tomorrow = stage.stack.now() + days(1);
    let pin = stage.schedule("ada", &channel, "Later", tomorrow).await.expect(202);

    let path = format!("/api/v1/channels/{channel}");
    let gone = stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);
    assert_eq!(gone["cancelled_pins"], 1);
    assert!(gone["fix"].as_str().unwrap().contains("Connected apps"));

    assert_eq!(stage.get(&path, "ada").await.problem(404), "not_found");
    assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "cancelled");
    stage.advance(days(2)).await;
    assert_eq!(stage.at_pinterest("Later"), 0);
}

#[tokio::test]
async fn a_long_queue_ends_with_its_channel() {
    let (stage, channel) = Stage::connected().await;
    let row = |number: usize| {
        let mut row = pin(&channel, &format!("Row {number}"));
        row["publish_at"] = json!(stage.stack.now() + days(1));
        row.to_string()
    };
    let rows: Vec<_> = (0..150).map(row).collect();
    send(&stage, "", LINES, &rows.join("\n")).await.expect(200);

    let path = format!("/api/v1/channels/{channel}");
    let gone = stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);

    assert_eq!(gone["cancelled_pins"], 150);
    let left = stage.get(&format!("{PINS}?state=scheduled"), "ada").await.expect(200);
    assert_eq!(left["items"], json!([]));
}
