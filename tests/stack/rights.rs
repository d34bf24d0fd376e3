//! Roles against calls: every function is run with its calls of DynamoDB recorded, and its role has to allow just those, row
//! by row.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use adapters::Transports;
use app::{
    Function, Setup,
    handlers::{Analytics, Channels, Pins, Publish, Tick},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use edge::Handler as _;
use jiff::{SignedDuration, Timestamp};
use local::{Data, Functions, Options, Pinterest, Stack};
use platform::{Clock, Random, Variables};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, ListedTime, Operation};
use tests::request_with_claims;
use tokio::time::{Duration, Instant};

use crate::{
    functions::capitals,
    project::Project,
    template::{list, named},
};

/// The functions that use tables.
const FUNCTIONS: [&str; 9] = [
    "admin-save",
    "oauth-start",
    "oauth-callback",
    "channels",
    "publish",
    "pins",
    "analytics",
    "deliver",
    "refresh",
];

/// Calls that are made only after a failure, which this test does not provoke.
const RARE: [(&str, &str, &str); 1] =
    [("refresh", "dynamodb:GetItem", "what became of a save whose answer was lost, or that came too late")];

/// A call of DynamoDB, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    action: String,
    /// As roles name it: `MainTable.Arn`, or `MainTable.Arn/index/due`.
    resource: String,
    /// The partition key.
    key: String,
    /// What an update reads or writes. Other calls name none here.
    attributes: BTreeSet<String>,
}

type Recorded = Arc<Mutex<BTreeSet<Call>>>;

/// One function at a time, of a stack in this process.
struct Recorder {
    stack: Stack,
    recorded: BTreeMap<&'static str, Recorded>,
}

impl Recorder {
    async fn start() -> Self {
        let options = Options {
            port: 0,
            data: Data::Memory,
            pinterest: Pinterest::Simulated,
            // The functions' own address is the one that is registered at Pinterest.
            variables: BTreeMap::from([("BASE_URL".to_owned(), "https://api.example.com".to_owned())]),
            timer: false,
        };
        let stack = Stack::start(options).await.unwrap();
        Self { stack, recorded: FUNCTIONS.map(|name| (name, Recorded::default())).into() }
    }

    /// All functions, whose calls are recorded as those of `name`, with a clock that is set forward.
    fn functions(&self, name: &'static str, ahead: SignedDuration) -> Functions {
        Functions::new(&self.setup(name, ahead)).unwrap()
    }

