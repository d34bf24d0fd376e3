//! The handle by which a process starts, watches and disturbs its simulated Pinterest.

use std::{fmt, io, net::Ipv4Addr, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    authorize,
    calls::Call,
    environment::Environment,
    faults::Fault,
    operation::Operation,
    policy::{AccessTier, Policy},
    random::{Random, RandomBytes},
    server,
    simulation::{Clock, Simulation},
    state::{Id, Privacy, State},
    storage::Storage,
    view::{self, BoardView, PinView},
};

/// What a simulated Pinterest is started with.
pub struct Options {
    /// The port on `127.0.0.1`; 0 for any that is free.
    pub port: u16,
    /// Where accounts, boards, Pins, grants and policy are kept; `None` for memory only. The file is
    /// readable by its owner only and holds digests of tokens, never tokens.
    pub file: Option<PathBuf>,
    /// The clock by which tokens expire and videos are processed.
    pub now: Clock,
    /// The randomness: tokens, codes and signatures are made of them.
    pub random: RandomBytes,
}

/// A running simulated Pinterest. Dropping it stops the server and closes its connections.
pub struct SimulatedPinterest {
    simulation: Arc<Simulation>,
    server: JoinHandle<()>,
}

impl SimulatedPinterest {
    /// Starts to serve on loopback, from inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// The port is taken, or the file cannot be read, written or understood.
    pub async fn start(options: Options) -> io::Result<Self> {
        let Options { port, file, now, random } = options;
        let storage = Storage::open(file, || State::first(now()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let simulation = Arc::new(Simulation::new(origin, storage, now, Random(random)));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&simulation)));
        Ok(Self { simulation, server })
    }

    /// Where the pages for people and the control routes are, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.simulation.origin.clone()
    }

    /// The base of the API in production.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.base(Environment::Production)
    }

    /// The base of the API in the sandbox.
    #[must_use]
    pub fn sandbox_api_url(&self) -> String {
        self.base(Environment::Sandbox)
    }

    /// The consent page, which is one for both hosts.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        format!("{}/oauth/", self.simulation.origin)
    }

    /// Lets `fault` strike the next calls it is for. Faults wait in a line and are lost at a restart.
    pub fn inject(&self, fault: Fault) {
        self.simulation.lock().faults.add(fault);
    }

    /// Forgets the faults that have not struck yet.
    pub fn clear_faults(&self) {
        self.simulation.lock().faults.clear();
    }

    /// How this Pinterest behaves now.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.simulation.read(|state| state.policy.clone())
    }

    /// Makes it behave otherwise.
    ///
    /// # Errors
    ///
    /// The file could not be written; the change holds until a restart. The same goes for the other
    /// methods that change something.
    pub fn change_policy(&self, change: impl FnOnce(&mut Policy)) -> io::Result<()> {
        self.simulation.change(|state| change(&mut state.policy))
    }

    /// Puts the app on Trial access, or back on Standard.
    pub fn set_trial(&self, is_trial: bool) -> io::Result<()> {
        let tier = if is_trial { AccessTier::Trial } else { AccessTier::Standard };
        self.change_policy(|policy| policy.access_tier = tier)
    }

    /// All Pins of a host, the newest first, without regard to lag and secrecy.
    #[must_use]
    pub fn pins(&self, environment: Environment) -> Vec<PinView> {
        self.simulation.read(|state| view::pins(state, environment, &self.simulation.origin))
    }

    /// All boards of an account, the oldest first; none if there is no such account.
    #[must_use]
    pub fn boards(&self, environment: Environment, account: &str) -> Vec<BoardView> {
        self.simulation.read(|state| {
            let account = state.account_named(account);
            account.map_or_else(Vec::new, |account| view::boards(state, environment, account.id))
        })
    }

    /// The newest 10,000 calls of the API, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.simulation.lock().calls.all()
    }

    /// How many of [`Self::calls`] asked for `operation`.
    #[must_use]
    pub fn calls_of(&self, operation: Operation) -> usize {
        self.calls().iter().filter(|call| call.operation == Some(operation)).count()
    }

    /// Ends all tokens of an account on both hosts, as a new password does, and counts them.
    pub fn revoke(&self, account: &str) -> io::Result<usize> {
        self.simulation.change(|state| revoke(state, account))
    }

    /// Adds an account with the same boards as the others, unless the name is taken.
    pub fn add_account(&self, username: &str) -> io::Result<()> {
        let now = self.simulation.now();
        self.simulation.change(|state| state.add_account(username, username, now))
    }

    /// Gives an account `count` more boards, and tells their ids; none if there is no such account.
    pub fn add_boards(
        &self,
        environment: Environment,
        account: &str,
        count: usize,
    ) -> io::Result<Vec<String>> {
        let now = self.simulation.now();
        let ids = self.simulation.change(|state| add_boards(state, environment, account, count, now))?;
        Ok(ids.iter().map(Id::to_string).collect())
    }

    fn base(&self, environment: Environment) -> String {
        format!("{}{}", self.simulation.origin, environment.prefix())
    }
}

impl Drop for SimulatedPinterest {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for SimulatedPinterest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SimulatedPinterest")
            .field("url", &self.simulation.origin)
            .finish_non_exhaustive()
    }
}

/// Ends all tokens of an account on both hosts, and counts them.
pub(crate) fn revoke(state: &mut State, account: &str) -> usize {
    let Some(account) = state.account_named(account).map(|account| account.id) else {
        return 0;
    };
    authorize::revoke(state, account);
    Environment::ALL.into_iter().map(|environment| state.world_mut(environment).tokens.revoke(account)).sum()
}

/// Gives an account `count` more boards, whose names go on where its boards end.
pub(crate) fn add_boards(
    state: &mut State,
    environment: Environment,
    account: &str,
    count: usize,
    now: Timestamp,
) -> Vec<Id> {
    let Some(account) = state.account_named(account).map(|account| account.id) else {
        return Vec::new();
    };
    let before = state.world(environment).boards.len();
    (1..=count)
        .map(|number| {
            let name = format!("Board {}", before + number);
            state.add_board(environment, account, &name, Privacy::Public, now)
        })
        .collect()
}
