//! What requests and workers share.

use std::{path::PathBuf, sync::Mutex};

use app::Endpoint;
use jiff::Timestamp;
use loopback_aws::LoopbackAws;
use platform::Random;
use simulated_pinterest::SimulatedPinterest;
use store::{MainTable, TokensTable};
use tokio::sync::{self, Notify, RwLock};

use crate::{clock::LocalClock, functions::Functions, sign_in::SignIn};

/// What requests and workers share.
pub(crate) struct Context {
    /// Boxed: they are large.
    pub(crate) functions: Box<Functions>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) main: MainTable,
    pub(crate) tokens: TokensTable,
    pub(crate) aws: LoopbackAws,
    pub(crate) pinterest: Option<SimulatedPinterest>,
    pub(crate) sign_in: SignIn,
    pub(crate) clock: LocalClock,
    pub(crate) random: Random,
    pub(crate) schedule: Schedule,
    pub(crate) folder: Option<PathBuf>,
    /// The host and port of `BASE_URL`.
    pub(crate) public_host: String,
}

/// The state that the timer, the ticks and the clock share.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    /// Wakes the timer.
    pub(crate) wake_up: Notify,
    /// When the timer last started a tick.
    pub(crate) last_tick: Mutex<Option<Timestamp>>,
    /// Ticks hold it for reading. The clock is moved only while none of them runs.
    pub(crate) clock_lock: RwLock<()>,
    /// Held by the one reader of the stream.
    pub(crate) stream_lock: sync::Mutex<()>,
}

impl Schedule {
    /// Wakes the timer: something was written, so work may be due, or an event waits.
    pub(crate) fn wake(&self) {
        self.wake_up.notify_one();
    }
}
