//! The functions as `main` builds them, with proxies that count their calls and relays that can drop their connections.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use app::{Setup, handlers::Channels, handlers::OauthStart};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::Response};
use delivery::PinPublisher;
use edge::{Handler, handle};
use jiff::{SignedDuration, Timestamp};
use loopback_aws::{LoopbackAws, Tables};
use platform::{Clock, Random, Variables};
use serde_json::{Value, json};
use simulated_pinterest::SimulatedPinterest;
use tests::request;
use tokio::net::TcpListener;
use url::Url;

use crate::{
    harness::connection_drop::{ConnectionEnd, Relay},
    harness::{APP_ID, APP_SECRET, client},
};

/// The calls since the last reading: AWS's operations by name, and calls of Pinterest's API.
pub(crate) type CallCounts = BTreeMap<String, usize>;

#[derive(Clone)]
struct Proxy {
    to: String,
    client: reqwest::Client,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A proxy in front of the AWS service at `to`.
    async fn in_front_of(to: &str, calls: &Arc<Mutex<Vec<String>>>) -> String {
        let proxy = Self { to: to.to_owned(), client: client(), calls: calls.clone() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass_on).with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

/// Forwards a call, and counts it.
async fn pass_on(State(proxy): State<Proxy>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    proxy.calls.lock().unwrap().push(target.rsplit('.').next().unwrap().to_owned());
    let mut request = proxy.client.post(&proxy.to).body(body);
    // The host as well: it is signed.
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
        response = response.header(name, value);
    }
    response.body(answer.bytes().await.unwrap().into()).unwrap()
}

/// The functions, as `main` builds them, with all their calls counted.
pub(crate) struct CountedFunctions {
    pub(crate) setup: Setup,
    pub(crate) pinterest: SimulatedPinterest,
    pinterest_calls: Mutex<usize>,
    calls: Arc<Mutex<Vec<String>>>,
    /// How far the clock of the functions is ahead.
    pub(crate) clock_offset: Arc<Mutex<SignedDuration>>,
    relays: [Relay; 3],
    _aws: LoopbackAws,
}

impl CountedFunctions {
    pub(crate) async fn set() -> Self {
        let clock_offset = Arc::new(Mutex::new(SignedDuration::ZERO));
        let shared = clock_offset.clone();
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
            secret_key: random.secret(),
        })
        .await
        .unwrap();
        let pinterest = SimulatedPinterest::start(simulated_pinterest::Options {
            port: 0,
            file: None,
            redirect_uris: vec!["https://api.example.com/api/v1/auth/pinterest/callback".to_owned()],
            now: Arc::new(now.clone()),
            random: Arc::new(move |buffer: &mut [u8]| bytes.fill(buffer)),
        })
        .await
        .unwrap();

        let calls = Arc::new(Mutex::new(Vec::new()));
        let relays = [
            Relay::to(&Proxy::in_front_of(aws.url(), &calls).await),
            Relay::to(&Proxy::in_front_of(aws.dynamodb_url(), &calls).await),
            Relay::to(&pinterest.api_url()),
        ];
        let [others, dynamodb, to_pinterest] = relays.each_ref().map(Relay::url);
        let through_relay = |url: String| to_pinterest.clone() + Url::parse(&url).unwrap().path();
        let variables = Variables::from_iter([
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", loopback_aws::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", aws.secret_key()),
            ("AWS_ENDPOINT_URL", &others),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
            ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
            ("MAIN_TABLE", "main"),
            ("TOKENS_TABLE", "tokens"),
            ("SETTINGS_SECRET", "settings"),
            ("KEY_RING_SECRET", "ring"),
            ("MEDIA_BUCKET", "media"),
            ("BASE_URL", "https://api.example.com"),
            ("PINTEREST_APP_ID", APP_ID),
            ("PINTEREST_API_URL", &through_relay(pinterest.api_url())),
            ("PINTEREST_SANDBOX_API_URL", &through_relay(pinterest.sandbox_api_url())),
            ("PINTEREST_AUTHORIZE_URL", &pinterest.authorize_url()),
        ]);
        let setup = Setup::new(variables, Clock::new(now), random).unwrap();
        Self { setup, pinterest, pinterest_calls: Mutex::new(0), calls, clock_offset, relays, _aws: aws }
    }

    /// The calls since the last reading.
    pub(crate) fn new_calls(&self) -> CallCounts {
        let mut counts = CallCounts::new();
        for name in self.calls.lock().unwrap().drain(..) {
            *counts.entry(name).or_default() += 1;
        }
        let calls = self.pinterest.calls();
        let mut previous = self.pinterest_calls.lock().unwrap();
        if calls.len() > *previous {
            counts.insert("Pinterest".to_owned(), calls.len() - *previous);
        }
        *previous = calls.len();
        counts
    }

    pub(crate) async fn request_ok(
        &self,
        function: &impl Handler,
        method: &str,
        path: &str,
        body: Value,
    ) -> Value {
        let key = body["title"].as_str().unwrap_or("none");
        let answer = handle(function, request("ada", method, path, Some(key), &body)).await;
        assert!(answer.status().as_u16() < 400, "{:?}", answer.body());
        match answer.body() {
            lambda_http::Body::Text(text) => serde_json::from_str(text).unwrap(),
            _ => json!(answer.headers()["location"].to_str().unwrap()),
        }
    }

    /// Connects an account as far as Pinterest's redirect. Returns the path and the query of the callback.
    pub(crate) async fn consent(&self, start: &OauthStart) -> String {
        let started = self.request_ok(start, "POST", "/api/v1/auth/pinterest/start", json!({})).await;
        let consent = client().post(started["authorize_url"].as_str().unwrap()).body("decision=allow");
        let consent =
            consent.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        consent.headers()["location"].to_str().unwrap().replace("https://api.example.com", "")
    }

    /// Ends all connections of the functions while they are frozen, and returns how many there were.
    pub(crate) fn kill(&self, end: ConnectionEnd) -> usize {
        self.relays.iter().map(|line| line.kill(end)).sum()
    }

    pub(crate) fn publisher(&self) -> PinPublisher {
        tests::publisher(&self.setup)
    }

    pub(crate) fn channels(&self) -> Channels {
        Channels::new(tests::sessions(&self.setup), &self.setup)
    }
}

pub(crate) fn call_counts<const N: usize>(expected: [(&str, usize); N]) -> CallCounts {
    expected.map(|(name, count)| (name.to_owned(), count)).into()
}
