//! Reads the tokens that are due, page by page, until there are no more or the time is up.

use jiff::{SignedDuration, Timestamp};
use platform::{Clock, chain};
use store::{DueCursor, DueIndex, DueItem};
use tokio::time::{Duration, Instant};

use crate::error::Result;

/// How many entries of each partition one page holds.
const PAGE_ENTRIES: usize = 64;
/// How long an entry that cannot be processed is postponed.
const POSTPONE_BY: SignedDuration = SignedDuration::from_mins(5);

/// One tick of a worker.
pub(super) struct DueLoop<'a> {
    index: DueIndex<'a>,
    cursor: DueCursor,
    clock: &'a Clock,
    deadline: Instant,
    min_time_left: Duration,
}

impl<'a> DueLoop<'a> {
    /// `min_time_left`: the time that must be left of the invocation to start an entry.
    pub(super) fn new(
        index: DueIndex<'a>,
        clock: &'a Clock,
        deadline: Instant,
        min_time_left: Duration,
    ) -> Self {
        Self {
            cursor: index.cursor(&index.partitions(), PAGE_ENTRIES),
            index,
            clock,
            deadline,
            min_time_left,
        }
    }

    /// The next page of entries that are due now.
    pub(super) async fn next(&mut self) -> Result<Vec<DueItem>> {
        self.next_by(self.clock.now()).await
    }

    /// The next page of entries that are due at `by`.
    pub(super) async fn next_by(&mut self, by: Timestamp) -> Result<Vec<DueItem>> {
        Ok(self.index.next(&mut self.cursor, by).await?)
    }

    /// Whether there may be entries after the last page.
    pub(super) fn has_more(&self) -> bool {
        self.cursor.has_more()
    }

    /// When the invocation ends.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether there is time for another entry.
    pub(super) fn has_time(&self) -> bool {
        self.deadline.saturating_duration_since(Instant::now()) >= self.min_time_left
    }

    /// The due time of the oldest entry that this tick leaves to the next.
    pub(super) async fn oldest_left(&self, took_all: bool) -> Result<Option<Timestamp>> {
        if took_all {
            return Ok(None);
        }
        let now = self.clock.now();
        let oldest = self.index.first(now).await?.map(|item| item.since);
        warn_about_rest(oldest, now);
        Ok(oldest)
    }

    /// Postpones an entry that failed, so that it blocks nothing.
    pub(super) async fn postpone(&self, item: &DueItem, error: &(dyn std::error::Error + Sync)) {
        tracing::error!(error = %chain(error), item = ?item.kind, "an entry that is due was postponed");
        if let Err(error) = self.index.postpone(item, self.clock.now() + POSTPONE_BY).await {
            tracing::error!(error = %chain(&error), item = ?item.kind, "it could not be postponed either");
        }
    }
}

/// Logs that work is left to the next tick, if there is any. An alarm of the stack counts the log line.
pub(super) fn warn_about_rest(oldest: Option<Timestamp>, now: Timestamp) {
    if let Some(oldest) = oldest {
        let oldest_due_age_s = now.duration_since(oldest).as_secs();
        tracing::warn!(oldest_due_age_s, "work that is due is left to the next tick");
    }
}
