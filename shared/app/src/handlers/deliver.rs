//! `deliver`: every minute, sends the Pins that are due and resumes the channels that were connected again.
//!
//! Ticks, workers and their shares are those of [`super::due`]. A worker has whole channels: the Pins of a channel are sent
//! by one worker, one after the other.

mod worker;

use std::collections::BTreeSet;

use adapters::Workers;
use delivery::PinPublisher;
use platform::{Clock, Random};
use store::{DueOf, Heartbeat, MainTable};
use tokio::time::{Duration, Instant};

use super::due::{self, DueWork, Rules, Sizes};
use crate::{error::Result, setup::Setup};

/// How many entries of each partition a tick reads first.
const LOOK_ENTRIES: usize = 256;
/// How many entries of a partition a worker reads at once.
const PAGE_ENTRIES: usize = 1000;
/// How many channels one worker works on at once. The Pins of one channel are sent one after the other.
const MAX_LANES: usize = 128;
/// How many entries may wait in a worker. No more are read until some are done.
const MAX_WAITING: usize = 50_000;
/// What must be left of the invocation to begin with a Pin: for a send or a board check, and for the writes.
const MIN_TIME_LEFT: Duration = Duration::from_secs(40);

/// What `deliver` may use: everything for publishing, and the right to start itself.
#[derive(Debug)]
pub struct Deliver {
    publisher: PinPublisher,
    main: MainTable,
    workers: Workers,
    rules: Rules,
    /// The claim that names tenants, which is noted for the functions that answer them.
    tenant_claim: String,
    clock: Clock,
    random: Random,
}

/// The event that starts the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliverJob {
    /// Every minute: work on what is due.
    Tick,
    /// A tick has started this worker for some partitions.
    Partitions(BTreeSet<u32>),
}

impl DeliverJob {
    /// A tick sends `{"partitions":[…]}`; any other event is the tick of the minute.
    #[must_use]
    pub fn from_event(event: &serde_json::Value) -> Self {
        due::partitions_of(event).map_or(Self::Tick, Self::Partitions)
    }
}

impl Deliver {
    #[must_use]
    pub fn new(mut publisher: PinPublisher, workers: Workers, setup: &Setup) -> Self {
        publisher.in_a_hurry = false;
        let main = publisher.sessions.main.clone();
        let (clock, random) = (setup.clock.clone(), setup.random.clone());
        let rules = Rules {
            sizes: Sizes {
                entries_per_worker: setup.entries_per_worker,
                max_workers: setup.max_workers().unwrap_or(usize::MAX),
            },
            look_entries: LOOK_ENTRIES,
            page_entries: PAGE_ENTRIES,
            lanes: MAX_LANES,
            per_minute: None,
            max_waiting: MAX_WAITING,
            // Each has to be there: a channel's Pins leave in the order of their times.
            max_of_tenant: usize::MAX,
            min_time_left: MIN_TIME_LEFT,
        };
        let tenant_claim = setup.site().tenant_claim().to_owned();
        Self { publisher, main, workers, rules, tenant_claim, clock, random }
    }

    /// One invocation.
    pub async fn run(&self, job: DeliverJob, deadline: Instant) -> Result<()> {
        match job {
            DeliverJob::Tick => self.tick(deadline).await,
            DeliverJob::Partitions(partitions) => self.due().work_on(&partitions, self, deadline).await,
        }
    }

    /// Reads what is due, starts workers for it, and works on a share of it.
    pub async fn tick(&self, deadline: Instant) -> Result<()> {
        let look = self.due().look().await?;
        if look.oldest().is_none() {
            let heartbeat = Heartbeat::Deliver(None);
            self.main.record_heartbeat(&heartbeat, &self.tenant_claim, self.clock.now()).await?;
            return Ok(());
        }
        self.due().share(look, self, due::event_of, deadline).await
    }

    fn due(&self) -> DueWork<'_> {
        let Self { main, workers, clock, random, rules, .. } = self;
        DueWork { index: main.due_index(), of: DueOf::Pins, main, workers, clock, random, rules: *rules }
    }
}
