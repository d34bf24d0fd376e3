//! All functions in this process, with one connected account and a few Pins, set back before each input.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use adapters::{Transport, Transports};
use app::{Endpoint, Function, Setup, endpoints};
use dynoxide::Database;
use edge::{CALLBACK, Event, Request, RouteMatch, find};
use jiff::Timestamp;
use local::Functions;
use platform::{Clock, Random, Variables};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{
    answer::Answer,
    aws::{Account, Aws},
    wire::{self, Script},
};

/// When everything happens, unless an input moves the clock.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_796_115_600, 0);
/// The ring that tokens are sealed with, unless an input brings its own.
pub(crate) const RING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;
/// How many Pins there are.
pub(crate) const PINS: usize = 7;
const FILE: &str = "dynamodb.sqlite";

/// A stack in one thread.
pub(crate) struct TestApp {
    runtime: tokio::runtime::Runtime,
    database: Database,
    snapshot_folder: TempDir,
    aws: Aws,
    pub(crate) pinterest: Arc<Mutex<Script>>,
    /// Seconds since [`NOW`].
    clock_seconds: Arc<AtomicI64>,
    random_counter: Arc<AtomicU64>,
    setup: Setup,
    functions: RefCell<Rc<Functions>>,
    endpoints: Vec<Endpoint>,
    /// The connected account, the Pins, and how things were when they were all there.
    pub(crate) channel: String,
    pub(crate) pins: Vec<String>,
    initial_state: (Account, Script, u64),
}

thread_local! {
    static APP: RefCell<Option<TestApp>> = const { RefCell::new(None) };
}

/// Acts on this thread's app, which is as new.
pub(crate) fn with(act: impl AsyncFnOnce(&TestApp)) {
    APP.with_borrow_mut(|slot| {
        let app = slot.get_or_insert_with(TestApp::start);
        app.reset();
        app.runtime.block_on(act(app));
    });
}

/// Acts without an app, but with a clock for time limits.
pub(crate) fn on_runtime(act: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(act);
}

impl TestApp {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let snapshot_folder = tempfile::tempdir().unwrap();
        let database = Database::memory().unwrap();
        let tables = loopback_aws::Tables { main: "main".to_owned(), tokens: "tokens".to_owned() };
        tables.create_in(&database).unwrap();

        let aws = Aws::new(database.clone());
        RING.clone_into(&mut aws.account.lock().unwrap().ring);
        let pinterest = Arc::<Mutex<Script>>::default();
        let (clock_seconds, random_counter) = (Arc::<AtomicI64>::default(), Arc::<AtomicU64>::default());
        let no_bucket = Transport::new(|_| Box::pin(async { Err("there is no bucket here".into()) }));
        let no_lambda = Transport::new(|_| Box::pin(async { Err("there is no Lambda here".into()) }));
        let transports = Transports {
            aws: aws.wire(),
            pinterest: wire::wire(&pinterest),
            media: no_bucket,
            lambda: no_lambda,
        };
        let setup = setup(&clock_seconds, &random_counter, transports);
        let functions = RefCell::new(Rc::new(Functions::new(&setup).unwrap()));
        let (channel, pins, initial_state) =
            (String::new(), Vec::new(), (Account::default(), Script::default(), 0));
        let mut app = Self {
            runtime,
            database,
            snapshot_folder,
            aws,
            pinterest,
            clock_seconds,
            random_counter,
            setup,
            functions,
            endpoints: endpoints(),
            channel,
            pins,
            initial_state,
        };
        app.seed();
        app
    }

    /// Connects an account, with a default board, and makes Pins in several states.
    fn seed(&mut self) {
        let (channel, pins) = self.runtime.block_on(async {
            let channel = self.connect().await;
            let board = json!({ "default_board_id": "549755885007" });
            self.send("PATCH", &format!("/api/v1/channels/{channel}"), "", &board).await.expect(200);
            let mut pins = Vec::new();
            for number in 0..PINS {
                let mut pin =
                    json!({ "channel_id": channel, "media": image(), "title": format!("Pin {number}") });
                if number % 2 == 1 {
                    pin["publish_at"] = json!("2026-12-24T18:00:00Z");
                }
                let response = self.send("POST", "/api/v1/pins", "", &pin).await;
                pins.push(response.json["id"].as_str().unwrap().to_owned());
                self.advance(1);
            }
            (channel, pins)
        });
        (self.channel, self.pins) = (channel, pins);
        self.clock_seconds.store(0, Ordering::Relaxed);
        self.database.vacuum_into(self.snapshot_folder.path().join(FILE).to_str().unwrap()).unwrap();
        let mut account = self.aws.account.lock().unwrap().clone();
        (account.published_events, account.has_writes) = (Vec::new(), false);
        let mut script = self.pinterest.lock().unwrap().clone();
        script.requests.clear();
        self.initial_state = (account, script, self.random_counter.load(Ordering::Relaxed));
    }

    fn reset(&mut self) {
        let (account, script, random_counter) = &self.initial_state;
        if self.aws.account.lock().unwrap().has_writes {
            self.database.restore_from(self.snapshot_folder.path().join(FILE).to_str().unwrap()).unwrap();
            self.renew();
        }
        self.aws.account.lock().unwrap().clone_from(account);
        self.pinterest.lock().unwrap().clone_from(script);
        self.clock_seconds.store(0, Ordering::Relaxed);
        self.random_counter.store(*random_counter, Ordering::Relaxed);
    }

    /// Starts the functions again, because they cache settings and keys.
    pub(crate) fn renew(&self) {
        self.functions.replace(Rc::new(Functions::new(&self.setup).unwrap()));
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock_seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    pub(crate) fn account<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        act(&mut self.aws.account.lock().unwrap())
    }

    /// What was sent to Pinterest for an operation.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Vec<u8>> {
        let script = self.pinterest.lock().unwrap();
        script
            .requests
            .iter()
            .filter(|request| request.operation == operation)
            .map(|request| request.body.clone())
            .collect()
    }

    pub(crate) fn functions(&self) -> Rc<Functions> {
        self.functions.borrow().clone()
    }

    /// Sends a request of the connected account's user, who is an admin.
    pub(crate) async fn send(&self, method: &str, path: &str, query: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send_event(&event(method, path, query, &json!({}), &body)).await
    }

    /// Lets the function answer that the address leads to.
    pub(crate) async fn send_event(&self, event: &Value) -> Answer {
        let request = parse_event(event.to_string().as_bytes()).expect("events of ours are events");
        self.answer(request).await
    }

    pub(crate) async fn answer(&self, request: Request) -> Answer {
        let path = lambda_http::RequestExt::raw_http_path(&request).to_owned();
        let address = |endpoint: &Endpoint| (endpoint.method, endpoint.path);
        let function = match find(&self.endpoints, address, request.method(), &path) {
            RouteMatch::Found(endpoint, _) => endpoint.function,
            RouteMatch::OtherMethod(_) | RouteMatch::Nothing => Function::Docs,
        };
        self.answer_as(function, request).await
    }

    /// Lets a function answer, be it the right one or not.
    pub(crate) async fn answer_as(&self, function: Function, request: Request) -> Answer {
        Answer::of(&self.functions().answer(function, request).await)
    }

    /// Connects an account, and gives its channel's id.
    async fn connect(&self) -> String {
        let started = self.send("POST", "/api/v1/auth/pinterest/start", "", &json!({})).await.expect(200);
        let query = format!("code=c&state={}", state(&started));
        let redirect = self.send("GET", CALLBACK, &query, &Value::Null).await;
        let ticket = redirect.location().split_once("#connection=").unwrap().1.to_owned();
        let claim = json!({ "connection": ticket });
        let channel = self.send("POST", "/api/v1/connections/claim", "", &claim).await.expect(201);
        channel["id"].as_str().unwrap().to_owned()
    }
}

