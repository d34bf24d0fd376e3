//! The harness of a flow: a stack of its own in memory, whose workers tick only when a test wants it.

pub(crate) mod connection_drop;
pub(crate) mod json_schema;
pub(crate) mod problems;
pub(crate) mod proxy;
pub(crate) mod token_faults;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use adapters::{MediaBucket, Transports};
use app::Setup;
use jiff::{SignedDuration, Timestamp};
use local::{Data, Functions, Options, Person, Pinterest, Stack};
use platform::{Clock, Random, Variables};
use reqwest::{Method, StatusCode, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Operation, SimulatedPinterest};

pub(crate) const APP_ID: &str = simulated_pinterest::APP_ID;
pub(crate) const APP_SECRET: &str = simulated_pinterest::APP_SECRET;
pub(crate) const SETTINGS: &str = "/api/v1/admin/integrations/pinterest";
pub(crate) const PINS: &str = "/api/v1/pins";
pub(crate) const CLAIM: &str = "/api/v1/connections/claim";

/// A running stack and a client.
pub(crate) struct TestApp {
    pub(crate) stack: Stack,
    pub(crate) client: reqwest::Client,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON, or `null` if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The body, after checking the status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// The code of a problem, after checking its status and its form.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let problem = self.json();
        for field in ["type", "title", "detail", "code", "fix"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {}", self.text);
        }
        assert_eq!(problem["status"], status);
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// An HTTP client that follows no redirect.
pub(crate) fn client() -> reqwest::Client {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// The transports of the functions, as `main` makes them.
pub(crate) fn network() -> Transports {
    Transports::network(&Variables::default(), Clock::system()).unwrap()
}

impl TestApp {
    /// The functions in another process, whose clock is ahead: for them later work is due now.
    pub(crate) fn functions(&self, offset: SignedDuration) -> Functions {
        self.functions_on(offset, network())
    }

    /// The same with these transports.
    pub(crate) fn functions_on(&self, offset: SignedDuration, transports: Transports) -> Functions {
        Functions::new(&self.setup(offset, transports, [])).unwrap()
    }

    /// The same with their bucket at AWS, where everybody can reach it.
    pub(crate) fn functions_with_public_bucket(&self, offset: SignedDuration) -> Functions {
        let at_aws = [("AWS_ENDPOINT_URL_S3", "https://s3.us-east-1.amazonaws.com")];
        Functions::new(&self.setup(offset, network(), at_aws)).unwrap()
    }

    /// The functions of a stack whose tenants are named by `claim`.
    pub(crate) fn functions_with_tenant_claim(&self, claim: &str) -> Functions {
        Functions::new(&self.setup(SignedDuration::ZERO, network(), [("TENANT_CLAIM", claim)])).unwrap()
    }

    /// The bucket, as the functions see it.
    pub(crate) fn bucket(&self) -> MediaBucket {
        self.setup(SignedDuration::ZERO, network(), []).media_bucket().unwrap()
    }

    /// What functions in another process are built from.
    pub(crate) fn setup<const N: usize>(
        &self,
        offset: SignedDuration,
        transports: Transports,
        overrides: [(&str, &str); N],
    ) -> Setup {
        let (aws, pinterest) = (self.stack.aws(), self.pinterest());
        let variables = [
            ("AWS_REGION", loopback_aws::REGION),
            ("AWS_ACCESS_KEY_ID", loopback_aws::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", aws.secret_key()),
            ("AWS_ENDPOINT_URL", aws.url()),
            ("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamodb_url()),
            ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
            ("MAIN_TABLE", "pinwright-main"),
            ("TOKENS_TABLE", "pinwright-tokens"),
            ("SETTINGS_SECRET", "pinwright/settings"),
            ("KEY_RING_SECRET", "pinwright/token-keys"),
            ("EVENT_BUS", "pinwright"),
            ("MEDIA_BUCKET", "pinwright-media"),
            ("PINTEREST_API_URL", &pinterest.api_url()),
            ("PINTEREST_SANDBOX_API_URL", &pinterest.sandbox_api_url()),
        ];
        let variables: Variables = variables.into_iter().chain(overrides).collect();
        let offset = self.stack.now().duration_since(Timestamp::now()) + offset;
        let clock = Clock::new(move || Timestamp::now() + offset);
        Setup::with_transports(transports, variables, clock, Random::system()).unwrap()
    }

    /// A new stack in memory, with nothing configured.
    pub(crate) async fn start() -> Self {
        Self::start_with(Data::Memory, []).await
    }

    /// A stack on `data`, with variables.
    pub(crate) async fn start_with<const N: usize>(data: Data, variables: [(&str, &str); N]) -> Self {
        tests::end_if_it_hangs();
        let variables: BTreeMap<_, _> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let pinterest = Pinterest::Simulated;
        let stack =
            Stack::start(Options { port: 0, data, pinterest, variables, timer: false }).await.unwrap();
        Self { stack, client: client() }
    }

    /// A stack whose admin has saved App ID and App Secret.
    pub(crate) async fn start_configured() -> Self {
        let app = Self::start().await;
        app.configure().await;
        app
    }

    pub(crate) async fn configure(&self) {
        self.save(json!({"app_id": APP_ID, "app_secret": APP_SECRET})).await;
    }

    /// Saves settings as the admin, and returns them.
    pub(crate) async fn save(&self, settings: Value) -> Value {
        self.call(Method::PUT, SETTINGS, &self.admin(), Some(settings)).await.expect(200)
    }

    /// A configured stack, and the id of a channel of `ada` whose default board is its first one.
    pub(crate) async fn start_connected() -> (Self, String) {
        let app = Self::start_configured().await;
        let channel = app.connect("ada").await;
        app.choose_board("ada", &channel).await;
        (app, channel)
    }

    pub(crate) fn pinterest(&self) -> &SimulatedPinterest {
        self.stack.pinterest().unwrap()
    }

    /// The token of a user with an own tenant.
    pub(crate) fn user(&self, sub: &str) -> String {
        self.stack.token(Person { sub: sub.to_owned(), tenant: None, admin: false })
    }

    pub(crate) fn admin(&self) -> String {
        self.stack.token(Person { sub: "root".to_owned(), tenant: None, admin: true })
    }

    /// Sends a request.
    pub(crate) async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Answer {
        let request = self.client.request(method, format!("{}{path}", self.stack.url())).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        answer(request).await
    }

    pub(crate) async fn get(&self, path: &str, sub: &str) -> Answer {
        self.call(Method::GET, path, &self.user(sub), None).await
    }

    pub(crate) async fn post(&self, path: &str, sub: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &self.user(sub), Some(body)).await
    }

    /// Starts an OAuth flow, and returns the address of the consent page.
    pub(crate) async fn start_oauth(&self, sub: &str) -> String {
        let started = self.post("/api/v1/auth/pinterest/start", sub, json!({})).await.expect(200);
        started["authorize_url"].as_str().unwrap().to_owned()
    }

    /// Sends the owner's decision on the consent page, and follows the redirects. Returns the last address.
    pub(crate) async fn decide(&self, authorize_url: &str, form: &str) -> String {
        let request = self.client.post(authorize_url).body(form.to_owned());
        let redirect = answer(request.header("content-type", "application/x-www-form-urlencoded")).await;
        let callback = redirect.headers[LOCATION].to_str().unwrap().to_owned();
        let end = answer(self.client.get(callback)).await;
        assert_eq!(end.status, StatusCode::FOUND, "{}", end.text);
        end.headers[LOCATION].to_str().unwrap().to_owned()
    }

    /// The ticket after the owner of the demo account has consented.
    pub(crate) async fn ticket(&self, sub: &str) -> String {
        let end = self.decide(&self.start_oauth(sub).await, "decision=allow&account=demo_account").await;
        end.split_once("#connection=").unwrap().1.to_owned()
    }

    /// Connects the demo account, and returns the channel's id.
    pub(crate) async fn connect(&self, sub: &str) -> String {
        let ticket = self.ticket(sub).await;
        let claimed = self.post(CLAIM, sub, json!({"connection": ticket})).await;
        assert!(claimed.status.is_success(), "{}", claimed.text);
        id(&claimed.json())
    }

    /// Makes the account's first board the default board, and returns its id.
    pub(crate) async fn choose_board(&self, sub: &str, channel: &str) -> String {
        let boards = self.get(&format!("/api/v1/channels/{channel}/boards"), sub).await.expect(200);
        let board = boards["items"][0]["pinterest_board_id"].as_str().unwrap().to_owned();
        let change = Some(json!({"default_board_id": board}));
        let path = format!("/api/v1/channels/{channel}");
        self.call(Method::PATCH, &path, &self.user(sub), change).await.expect(200);
        board
    }

    /// Publishes a Pin of this title.
    pub(crate) async fn publish(&self, sub: &str, channel: &str, title: &str) -> Answer {
        self.post(PINS, sub, pin(channel, title)).await
    }

    /// Schedules a Pin of this title.
    pub(crate) async fn schedule(&self, sub: &str, channel: &str, title: &str, at: Timestamp) -> Answer {
        let mut body = pin(channel, title);
        body["publish_at"] = json!(at);
        self.post(PINS, sub, body).await
    }

    /// A channel as it is now.
    pub(crate) async fn channel(&self, sub: &str, id: &str) -> Value {
        self.get(&format!("/api/v1/channels/{id}"), sub).await.expect(200)
    }

    /// A Pin as it is now.
    pub(crate) async fn pin(&self, sub: &str, id: &str) -> Value {
        self.get(&format!("{PINS}/{id}"), sub).await.expect(200)
    }

    /// How often a Pin was sent to Pinterest.
    pub(crate) fn send_count(&self) -> usize {
        self.pinterest().calls_of(Operation::CreatePin)
    }

    /// How many Pins of this title are at Pinterest.
    pub(crate) fn at_pinterest(&self, title: &str) -> usize {
        let pins = self.pinterest().pins(simulated_pinterest::Environment::Sandbox);
        pins.iter().filter(|pin| pin.title.as_deref() == Some(title)).count()
    }

    pub(crate) async fn advance(&self, by: SignedDuration) {
        self.stack.advance(by).await.unwrap();
    }

    /// The kinds of all events so far, oldest first.
    pub(crate) async fn event_kinds(&self) -> Vec<String> {
        let events = self.stack.events().await.unwrap();
        events.into_iter().map(|event| event.detail_type).collect()
    }
}

/// The body of a Pin with this title.
pub(crate) fn pin(channel: &str, title: &str) -> Value {
    let url = "https://images.example.com/salad.jpg";
    json!({"channel_id": channel, "title": title, "media": {"kind": "image", "url": url}})
}

/// The id of a Pin, or of a channel.
pub(crate) fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// Checks that the Pin waits for this reason.
#[track_caller]
pub(crate) fn waits(pin: &Value, reason: &str) {
    assert_eq!((&pin["state"], &pin["reason"]), (&json!("waiting"), &json!(reason)), "{pin}");
    assert_eq!(pin["error"], Value::Null, "{pin}");
}

/// Sends a request and reads the answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    Answer { status, headers, text: answer.text().await.unwrap() }
}

/// Waits until a condition is true, for at most ten seconds.
pub(crate) async fn until(is_true: impl Fn() -> bool) {
    let condition = async {
        while !is_true() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), condition).await.unwrap();
}

pub(crate) fn seconds(number: i64) -> SignedDuration {
    SignedDuration::from_secs(number)
}

pub(crate) fn minutes(number: i64) -> SignedDuration {
    SignedDuration::from_mins(number)
}

pub(crate) fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * number)
}
