//! Starts and stops the stack.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::{Setup, endpoints};
use axum::{Router, middleware, routing::get};
use jiff::{SignedDuration, Timestamp};
use loopback_aws::{BusEvent, LoopbackAws};
use platform::{Clock, Random};
use simulated_pinterest::SimulatedPinterest;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    clock::LocalClock,
    context::{Context, Schedule},
    dev,
    error::Error,
    folder,
    functions::Functions,
    gateway, home, host_check, schedule, settings,
    sign_in::{Person, SignIn},
};

/// Where data is kept.
#[derive(Clone, Debug)]
pub enum Data {
    /// In this folder, which is created if it is missing.
    Folder(PathBuf),
    /// In memory: it ends with the process.
    Memory,
}

/// The Pinterest to publish to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinterest {
    /// The simulated one in this process.
    Simulated,
    /// The real one.
    Live,
}

/// How to start the stack.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for any.
    pub port: u16,
    /// Where data is kept.
    pub data: Data,
    /// The Pinterest to publish to. Variables with another address take precedence.
    pub pinterest: Pinterest,
    /// The variables that the user has set: the environment, and `.env`.
    pub variables: BTreeMap<String, String>,
    /// Whether a timer runs the workers. Tests run them themselves.
    pub timer: bool,
}

/// A running stack. When it is stopped or dropped, all of it ends.
pub struct Stack {
    context: Arc<Context>,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    timer: Option<JoinHandle<()>>,
}

impl Stack {
    /// Starts everything. When this returns, requests are answered.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let port = options.port;
        let in_use = |source| Error::Port { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(in_use)?;
        let url = format!("http://{}", listener.local_addr().map_err(in_use)?);
        let context = Arc::new(build_context(&options, &url).await?);

        let routes = Router::new()
            .route("/", get(home::show_page).fallback(gateway::answer_request))
            .merge(dev::routes())
            .fallback(gateway::answer_request)
            .layer(middleware::from_fn_with_state(context.clone(), host_check::require_known_host))
            .with_state(context.clone());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let stopped = async {
                stopped.await.ok(); // a dropped sender means stop, too
            };
            if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the server ended");
            }
        });
        let timer = options.timer.then(|| tokio::spawn(schedule::run_timer(context.clone())));
        Ok(Self { context, url, stop: Some(stop), server, timer })
    }

    /// Waits for the requests that have begun, then closes everything.
    pub async fn stop(mut self) -> Result<(), Error> {
        if let Some(timer) = self.timer.take() {
            timer.abort();
            timer.await.ok(); // it returns that it was aborted
        }
        drop(self.stop.take());
        (&mut self.server).await.ok(); // it has logged its error
        let context = self.context.clone();
        drop(self);
        match Arc::try_unwrap(context) {
            Ok(context) => Ok(context.aws.stop().await?),
            Err(_) => Ok(()), // a connection still holds it, and drops it when it ends
        }
    }

    /// The address of the API.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The simulated Pinterest, if the stack uses it.
    #[must_use]
    pub fn pinterest(&self) -> Option<&SimulatedPinterest> {
        self.context.pinterest.as_ref()
    }

    /// The local AWS.
    #[must_use]
    pub fn aws(&self) -> &LoopbackAws {
        &self.context.aws
    }

    /// A development token for `person`.
    #[must_use]
    pub fn token(&self, person: Person) -> String {
        self.context.sign_in.issue_token(person, self.now())
    }

    /// The local time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    /// Runs both workers once.
    pub async fn tick(&self) -> Result<(), Error> {
        self.context.run_workers().await
    }

    /// Runs the daily check.
    pub async fn run_daily_check(&self) -> Result<(), Error> {
        self.context.run_daily_check().await
    }

    /// Moves the clock forward. All work that becomes due in between is done at its time.
    pub async fn advance(&self, by: SignedDuration) -> Result<Timestamp, Error> {
        self.context.advance(by).await
    }

    /// The events of the bus, oldest first.
    pub async fn events(&self) -> Result<Vec<BusEvent>, Error> {
        self.context.publish_events().await?;
        Ok(self.context.aws.events())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(timer) = &self.timer {
            timer.abort();
        }
    }
}

async fn build_context(options: &Options, url: &str) -> Result<Context, Error> {
    let random = Random::system();
    let data = match &options.data {
        Data::Folder(folder) => Some(folder.clone()),
        Data::Memory => None,
    };
    let file = |name: &str| data.as_deref().map(|folder: &Path| folder.join(name));
    if let Some(folder) = &data {
        folder::create(folder).map_err(Error::Folder)?;
    }
    let clock = LocalClock::open(file("clock")).map_err(Error::Folder)?;
    let aws = LoopbackAws::start(loopback_aws::Options {
        folder: data.clone(),
        tables: settings::tables(),
        now: Arc::new(clock.reader()),
        secrets: BTreeMap::from([
            (settings::SETTINGS_SECRET.to_owned(), String::new()),
            (settings::KEY_RING_SECRET.to_owned(), create_key_ring(&random)),
        ]),
        bucket: settings::BUCKET.to_owned(),
        secret_key: random.secret(),
    })
    .await?;
    let simulated =
        options.pinterest == Pinterest::Simulated && !settings::sets_pinterest_address(&options.variables);
    let pinterest = if simulated {
        let bytes = random.clone();
        let redirect_uri = settings::redirect_uri(&options.variables, url);
        let options = simulated_pinterest::Options {
            port: 0,
            file: file("pinterest.json"),
            redirect_uris: vec![redirect_uri],
            now: Arc::new(clock.reader()),
            random: Arc::new(move |buffer: &mut [u8]| bytes.fill(buffer)),
        };
        Some(SimulatedPinterest::start(options).await.map_err(Error::Pinterest)?)
    } else {
        None
    };
    let signing_key = match file("signing-key") {
        Some(file) => folder::read_or_create(&file, || random.secret()).map_err(Error::Folder)?,
        None => random.secret(),
    };
    let variables = settings::build_variables(&options.variables, url, &aws, pinterest.as_ref());
    if let Some(file) = file(settings::VARIABLES_FILE) {
        folder::replace_file(&file, &variables.to_lines()).map_err(Error::Folder)?;
    }
    let base_url = variables.get("BASE_URL").unwrap_or_default();
    let public_host = base_url.split("://").nth(1).unwrap_or_default().to_owned();
    // This process uses the fast address. Other processes use the one that reports their writes.
    let variables = variables.with("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamodb_url());
    let setup = Setup::new(variables, Clock::new(clock.reader()), random.clone())?;
    Ok(Context {
        functions: Box::new(Functions::new(&setup)?),
        endpoints: endpoints(),
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

/// A development key ring, of the form that CloudFormation creates for a deployed stack.
fn create_key_ring(random: &Random) -> String {
    serde_json::json!({ "current": "k1", "k1": random.secret() + &random.secret() }).to_string()
}
