//! Round trips: what a person waits for and what AWS bills, counted on the wire, exactly.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use app::{
    Clock, Random, Setup, Variables, Wires,
    functions::{Channels, OauthCallback, OauthStart, Pins, Publish, Refresh, Sender, Tick},
    http::{Answer, handle},
};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::Response};
use jiff::{SignedDuration, Timestamp};
use loopback_aws::{LoopbackAws, Tables};
use serde_json::{Value, json};
use simulated_pinterest::SimulatedPinterest;
use tokio::{net::TcpListener, time::Instant};

use crate::stage::{APP_ID, APP_SECRET, client};

/// What crossed the wire since the last look: DynamoDB's operations by name, and calls of Pinterest's API.
type Seen = BTreeMap<String, usize>;

#[derive(Clone)]
struct Proxy {
    to: String,
    client: reqwest::Client,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Hands a call on, and counts it.
async fn pass_on(State(proxy): State<Proxy>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    proxy.seen.lock().unwrap().push(target.rsplit('.').next().unwrap().to_owned());
    let mut request = proxy.client.post(&proxy.to).body(body);
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
        response = response.header(name, value);
    }
    response.body(answer.bytes().await.unwrap().into()).unwrap()
}

/// The functions, as `main` builds them, with everything they say to others counted.
struct Counted {
    setup: Setup,
    pinterest: SimulatedPinterest,
    pinterest_calls: Mutex<usize>,
    seen: Arc<Mutex<Vec<String>>>,
    ahead: Arc<Mutex<SignedDuration>>,
    _aws: LoopbackAws,
}

impl Counted {
    async fn set() -> Self {
        let ahead = Arc::new(Mutex::new(SignedDuration::ZERO));
        let shared = ahead.clone();
        let now = move || Timestamp::now() + *shared.lock().unwrap();
        let random = Random::system();
        let bytes = random.clone();
        let settings = json!({"pinterest_app-id": APP_ID, "pinterest_app-secret": APP_SECRET}).to_string();
        let ring = json!({"current": "k1", "k1": "x".repeat(64)}).to_string();
        let aws = LoopbackAws::start(loopback_aws::Options {
            folder: None,
            tables: Tables { main: "main".into(), tokens: "tokens".into() },
            now: Arc::new(now.clone()),
            secrets: BTreeMap::from([("settings".into(), settings), ("ring".into(), ring)]),
            bucket: "media".into(),
        })
        .await
        .unwrap();
        let pinterest = SimulatedPinterest::start(simulated_pinterest::Options {
            port: 0,
            file: None,
            now: Arc::new(now.clone()),
            random: Arc::new(move |buffer: &mut [u8]| bytes.fill(buffer)),
        })
        .await
        .unwrap();

        let seen = Arc::new(Mutex::new(Vec::new()));
        let proxy = Proxy { to: aws.dynamodb_url().to_owned(), client: client(), seen: seen.clone() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let counted = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass_on).with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, router).await });

        let variables = Variables::from_iter([
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", aws.url()),
            ("AWS_ENDPOINT_URL_DYNAMODB", &counted),
            ("MAIN_TABLE", "main"),
            ("TOKENS_TABLE", "tokens"),
            ("SETTINGS_SECRET", "settings"),
            ("KEY_RING_SECRET", "ring"),
            ("MEDIA_BUCKET", "media"),
            ("BASE_URL", "https://api.example.com"),
            ("PINTEREST_APP_ID", APP_ID),
            ("PINTEREST_API_URL", &pinterest.api_url()),
            ("PINTEREST_SANDBOX_API_URL", &pinterest.sandbox_api_url()),
            ("PINTEREST_AUTHORIZE_URL", &pinterest.authorize_url()),
        ]);
        let setup = Setup::new(variables, Clock::new(now), random, Wires::network().unwrap()).unwrap();
        Self { setup, pinterest, pinterest_calls: Mutex::new(0), seen, ahead, _aws: aws }
    }

    /// What crossed the wire since the last look.
    fn trips(&self) -> Seen {
        let mut seen = Seen::new();
        for name in self.seen.lock().unwrap().drain(..) {
            *seen.entry(name).or_default() += 1;
        }
        let calls = self.pinterest.calls();
        let mut before = self.pinterest_calls.lock().unwrap();
        if calls.len() > *before {
            seen.insert("Pinterest".to_owned(), calls.len() - *before);
        }
        *before = calls.len();
        seen
    }

    async fn ask(&self, function: &impl Answer, method: &str, path: &str, body: Value) -> Value {
        let answer = handle(function, request(method, path, &body)).await;
        assert!(answer.status().as_u16() < 400, "{:?}", answer.body());
        match answer.body() {
            lambda_http::Body::Text(text) => serde_json::from_str(text).unwrap(),
            _ => json!(answer.headers()["location"].to_str().unwrap()),
        }
    }

    fn sender(&self) -> Sender {
        let Self { setup, .. } = self;
        let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
        Sender::new(
            setup.vault().unwrap(),
            main,
            tokens,
            setup.pinterest(),
            setup.fetch().unwrap(),
            setup.media_bucket().unwrap(),
            setup,
        )
    }

    fn channels(&self) -> Channels {
        let Self { setup, .. } = self;
        let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
        Channels::new(setup.vault().unwrap(), main, tokens, setup.pinterest(), setup)
    }
}

