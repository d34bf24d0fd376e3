//! New sealing keys: how long an old one is needed, and what happens without it.

use std::time::Duration;

use app::functions::Tick;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    stage::{Stage, days, id, minutes, waits},
    tokens::is_connected,
    upgrade::rows::{TOKENS, all, aws, plain_row},
};

const RING: &str = "pinwright/token-keys";

/// The keys with which the stack began.
async fn first_ring(stage: &Stage) -> Value {
    let ring =
        aws(stage, stage.stack.aws().url(), "secretsmanager.GetSecretValue", json!({ "SecretId": RING }))
            .await;
    serde_json::from_str(ring["SecretString"].as_str().unwrap()).unwrap()
}

/// Gives these keys, as this version of the ring, to functions that start from now on.
async fn give(stage: &Stage, version: &str, ring: &Value) {
    let token = version.repeat(32);
    let secret = json!({ "SecretId": RING, "ClientRequestToken": token, "SecretString": ring.to_string() });
    aws(stage, stage.stack.aws().url(), "secretsmanager.PutSecretValue", secret).await;
}

fn second_key() -> Value {
    json!({ "current": "k2", "k2": "0123456789abcdef".repeat(4) })
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

#[tokio::test]
async fn once_every_token_was_renewed_the_old_key_is_needed_by_nobody() {
    let (stage, _) = Stage::connected().await;
    let mut both = second_key();
    both["k1"] = first_ring(&stage).await["k1"].clone();
    give(&stage, "2", &both).await;

    stage.functions(days(24)).refresh.tick(Tick::Due, deadline()).await.unwrap();

    let rows = all(&stage, TOKENS).await;
    let row = plain_row(rows.iter().find(|row| row.get("previous").is_some()).unwrap());
    for sealed in ["/pair/access", "/pair/refresh", "/previous/access", "/previous/refresh"] {
        let key = row.pointer(sealed).unwrap().as_str().unwrap().split_once('.').unwrap().0;
        assert_eq!(key, "k2", "{sealed}");
    }
}

#[tokio::test]
async fn what_a_key_sealed_that_is_gone_waits_for_it_and_ends_nothing() {
    let (stage, channel) = Stage::connected().await;
    let first = first_ring(&stage).await;
    let pin = stage.schedule("ada", &channel, "Waits", stage.stack.now() + minutes(1)).await.expect(202);
    give(&stage, "2", &second_key()).await;

    for minute in [2, 8, 60] {
        let functions = stage.functions(minutes(minute));
        functions.deliver.tick(deadline()).await.unwrap();
        functions.refresh.tick(Tick::Due, deadline()).await.unwrap();
    }

    waits(&stage.pin("ada", &id(&pin)).await, "token_refresh");
    is_connected(&stage, &channel).await;
    give(&stage, "3", &first).await;
    stage.functions(minutes(120)).deliver.tick(deadline()).await.unwrap();
    assert_eq!(stage.pin("ada", &id(&pin)).await["state"], "published");
}
