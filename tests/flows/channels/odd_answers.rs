//! A Pinterest whose answers are not quite what its contract says.

use std::{io::Write as _, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, Method, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use local::Data;
use platform::Random;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Options, SimulatedPinterest};
use tokio::net::TcpListener;

use crate::harness::{APP_ID, APP_SECRET, TestApp, client};

#[derive(Clone)]
struct Twister {
    origin: String,
    client: reqwest::Client,
}

/// Passes a call on, and changes and compresses what comes back.
async fn twist(
    State(twister): State<Twister>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut request = twister.client.request(method, format!("{}{uri}", twister.origin)).body(body);
    for name in [AUTHORIZATION, CONTENT_TYPE] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let mut body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    let by_number = |value: &mut Value| *value = json!(value.as_str().unwrap().parse::<u64>().unwrap());
    match uri.path().rsplit('/').next().unwrap() {
        "boards" => {
            let items = body["items"].as_array_mut().unwrap();
            by_number(&mut items[0]["id"]);
            items[1]["privacy"] = Value::Null;
            items.insert(0, Value::Null);
            items.push(json!({"id": "9", "name": null}));
        }
        "pins" | "user_account" if status.is_success() => by_number(&mut body["id"]),
        "token" if body["scope"].is_string() => {
            body["scope"] = body["scope"].as_str().unwrap().split(' ').collect();
        }
        _ => {}
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body.to_string().as_bytes()).unwrap();
    let answer = Response::builder().status(status).header("content-encoding", "gzip");
    answer.body(gzip.finish().unwrap().into()).unwrap()
}

#[tokio::test]
async fn an_account_is_connected_and_publishes_whatever_the_answers_look_like() {
    let random = Random::system();
    let pinterest = SimulatedPinterest::start(Options {
        port: 0,
        file: None,
        now: Arc::new(Timestamp::now),
        random: Arc::new(move |buffer: &mut [u8]| random.fill(buffer)),
        redirect_uris: Vec::new(),
    })
    .await
    .unwrap();
    pinterest.change_policy(|policy| policy.any_redirect_uri = true).unwrap();
    let origin = pinterest.api_url().strip_suffix("/v5").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy_url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(twist).with_state(Twister { origin, client: client() });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let variables = [
        ("PINTEREST_API_URL", &*format!("{proxy_url}/v5")),
        ("PINTEREST_SANDBOX_API_URL", &*format!("{proxy_url}/sandbox/v5")),
        ("PINTEREST_AUTHORIZE_URL", &*pinterest.authorize_url()),
        ("PINTEREST_APP_ID", APP_ID),
        ("PINTEREST_APP_SECRET", APP_SECRET),
        ("PINTEREST_ENVIRONMENT", "sandbox"),
    ];
    let app = TestApp::start_with(Data::Memory, variables).await;
    app.save(json!({"status": "enabled"})).await;

    let channel = app.connect("ada").await;
    assert_eq!(app.channel("ada", &channel).await["missing_scopes"], json!([]));
    let board_list = app.get(&format!("/api/v1/channels/{channel}/boards"), "ada").await.expect(200);
    let names: Vec<_> = board_list["items"].as_array().unwrap().iter().map(|board| &board["name"]).collect();
    assert_eq!(names, ["Recipes", "Travel"], "the odd ones cost only themselves");
    let remote_boards = pinterest.boards(Environment::Sandbox, "demo_account");
    let recipes = remote_boards.iter().find(|board| board.name == "Recipes").unwrap();
    assert_eq!(board_list["items"][0]["pinterest_board_id"], recipes.id, "to the last digit");

    app.choose_board("ada", &channel).await;
    app.publish("ada", &channel, "Odd").await.expect(201);
    assert_eq!(pinterest.pins(Environment::Sandbox).len(), 1);
}
