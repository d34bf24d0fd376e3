//! What the functions talk to: the local AWS and the simulated Pinterest, each behind TLS, and an account that is
//! connected.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use loopback_aws::{ACCESS_KEY, LoopbackAws, REGION, Tables};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde_json::{Value, json};
use simulated_pinterest::{APP_ID, APP_SECRET, Environment, SimulatedPinterest};
use tempfile::TempDir;
use tests::signed_headers;

use crate::{
    Failure,
    front::{self, Calls},
    process::Running,
    programs::Programs,
    requests::request,
    tls::Trust,
};

/// Where the API says that it is.
pub(crate) const BASE_URL: &str = "https://api.example.com";

const FORM: &str = "application/x-www-form-urlencoded";
const MAIN_TABLE: &str = "pinwright-main";
const TOKENS_TABLE: &str = "pinwright-tokens";
const KEY_SECRET: &str = "tutorial/key";
/// Seals the tutorial's token.
const KEY: [u8; 32] = [7; 32];
/// Those that Pinterest knows.
const BUSY_ACCOUNT: &str = "demo_account";
const QUIET_ACCOUNT: &str = "second_account";
const TUTORIAL_CHANNEL: &str = "tutorial";

/// The channels that requests are about.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    /// Publishes all day long.
    pub(crate) busy: String,
    /// Hardly publishes. A validation reads its channel's last Pins, and no channel has as many as a benchmark makes.
    pub(crate) quiet: String,
}

impl Channels {
    /// The tutorial's one channel, whose rows are of its own form.
    pub(crate) fn of_tutorial() -> Self {
        Self { busy: TUTORIAL_CHANNEL.to_owned(), quiet: TUTORIAL_CHANNEL.to_owned() }
    }
}

/// How a program reaches AWS and Pinterest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// As in production, through fronts that count.
    Tls,
    /// Without TLS: what a start costs that shakes no hands.
    Plain,
}

/// All servers that a function may call.
#[derive(Debug)]
pub(crate) struct Servers {
    /// Holds what programs write, and goes with the run.
    pub(crate) folder: TempDir,
    /// What crossed the fronts.
    pub(crate) calls: Calls,
    trust: Trust,
    aws: LoopbackAws,
    pinterest: SimulatedPinterest,
    dynamodb_front: String,
    aws_front: String,
    pinterest_front: String,
}

