//! `deliver`: every minute, sends the Pins that are due and resumes the channels that were connected again.
//!
//! The tick first reads the beginning of each partition of the `due` index. It works on a small load by itself. For a
//! larger one, it starts more workers, each for some partitions. A worker leases its partitions, and with them whole
//! channels: the Pins of a channel are sent by one worker, one after the other. If a worker does not start, starts twice or
//! late, or a tick ends too early, work only moves to another minute: what is not done is still due.

mod lease;
mod queue;
mod shares;
mod worker;

use std::collections::BTreeSet;

use adapters::Workers;
use delivery::PinPublisher;
use futures_util::future::join_all;
use platform::{Clock, Random, chain};
use serde_json::json;
use store::{DueCursor, DueItem, Heartbeat, MainTable};
use tokio::time::{Duration, Instant};

use self::{lease::Lease, shares::Sizes, worker::Worker};
use super::due_loop::warn_about_rest;
use crate::{error::Result, setup::Setup};

/// How many entries of each partition a tick reads first.
const LOOK_ENTRIES: usize = 256;
/// How many entries of a partition a worker reads at once.
const PAGE_ENTRIES: usize = 1000;
/// The time that must be left of the invocation to start a Pin: for a send or a board check, and for the writes.
const MIN_TIME_LEFT: Duration = Duration::from_secs(40);

/// What `deliver` may use: everything for publishing, and the right to start itself.
#[derive(Debug)]
pub struct Deliver {
    publisher: PinPublisher,
    main: MainTable,
    workers: Workers,
    /// The number of workers for an amount of work.
    sizes: Sizes,
    /// The claim that names tenants, which is stored for the functions that answer requests.
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
        let numbers = event["partitions"].as_array();
        numbers.map_or(Self::Tick, |numbers| {
            let numbers = numbers.iter().filter_map(|number| number.as_u64()?.try_into().ok());
            Self::Partitions(numbers.collect())
        })
    }
}

impl Deliver {
    #[must_use]
    pub fn new(mut publisher: PinPublisher, workers: Workers, setup: &Setup) -> Self {
        publisher.in_a_hurry = false;
        let main = publisher.sessions.main.clone();
        let (clock, random) = (setup.clock.clone(), setup.random.clone());
        let max_workers = setup.max_workers().unwrap_or(usize::MAX);
        let sizes = Sizes { entries_per_worker: setup.entries_per_worker, max_workers };
        let tenant_claim = setup.site().tenant_claim().to_owned();
        Self { publisher, main, workers, sizes, tenant_claim, clock, random }
    }

    /// One invocation.
    pub async fn run(&self, job: DeliverJob, deadline: Instant) -> Result<()> {
        match job {
            DeliverJob::Tick => self.tick(deadline).await,
            DeliverJob::Partitions(partitions) => {
                let index = self.main.due_index();
                let partitions: BTreeSet<_> = &partitions & &index.partitions();
                let cursor = index.cursor(&partitions, PAGE_ENTRIES);
                self.work(partitions, Vec::new(), cursor, deadline).await
            }
        }
    }

    /// Reads what is due, starts workers for it, and works on a share of it.
    pub async fn tick(&self, deadline: Instant) -> Result<()> {
        let index = self.main.due_index();
        let mut cursor = index.cursor(&index.partitions(), LOOK_ENTRIES);
        let items = index.next(&mut cursor, self.clock.now()).await?;
        if items.is_empty() {
            let heartbeat = Heartbeat::Deliver(None);
            self.main.record_heartbeat(&heartbeat, &self.tenant_claim, self.clock.now()).await?;
            return Ok(());
        }
        let mut shares = self.sizes.deal(&items, cursor.unfinished()).into_iter();
        let mut own = shares.next().unwrap_or_default();
        let started = join_all(shares.map(|share| async { (self.start(&share).await, share) })).await;
        own.extend(started.into_iter().filter(|(is_started, _)| !is_started).flat_map(|(_, share)| share));
        self.work(own, items, cursor, deadline).await
    }

    /// `false`: the worker was not started.
    async fn start(&self, partitions: &BTreeSet<u32>) -> bool {
        let started = self.workers.start(&json!({ "partitions": partitions })).await;
        if let Err(error) = &started {
            tracing::warn!(error = %chain(error), ?partitions, "a worker could not be started");
        }
        started.is_ok()
    }

    /// Works on those of the partitions that no other worker has, until nothing is due or the time is up. The next tick
    /// takes what is left. `items` were read already.
    async fn work(
        &self,
        partitions: BTreeSet<u32>,
        items: Vec<DueItem>,
        mut cursor: DueCursor,
        deadline: Instant,
    ) -> Result<()> {
        let lease = Lease::acquire(&self.main, &self.clock, self.random.hex_id(), &partitions).await?;
        let held = lease.partitions();
        cursor.retain(&held);
        let is_wanted = |item: &DueItem| partitions.contains(&item.partition);
        let (own, others): (Vec<_>, Vec<_>) =
            items.into_iter().filter(is_wanted).partition(|item| held.contains(&item.partition));
        let took_all = if held.is_empty() {
            Ok(true)
        } else {
            Worker::new(self, &lease, deadline).run(own, cursor).await
        };
        let now = self.clock.now();
        let oldest = match &took_all {
            Ok(true) => Ok(others.iter().map(|item| item.since).min()),
            _ => self.main.due_index().first(now).await.map(|first| first.map(|item| item.since)),
        };
        let left = oldest.as_ref().ok().copied().flatten();
        warn_about_rest(left, now);
        // The lease is released even after an error, so that nobody has to wait for its end.
        lease.release(left).await?;
        oldest?;
        took_all.map(drop)
    }
}
