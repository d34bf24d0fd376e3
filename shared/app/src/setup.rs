//! The start of every function, and the parts that it is built from.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::OnceLock,
    time::Duration,
};

use adapters::{
    EventBus, MediaBucket, SettingsSecret, ShortRequests, Signer, Transport, Transports, Vault, Workers,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion, http::SharedHttpClient,
    stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use delivery::{MediaFetch, PinPublisher, Sessions};
use domain::{DisclosurePolicy, Limit, Limits};
use edge::{SiteConfig, Stopped};
use platform::{Clock, InvalidVariable, MissingVariable, Random, Variables, chain};
use store::{DUE_PARTITIONS, MainTable, Table, TokensTable};
use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::Error;

/// The wait of the AWS SDK before its first retry.
const SDK_RETRY_BACKOFF: Duration = Duration::from_millis(50);
/// The time limit of one attempt of the AWS SDK.
const SDK_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// For this many due entries one worker is enough: it sends them within seconds.
const ENTRIES_PER_WORKER: usize = 512;
/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT_LOG_LEVEL: Level = Level::INFO;

/// Each function takes the parts that it may use from here, and nothing else.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The function's settings.
    pub variables: Variables,
    /// Tells the time.
    pub clock: Clock,
    /// Gives random bytes.
    pub random: Random,
    /// How many partitions the `due` index of each table has. A simulated run has few rows, and uses fewer partitions.
    pub due_partitions: u32,
    /// The number of due entries for which one worker is enough. A simulated run has few entries, and several workers.
    pub entries_per_worker: usize,
    pinterest: pinterest::Client,
    site: SiteConfig,
    refresh_at_once: Option<NonZeroUsize>,
    refreshes_per_minute: Option<NonZeroU32>,
    /// What is done with a Pin whose file says that a model made it.
    pub(crate) disclosures: DisclosurePolicy,
    tenant_limits: Limits,
    credentials: Credentials,
    aws: SdkConfig,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    secrets_manager: OnceLock<aws_sdk_secretsmanager::Client>,
    media: Transport,
    lambda: Transport,
    max_workers: Option<NonZeroUsize>,
}

impl Setup {
    /// The clients that use the network, built once.
    pub fn new(variables: Variables, clock: Clock, random: Random) -> Result<Self, Error> {
        let transports = Transports::network(&variables, clock.clone())?;
        Self::with_transports(transports, variables, clock, random)
    }

    /// The clients that use `transports`. An error in `variables` stops every function at its start, before a user meets
    /// it.
    pub fn with_transports(
        transports: Transports,
        variables: Variables,
        clock: Clock,
        random: Random,
    ) -> Result<Self, Error> {
        variables.require_one_of("PINTEREST_ENVIRONMENT", &["sandbox", "production"])?;
        let credentials = credentials(&variables)?;
        Ok(Self {
            pinterest: pinterest::Client::new(transports.pinterest, pinterest_addresses(&variables)?),
            site: SiteConfig::new(&variables)?,
            refresh_at_once: variables.parse("REFRESH_AT_ONCE", "a whole number from 1")?,
            refreshes_per_minute: variables.parse("REFRESHES_PER_MINUTE", "a whole number from 1")?,
            disclosures: variables.parse("AI_DISCLOSURES", "suggest, set or off")?.unwrap_or_default(),
            tenant_limits: tenant_limits(&variables)?,
            aws: sdk_config(&variables, credentials.clone(), transports.aws)?,
            dynamodb: OnceLock::new(),
            secrets_manager: OnceLock::new(),
            credentials,
            media: transports.media,
            lambda: transports.lambda,
            max_workers: max_workers(&variables)?,
            variables,
            clock,
            random,
            due_partitions: DUE_PARTITIONS,
            entries_per_worker: ENTRIES_PER_WORKER,
        })
    }

    /// The table that all functions share.
    pub fn main_table(&self) -> Result<MainTable, Error> {
        let name = self.variables.required("MAIN_TABLE", "the name of the main table")?;
        Ok(MainTable::new(self.table(name)))
    }

    /// The table of sealed tokens.
    pub fn tokens_table(&self) -> Result<TokensTable, Error> {
        let name = self.variables.required("TOKENS_TABLE", "the name of the tokens table")?;
        Ok(TokensTable::new(self.table(name)))
    }

    fn table(&self, name: &str) -> Table {
        Table::new(self.dynamodb(), name, self.due_partitions, self.random.clone())
    }