    fn setup(&self, name: &'static str, ahead: SignedDuration) -> Setup {
        let (aws, pinterest) = (self.stack.aws(), self.stack.pinterest().unwrap());
        let variables = Variables::from_iter([
            ("AWS_REGION", loopback_aws::REGION),
            ("AWS_ACCESS_KEY_ID", loopback_aws::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", aws.secret_key()),
            ("AWS_ENDPOINT_URL", aws.url()),
            ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
            ("MAIN_TABLE", "pinwright-main"),
            ("TOKENS_TABLE", "pinwright-tokens"),
            ("SETTINGS_SECRET", "pinwright/settings"),
            ("KEY_RING_SECRET", "pinwright/token-keys"),
            ("EVENT_BUS", "pinwright"),
            ("MEDIA_BUCKET", "pinwright-media"),
            ("BASE_URL", "https://api.example.com"),
            ("PINTEREST_API_URL", &pinterest.api_url()),
            ("PINTEREST_SANDBOX_API_URL", &pinterest.sandbox_api_url()),
            ("PINTEREST_AUTHORIZE_URL", &pinterest.authorize_url()),
        ]);
        let clock = Clock::new(move || Timestamp::now() + ahead);
        let network = Transports::network(&variables, clock.clone()).unwrap();
        let aws = recording(&network.aws, &self.recorded[name]);
        let transports = Transports { aws, ..network };
        Setup::with_transports(transports, variables, clock, Random::system()).unwrap()
    }

    /// What functions read when they start.
    async fn prepare(&self) {
        let setup = |name| self.setup(name, SignedDuration::ZERO);
        let channels = setup("channels");
        Channels::new(tests::sessions(&channels), &channels).prepare().await.unwrap();
        let analytics = setup("analytics");
        Analytics::new(tests::sessions(&analytics), &analytics).prepare().await.unwrap();
        let publish = setup("publish");
        Box::pin(Publish::new(tests::publisher(&publish), &publish).prepare()).await.unwrap();
        let pins = setup("pins");
        Pins::new(
            pins.main_table().unwrap(),
            pins.media_bucket().unwrap(),
            pins.media_fetch().unwrap(),
            &pins,
        )
        .prepare()
        .await
        .unwrap();
    }

    /// Has Pinterest refuse the token once.
    fn refuse_token(&self, operation: Operation) {
        let pinterest = self.stack.pinterest().unwrap();
        pinterest.inject(Fault::once(operation, FaultKind::Unauthorized));
    }

    /// A Pin that may be on the board needs a review, and somebody says that it is there.
    async fn review(&self, pin: &Value) {
        let pinterest = self.stack.pinterest().unwrap();
        pinterest.change_policy(|policy| policy.listing.created_at = ListedTime::Omit).unwrap();
        pinterest.inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
        let (_, lost) = self.ask("publish", "POST", "/api/v1/pins", pin).await;
        let soon = Instant::now() + Duration::from_mins(15);
        self.functions("deliver", SignedDuration::from_mins(10)).deliver.tick(soon).await.unwrap();
        let path = format!("/api/v1/pins/{}", lost["id"].as_str().unwrap());
        let (_, lost) = self.ask("pins", "GET", &path, &Value::Null).await;
        let found = json!({ "is": lost["candidates"][0]["pinterest_pin_id"] });
        let (status, _) = self.ask("pins", "POST", &format!("{path}/resolve"), &found).await;
        assert_eq!(status, 200, "{lost}");
    }

    /// The answer of a function: its status, and its JSON or its `Location`.
    async fn ask(&self, name: &'static str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let function = match name {
            "admin-save" => Function::AdminSave,
            "oauth-start" => Function::OauthStart,
            "oauth-callback" => Function::OauthCallback,
            "channels" => Function::Channels,
            "publish" => Function::Publish,
            "pins" => Function::Pins,
            _ => Function::Analytics,
        };
        let claims = json!({ "sub": "ada", "scope": "pinwright/admin" });
        let key = body["title"].as_str();
        let request = request_with_claims(&claims, method, path, key, body);
        let answer = self.functions(name, SignedDuration::ZERO).answer(function, request).await;
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(|at| json!(at.to_str().unwrap()));
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        (status, serde_json::from_str(&text).ok().or(location).unwrap_or_default())
    }

    /// Connects an account: the ticket.
    async fn consent(&self, account: &str) -> String {
        let (_, started) = self.ask("oauth-start", "POST", "/api/v1/auth/pinterest/start", &json!({})).await;
        let client = Self::client();
        let consent = client.post(started["authorize_url"].as_str().unwrap());
        let consent = consent.header("content-type", "application/x-www-form-urlencoded");
        let back = consent.body(format!("decision=allow&account={account}")).send().await.unwrap();
        let back = back.headers()["location"].to_str().unwrap().replace("https://api.example.com", "");
        let (_, end) = self.ask("oauth-callback", "GET", &back, &Value::Null).await;
        end.as_str().unwrap().split_once("#connection=").unwrap().1.to_owned()
    }

