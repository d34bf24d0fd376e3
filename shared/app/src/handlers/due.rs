//! Processes the entries of a `due` index, for `deliver` and `refresh`.
//!
//! The tick of each minute reads the beginning of each partition of the index. It processes a small load itself. For a larger
//! load, it starts more workers, each for some partitions. A worker leases its partitions, and so whole channels. If a worker is
//! lost, doubled or late, or a tick ends too early, only the minute changes: work that is not done is still due.

mod lanes;
mod lease;
mod pace;
mod queue;
mod shares;

use std::{collections::BTreeSet, num::NonZeroU32};

use adapters::Workers;
use futures_util::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use platform::{Clock, Random, chain};
use serde_json::{Value, json};
use store::{DueCursor, DueIndex, DueItem, DueOf, Heartbeat, MainTable};
use tokio::time::{Duration, Instant};

use self::lanes::Lanes;
pub(super) use self::{lease::Lease, queue::Turn, shares::Sizes};
use crate::error::Result;

/// How long an entry that fails is postponed.
const POSTPONE_BY: SignedDuration = SignedDuration::from_mins(5);

/// The work on due entries.
pub(super) trait Work: Sync {
    /// Completes entries of older versions, which lack the channel or the tenant. Work of other workers is left out.
    fn resolve<'a>(&'a self, items: Vec<DueItem>, lease: &'a Lease<'_>) -> BoxFuture<'a, Vec<DueItem>>;

    /// Processes some entries of one channel, and returns those that have to be read again.
    fn take<'a>(&'a self, turn: Turn, hold: &'a Hold<'_>) -> BoxFuture<'a, Vec<DueItem>>;

    /// Whether this invocation may start more entries.
    fn goes_on(&self) -> bool {
        true
    }

    /// The heartbeat. `oldest`: the due time of the oldest entry that is left to the next tick.
    fn heartbeat(&self, oldest: Option<Timestamp>) -> Heartbeat;
}

/// One of the two indexes, and how it is processed.
#[derive(Clone, Copy)]
pub(super) struct DueWork<'a> {
    pub(super) index: DueIndex<'a>,
    pub(super) of: DueOf,
    /// Holds the leases of the partitions, and the heartbeats.
    pub(super) main: &'a MainTable,
    pub(super) workers: &'a Workers,
    pub(super) clock: &'a Clock,
    pub(super) random: &'a Random,
    pub(super) rules: Rules,
}

/// How many entries are processed, and how fast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// How much work needs how many workers.
    pub(super) sizes: Sizes,
    /// How many entries of each partition a tick looks at.
    pub(super) look_entries: usize,
    /// How many entries of a partition a worker reads at once.
    pub(super) page_entries: usize,
    /// How many channels one worker works on at once.
    pub(super) lanes: usize,
    /// How many turns all workers together may start in a minute. `None`: no limit.
    pub(super) per_minute: Option<NonZeroU32>,
    /// How many entries may wait in a worker. No more are read until some are done.
    pub(super) max_waiting: usize,
    /// How many channels of one tenant may wait in a worker. The others of that tenant are passed over.
    pub(super) max_of_tenant: usize,
    /// The time that must be left of the invocation to start an entry.
    pub(super) min_time_left: Duration,
}

/// The beginning of each partition.
pub(super) struct Look {
    items: Vec<DueItem>,
    cursor: DueCursor,
}

impl Look {
    /// The due time of the oldest entry. `None`: nothing is due.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.items.iter().map(|item| item.since).min()
    }
}

/// The lease and the time of a worker.
pub(super) struct Hold<'a> {
    pub(super) lease: &'a Lease<'a>,
    pub(super) deadline: Instant,
    min_time_left: Duration,
}

impl Hold<'_> {
    /// Whether there is time for another entry.
    pub(super) fn has_time(&self) -> bool {
        self.deadline.saturating_duration_since(Instant::now()) >= self.min_time_left
    }

    /// The latest time at which an entry may start.
    pub(super) fn last_begin(&self) -> Option<Instant> {
        self.deadline.checked_sub(self.min_time_left)
    }
}

