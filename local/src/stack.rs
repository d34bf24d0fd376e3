//! The start and the end of it all.

use std::{
    collections::BTreeMap,
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::{
    Clock, Random, Setup,
    store::{MainTable, TokensTable},
};
use axum::{Router, middleware, routing::get};
use jiff::{SignedDuration, Timestamp};
use loopback_aws::{BusEvent, LoopbackAws};
use simulated_pinterest::SimulatedPinterest;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    clock::LocalClock,
    dev, folder,
    functions::Functions,
    gateway, home,
    schedule::{self, Schedule},
    settings,
    sign_in::{Person, SignIn},
};

/// Where data is kept.
#[derive(Clone, Debug)]
pub enum Data {
    /// In this folder, which is made when missing.
    Folder(PathBuf),
    /// Nowhere: it ends with the process.
    Memory,
}

/// Which Pinterest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinterest {
    /// One in this process.
    Simulated,
    /// The real one.
    Live,
}

/// How to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for any.
    pub port: u16,
    /// Where data is kept.
    pub data: Data,
    /// Which Pinterest. Variables that name another one win.
    pub pinterest: Pinterest,
    /// What a person has set: the environment, and `.env`.
    pub variables: BTreeMap<String, String>,
    /// Whether workers run by themselves. Tests wake them.
    pub timer: bool,
}