    fn client() -> reqwest::Client {
        let provider = rustls::crypto::ring::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into());
        let tls = tls.with_safe_default_protocol_versions().unwrap();
        let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls);
        client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    /// Everything that functions do with tables, each in every way.
    async fn run(&self) {
        const SETTINGS: &str = "/api/v1/admin/integrations/pinterest";
        let (none, soon) = (Value::Null, Instant::now() + Duration::from_mins(5));
        let day = SignedDuration::from_hours(24);
        let settings = json!({
            "app_id": simulated_pinterest::APP_ID, "app_secret": simulated_pinterest::APP_SECRET,
            "environment": "production",
        });
        self.ask("admin-save", "GET", SETTINGS, &none).await;
        assert_eq!(self.ask("admin-save", "PUT", SETTINGS, &settings).await.0, 200);
        self.ask("admin-save", "POST", &format!("{SETTINGS}/test"), &json!({})).await;
        self.prepare().await;

        let mut channel = String::new();
        for _ in 0..2 {
            let claim = json!({ "connection": self.consent("demo_account").await });
            let (status, claimed) = self.ask("channels", "POST", "/api/v1/connections/claim", &claim).await;
            assert!(status < 300, "{claimed}");
            claimed["id"].as_str().unwrap().clone_into(&mut channel);
        }
        let path = format!("/api/v1/channels/{channel}");
        let (_, boards) = self.ask("channels", "GET", &format!("{path}/boards?sections=true"), &none).await;
        let board = boards["items"][0]["pinterest_board_id"].clone();
        self.ask("channels", "GET", "/api/v1/channels", &none).await;
        self.ask("channels", "GET", &path, &none).await;
        self.ask("channels", "PATCH", &path, &json!({ "default_board_id": board })).await;
        self.ask("channels", "POST", &format!("{path}/boards"), &json!({ "name": "New" })).await;
        self.refuse_token(Operation::ListBoards);
        self.ask("channels", "GET", &format!("{path}/boards"), &none).await;
        self.ask("channels", "GET", "/api/v1/limits", &none).await;
        let own = json!({ "tenant": "ada", "limits": { "channels": 50 } });
        self.ask("channels", "PUT", "/api/v1/admin/limits", &own).await;

        let tomorrow = Timestamp::now() + day;
        let pin = |title: &str, later: bool| {
            let mut pin = json!({
                "channel_id": channel, "title": title,
                "media": { "kind": "image", "url": "https://images.example.com/salad.jpg" },
            });
            if later {
                pin["publish_at"] = json!(tomorrow);
            }
            pin
        };
        let pins = "/api/v1/pins";
        let (_, published) = self.ask("publish", "POST", pins, &pin("now", false)).await;
        self.ask("publish", "POST", pins, &pin("now", false)).await;
        let (_, scheduled) = self.ask("publish", "POST", pins, &pin("later", true)).await;
        self.ask("publish", "POST", &format!("{pins}/validate"), &pin("check", false)).await;
        self.ask("publish", "POST", "/api/v1/media", &json!({ "content_type": "image/png", "bytes": 9 }))
            .await;
        self.ask("publish", "POST", &format!("{pins}/bulk"), &pin("row", true)).await;
        self.refuse_token(Operation::CreatePin);
        self.ask("publish", "POST", pins, &pin("refused", false)).await;
        // At its limit, a tenant's open Pins are counted.
        let few = json!({ "tenant": "ada", "limits": { "open_pins": 1 } });
        self.ask("channels", "PUT", "/api/v1/admin/limits", &few).await;
        assert_eq!(self.ask("publish", "POST", pins, &pin("over", true)).await.0, 429);
        self.ask("channels", "PUT", "/api/v1/admin/limits", &own).await;

        let scheduled = format!("{pins}/{}", scheduled["id"].as_str().unwrap());
        self.ask("pins", "GET", &format!("{pins}?channel_id={channel}"), &none).await;
        self.ask("pins", "GET", &scheduled, &none).await;
        self.ask("pins", "PATCH", &scheduled, &json!({ "title": "changed" })).await;
        let moved = json!({ "channel_id": channel, "from_board_id": board, "to_board_id": "1" });
        self.ask("pins", "POST", &format!("{pins}/move"), &moved).await;
        self.ask("pins", "POST", &format!("{scheduled}/retry"), &json!({})).await;
        let mut soon_due = pin("due", true);
        soon_due["publish_at"] = json!(Timestamp::now() + SignedDuration::from_hours(1));
        self.ask("publish", "POST", pins, &soon_due).await;

        let analytics = format!("{path}/analytics");
        for of in ["analytics", "top-pins", "pin-metrics"] {
            self.ask("analytics", "GET", &format!("{path}/{of}"), &none).await;
        }
        let id = published["id"].as_str().unwrap_or_default();
        self.ask("analytics", "GET", &format!("{pins}/{id}/analytics"), &none).await;
        self.refuse_token(Operation::AccountAnalytics);
        self.ask("analytics", "GET", &analytics, &none).await;

        self.functions("deliver", SignedDuration::from_hours(2)).deliver.tick(soon).await.unwrap();
        self.refuse_token(Operation::CreatePin);
        self.functions("deliver", day * 2).deliver.tick(soon).await.unwrap();
        self.review(&pin("perhaps", false)).await;
        let refresh = |days: i32| self.functions("refresh", day * days).refresh;
        refresh(26).tick(Tick::Due, soon).await.unwrap();
        refresh(80).tick(Tick::DailyCheck, soon).await.unwrap();

        self.ask("pins", "DELETE", &scheduled, &none).await;
        self.ask("channels", "DELETE", &path, &none).await;
    }
}

