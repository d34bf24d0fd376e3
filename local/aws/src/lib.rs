//! The AWS that the local stack needs, on loopback: no account, no container, no internet.
//!
//! The real AWS SDK talks to it over HTTP, so the product needs no second code path for a laptop. It answers the
//! calls that the product makes and refuses all others:
//!
//! | service | where | kept in |
//! |---|---|---|
//! | DynamoDB | [`LoopbackAws::url`]; without a report of writes [`LoopbackAws::dynamodb_url`] | `dynamodb.sqlite` |
//! | Secrets Manager: `GetSecretValue`, `PutSecretValue` | [`LoopbackAws::url`] | `secrets/*.json` |
//! | EventBridge: `PutEvents` | [`LoopbackAws::url`] | `events.jsonl` |
//! | S3: `PutObject`, `GetObject`, `DeleteObject`, `DeleteObjectTagging` by signed addresses | [`LoopbackAws::url`] | `media/*/*` |
//! | Lambda: asynchronous `Invoke` | [`LoopbackAws::url`], and [`LoopbackAws::next_invocation`] | memory |
//! | Lambda's reading of the stream of main | [`LoopbackAws::stream`] | `stream.json` |
//!
//! All files are readable by their owner only, and whatever was answered is on the disk, so that a kill -9 loses
//! nothing. All ports pass one gate: the `Host` of a request has to be a loopback address, so that no page in a browser
//! gets an answer by a name of its own; every request has to be signed with [`Options::secret_key`], so that no other user
//! of this machine gets one; and no answer allows an origin (CORS), except for the bucket's, where the signature of an
//! address decides.

mod aws_json;
mod dynamodb;
mod dynamodb_api;
mod error;
mod event_bridge;
mod folder;
mod lambda;
mod s3;
mod secrets_manager;
mod services;
mod signature;
mod stream;
mod tables;

use std::{collections::BTreeMap, fmt, io, net::Ipv4Addr, path::PathBuf, sync::Arc};

use axum::{Router, middleware};
use jiff::Timestamp;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use self::{
    dynamodb::DynamoDb, dynamodb_api::DynamoDbApi, event_bridge::EventBus, folder::Folder,
    lambda::Invocations, s3::Bucket, secrets_manager::SecretsManager, services::Services,
    signature::AccessKey,
};
pub use self::{
    error::Error,
    event_bridge::BusEvent,
    stream::{Batch, MainStream},
    tables::Tables,
};

/// The region that everything here is in, for `AWS_REGION`.
pub const REGION: &str = "us-east-1";

/// The account that everything here belongs to.
pub const ACCOUNT: &str = "000000000000";

/// The id of the access key that signs all requests, for `AWS_ACCESS_KEY_ID`.
pub const ACCESS_KEY: &str = "local";

/// Returns the current time. It may be ahead of the computer's clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to start the local AWS.
pub struct Options {
    /// Where everything is kept; created if it is missing. With `None`, all is in memory and ends with the process.
    pub folder: Option<PathBuf>,
    /// The names of the tables.
    pub tables: Tables,
    /// The clock for the expiry of rows and for the times of events, secrets and stream records.
    pub now: Clock,
    /// The names of the secrets, each with its first value, which counts if the folder has none. If it is empty, the
    /// secret exists and has no value yet, as in a newly deployed stack.
    pub secrets: BTreeMap<String, String>,
    /// The name of the bucket.
    pub bucket: String,
    /// The secret of [`ACCESS_KEY`]: new for each run, so that nobody else has it.
    pub secret_key: String,
}

/// A running local AWS. Dropping it stops it.
pub struct LoopbackAws {
    dynamodb_url: String,
    url: String,
    dynamodb: DynamoDb,
    dynamodb_api: Arc<DynamoDbApi>,
    bus: Arc<EventBus>,
    stream: MainStream,
    invocations: Arc<Invocations>,
    folder: Option<Arc<Folder>>,
    secret_key: String,
    servers: Vec<JoinHandle<io::Result<()>>>,
    /// The servers stop when this is dropped.
    running: watch::Sender<()>,
}

