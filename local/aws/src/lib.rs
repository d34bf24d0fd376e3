//! The AWS that the local stack needs, on loopback: no account, no container, no internet.
//!
//! The real AWS SDK talks to it over HTTP, so nothing in the product has a second form for running
//! on a laptop. It answers the calls that the product makes and refuses all others:
//!
//! | service | where | kept in |
//! |---|---|---|
//! | DynamoDB, with its streams | [`LoopbackAws::dynamodb_url`] | `dynamodb.sqlite` |
//! | DynamoDB, the product's calls | [`LoopbackAws::url`] | the same |
//! | Secrets Manager: `GetSecretValue`, `PutSecretValue` | [`LoopbackAws::url`] | `secrets/*.json` |
//! | EventBridge: `PutEvents` | [`LoopbackAws::url`] | `events.jsonl` |
//! | S3: `PutObject`, `GetObject` by signed addresses | [`LoopbackAws::url`] | `media/*/*` |
//! | Lambda's reading of the stream of main | [`LoopbackAws::stream`] | `stream.json` |
//!
//! All files are readable by their owner only, and what was answered is on the disk: a kill -9
//! loses nothing. Signatures are not checked, and whoever can reach the loopback ports is let in, but for
//! the bucket: its addresses are handed to others, and are good for what they were signed for alone.

mod calls;
mod dynamodb;
mod error;
mod event_bridge;
mod folder;
mod s3;
mod secrets_manager;
mod stream;
mod tables;
mod wire;

pub use self::{
    error::Error,
    event_bridge::BusEvent,
    stream::{Batch, MainStream},
    tables::Tables,
};

use self::{
    calls::Calls, dynamodb::DynamoDb, event_bridge::EventBus, folder::Folder, s3::Bucket,
    secrets_manager::SecretsManager, wire::Services,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, fmt, io, net::Ipv4Addr, path::PathBuf, sync::Arc};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// The region that everything here is in, for `AWS_REGION`.
pub const REGION: &str = "us-east-1";

/// The account that everything here belongs to.
pub const ACCOUNT: &str = "000000000000";

/// The id of the access key that is good here, and its secret, for `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
pub const ACCESS_KEY: &str = "local";

/// Says what time it is. It may run ahead of the computer's clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the local AWS starts with.
pub struct Options {
    /// Where everything is kept; made when missing. `None` keeps it in memory and leaves nothing behind.
    pub folder: Option<PathBuf>,
    /// The tables to have.
    pub tables: Tables,
    /// The clock that rows expire by, and that events, secrets and stream records are dated by.
    pub now: Clock,
    /// The names of the secrets that exist, each with the value that it gets when the folder has
    /// none. Empty: the secret exists and has no value yet, as a new stack leaves it.
    pub secrets: BTreeMap<String, String>,
    /// The name of the bucket.
    pub bucket: String,
}

/// A running local AWS. Dropping it stops it.
pub struct LoopbackAws {
    dynamodb_url: String,
    url: String,
    dynamodb: DynamoDb,
    calls: Arc<Calls>,
    bus: Arc<EventBus>,
    stream: MainStream,
    folder: Option<Arc<Folder>>,
    servers: Vec<JoinHandle<io::Result<()>>>,
    /// The servers stop when this is dropped.
    running: watch::Sender<()>,
}

impl LoopbackAws {
    /// Opens what the folder holds and serves it, on ports of the system's choice.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] while another process has the folder; the others say which file or port failed.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let Options { folder, tables, now, secrets, bucket } = options;
        let folder = folder.as_deref().map(Folder::open).transpose()?.map(Arc::new);
        let dynamodb = DynamoDb::open(folder.as_deref(), &tables, &now)?;
        let stream = MainStream::open(&dynamodb, &tables.main, folder.as_ref(), &now)?;
        let secrets = SecretsManager::open(folder.as_ref(), secrets, &now)?;
        let bus = Arc::new(EventBus::open(folder.as_deref(), &now)?);
        let bucket = Bucket::open(folder.as_deref(), bucket)?;

        let (dynamodb_listener, dynamodb_host) = listen().await.map_err(Error::Server)?;
        let (listener, host) = listen().await.map_err(Error::Server)?;
        let (running, _) = watch::channel(());
        let dynamodb_url = format!("http://{dynamodb_host}");
        let url = format!("http://{host}");
        let calls = Arc::new(Calls::new(dynamodb.database.clone()));
        let services = Services { dynamodb: Arc::clone(&calls), secrets, bus: Arc::clone(&bus), host };
        let router = wire::router(services).merge(s3::router(bucket));
        let servers = vec![
            tokio::spawn(serve_dynamodb(dynamodb_listener, dynamodb.clone(), ended(&running))),
            tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(ended(&running)).into_future()),
        ];
        Ok(Self { dynamodb_url, url, dynamodb, calls, bus, stream, folder, servers, running })
    }

    /// Where DynamoDB and its streams answer, for `AWS_ENDPOINT_URL_DYNAMODB`.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// Where Secrets Manager, EventBridge and S3 answer, for `AWS_ENDPOINT_URL`. It answers the product's calls of
    /// DynamoDB too, for other processes: what they write is told by [`Self::written`].
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What went over the bus, oldest first: the last 10,000 events.
    #[must_use]
    pub fn events(&self) -> Vec<BusEvent> {
        self.bus.events()
    }

    /// The stream of main, to invoke its function with.
    #[must_use]
    pub fn stream(&self) -> MainStream {
        self.stream.clone()
    }

    /// Ready when another process may have written since this was ready before.
    pub async fn written(&self) {
        self.calls.written().await;
    }

    /// Deletes the rows whose `expires_at` has passed, as DynamoDB does at some time within days,
    /// and says how many they were. Nothing here expires by itself.
    pub fn remove_expired(&self) -> Result<usize, Error> {
        self.dynamodb.remove_expired()
    }

    /// Stops when the requests under way are answered, and lets another process have the folder.
    ///
    /// After a mere drop the servers end in the background, and the folder is free when they have
    /// and no [`MainStream`] is left. After this, use none: the folder is no longer ours.
    pub async fn stop(self) -> Result<(), Error> {
        drop(self.running);
        for server in self.servers {
            server.await.map_err(io::Error::from).flatten().map_err(Error::Server)?;
        }
        self.folder.map_or(Ok(()), |folder| folder.release())
    }
}

/// Prints the addresses and nothing that was stored.
impl fmt::Debug for LoopbackAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackAws")
            .field("dynamodb_url", &self.dynamodb_url)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

async fn listen() -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let host = listener.local_addr()?.to_string();
    Ok((listener, host))
}

async fn serve_dynamodb(
    listener: TcpListener,
    dynamodb: DynamoDb,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    dynoxide::server::serve_with_shutdown(listener, dynamodb.database, stop).await.map_err(io::Error::other)
}

/// Ready when `running` was dropped.
fn ended(running: &watch::Sender<()>) -> impl Future<Output = ()> + Send + 'static {
    let mut running = running.subscribe();
    async move { while running.changed().await.is_ok() {} }
}