/// The network, with the calls of DynamoDB written down.
fn recording(network: &SharedHttpConnector, recorded: &Recorded) -> SharedHttpConnector {
    SharedHttpConnector::new(Recording { inner: network.clone(), recorded: recorded.clone() })
}

#[derive(Debug)]
struct Recording {
    inner: SharedHttpConnector,
    recorded: Recorded,
}

impl HttpConnector for Recording {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if let Some(operation) = target.strip_prefix("DynamoDB_20120810.") {
            let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            self.recorded.lock().unwrap().extend(calls(operation, &body));
        }
        self.inner.call(request)
    }
}

/// What a call of DynamoDB asks for, as IAM sees it.
fn calls(operation: &str, body: &Value) -> Vec<Call> {
    let table = |name: &Value| match name.as_str().unwrap() {
        "pinwright-main" => "MainTable.Arn".to_owned(),
        _ => "TokensTable.Arn".to_owned(),
    };
    let call = |action: &str, resource: String, key: &Value, attributes| Call {
        action: format!("dynamodb:{action}"),
        resource,
        key: key["S"].as_str().unwrap_or_default().to_owned(),
        attributes,
    };
    match operation {
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().iter();
            let keys = tables.flat_map(|(name, wanted)| {
                let keys = wanted["Keys"].as_array().unwrap().iter();
                keys.map(move |key| (json!(name), key["pk"].clone()))
            });
            keys.map(|(name, key)| call(operation, table(&name), &key, BTreeSet::new())).collect()
        }
        "TransactWriteItems" => {
            let parts = body["TransactItems"].as_array().unwrap().iter();
            let parts = parts.flat_map(|part| part.as_object().unwrap().iter());
            parts.flat_map(|(kind, part)| calls(&format!("{kind}Item"), part)).collect()
        }
        "Query" => {
            let condition = body["KeyConditionExpression"].as_str().unwrap();
            let name = condition.split_whitespace().nth(2).unwrap();
            let index = body["IndexName"].as_str().map(|index| format!("/index/{index}")).unwrap_or_default();
            let resource = format!("{}{index}", table(&body["TableName"]));
            vec![call(operation, resource, &body["ExpressionAttributeValues"][name], BTreeSet::new())]
        }
        _ => {
            let row = if body["Key"].is_object() { &body["Key"] } else { &body["Item"] };
            let attributes = if operation == "UpdateItem" { attributes(body) } else { BTreeSet::new() };
            vec![call(operation, table(&body["TableName"]), &row["pk"], attributes)]
        }
    }
}