/// A request as API Gateway makes an event of it, by `ada`.
fn request(method: &str, path_and_query: &str, body: &Value) -> lambda_http::Request {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"idempotency-key": body["title"].as_str().unwrap_or("none")},
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "api.example.com", "stage": "$default",
            "requestId": "r", "routeKey": "$default", "time": "", "timeEpoch": 0,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "::1"},
            "authorizer": {"jwt": {"claims": {"sub": "ada"}, "scopes": null}},
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

fn seen<const N: usize>(wanted: [(&str, usize); N]) -> Seen {
    wanted.map(|(name, count)| (name.to_owned(), count)).into()
}

#[tokio::test]
async fn each_request_costs_the_round_trips_of_its_budget_and_no_more() {
    let stage = Counted::set().await;
    let Counted { setup, .. } = &stage;
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let start = OauthStart::new(main.clone(), setup.pinterest(), setup);
    let secret = setup.settings_secret().unwrap();
    let pinterest = setup.pinterest();
    let callback =
        OauthCallback::new(secret, setup.vault().unwrap(), main.clone(), tokens.clone(), pinterest, setup);
    let channels = stage.channels();
    let publish = Publish::new(stage.sender(), setup);
    let pins = Pins::new(main.clone(), setup);

    stage.ask(&start, "POST", "/api/v1/auth/pinterest/start", json!({})).await; // reads the settings, once a minute
    stage.trips();
    let started = stage.ask(&start, "POST", "/api/v1/auth/pinterest/start", json!({})).await;
    assert_eq!(stage.trips(), seen([("PutItem", 1)]), "start OAuth");

    let consent = client().post(started["authorize_url"].as_str().unwrap()).body("decision=allow");
    let consent = consent.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    let back = consent.headers()["location"].to_str().unwrap().replace("https://api.example.com", "");
    stage.trips();
    let end = stage.ask(&callback, "GET", &back, Value::Null).await;
    assert_eq!(stage.trips(), seen([("DeleteItem", 1), ("Pinterest", 2), ("PutItem", 1)]), "callback");

    let ticket = end.as_str().unwrap().split_once("#connection=").unwrap().1;
    let claim = json!({"connection": ticket});
    let channel = stage.ask(&channels, "POST", "/api/v1/connections/claim", claim).await;
    assert_eq!(stage.trips(), seen([("GetItem", 2), ("TransactWriteItems", 1)]), "claim");

    let id = channel["id"].as_str().unwrap();
    stage.ask(&channels, "GET", &format!("/api/v1/channels/{id}"), Value::Null).await;
    assert_eq!(stage.trips(), seen([("BatchGetItem", 1)]), "read a channel");

    let boards = stage.ask(&channels, "GET", &format!("/api/v1/channels/{id}/boards"), Value::Null).await;
    let mut pin = crate::stage::pin(id, "now");
    pin["board_id"] = boards["items"][0]["pinterest_board_id"].clone();
    stage.trips();
    let published = stage.ask(&publish, "POST", "/api/v1/pins", pin.clone()).await;
    assert_eq!(published["state"], "published");
    let budget = seen([("BatchGetItem", 1), ("Pinterest", 1), ("TransactWriteItems", 2)]);
    assert_eq!(stage.trips(), budget, "publish an image by URL");

    let again = stage.ask(&publish, "POST", "/api/v1/pins", pin.clone()).await;
    assert_eq!(again["id"], published["id"]);
    assert_eq!(stage.trips(), seen([("BatchGetItem", 1), ("GetItem", 1)]), "repeat a request with its key");

    pin["title"] = json!("later");
    pin["publish_at"] = json!(Timestamp::now() + SignedDuration::from_hours(1));
    stage.ask(&publish, "POST", "/api/v1/pins", pin).await;
    assert_eq!(stage.trips(), seen([("BatchGetItem", 1), ("TransactWriteItems", 1)]), "schedule a Pin");

    let file = json!({"content_type": "image/png", "bytes": 1});
    stage.ask(&publish, "POST", "/api/v1/media", file).await;
    assert_eq!(stage.trips(), seen([]), "where to send a file");

    let path = format!("/api/v1/pins/{}", published["id"].as_str().unwrap());
    stage.ask(&pins, "GET", &path, Value::Null).await;
    assert_eq!(stage.trips(), seen([("GetItem", 1)]), "read a Pin");
}