    /// Seals and opens tokens.
    pub fn vault(&self) -> Result<Vault, Error> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        Ok(Vault::new(self.secrets_manager(), &self.variables, clock, random)?)
    }

    /// The settings with the App Secret.
    pub fn settings_secret(&self) -> Result<SettingsSecret, Error> {
        Ok(SettingsSecret::new(self.secrets_manager(), &self.variables, self.clock.clone())?)
    }

    /// The event bus.
    pub fn event_bus(&self) -> Result<EventBus, Error> {
        let name = self.variables.required("EVENT_BUS", "the name of the event bus")?;
        let mut config = aws_sdk_eventbridge::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.endpoint("AWS_ENDPOINT_URL_EVENTBRIDGE"));
        Ok(EventBus::new(aws_sdk_eventbridge::Client::from_conf(config.build()), name))
    }

    /// The bucket of uploaded files.
    pub fn media_bucket(&self) -> Result<MediaBucket, Error> {
        let (address, region) = (self.media_address()?, region(&self.variables)?);
        // Signed with the machine's clock, like the SDK's requests, and not with ours, which `/dev/advance` can move.
        let (transport, credentials) = (self.media.clone(), self.credentials.clone());
        Ok(MediaBucket::new(transport, address, region.to_owned(), credentials, Clock::system()))
    }

    /// Starts this function once more.
    pub fn workers(&self) -> Result<Workers, Error> {
        let what = "the name of the function (Lambda sets it)";
        let function = self.variables.required("AWS_LAMBDA_FUNCTION_NAME", what)?;
        let region = region(&self.variables)?;
        let endpoint = self.endpoint("AWS_ENDPOINT_URL_LAMBDA");
        let endpoint = endpoint.unwrap_or_else(|| format!("https://lambda.{region}.amazonaws.com"));
        let (transport, credentials) = (self.lambda.clone(), self.credentials.clone());
        let endpoint = endpoint.trim_end_matches('/');
        Ok(Workers::new(transport, endpoint, function, region.to_owned(), credentials, Clock::system()))
    }

    /// How many workers of a function may work at once, if the variables say so.
    #[must_use]
    pub fn max_workers(&self) -> Option<usize> {
        self.max_workers.map(NonZeroUsize::get)
    }

    /// The address of that bucket.
    pub fn media_address(&self) -> Result<String, MissingVariable> {
        let name = self.variables.required("MEDIA_BUCKET", "the name of the media bucket")?;
        let region = region(&self.variables)?;
        Ok(match self.endpoint("AWS_ENDPOINT_URL_S3") {
            Some(endpoint) => format!("{}/{name}", endpoint.trim_end_matches('/')),
            None => format!("https://{name}.s3.{region}.amazonaws.com"),
        })
    }

    /// Pinterest, at its real addresses unless the variables name others.
    #[must_use]
    pub fn pinterest(&self) -> pinterest::Client {
        self.pinterest.clone()
    }

    /// Fetches media from the addresses that callers gave.
    pub fn media_fetch(&self) -> Result<MediaFetch, Error> {
        Ok(MediaFetch::new(&self.variables)?)
    }

    /// Opens sessions to use Pinterest on behalf of channels.
    #[must_use]
    pub fn sessions(&self, main: MainTable, tokens: TokensTable, vault: Vault) -> Sessions {
        Sessions::new(main, tokens, vault, self.pinterest(), &self.variables, self.clock.clone())
    }

    /// Publishes Pins.
    #[must_use]
    pub fn publisher(&self, sessions: Sessions, bucket: MediaBucket, fetch: MediaFetch) -> PinPublisher {
        PinPublisher::new(sessions, bucket, fetch, self.clock.clone(), self.random.clone())
    }

    /// The addresses of the API and its frontend.
    #[must_use]
    pub fn site(&self) -> SiteConfig {
        self.site.clone()
    }

    /// How many channels one worker refreshes side by side, if the variables say so.
    #[must_use]
    pub fn refresh_at_once(&self) -> Option<NonZeroUsize> {
        self.refresh_at_once
    }

    /// How many channels all workers together refresh in a minute, if the variables say so.
    #[must_use]
    pub fn refreshes_per_minute(&self) -> Option<NonZeroU32> {
        self.refreshes_per_minute
    }

    /// The limits of a tenant that has no limits of its own.
    #[must_use]
    pub fn tenant_limits(&self) -> Limits {
        self.tenant_limits.clone()
    }

    /// One for all tables.
    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let client = self.dynamodb.get_or_init(|| {
            let mut config = aws_sdk_dynamodb::config::Builder::from(&self.aws);
            config.set_endpoint_url(self.endpoint("AWS_ENDPOINT_URL_DYNAMODB"));
            let config = config.push_auth_scheme(self.dynamodb_signer()).interceptor(ShortRequests);
            aws_sdk_dynamodb::Client::from_conf(config.build())
        });
        client.clone()
    }

    /// Signs by the machine's clock, and not by ours: AWS does not know a clock that somebody has moved at `/dev/advance`.
    fn dynamodb_signer(&self) -> Signer {
        let region = self.aws.region().map(ToString::to_string).unwrap_or_default();
        Signer::new("dynamodb", region, self.credentials.clone(), Clock::system())
    }

    /// One for all secrets.
    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let client = self.secrets_manager.get_or_init(|| {
            let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.aws);
            config.set_endpoint_url(self.endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
            aws_sdk_secretsmanager::Client::from_conf(config.build())
        });
        client.clone()
    }

    fn endpoint(&self, of_service: &str) -> Option<String> {
        let address = self.variables.get(of_service).or_else(|| self.variables.get("AWS_ENDPOINT_URL"));
        address.map(str::to_owned)
    }
}