/// The attributes in the expressions of an update.
fn attributes(body: &Value) -> BTreeSet<String> {
    const WORDS: [&str; 10] = [
        "SET",
        "REMOVE",
        "ADD",
        "AND",
        "OR",
        "BETWEEN",
        "attribute_exists",
        "attribute_not_exists",
        "if_not_exists",
        "NOT",
    ];
    let names = &body["ExpressionAttributeNames"];
    let texts =
        ["UpdateExpression", "ConditionExpression"].map(|field| body[field].as_str().unwrap_or_default());
    let words = texts
        .iter()
        .flat_map(|text| text.split(|letter: char| !(letter.is_alphanumeric() || "#:_.".contains(letter))));
    let attributes = words.filter(|word| !word.is_empty() && !word.starts_with(':') && !WORDS.contains(word));
    let attributes = attributes.map(|word| {
        let first = word.split('.').next().unwrap();
        names[first].as_str().unwrap_or(first).to_owned()
    });
    attributes.chain(["pk".to_owned(), "sk".to_owned()]).collect()
}

/// The statements of a role about tables.
struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    keys: Option<Vec<String>>,
    attributes: Option<Vec<String>>,
}

impl Statement {
    fn allows(&self, call: &Call) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(front) => call.key.starts_with(front),
            None => *pattern == call.key,
        };
        self.actions.contains(&call.action)
            && self.resources.contains(&call.resource)
            && self.keys.as_ref().is_none_or(|keys| keys.iter().any(matches))
            && self.attributes.as_ref().is_none_or(|all| call.attributes.iter().all(|one| all.contains(one)))
    }
}

fn statements(project: &Project, function: &str) -> Vec<Statement> {
    let texts = |value: &Value| -> Vec<String> {
        list(value).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let role = project.resource(&format!("{}Role", capitals(function)));
    let policies = list(&role["Properties"]["Policies"]).into_iter();
    let all = policies.flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
    let all = all.map(|statement| {
        let conditions = &statement["Condition"]["ForAllValues:StringLike"];
        let condition = |name: &str| (!conditions[name].is_null()).then(|| texts(&conditions[name]));
        Statement {
            actions: texts(&statement["Action"]),
            resources: list(&statement["Resource"]).into_iter().filter_map(named).collect(),
            keys: condition("dynamodb:LeadingKeys"),
            attributes: condition("dynamodb:Attributes"),
        }
    });
    all.collect()
}

#[tokio::test]
async fn every_role_allows_the_rows_that_its_function_touches_and_no_others() {
    let recorder = Recorder::start().await;
    recorder.run().await;

    let project = Project::read();
    let mut complaints = Vec::new();
    for (function, calls) in &recorder.recorded {
        let calls = calls.lock().unwrap();
        assert!(!calls.is_empty(), "{function} was not run");
        let statements = statements(&project, function);
        for call in calls.iter() {
            if !statements.iter().any(|statement| statement.allows(call)) {
                complaints.push(format!("{function} is not allowed this: {call:?}"));
            }
        }
        for statement in
            statements.iter().filter(|one| one.actions.iter().any(|action| action.starts_with("dynamodb:")))
        {
            let used: Vec<_> = calls.iter().filter(|call| statement.allows(call)).collect();
            for action in statement.actions.iter().filter(|action| !action.contains("Stream")) {
                let is_rare = RARE.iter().any(|(of, rare, _)| of == function && rare == action);
                if !is_rare && !used.iter().any(|call| call.action == *action) {
                    complaints.push(format!(
                        "{function} may do {action} on {:?}, and never does",
                        statement.resources
                    ));
                }
            }
            for pattern in statement.keys.iter().flatten() {
                let front = pattern.trim_end_matches('*');
                if !used.iter().any(|call| call.key.starts_with(front)) {
                    complaints.push(format!("{function} may touch {pattern}, and never does"));
                }
            }
            let table = statement.resources.iter().any(|resource| !resource.contains("/index/"));
            if table && statement.keys.is_none() {
                complaints.push(format!("{function} may touch every row of {:?}", statement.resources));
            }
            for name in statement.attributes.iter().flatten() {
                if !used.iter().any(|call| call.attributes.contains(name)) {
                    complaints.push(format!("{function} may touch the attribute {name}, and never does"));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