impl Servers {
    /// Starts it, with nothing in it.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let trust = Trust::make(&folder)?;
        let now = Arc::new(Timestamp::now);
        let settings = json!({"pinterest_app-id": APP_ID, "pinterest_app-secret": APP_SECRET});
        let ring = json!({"current": "k1", "k1": "x".repeat(64)});
        let aws = LoopbackAws::start(loopback_aws::Options {
            folder: None,
            tables: Tables { main: MAIN_TABLE.into(), tokens: TOKENS_TABLE.into() },
            now: now.clone(),
            secrets: BTreeMap::from([
                ("pinwright/settings".into(), settings.to_string()),
                ("pinwright/token-keys".into(), ring.to_string()),
                (KEY_SECRET.into(), STANDARD.encode(KEY)),
            ]),
            bucket: "pinwright-media".into(),
            secret_key: "bench".into(),
        })
        .await?;
        let random = Arc::new(|buffer: &mut [u8]| fastrand::fill(buffer));
        let redirect_uris = vec![format!("{BASE_URL}/api/v1/auth/pinterest/callback")];
        let pinterest = simulated_pinterest::Options { port: 0, file: None, redirect_uris, now, random };
        let pinterest = SimulatedPinterest::start(pinterest).await?;
        // What is measured is ours: no request waits for Pinterest's limits.
        pinterest.change_policy(|policy| policy.documented_limits = false)?;
        let calls = Calls::default();
        Ok(Self {
            dynamodb_front: front::open(&trust, aws.dynamodb_url(), &calls).await?,
            aws_front: front::open(&trust, aws.url(), &calls).await?,
            pinterest_front: front::open(&trust, &pinterest.url(), &calls).await?,
            folder,
            calls,
            trust,
            aws,
            pinterest,
        })
    }

    /// The environment of every program: what Lambda sets, and the variables of the template.
    pub(crate) fn variables(&self, reach: Reach) -> Vec<(&'static str, String)> {
        let (dynamodb, aws, pinterest) = match reach {
            Reach::Tls => (&*self.dynamodb_front, &*self.aws_front, self.pinterest_front.clone()),
            Reach::Plain => (self.aws.dynamodb_url(), self.aws.url(), self.pinterest.url()),
        };
        let at_pinterest = |url: &str| url.replace(&self.pinterest.url(), &pinterest);
        let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
        vec![
            ("AWS_LAMBDA_FUNCTION_NAME", "bench".into()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", self.aws.secret_key().into()),
            ("AWS_ENDPOINT_URL", aws.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.to_owned()),
            ("AWS_CA_BUNDLE", path(&self.trust.extra_roots)),
            ("SSL_CERT_FILE", path(&self.trust.all_roots)), // the tutorial's TLS looks here
            ("MAIN_TABLE", MAIN_TABLE.into()),
            ("TOKENS_TABLE", TOKENS_TABLE.into()),
            ("SETTINGS_SECRET", "pinwright/settings".into()),
            ("KEY_RING_SECRET", "pinwright/token-keys".into()),
            ("KEY_SECRET", KEY_SECRET.into()),
            ("MEDIA_BUCKET", "pinwright-media".into()),
            // No user sends ten thousand requests at once.
            (
                "TENANT_LIMITS",
                "open_pins=1000000,pins_per_minute=1000000,pinterest_calls_per_minute=1000000,\
                 pinterest_calls_per_day=1000000"
                    .into(),
            ),
            ("EVENT_BUS", "pinwright".into()),
            ("BASE_URL", BASE_URL.into()),
            ("PINTEREST_APP_ID", APP_ID.into()),
            ("PINTEREST_API_URL", at_pinterest(&self.pinterest.api_url())),
            ("PINTEREST_SANDBOX_API_URL", at_pinterest(&self.pinterest.sandbox_api_url())),
            ("PINTEREST_AUTHORIZE_URL", self.pinterest.authorize_url()),
        ]
    }

    /// Connects the accounts.
    pub(crate) async fn connect(&self, programs: &Programs) -> Result<Channels, Failure> {
        let busy = self.connect_account(programs, BUSY_ACCOUNT).await?;
        Ok(Channels { busy, quiet: self.connect_account(programs, QUIET_ACCOUNT).await? })
    }

    /// Connects one as a person does, through the functions that are measured: the channel's id.
    async fn connect_account(&self, programs: &Programs, account: &str) -> Result<String, Failure> {
        let ask = async |function: &str, event: Value, status: u16| -> Result<Value, Failure> {
            let mut running = Running::start(self, programs.function(function)?, Reach::Tls).await?;
            running.ask(&event, status).await
        };
        let start = request("POST", "/api/v1/auth/pinterest/start", None, &json!({}));
        let started = ask("oauth-start", start, 200).await?;
        let consent = self
            .trust
            .client()?
            .post(text(&started["authorize_url"])?)
            .body(format!("decision=allow&account={account}"));
        let consent = consent.header("content-type", FORM).send().await?;
        let location = consent.headers().get("location").ok_or("the consent page sends nobody back")?;
        let back = request("GET", location.to_str()?.trim_start_matches(BASE_URL), None, &Value::Null);

        let mut callback = Running::start(self, programs.function("oauth-callback")?, Reach::Tls).await?;
        let end = callback.api.invoke(&back).await?;
        let end = text(&end["headers"]["location"])?;
        let (_, ticket) = end.split_once("#connection=").ok_or("the callback brings no ticket")?;
        let claim = request("POST", "/api/v1/connections/claim", None, &json!({"connection": ticket}));
        let channel = ask("channels", claim, 201).await?;
        let channel = text(&channel["id"])?;

        let board = json!({"default_board_id": self.board(Environment::Sandbox, account)?});
        let choose = request("PATCH", &format!("/api/v1/channels/{channel}"), None, &board);
        ask("channels", choose, 200).await?;
        self.calls.take();
        Ok(channel.to_owned())
    }

    /// Writes the rows that the tutorial reads: the same facts, in its form. It knows no sandbox.
    pub(crate) async fn write_tutorial_rows(&self) -> Result<(), Failure> {
        let client = self.trust.client()?;
        let form = "grant_type=client_credentials&scope=boards:read,boards:write,pins:read,pins:write";
        let token = client.post(format!("{}/oauth/token", self.pinterest.api_url())).body(form);
        let token = token.header("content-type", FORM);
        let token: Value = token.basic_auth(APP_ID, Some(APP_SECRET)).send().await?.json().await?;
        let sealed = seal(text(&token["access_token"])?)?;
        let board = self.board(Environment::Production, BUSY_ACCOUNT)?;
        for row in [
            json!({"pk": {"S": "APP"}, "sk": {"S": "SETTINGS"}, "status": {"S": "enabled"}}),
            json!({"pk": {"S": "CHANNEL"}, "sk": {"S": TUTORIAL_CHANNEL}, "board_id": {"S": board}}),
            json!({"pk": {"S": "TOKEN"}, "sk": {"S": TUTORIAL_CHANNEL}, "sealed": {"S": sealed}}),
        ] {
            let body = json!({"TableName": MAIN_TABLE, "Item": row}).to_string();
            let (url, target) = (self.aws.dynamodb_url(), "DynamoDB_20120810.PutItem");
            let headers = signed_headers(self.aws.secret_key(), url, target, &body);
            client.post(url).headers(headers).body(body).send().await?.error_for_status()?;
        }
        Ok(())
    }

    /// The first board of an account.
    fn board(&self, environment: Environment, account: &str) -> Result<String, Failure> {
        let boards = self.pinterest.boards(environment, account);
        Ok(boards.first().ok_or("the account has no board")?.id.clone())
    }
}

/// The nonce before the ciphertext, as the tutorial reads it.
fn seal(token: &str) -> Result<String, Failure> {
    let failed = |_| "the token cannot be sealed";
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KEY).map_err(failed)?);
    let nonce = [1; NONCE_LEN]; // one text is sealed under this key
    let mut sealed = token.as_bytes().to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .map_err(failed)?;
    Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
}

fn text(value: &Value) -> Result<&str, Failure> {
    value.as_str().ok_or_else(|| format!("a text was expected: {value}").into())
}