#[tokio::test]
async fn a_refresh_costs_a_claim_a_call_and_a_save() {
    let stage = Counted::set().await;
    let Counted { setup, .. } = &stage;
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let start = OauthStart::new(main.clone(), setup.pinterest(), setup);
    let (secret, vault, pinterest) =
        (setup.settings_secret().unwrap(), setup.vault().unwrap(), setup.pinterest());
    let callback = OauthCallback::new(secret, vault, main.clone(), tokens.clone(), pinterest, setup);
    let (secret, vault, pinterest) =
        (setup.settings_secret().unwrap(), setup.vault().unwrap(), setup.pinterest());
    let refresh = Refresh::new(secret, vault, main, tokens, pinterest, setup);
    let started = stage.ask(&start, "POST", "/api/v1/auth/pinterest/start", json!({})).await;
    let consent = client().post(started["authorize_url"].as_str().unwrap()).body("decision=allow");
    let consent = consent.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    let back = consent.headers()["location"].to_str().unwrap().replace("https://api.example.com", "");
    let end = stage.ask(&callback, "GET", &back, Value::Null).await;
    let claim = json!({"connection": end.as_str().unwrap().split_once("#connection=").unwrap().1});
    stage.ask(&stage.channels(), "POST", "/api/v1/connections/claim", claim).await;
    let soon = || Instant::now() + std::time::Duration::from_mins(5);

    refresh.tick(Tick::Due, soon()).await.unwrap();
    stage.trips();
    refresh.tick(Tick::Due, soon()).await.unwrap();
    let idle = stage.trips();
    assert_eq!(idle, seen([("Query", 16), ("UpdateItem", 1)]), "a tick with nothing to do");

    *stage.ahead.lock().unwrap() = SignedDuration::from_hours(24 * 24);
    refresh.tick(Tick::Due, soon()).await.unwrap();
    let mut busy = stage.trips();
    assert_eq!(busy.remove("Pinterest"), Some(1), "one call");
    assert_eq!(busy.remove("GetItem"), Some(1), "when App ID and App Secret were last seen to be right");
    assert_eq!(busy["UpdateItem"] - idle["UpdateItem"], 2, "the claim and the save");
    assert!(busy.keys().eq(idle.keys()), "and nothing else but the index: {busy:?}");
}
