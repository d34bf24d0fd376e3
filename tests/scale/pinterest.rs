//! A Pinterest that says yes, after a while, and remembers who asked when.

use std::sync::Arc;

use jiff::Timestamp;
use pinterest::ResponseFuture;
use reqwest::{Request, Response};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::env::{ScaleEnv, http};

/// How long tokens are in this Pinterest. Those seen in the wild are shorter.
const LENGTH: usize = 128;

/// The accounts, by number, and what became of them.
#[derive(Default)]
pub(crate) struct Pinterest {
    /// When each channel's tokens were exchanged last.
    pub(crate) refreshed: Vec<Option<Timestamp>>,
    /// When each Pin was made, by the number in its title.
    pub(crate) made: Vec<Option<Timestamp>>,
    /// What came twice.
    pub(crate) again: u64,
    pub(crate) tokens: u64,
    pub(crate) pins: u64,
    under_way: u64,
    /// The most calls that were under way at once.
    pub(crate) most: u64,
}

/// A token that tells whose it is.
pub(crate) fn token(kind: &str, number: usize, generation: u32) -> String {
    format!("{:x<LENGTH$}", format!("{kind}_{number}_{generation}_"))
}

fn number(token: &str) -> (usize, u32) {
    let mut parts = token.split('_').skip(1);
    (parts.next().unwrap().parse().unwrap(), parts.next().unwrap().parse().unwrap())
}

pub(crate) fn wire(env: &Arc<ScaleEnv>) -> pinterest::Transport {
    let env = env.clone();
    pinterest::Transport::new(http(), move |request| -> ResponseFuture {
        let env = env.clone();
        Box::pin(async move { Ok(answer(&env, &request).await) })
    })
}

async fn answer(env: &ScaleEnv, request: &Request) -> Response {
    env.memory.look_now_and_then();
    {
        let mut pinterest = env.pinterest.lock().unwrap();
        pinterest.under_way += 1;
        pinterest.most = pinterest.most.max(pinterest.under_way);
    }
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let (status, answer) = match request.url().path() {
        "/v5/oauth/token" => {
            sleep(env.assumed.refresh()).await;
            (200, exchange(env, body))
        }
        "/v5/pins" => {
            sleep(env.assumed.create_pin()).await;
            (201, create(env, body))
        }
        other => panic!("nobody calls {other}"),
    };
    env.pinterest.lock().unwrap().under_way -= 1;
    http::Response::builder().status(status).body(answer.to_string()).unwrap().into()
}

fn exchange(env: &ScaleEnv, form: &[u8]) -> Value {
    let form = url::form_urlencoded::parse(form);
    let (_, refresh) = form.into_iter().find(|(name, _)| name == "refresh_token").unwrap();
    let (account, generation) = number(&refresh);
    let mut pinterest = env.pinterest.lock().unwrap();
    pinterest.tokens += 1;
    if pinterest.refreshed[account].replace(env.now()).is_some() {
        pinterest.again += 1;
    }
    json!({
        "access_token": token("pina", account, generation + 1),
        "refresh_token": token("pinr", account, generation + 1),
        "token_type": "bearer",
        "expires_in": 2_592_000,
        "refresh_token_expires_in": 5_184_000,
        "scope": domain::Scopes::required().names().join(" "),
    })
}

fn create(env: &ScaleEnv, body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    let title = body["title"].as_str().unwrap();
    let pin: usize = title.rsplit(' ').next().unwrap().parse().unwrap();
    let mut pinterest = env.pinterest.lock().unwrap();
    pinterest.pins += 1;
    if pinterest.made[pin].replace(env.now()).is_some() {
        pinterest.again += 1;
    }
    json!({"id": format!("{}", 1_000_000_000_000_000_u64 + pin as u64)})
}