fn setup(clock_seconds: &Arc<AtomicI64>, random_counter: &Arc<AtomicU64>, transports: Transports) -> Setup {
    let (clock_seconds, random_counter) = (clock_seconds.clone(), random_counter.clone());
    let clock =
        Clock::new(move || NOW + jiff::SignedDuration::from_secs(clock_seconds.load(Ordering::Relaxed)));
    // The same bytes for the same input, and no two alike.
    let random = Random::new(move |bytes| {
        for byte in bytes {
            let number = random_counter.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = number.to_be_bytes()[0] ^ number.to_be_bytes()[3];
        }
    });
    let variables = Variables::from_iter([
        ("AWS_REGION", loopback_aws::REGION),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
        ("MAIN_TABLE", "main"),
        ("TOKENS_TABLE", "tokens"),
        ("SETTINGS_SECRET", "settings"),
        ("KEY_RING_SECRET", "ring"),
        ("EVENT_BUS", "bus"),
        ("MEDIA_BUCKET", "media"),
        ("FRONTEND_URL", "https://app.example.com"),
        ("ALLOWED_RETURN_ORIGINS", "https://other.example.com"),
        ("PINTEREST_APP_ID", "1234567"),
        ("PINTEREST_APP_SECRET", "s3cret_planted"),
    ]);
    Setup::with_transports(transports, variables, clock, random).unwrap()
}

/// An event as a request, if it is one.
pub(crate) fn parse_event(event: &[u8]) -> Option<Request> {
    serde_json::from_slice(event).ok().map(|Event(request)| request)
}

/// The event of a request of the connected account's user.
pub(crate) fn event(method: &str, path: &str, query: &str, headers: &Value, body: &str) -> Value {
    let mut all = Map::new();
    all.insert("host".to_owned(), json!("api.example.com"));
    all.insert("x-forwarded-proto".to_owned(), json!("https"));
    all.extend(headers.as_object().cloned().unwrap_or_default());
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": all,
        "requestContext": {
            "accountId": "123456789012",
            "domainName": "api.example.com",
            "requestId": "UqDwMh3SliAEJgA=",
            "authorizer": { "jwt": { "claims": { "sub": "ada", "scope": "pinwright/admin" }, "scopes": null } },
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7" },
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 1_796_115_600_000_i64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

pub(crate) fn image() -> Value {
    json!({ "kind": "image", "url": "https://images.example.com/salad.jpg" })
}

/// The state in the address of Pinterest's consent page.
pub(crate) fn state(started: &Value) -> String {
    let address = reqwest::Url::parse(started["authorize_url"].as_str().unwrap()).unwrap();
    let state = address.query_pairs().find(|(name, _)| name == "state");
    state.unwrap().1.into_owned()
}