fn pinterest_addresses(variables: &Variables) -> Result<pinterest::Addresses, Error> {
    let real = pinterest::Addresses::default();
    let given = variables.address("PINTEREST_API_URL")?;
    let sandbox = variables.address("PINTEREST_SANDBOX_API_URL")?.or(given);
    let authorize = variables.address("PINTEREST_AUTHORIZE_URL")?;
    let api = |url: &str| url.trim_end_matches('/').to_owned();
    Ok(pinterest::Addresses {
        sandbox: sandbox.map_or(real.sandbox, api),
        production: given.map_or(real.production, api),
        authorize: authorize.map_or(real.authorize, str::to_owned),
    })
}

/// The concurrency that is reserved for each of `deliver` and `refresh`, but for one: while workers work, there is a tick every minute. `None`:
/// none is reserved, and there may be one worker for each partition.
fn max_workers(variables: &Variables) -> Result<Option<NonZeroUsize>, InvalidVariable> {
    let reserved: Option<usize> = variables.parse("WORKER_CONCURRENCY", "a whole number")?;
    Ok(reserved
        .filter(|reserved| *reserved > 0)
        .and_then(|reserved| NonZeroUsize::new((reserved - 1).max(1))))
}

fn tenant_limits(variables: &Variables) -> Result<Limits, InvalidVariable> {
    let names = Limit::ALL.map(Limit::name).join(", ");
    let wrong = || {
        let meaning =
            format!("limits and whole numbers, such as channels=5,open_pins=500; the limits are {names}");
        InvalidVariable::new("TENANT_LIMITS", meaning)
    };
    Limits::parse(variables.get("TENANT_LIMITS").unwrap_or_default()).ok_or_else(wrong)
}

fn region(variables: &Variables) -> Result<&str, MissingVariable> {
    variables.required("AWS_REGION", "the region of the stack, for instance eu-central-1")
}

/// Region and credentials come directly from the environment, where Lambda sets them: no file and no metadata service are
/// read.
fn credentials(variables: &Variables) -> Result<Credentials, MissingVariable> {
    let key = variables.required("AWS_ACCESS_KEY_ID", "the key of the function's role (Lambda sets it)")?;
    let secret = variables.required("AWS_SECRET_ACCESS_KEY", "the secret of that key (Lambda sets it)")?;
    let session = variables.get("AWS_SESSION_TOKEN").map(str::to_owned);
    Ok(Credentials::new(key, secret, session, None, "environment"))
}

fn sdk_config(
    variables: &Variables,
    credentials: Credentials,
    transport: SharedHttpClient,
) -> Result<SdkConfig, Error> {
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region(variables)?.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(transport)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(RetryConfig::standard().with_initial_backoff(SDK_RETRY_BACKOFF))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(SDK_ATTEMPT_TIMEOUT).build())
        // The protection against stalled streams is for large bodies. Ours are small, and have the limit of five seconds.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build())
}

/// Starts the log, and reads the environment of a Lambda function.
pub fn start() -> Result<Setup, Error> {
    let variables = Variables::from_env();
    start_log(&variables)?;
    Setup::new(variables, Clock::system(), Random::system())
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        tracing::error!(error = %chain(&error), "the function cannot start");
        Self
    }
}

/// The highest log level of third-party code, even if `RUST_LOG` allows more: at `trace`, the SDK and the HTTP stack write
/// headers and bodies, and with them tokens and secrets; the Lambda runtime writes whole events.
#[must_use]
pub fn log_limits() -> Targets {
    Targets::new()
        .with_default(Level::TRACE)
        .with_targets(["aws", "h2", "hyper", "reqwest", "rustls"].map(|stack| (stack, Level::DEBUG)))
        .with_target("lambda_", Level::INFO)
}

/// One JSON object a line on standard output, as CloudWatch reads it. With an invalid `RUST_LOG` the log still works, and
/// reports it.
fn start_log(variables: &Variables) -> Result<(), InvalidVariable> {
    let wanted = variables.parse::<Targets>("RUST_LOG", "a level, such as info or warn");
    let usual = Targets::new().with_default(DEFAULT_LOG_LEVEL);
    let (filter, result) = match wanted {
        Ok(wanted) => (wanted.unwrap_or(usual), Ok(())),
        Err(wrong) => (usual, Err(wrong)),
    };
    let lines = tracing_subscriber::fmt::layer().json();
    tracing_subscriber::registry().with(filter).with(log_limits()).with(lines).init();
    result
}
