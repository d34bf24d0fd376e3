//! New sealing keys: how long an old key is needed, and what happens without it.

use std::time::Duration;

use app::handlers::RefreshJob;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    harness::token_faults::is_connected,
    harness::{TestApp, days, id, minutes, waits},
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
async fn give(app: &TestApp, version: &str, ring: &Value) {
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
    give(&app, "2", &both).await;

    app.functions(days(24)).refresh.run(RefreshJob::Tick, deadline()).await.unwrap();

    let rows = all(&app, TOKENS).await;
    let row = plain_row(rows.iter().find(|row| row.get("previous").is_some()).unwrap());
    assert_eq!(row.pointer("/previous/access").unwrap(), "", "nobody needs it any more");
    for sealed in ["/pair/access", "/pair/refresh", "/previous/refresh"] {
        let key = row.pointer(sealed).unwrap().as_str().unwrap().split_once('.').unwrap().0;
        assert_eq!(key, "k2", "{sealed}");
    }
}

#[tokio::test]
async fn a_channel_waits_for_its_missing_sealing_key_and_is_not_given_up() {
    let (app, channel) = TestApp::start_connected().await;
    let first = first_ring(&app).await;
    let pin = app.schedule("ada", &channel, "Waits", app.stack.now() + minutes(1)).await.expect(202);
    give(&app, "2", &second_key()).await;

    for minute in [2, 8, 60] {
        let functions = app.functions(minutes(minute));
        functions.deliver.tick(deadline()).await.unwrap();
        functions.refresh.run(RefreshJob::Tick, deadline()).await.unwrap();
    }

    waits(&app.pin("ada", &id(&pin)).await, "token_refresh");
    is_connected(&app, &channel).await;
    give(&app, "3", &first).await;
    app.functions(minutes(120)).deliver.tick(deadline()).await.unwrap();
    assert_eq!(app.pin("ada", &id(&pin)).await["state"], "published");
}