impl LoopbackAws {
    /// Opens the folder and serves what it holds, on ports that the system chooses.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] while another process uses the folder; the others name the file or port that failed.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let Options { folder, tables, now, secrets, bucket, secret_key } = options;
        let key = AccessKey { id: ACCESS_KEY.to_owned(), secret: secret_key.clone(), region: REGION };
        let folder = folder.as_deref().map(Folder::open).transpose()?.map(Arc::new);
        let dynamodb = DynamoDb::open(folder.as_deref(), &tables, &now)?;
        let stream = MainStream::open(&dynamodb, &tables.main, folder.as_ref(), &now)?;
        let secrets = SecretsManager::open(folder.as_ref(), secrets, &now)?;
        let bus = Arc::new(EventBus::open(folder.as_deref(), &now)?);
        let bucket = Bucket::open(folder.as_deref(), bucket, key.clone())?;

        let (dynamodb_listener, dynamodb_host) = bind_loopback().await.map_err(Error::Server)?;
        let (listener, host) = bind_loopback().await.map_err(Error::Server)?;
        let (running, _) = watch::channel(());
        let dynamodb_url = format!("http://{dynamodb_host}");
        let url = format!("http://{host}");
        let dynamodb_api = Arc::new(DynamoDbApi::new(dynamodb.database.clone()));
        let services = Services {
            dynamodb: Arc::clone(&dynamodb_api),
            announces_writes: true,
            secrets: Arc::new(secrets),
            bus: Arc::clone(&bus),
            key: key.clone(),
        };
        let invocations = Arc::new(Invocations::default());
        let lambda = lambda::router(Arc::clone(&invocations), key);
        let quiet = Services { announces_writes: false, ..services.clone() };
        let serve = |listener, router: Router| {
            let router = router.layer(middleware::from_fn(services::require_loopback_host));
            let server = axum::serve(listener, router).with_graceful_shutdown(wait_for_stop(&running));
            tokio::spawn(server.into_future())
        };
        let servers = vec![
            serve(dynamodb_listener, services::router(quiet)),
            serve(listener, services::router(services).merge(lambda).merge(s3::router(bucket))),
        ];
        Ok(Self {
            dynamodb_url,
            url,
            dynamodb,
            dynamodb_api,
            bus,
            stream,
            invocations,
            folder,
            secret_key,
            servers,
            running,
        })
    }

    /// Where DynamoDB answers without reporting writes, for `AWS_ENDPOINT_URL_DYNAMODB` of this process itself.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// Where Secrets Manager, EventBridge, Lambda and S3 answer, for `AWS_ENDPOINT_URL`. Other processes reach DynamoDB here too;
    /// [`Self::next_write`] reports that they have written.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret of [`ACCESS_KEY`], for `AWS_SECRET_ACCESS_KEY`.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The last 10,000 events of the bus, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<BusEvent> {
        self.bus.events()
    }

    /// The stream of main, to invoke its function with.
    #[must_use]
    pub fn stream(&self) -> MainStream {
        self.stream.clone()
    }

    /// Waits for the next asynchronous invocation of a function, and returns its event.
    pub async fn next_invocation(&self) -> serde_json::Value {
        self.invocations.next().await
    }

    /// Waits until another process may have written since the last call.
    pub async fn next_write(&self) {
        self.dynamodb_api.wait_for_write().await;
    }

    /// Deletes the rows whose `expires_at` has passed, and returns their number. DynamoDB does that by itself within
    /// days; here it happens only when this is called.
    pub fn remove_expired(&self) -> Result<usize, Error> {
        self.dynamodb.remove_expired()
    }

    /// Stops when the requests that have begun are answered, and unlocks the folder for other processes.
    ///
    /// After a mere drop, the servers end in the background, and the folder is unlocked when they have ended and no
    /// [`MainStream`] is left. After this call, use no [`MainStream`]: another process may have the folder.
    pub async fn stop(self) -> Result<(), Error> {
        drop(self.running);
        for server in self.servers {
            server.await.map_err(io::Error::from).flatten().map_err(Error::Server)?;
        }
        self.folder.map_or(Ok(()), |folder| folder.release())
    }
}

/// Shows the addresses, and nothing that is stored.
impl fmt::Debug for LoopbackAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackAws")
            .field("dynamodb_url", &self.dynamodb_url)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

async fn bind_loopback() -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let host = listener.local_addr()?.to_string();
    Ok((listener, host))
}

/// Waits until `running` is dropped.
fn wait_for_stop(running: &watch::Sender<()>) -> impl Future<Output = ()> + Send + 'static {
    let mut running = running.subscribe();
    async move { while running.changed().await.is_ok() {} }
}