/// The stack cannot start, or a part of it has failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder cannot be used.
    #[error("the data folder cannot be used: {0}")]
    Folder(#[source] io::Error),
    /// The port is taken, or not allowed.
    #[error("port {port} cannot be used ({source}): stop what runs there, or choose another with --port")]
    Port {
        /// Which.
        port: u16,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The local AWS.
    #[error("{0}")]
    Aws(#[from] loopback_aws::Error),
    /// The simulated Pinterest.
    #[error("the simulated Pinterest cannot be used: {0}")]
    Pinterest(#[source] io::Error),
    /// A use case, outside any request.
    #[error("{}", app::error::chain(.0))]
    App(#[from] app::Error),
}

/// What requests and workers share.
pub(crate) struct Inner {
    pub(crate) functions: Functions,
    pub(crate) main: MainTable,
    pub(crate) tokens: TokensTable,
    pub(crate) aws: LoopbackAws,
    pub(crate) pinterest: Option<SimulatedPinterest>,
    pub(crate) sign_in: SignIn,
    pub(crate) clock: LocalClock,
    pub(crate) random: Random,
    pub(crate) schedule: Schedule,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) public_host: String,
}

/// A running stack. Stopped or dropped, it leaves nothing running.
pub struct Stack {
    inner: Arc<Inner>,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    timer: Option<JoinHandle<()>>,
}

impl Stack {
    /// Starts everything, and answers requests when it returns.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let port = options.port;
        let in_use = |source| Error::Port { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(in_use)?;
        let url = format!("http://{}", listener.local_addr().map_err(in_use)?);
        let inner = Arc::new(open(&options, &url).await?);

        let routes = Router::new()
            .route("/", get(home::page).fallback(gateway::answer))
            .merge(dev::routes())
            .fallback(gateway::answer)
            .layer(middleware::from_fn_with_state(inner.clone(), dev::only_by_our_names))
            .with_state(inner.clone());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let ended = async {
                stopped.await.ok(); // dropped is stopped
            };
            if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(ended).await {
                tracing::error!(%error, "the server ended");
            }
        });
        let timer = options.timer.then(|| tokio::spawn(schedule::run(inner.clone())));
        Ok(Self { inner, url, stop: Some(stop), server, timer })
    }

    /// Lets requests that are under way end, then closes everything.
    pub async fn stop(mut self) -> Result<(), Error> {
        if let Some(timer) = self.timer.take() {
            timer.abort();
            timer.await.ok(); // cancelled, as wanted
        }
        drop(self.stop.take());
        (&mut self.server).await.ok(); // it has logged what went wrong
        let inner = self.inner.clone();
        drop(self);
        match Arc::try_unwrap(inner) {
            Ok(inner) => Ok(inner.aws.stop().await?),
            Err(_) => Ok(()), // a connection still holds it; it closes when that ends
        }
    }

    /// Where the API answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The simulated Pinterest, if that is the one.
    #[must_use]
    pub fn pinterest(&self) -> Option<&SimulatedPinterest> {
        self.inner.pinterest.as_ref()
    }

    /// The local AWS.
    #[must_use]
    pub fn aws(&self) -> &LoopbackAws {
        &self.inner.aws
    }

    /// A token for `person`.
    #[must_use]
    pub fn token(&self, person: Person) -> String {
        self.inner.sign_in.token(person, self.now())
    }

    /// The local time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// One wake-up of both minute workers.
    pub async fn tick(&self) -> Result<(), Error> {
        self.inner.tick().await
    }

    /// The daily roll-call.
    pub async fn roll_call(&self) -> Result<(), Error> {
        self.inner.roll_call().await
    }

    /// Moves the clock, doing on the way all that falls due, at its time.
    pub async fn advance(&self, by: SignedDuration) -> Result<Timestamp, Error> {
        self.inner.advance(by).await
    }

    /// What went to the bus, oldest first.
    pub async fn events(&self) -> Result<Vec<BusEvent>, Error> {
        self.inner.tell().await?;
        Ok(self.inner.aws.events())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(timer) = &self.timer {
            timer.abort();
        }
    }
}

async fn open(options: &Options, url: &str) -> Result<Inner, Error> {
    let random = Random::system();
    let data = match &options.data {
        Data::Folder(folder) => Some(folder.clone()),
        Data::Memory => None,
    };
    let file = |name: &str| data.as_deref().map(|folder: &Path| folder.join(name));
    if let Some(folder) = &data {
        make(folder).map_err(Error::Folder)?;
    }
    let clock = LocalClock::open(file("clock")).map_err(Error::Folder)?;
    let aws = LoopbackAws::start(loopback_aws::Options {
        folder: data.clone(),
        tables: settings::tables(),
        now: Arc::new(clock.reader()),
        secrets: BTreeMap::from([
            (settings::SETTINGS_SECRET.to_owned(), String::new()),
            (settings::KEY_RING_SECRET.to_owned(), key_ring(&random)),
        ]),
        bucket: settings::BUCKET.to_owned(),
    })
    .await?;
    let simulated =
        options.pinterest == Pinterest::Simulated && !settings::names_a_pinterest(&options.variables);
    let pinterest = if simulated {
        let bytes = random.clone();
        let options = simulated_pinterest::Options {
            port: 0,
            file: file("pinterest.json"),
            now: Arc::new(clock.reader()),
            random: Arc::new(move |buffer: &mut [u8]| bytes.fill(buffer)),
        };
        Some(SimulatedPinterest::start(options).await.map_err(Error::Pinterest)?)
    } else {
        None
    };
    let signing_key = match file("signing-key") {
        Some(file) => folder::read_or_make(&file, || random.secret()).map_err(Error::Folder)?,
        None => random.secret(),
    };
    let variables = settings::variables(&options.variables, url, &aws, pinterest.as_ref());
    if let Some(file) = file(settings::FILE) {
        folder::write(&file, &variables.to_lines()).map_err(Error::Folder)?;
    }
    let base_url = variables.get("BASE_URL").unwrap_or_default();
    let public_host = base_url.split("://").nth(1).unwrap_or_default().to_owned();
    // Others ask for rows where it is noticed that they write.
    let variables = variables.with("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamodb_url());
    let setup = Setup::new(variables, Clock::new(clock.reader()), random.clone())?;
    Ok(Inner {
        functions: Functions::new(&setup)?,
        main: setup.main_table()?,
        tokens: setup.tokens_table()?,
        aws,
        pinterest,
        sign_in: SignIn::new(&signing_key),
        clock,
        random,
        schedule: Schedule::default(),
        folder: data,
        public_host,
    })
}

/// Makes the folder for its owner's eyes only.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A development key ring, as CloudFormation would make the stack's.
fn key_ring(random: &Random) -> String {
    serde_json::json!({ "current": "k1", "k1": random.secret() + &random.secret() }).to_string()
}
