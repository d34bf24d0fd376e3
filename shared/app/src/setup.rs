//! What every function does at start, and what it is built from.

use std::time::Duration;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::{behavior_version::BehaviorVersion, http::SharedHttpClient};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use tracing_subscriber::EnvFilter;

use crate::{
    Clock, Error, Random, Variables, Wires,
    error::chain,
    events::Events,
    http::Site,
    routes,
    secrets::SettingsSecret,
    store::{MainTable, Table, TokensTable},
    vault::Vault,
};

/// From here each function takes what it may touch, and nothing else.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The function's settings.
    pub variables: Variables,
    /// Tells the time.
    pub clock: Clock,
    /// Gives random bytes.
    pub random: Random,
    pinterest: pinterest::Wire,
    aws: SdkConfig,
}

impl Setup {
    /// Reads `variables`. Everything is built once; connections are made when they are needed.
    pub fn new(variables: Variables, clock: Clock, random: Random, wires: Wires) -> Result<Self, Error> {
        // A callback path that no route has would be found out by the first person who connects.
        variables.allow("REDIRECT_PATH", &[routes::CALLBACK, routes::CALLBACK_ALIAS])?;
        variables.allow("PINTEREST_ENVIRONMENT", &["sandbox", "production"])?;
        let aws = aws(&variables, wires.aws)?;
        Ok(Self { variables, clock, random, pinterest: wires.pinterest, aws })
    }

    /// The table that all functions share.
    pub fn main_table(&self) -> Result<MainTable, Error> {
        let name = self.variables.need("MAIN_TABLE", "the name of the main table")?;
        Ok(MainTable::new(Table::new(self.dynamodb(), name, self.random.clone())))
    }

    /// The table of sealed tokens.
    pub fn tokens_table(&self) -> Result<TokensTable, Error> {
        let name = self.variables.need("TOKENS_TABLE", "the name of the tokens table")?;
        Ok(TokensTable::new(Table::new(self.dynamodb(), name, self.random.clone())))
    }

    /// Seals and opens tokens.
    #[must_use]
    pub fn vault(&self) -> Vault {
        Vault::new(self.secrets_manager(), &self.variables, self.random.clone())
    }

    /// The settings with the App Secret.
    pub fn settings_secret(&self) -> Result<SettingsSecret, Error> {
        Ok(SettingsSecret::new(self.secrets_manager(), &self.variables, self.clock.clone())?)
    }

    /// Tells events to the event bus.
    pub fn events(&self) -> Result<Events, Error> {
        let name = self.variables.need("EVENT_BUS", "the name of the event bus")?;
        let mut config = aws_sdk_eventbridge::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.endpoint("AWS_ENDPOINT_URL_EVENTBRIDGE"));
        Ok(Events::new(aws_sdk_eventbridge::Client::from_conf(config.build()), name))
    }

    /// Pinterest, at its real addresses unless the variables name others.
    #[must_use]
    pub fn pinterest(&self) -> pinterest::Client {
        let address = |name: &str| self.variables.get(name).map(str::to_owned);
        let api = |name: &str| address(name).map(|url| url.trim_end_matches('/').to_owned());
        let real = pinterest::Addresses::default();
        let given = api("PINTEREST_API_URL");
        let addresses = pinterest::Addresses {
            sandbox: api("PINTEREST_SANDBOX_API_URL").or(given.clone()).unwrap_or(real.sandbox),
            production: given.unwrap_or(real.production),
            authorize: address("PINTEREST_AUTHORIZE_URL").unwrap_or(real.authorize),
        };
        pinterest::Client::new(self.pinterest.clone(), addresses)
    }

    /// Where the API and its frontend are.
    #[must_use]
    pub fn site(&self) -> Site {
        Site::new(&self.variables)
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.endpoint("AWS_ENDPOINT_URL_DYNAMODB"));
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    fn endpoint(&self, of_service: &str) -> Option<String> {
        let address = self.variables.get(of_service).or_else(|| self.variables.get("AWS_ENDPOINT_URL"));
        address.map(str::to_owned)
    }
}

/// Region and credentials come straight from the environment, where Lambda puts them: no file, no metadata
/// service, nothing to wait for.
fn aws(variables: &Variables, wire: SharedHttpClient) -> Result<SdkConfig, Error> {
    let region = variables.need("AWS_REGION", "the region of the stack, for instance eu-central-1")?;
    let key = variables.need("AWS_ACCESS_KEY_ID", "the key of the function's role (Lambda sets it)")?;
    let secret = variables.need("AWS_SECRET_ACCESS_KEY", "the secret of that key (Lambda sets it)")?;
    let session = variables.get("AWS_SESSION_TOKEN").map(str::to_owned);
    let credentials = Credentials::new(key, secret, session, None, "environment");
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(wire)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(50)))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(5)).build())
        .build())
}

/// Starts the log, and reads the environment of a Lambda function.
pub fn start() -> Result<Setup, Error> {
    start_log();
    Setup::new(Variables::of_process(), Clock::system(), Random::system(), Wires::network()?)
}

/// How a function's `main` ends.
pub type Exit = Result<(), Stopped>;

/// The function cannot start, or go on. The log has said why.
#[derive(Debug)]
pub struct Stopped;

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        tracing::error!(error = %chain(&error), "the function cannot start");
        Self
    }
}

impl From<lambda_runtime::Error> for Stopped {
    fn from(error: lambda_runtime::Error) -> Self {
        tracing::error!(error = %chain(error.as_ref()), "the function stopped");
        Self
    }
}

/// One JSON object a line on standard output, as CloudWatch reads it.
pub fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start in one process (tests) keeps the first log.
    if tracing_subscriber::fmt().json().with_env_filter(filter).with_target(true).try_init().is_err() {
        tracing::debug!("the log had been started before");
    }
}
