//! The handle with which a process starts, controls and observes its simulated Pinterest.

use std::{fmt, io, net::Ipv4Addr, path::PathBuf, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    control::view::{self, BoardView, PinView},
    http::{Environment, Id, Operation},
    random::{Random, RandomBytes},
    resources::fetch,
    server,
    simulation::{Clock, Simulation, calls::Call, faults::Fault},
    state::{Policy, State, policy::AccessTier, storage::Storage},
};

/// How to start a simulated Pinterest.
pub struct Options {
    /// The port on `127.0.0.1`; 0 for any that is free.
    pub port: u16,
    /// The file for accounts, boards, Pins, grants and policy; `None` for memory only. Only its owner can read it, and it
    /// holds digests of tokens, never tokens.
    pub file: Option<PathBuf>,
    /// The addresses to which the consent page may send people back.
    pub redirect_uris: Vec<String>,
    /// The clock for the expiry of tokens and the processing of videos.
    pub now: Clock,
    /// The random bytes, from which tokens, codes and signatures are made.
    pub random: RandomBytes,
}

/// A running simulated Pinterest. Dropping it stops the server and closes its connections.
pub struct SimulatedPinterest {
    simulation: Arc<Simulation>,
    server: JoinHandle<()>,
}

impl SimulatedPinterest {
    /// Starts the server on loopback. It needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// The port is in use, or the file cannot be read, written or parsed.
    pub async fn start(options: Options) -> io::Result<Self> {
        let Options { port, file, redirect_uris, now, random } = options;
        let storage = Storage::open(file, || State::new(now()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let simulation =
            Arc::new(Simulation::new(origin, redirect_uris, fetch::client()?, storage, now, Random(random)));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&simulation)));
        Ok(Self { simulation, server })
    }

    /// The address of the pages and the control routes, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.simulation.origin.clone()
    }

    /// The base URL of the API in production.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.base_url(Environment::Production)
    }

    /// The base URL of the API in the sandbox.
    #[must_use]
    pub fn sandbox_api_url(&self) -> String {
        self.base_url(Environment::Sandbox)
    }

    /// The address of the consent page, which serves both hosts.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        format!("{}/oauth/", self.simulation.origin)
    }

    /// Adds a fault for the next calls that match it. Faults wait in a queue, and a restart removes them.
    pub fn inject(&self, fault: Fault) {
        self.simulation.lock().faults.add(fault);
    }

    /// Removes the faults that still wait.
    pub fn clear_faults(&self) {
        self.simulation.lock().faults.clear();
    }

    /// The current policy.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.simulation.read(|state| state.policy.clone())
    }

    /// Changes the policy.
    ///
    /// # Errors
    ///
    /// The file could not be written. The change lasts until a restart then, as with the other methods that change
    /// something.
    pub fn change_policy(&self, change: impl FnOnce(&mut Policy)) -> io::Result<()> {
        self.simulation.change(|state| change(&mut state.policy))
    }

    /// Gives the app Trial access, or Standard access again.
    pub fn set_trial(&self, is_trial: bool) -> io::Result<()> {
        let tier = if is_trial { AccessTier::Trial } else { AccessTier::Standard };
        self.change_policy(|policy| policy.access_tier = tier)
    }

    /// All Pins of a host, the newest first. It includes secret Pins, and those that are not listed yet.
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

    /// The number of [`Self::calls`] of `operation`.
    #[must_use]
    pub fn calls_of(&self, operation: Operation) -> usize {
        self.calls().iter().filter(|call| call.operation == Some(operation)).count()
    }

    /// Ends all tokens of an account on both hosts, as a new password does, and returns their number.
    pub fn revoke(&self, account: &str) -> io::Result<usize> {
        self.simulation.change(|state| state.revoke_tokens(account))
    }

    /// Adds an account with the same boards as the others, unless the name is taken.
    pub fn add_account(&self, username: &str) -> io::Result<()> {
        let now = self.simulation.now();
        self.simulation.change(|state| state.add_account(username, username, now))
    }

    /// Gives an account `count` more boards, and returns their ids; none if there is no such account.
    pub fn add_boards(
        &self,
        environment: Environment,
        account: &str,
        count: usize,
    ) -> io::Result<Vec<String>> {
        let now = self.simulation.now();
        let ids = self.simulation.change(|state| state.add_boards(environment, account, count, now))?;
        Ok(ids.iter().map(Id::to_string).collect())
    }

    /// Makes a board of the account `owner` a group board: `member` sees it, and pins to it if it may. The new board has
    /// the name `name`, and no id is returned if there is no such account.
    pub fn add_group_board(
        &self,
        environment: Environment,
        owner: &str,
        member: &str,
        name: &str,
        may_pin: bool,
    ) -> io::Result<Option<String>> {
        let now = self.simulation.now();
        let id = self
            .simulation
            .change(|state| state.add_group_board(environment, (owner, member), name, may_pin, now))?;
        Ok(id.map(|id| id.to_string()))
    }

    fn base_url(&self, environment: Environment) -> String {
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
