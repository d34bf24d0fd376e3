//! One worker: many lanes, each with one channel at a time.

use domain::ChannelId;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use jiff::SignedDuration;
use store::{DueCursor, DueItem};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::{DueWork, Hold, Lease, Work, pace::Pace, queue::FairQueue};
use crate::error::Result;

/// How much later than its time an entry may appear: the clocks of its writer and of this worker differ.
const MAX_ENTRY_DELAY: SignedDuration = SignedDuration::from_mins(2);

/// A worker and its lease.
pub(super) struct Lanes<'a, W> {
    pub(super) due: DueWork<'a>,
    pub(super) work: &'a W,
    pub(super) hold: &'a Hold<'a>,
}

/// An event in the loop of a worker.
enum Done {
    Turn(ChannelId, Vec<DueItem>),
    Read(DueCursor, Result<Vec<DueItem>>),
    Renewal,
}

impl<W: Work> Lanes<'_, W> {
    /// Works until nothing in its partitions is due. `items` were read already. `false`: the time was up, or another worker
    /// has the rest.
    pub(super) async fn run(&self, items: Vec<DueItem>, cursor: DueCursor) -> Result<bool> {
        let rules = self.due.rules;
        let mut queue = FairQueue::new(rules.max_waiting, rules.max_of_tenant);
        let mut running: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
        let mut pace = rules.per_minute.map(|rate| Pace::new(rate, rules.lanes, Instant::now()));
        let (mut lanes, mut failed) = (0, None);
        let mut renewal = interval_at(Instant::now() + Lease::RENEW_EVERY, Lease::RENEW_EVERY);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cursor = Some(cursor);
        self.work.resolve(items, self.hold.lease).await.into_iter().for_each(|item| queue.add(item));
        loop {
            let goes_on = self.hold.has_time() && self.work.goes_on() && failed.is_none();
            while goes_on
                && lanes < rules.lanes
                && pace.as_ref().is_none_or(|pace| pace.next() <= Instant::now())
                && let Some(turn) = queue.next()
            {
                lanes += 1;
                if let Some(pace) = &mut pace {
                    let (held, all) = (self.hold.lease.partitions().len(), self.due.index.partitions().len());
                    pace.begin(held, all, Instant::now());
                }
                let channel = turn.channel.clone();
                let turn = self.work.take(turn, self.hold);
                running.push(async move { Done::Turn(channel, turn.await) }.boxed());
            }
            if goes_on
                && queue.has_room()
                && let Some(unread) = cursor.take_if(|cursor| cursor.has_more())
            {
                running.push(self.read(unread).boxed());
            }
            // Only the pace delays the next turn.
            let next =
                pace.as_ref().map(Pace::next).filter(|_| goes_on && lanes < rules.lanes && queue.has_turn());
            if running.is_empty() && next.is_none() {
                break;
            }
            tokio::select! {
                biased;
                Some(done) = running.next() => match done {
                    Done::Turn(channel, left) => {
                        lanes -= 1;
                        queue.finish(&channel, left);
                    }
                    Done::Read(read, items) => {
                        cursor = Some(read);
                        match items {
                            Ok(items) => items.into_iter().for_each(|item| queue.add(item)),
                            Err(error) => failed = Some(error),
                        }
                    }
                    Done::Renewal => {}
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
                _ = renewal.tick() => {
                    running.push(self.renew().boxed());
                    queue.unpark();
                    // Entries that have become due in the meantime: no other worker has these partitions.
                    if goes_on && queue.has_room() && let Some(mut read) = cursor.take() {
                        read.rewind(self.due.clock.now() - MAX_ENTRY_DELAY);
                        running.push(self.read(read).boxed());
                    }
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(self.hold.has_time() && self.work.goes_on() && queue.is_empty()),
        }
    }

    async fn renew(&self) -> Done {
        self.hold.lease.renew().await;
        Done::Renewal
    }

    async fn read(&self, mut cursor: DueCursor) -> Done {
        let items = match self.due.index.next(&mut cursor, self.due.clock.now()).await {
            Ok(items) => Ok(self.work.resolve(items, self.hold.lease).await),
            Err(error) => Err(error.into()),
        };
        Done::Read(cursor, items)
    }
}
