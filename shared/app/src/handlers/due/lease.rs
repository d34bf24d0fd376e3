//! A worker's right to its partitions, while it works.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use jiff::SignedDuration;
use platform::{Clock, chain};
use store::{DueOf, Heartbeat, MainTable, PartitionLease};
use tokio::time::{Duration, Instant};

use crate::error::Result;

/// How long a lease lasts unless it is renewed. A worker that has died blocks its partitions only until the next tick.
const TERM: SignedDuration = SignedDuration::from_secs(45);
/// The time that must be left of a lease to start a Pin.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// The lease of one worker.
///
/// It saves money: two workers on one partition would read the same entries and compete for them. It keeps the order of Pins if
/// a worker is suspended and continues later, and only one process at a time refreshes a channel's tokens. It is not needed for
/// safety: the versions of the rows ensure that no Pin is sent twice and no token pair is lost.
pub(in super::super) struct Lease<'a> {
    main: &'a MainTable,
    clock: &'a Clock,
    state: Mutex<Held>,
}

#[derive(Clone)]
struct Held {
    lease: PartitionLease,
    /// When the write of the current term began, by a monotonic clock: the wall clock may be changed.
    since: Instant,
}

impl<'a> Lease<'a> {
    /// Leases the partitions that no other worker has.
    pub(super) async fn acquire(
        main: &'a MainTable,
        clock: &'a Clock,
        id: String,
        of: DueOf,
        partitions: &BTreeSet<u32>,
    ) -> Result<Self> {
        let (now, since) = (clock.now(), Instant::now());
        let wanted = PartitionLease { id, of, partitions: partitions.clone(), until: now + TERM };
        let lease = main.acquire_partitions(wanted, now).await?;
        Ok(Self { main, clock, state: Mutex::new(Held { lease, since }) })
    }

    fn held(&self) -> Held {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The partitions that the worker has taken and not lost.
    pub(super) fn partitions(&self) -> BTreeSet<u32> {
        self.held().lease.partitions
    }

    /// Whether an entry of this partition may start.
    pub(in super::super) fn covers(&self, partition: u32) -> bool {
        self.left(partition) >= MARGIN
    }

    /// How much of the term is left for a partition: nothing, if another worker has it.
    pub(in super::super) fn left(&self, partition: u32) -> SignedDuration {
        let held = self.held();
        if !held.lease.partitions.contains(&partition) {
            return SignedDuration::ZERO;
        }
        let left = held.lease.until.duration_since(self.clock.now());
        let elapsed = SignedDuration::try_from(held.since.elapsed()).unwrap_or(SignedDuration::MAX);
        left.min(TERM - elapsed)
    }

    /// Renews the lease. Partitions that another worker has taken since are lost.
    pub(super) async fn renew(&self) {
        let since = Instant::now();
        let lease = PartitionLease { until: self.clock.now() + TERM, ..self.held().lease };
        match self.main.renew_partitions(lease).await {
            Ok(lease) => {
                *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Held { lease, since };
            }
            // It is retried before the lease ends.
            Err(error) => tracing::warn!(error = %chain(&error), "the lease of partitions was not renewed"),
        }
    }

    /// Releases all partitions, and writes the heartbeat.
    pub(super) async fn release(self, heartbeat: &Heartbeat) -> Result<()> {
        self.main.release_partitions(self.held().lease, heartbeat, self.clock.now()).await?;
        Ok(())
    }

    /// How often it is renewed: three times in a term.
    pub(super) const RENEW_EVERY: Duration = Duration::from_secs(10);
}
