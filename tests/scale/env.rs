//! The stack's functions, their transports, and a clock that jumps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock, atomic::AtomicUsize},
};

use adapters::{Transport, Transports};
use app::{Setup, handlers::Deliver, handlers::Events, handlers::Publish, handlers::Refresh};
use dynoxide::Database;
use jiff::{SignedDuration, Timestamp};
use platform::{Clock, Random, Variables};
use tempfile::TempDir;
use tests::publisher;
use tokio::{
    runtime::Builder,
    time::{Duration, Instant, sleep_until},
};

use crate::{
    cost::Assumed,
    memory::Memory,
    meter::Meter,
    pinterest::{self, Pinterest},
    processes::{self, Pool},
    seed::Gathered,
    wire,
};

pub(crate) const MAIN: &str = "main";
pub(crate) const TOKENS: &str = "tokens";
/// What `REFRESH_AT_ONCE` says here, as it does unless it is changed.
pub(crate) const AT_ONCE: u64 = 8;
const RING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;

/// The environment of a run.
pub(crate) struct ScaleEnv {
    pub(crate) database: Database,
    pub(crate) meter: Mutex<Meter>,
    pub(crate) pinterest: Mutex<Pinterest>,
    /// Rows on their way into the database, while channels are connected.
    pub(crate) gathered: Mutex<Option<Gathered>>,
    /// Changes of main, for `events`, if they are wanted.
    pub(crate) changes: Mutex<Option<Vec<serde_json::Value>>>,
    /// How many bytes the rows of main have grown by, while changes are wanted.
    pub(crate) grown: Mutex<i64>,
    /// Every write is reckoned a second time.
    pub(crate) audited: bool,
    pub(crate) assumed: Assumed,
    pub(crate) memory: Memory,
    pub(crate) deliverers: Mutex<Pool<Deliver>>,
    pub(crate) refreshers: Mutex<Pool<Refresh>>,
    /// Which processes of `deliver` have read each Pin.
    pub(crate) readers: Mutex<BTreeMap<String, BTreeSet<u64>>>,
    /// How many of the first channels are one tenant's.
    pub(crate) big_tenant: AtomicUsize,
    rng: Mutex<fastrand::Rng>,
    epoch: Timestamp,
    began: Instant,
    _folder: TempDir,
}

/// Runs `work` in virtual time, which jumps to the next moment that something waits for.
pub(crate) fn run<T>(audited: bool, work: impl AsyncFnOnce(&Arc<ScaleEnv>) -> T) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let env = Arc::new(ScaleEnv::new(audited));
        work(&env).await
    })
}

impl ScaleEnv {
    fn new(audited: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(folder.path().join("dynamodb.sqlite").to_str().unwrap()).unwrap();
        let tables = loopback_aws::Tables { main: MAIN.to_owned(), tokens: TOKENS.to_owned() };
        tables.create_in(&database).unwrap();
        // What a crash leaves of this file is nobody's concern: no write waits for the disk.
        database.enable_bulk_loading().unwrap();
        Self {
            database,
            meter: Mutex::default(),
            pinterest: Mutex::default(),
            gathered: Mutex::default(),
            changes: Mutex::default(),
            grown: Mutex::default(),
            audited,
            assumed: Assumed::read(),
            memory: Memory::default(),
            deliverers: Mutex::default(),
            refreshers: Mutex::default(),
            readers: Mutex::default(),
            big_tenant: AtomicUsize::new(0),
            rng: Mutex::new(fastrand::Rng::with_seed(7)),
            epoch: Timestamp::from_second(1_790_000_040).unwrap(),
            began: Instant::now(),
            _folder: folder,
        }
    }

    /// A full minute.
    pub(crate) fn epoch(&self) -> Timestamp {
        self.epoch
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.epoch + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    /// Jumps to a moment, unless it is later already.
    pub(crate) async fn reach(&self, at: Timestamp) {
        let since = Duration::try_from(at.duration_since(self.epoch)).unwrap();
        sleep_until(self.began + since).await;
    }

    pub(crate) fn below(&self, most: u64) -> u64 {
        self.rng.lock().unwrap().u64(0..most)
    }

    pub(crate) fn metered(&self) -> Meter {
        self.meter.lock().unwrap().clone()
    }

    pub(crate) fn setup(self: &Arc<Self>) -> Setup {
        self.setup_of(None)
    }

    /// What a function is built from. `process`: its number, if it matters who reads what.
    fn setup_of(self: &Arc<Self>, process: Option<u64>) -> Setup {
        let at_once = AT_ONCE.to_string();
        let variables = Variables::from_iter([
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
            ("MAIN_TABLE", MAIN),
            ("TOKENS_TABLE", TOKENS),
            ("SETTINGS_SECRET", "settings"),
            ("TOKEN_KEYS", RING),
            ("MEDIA_BUCKET", "media"),
            ("EVENT_BUS", "bus"),
            ("BASE_URL", "https://api.example.com"),
            ("PINTEREST_APP_ID", "1500000"),
            ("PINTEREST_APP_SECRET", "the-app-secret"),
            ("REFRESH_AT_ONCE", at_once.as_str()),
            // One tenant may have half of a burst.
            ("TENANT_LIMITS", "channels=1000000,open_pins=1000000,pins_per_minute=1000000"),
        ]);
        let (clock, random) = (self.clone(), self.clone());
        let transports = Transports {
            aws: wire::wire(self, process),
            pinterest: pinterest::wire(self),
            media: Transport::new(|_| Box::pin(async { Err("no Pin is made of a file here".into()) })),
            lambda: processes::transport(self),
        };
        let clock = Clock::new(move || clock.now());
        Setup::with_transports(
            transports,
            variables,
            clock,
            Random::new(move |bytes| random.rng.lock().unwrap().fill(bytes)),
        )
        .unwrap()
    }

    pub(crate) fn refresh(self: &Arc<Self>) -> Refresh {
        tests::refresh(&self.setup())
    }

    pub(crate) fn deliver(self: &Arc<Self>) -> Deliver {
        Self::deliver_of(&self.setup())
    }

    /// The process of that number.
    pub(crate) fn deliver_as(self: &Arc<Self>, process: u64) -> Deliver {
        Self::deliver_of(&self.setup_of(Some(process)))
    }

    fn deliver_of(setup: &Setup) -> Deliver {
        Deliver::new(publisher(setup), setup.workers().unwrap(), setup)
    }

    pub(crate) fn events(self: &Arc<Self>) -> Events {
        Events::new(self.setup().event_bus().unwrap())
    }

    pub(crate) fn publish(self: &Arc<Self>) -> Publish {
        let setup = self.setup();
        Publish::new(publisher(&setup), &setup)
    }
}

/// Puts requests together for all runs, and sends none.
pub(crate) fn http() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let build = || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
    };
    CLIENT.get_or_init(build).clone()
}
