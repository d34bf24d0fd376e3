//! New sealing keys: how long an old key is needed, and what happens without it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use adapters::Binding;
use app::handlers::RefreshJob;
use domain::{RefreshKeyShare, SealedPair};
use jiff::{SignedDuration, Timestamp};
use platform::Clock;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    harness::token_faults::is_connected,
    harness::{TestApp, days, id, minutes, network, waits},
    operations::upgrade::rows::{TOKENS, all, aws, plain_row},
};

const RING: &str = "pinwright/token-keys";

/// The key ring that the stack started with.
async fn first_ring(app: &TestApp) -> Value {
    let ring =
        aws(app, app.stack.aws().url(), "secretsmanager.GetSecretValue", json!({ "SecretId": RING })).await;
    serde_json::from_str(ring["SecretString"].as_str().unwrap()).unwrap()
}

/// Stores a new version of the key ring for the functions that start from now on.
async fn store_key_ring(app: &TestApp, version: &str, ring: &Value) {
    let token = version.repeat(32);
    let secret = json!({ "SecretId": RING, "ClientRequestToken": token, "SecretString": ring.to_string() });
    aws(app, app.stack.aws().url(), "secretsmanager.PutSecretValue", secret).await;
}

fn second_key() -> Value {
    json!({ "current": "k2", "k2": "0123456789abcdef".repeat(4) })
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

#[tokio::test]
async fn an_old_sealing_key_is_unused_after_every_token_was_refreshed() {
    let (app, _) = TestApp::start_connected().await;
    let mut both = second_key();
    both["k1"] = first_ring(&app).await["k1"].clone();
    store_key_ring(&app, "2", &both).await;

    app.functions(days(24)).refresh.run(RefreshJob::Tick, deadline()).await.unwrap();

    let rows = all(&app, TOKENS).await;
    let row = plain_row(rows.iter().find(|row| row.get("previous").is_some()).unwrap());
    assert_eq!(row.pointer("/previous/access").unwrap(), "", "nobody needs it any more");
    for (sealed, id) in [("/pair/access", "k2"), ("/pair/refresh", "~k2"), ("/previous/refresh", "~k2")] {
        let key = row.pointer(sealed).unwrap().as_str().unwrap().split_once('.').unwrap().0;
        assert_eq!(key, id, "{sealed}");
    }
}

#[tokio::test]
async fn a_process_that_knows_both_keys_notices_which_one_is_the_current_one() {
    let (app, channel) = TestApp::start_connected().await;
    let (mut both, first) = (second_key(), first_ring(&app).await["k1"].clone());
    (both["k1"], both["current"]) = (first, json!("k1"));
    store_key_ring(&app, "2", &both).await;
    let ahead = Arc::new(Mutex::new(SignedDuration::ZERO));
    let mut setup = app.setup(SignedDuration::ZERO, network(), []);
    setup.clock = Clock::new({
        let ahead = ahead.clone();
        move || Timestamp::now() + *ahead.lock().unwrap()
    });
    let vault = setup.vault().unwrap();
    let share = setup.tokens_table().unwrap().refresh_key_share().await.unwrap().clone();
    let opened = vault.open_pair(&pair(&app).await, &channel, &share).await.unwrap();
    let seal = async || {
        let sealed = vault.seal(&opened, Binding { row: &channel, version: 1 }).await.unwrap();
        sealed.access.parts().unwrap().0.to_owned()
    };

    assert_eq!(seal().await, "k1");
    both["current"] = json!("k2");
    store_key_ring(&app, "3", &both).await;
    *ahead.lock().unwrap() = minutes(14);
    assert_eq!(seal().await, "k1", "the ring is not read for every token");
    *ahead.lock().unwrap() = minutes(16);
    assert_eq!(seal().await, "k2");
}

/// The stored pair of the one channel.
pub(crate) async fn pair(app: &TestApp) -> SealedPair {
    let rows = all(app, TOKENS).await;
    let row = rows.iter().find(|row| row.get("due_sk").is_some()).unwrap();
    serde_json::from_value(plain_row(row)["pair"].clone()).unwrap()
}

#[tokio::test]
async fn a_refresh_token_opens_only_with_the_share_in_the_tokens_table() {
    let (app, channel) = TestApp::start_connected().await;
    let setup = app.setup(SignedDuration::ZERO, network(), []);
    let (vault, tokens) = (setup.vault().unwrap(), setup.tokens_table().unwrap());
    let pair = pair(&app).await;

    vault.open_access(&pair, &channel).await.unwrap();
    let share = tokens.refresh_key_share().await.unwrap();
    vault.open_pair(&pair, &channel, share).await.unwrap();
    let other = RefreshKeyShare::new("0".repeat(43));
    vault.open_pair(&pair, &channel, &other).await.expect_err("the key needs the stack's share");
}

#[tokio::test]
async fn a_refresh_token_that_was_sealed_without_the_share_is_sealed_with_it_when_it_is_next_used() {
    let (app, channel) = TestApp::start_connected().await;
    let setup = app.setup(SignedDuration::ZERO, network(), []);
    let (vault, tokens) = (setup.vault().unwrap(), setup.tokens_table().unwrap());
    let share = tokens.refresh_key_share().await.unwrap();
    let token_pair = vault.open_pair(&pair(&app).await, &channel, share).await.unwrap();
    let old = vault.seal(&token_pair, Binding { row: &channel, version: 1 }).await.unwrap();
    let old = serde_json::to_value(&old.refresh).unwrap();
    aws(
        &app,
        app.stack.aws().dynamodb_url(),
        "DynamoDB_20120810.UpdateItem",
        json!({
            "TableName": TOKENS,
            "Key": { "pk": { "S": format!("TOKEN#{channel}") }, "sk": { "S": "TOKEN" } },
            "UpdateExpression": "SET pair.#refresh = :old",
            "ExpressionAttributeNames": { "#refresh": "refresh" },
            "ExpressionAttributeValues": { ":old": { "S": old } },
        }),
    )
    .await;

    app.functions(days(24)).refresh.run(RefreshJob::Tick, deadline()).await.unwrap();

    is_connected(&app, &channel).await;
    let pair = serde_json::to_value(pair(&app).await).unwrap();
    assert_eq!(pair["version"], 2);
    assert!(pair["refresh"].as_str().unwrap().starts_with("~k1."));
}

#[tokio::test]
async fn a_channel_waits_for_its_missing_sealing_key_and_is_not_given_up() {
    let (app, channel) = TestApp::start_connected().await;
    let first = first_ring(&app).await;
    let pin = app.schedule("ada", &channel, "Waits", app.stack.now() + minutes(1)).await.expect(202);
    store_key_ring(&app, "2", &second_key()).await;

    for minute in [2, 8, 60] {
        let functions = app.functions(minutes(minute));
        functions.deliver.tick(deadline()).await.unwrap();
        functions.refresh.run(RefreshJob::Tick, deadline()).await.unwrap();
    }

    waits(&app.pin("ada", &id(&pin)).await, "token_refresh");
    is_connected(&app, &channel).await;
    store_key_ring(&app, "3", &first).await;
    app.functions(minutes(120)).deliver.tick(deadline()).await.unwrap();
    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "published");
}