impl DueWork<'_> {
    /// Reads the beginning of each partition.
    pub(super) async fn look(&self) -> Result<Look> {
        let mut cursor = self.index.cursor(&self.index.partitions(), self.rules.look_entries);
        let items = self.index.next(&mut cursor, self.clock.now()).await?;
        Ok(Look { items, cursor })
    }

    /// Starts as many workers as the load needs, and processes one share. `event`: the event for a worker.
    pub(super) async fn share(
        &self,
        look: Look,
        work: &impl Work,
        event: impl Fn(&BTreeSet<u32>) -> Value,
        deadline: Instant,
    ) -> Result<()> {
        let Look { items, cursor } = look;
        let mut shares = self.rules.sizes.deal(&items, cursor.unfinished()).into_iter();
        let mut own = shares.next().unwrap_or_default();
        let started = shares.map(|share| async { (self.start(event(&share)).await, share) });
        let started = join_all(started).await;
        own.extend(started.into_iter().filter(|(is_started, _)| !is_started).flat_map(|(_, share)| share));
        self.work(own, items, cursor, work, deadline).await
    }

    /// `false`: the worker could not be started.
    async fn start(&self, event: Value) -> bool {
        let started = self.workers.start(&event).await;
        if let Err(error) = &started {
            tracing::warn!(error = %chain(error), %event, "a worker could not be started");
        }
        started.is_ok()
    }

    /// Processes the partitions for which a tick has started this worker.
    pub(super) async fn work_on(
        &self,
        partitions: &BTreeSet<u32>,
        work: &impl Work,
        deadline: Instant,
    ) -> Result<()> {
        let partitions: BTreeSet<_> = partitions & &self.index.partitions();
        let cursor = self.index.cursor(&partitions, self.rules.page_entries);
        self.work(partitions, Vec::new(), cursor, work, deadline).await
    }

    /// Processes those of the partitions that no other worker has leased, until nothing is due or the time is up. The next tick
    /// takes the rest. `items` were read already.
    async fn work(
        &self,
        partitions: BTreeSet<u32>,
        items: Vec<DueItem>,
        mut cursor: DueCursor,
        work: &impl Work,
        deadline: Instant,
    ) -> Result<()> {
        let lease = Lease::acquire(self.main, self.clock, self.random.hex_id(), self.of, &partitions).await?;
        let leased = lease.partitions();
        cursor.retain(&leased);
        let is_wanted = |item: &DueItem| partitions.contains(&item.partition);
        let (own, others): (Vec<_>, Vec<_>) =
            items.into_iter().filter(is_wanted).partition(|item| leased.contains(&item.partition));
        let took_all = if leased.is_empty() {
            Ok(true)
        } else {
            let hold = Hold { lease: &lease, deadline, min_time_left: self.rules.min_time_left };
            Lanes { due: *self, work, hold: &hold }.run(own, cursor).await
        };
        let now = self.clock.now();
        let oldest = match &took_all {
            Ok(true) => Ok(others.iter().map(|item| item.since).min()),
            _ => self.index.first(now).await.map(|first| first.map(|item| item.since)),
        };
        let left = oldest.as_ref().ok().copied().flatten();
        warn_about_rest(left, now);
        // Even after an error: no other worker has to wait for the end of the lease.
        lease.release(&work.heartbeat(left)).await?;
        oldest?;
        took_all.map(drop)
    }
}

/// The partitions in an event. `None`: there are none.
pub(super) fn partitions_of(event: &Value) -> Option<BTreeSet<u32>> {
    let numbers = event["partitions"].as_array()?;
    Some(numbers.iter().filter_map(|number| number.as_u64()?.try_into().ok()).collect())
}

/// The event for these partitions.
pub(super) fn event_of(partitions: &BTreeSet<u32>) -> Value {
    json!({ "partitions": partitions })
}

/// Moves an entry that failed to a later time, so that it blocks nothing. `false`: it could not be moved.
pub(super) async fn postpone(
    index: DueIndex<'_>,
    item: &DueItem,
    now: Timestamp,
    error: &(dyn std::error::Error + Sync),
) -> bool {
    tracing::error!(error = %chain(error), item = ?item.kind, "an entry that is due was postponed");
    let postponed = index.postpone(item, now + POSTPONE_BY).await;
    if let Err(error) = &postponed {
        tracing::error!(error = %chain(error), item = ?item.kind, "it could not be postponed either");
    }
    postponed.is_ok()
}

/// Logs that work is left to the next tick, if there is any. An alarm of the stack counts the log line.
pub(super) fn warn_about_rest(oldest: Option<Timestamp>, now: Timestamp) {
    if let Some(oldest) = oldest {
        let oldest_due_age_s = now.duration_since(oldest).as_secs();
        tracing::warn!(oldest_due_age_s, "work that is due is left to the next tick");
    }
}
