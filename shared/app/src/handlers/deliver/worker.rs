//! One worker: many lanes, each with one channel at a time.

use domain::{ChannelId, Pin, PinGroup, PinId, State, delivery::Input};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use jiff::{SignedDuration, Timestamp};
use platform::chain;
use store::{DueCursor, DueItem, DueItemKind};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{
    Deliver, MIN_TIME_LEFT,
    lease::Lease,
    queue::{FairQueue, Turn},
};
use crate::error::Result;

/// How many channels one worker works on at once. The Pins of one channel are sent one after the other.
const MAX_LANES: usize = 128;
/// How many rows are read at once to find the channels of old entries.
const MAX_PARALLEL_READS: usize = 16;
/// How long an entry that cannot be processed is postponed.
const POSTPONE_BY: SignedDuration = SignedDuration::from_mins(5);
/// How much later than its time an entry may appear: the clocks of its writer and of this worker differ.
const MAX_ENTRY_DELAY: SignedDuration = SignedDuration::from_mins(2);

/// One worker and its work.
pub(super) struct Worker<'a> {
    deliver: &'a Deliver,
    lease: &'a Lease<'a>,
    deadline: Instant,
}

/// What a task of the worker has returned.
enum Done {
    Turn(ChannelId, Vec<DueItem>),
    Read(DueCursor, Result<Vec<DueItem>>),
    Renewal,
}

/// Whether the next Pin of a channel may be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoesOn,
    /// Another process is sending a Pin of the channel, or no more Pins may be started.
    Stops,
}

impl<'a> Worker<'a> {
    pub(super) fn new(deliver: &'a Deliver, lease: &'a Lease<'a>, deadline: Instant) -> Self {
        Self { deliver, lease, deadline }
    }

    /// Works until nothing of its partitions is due. `items` were read already. `false`: the time was up, or another worker
    /// has the rest.
    pub(super) async fn run(&self, items: Vec<DueItem>, cursor: DueCursor) -> Result<bool> {
        let mut queue = FairQueue::default();
        let mut running: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
        let (mut lanes, mut failed) = (0, None);
        let mut renewal = interval_at(Instant::now() + Lease::RENEW_EVERY, Lease::RENEW_EVERY);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cursor = Some(cursor);
        self.resolve(items).await.into_iter().for_each(|item| queue.add(item));
        loop {
            let goes_on = self.has_time() && failed.is_none();
            while goes_on
                && lanes < MAX_LANES
                && let Some(turn) = queue.next()
            {
                lanes += 1;
                running.push(self.take(turn).boxed());
            }
            if goes_on
                && queue.has_room()
                && let Some(unread) = cursor.take_if(|cursor| cursor.has_more())
            {
                running.push(self.read(unread).boxed());
            }
            if running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                done = running.next() => match done {
                    Some(Done::Turn(channel, left)) => {
                        lanes -= 1;
                        queue.finish(&channel, left);
                    }
                    Some(Done::Read(read, items)) => {
                        cursor = Some(read);
                        match items {
                            Ok(items) => items.into_iter().for_each(|item| queue.add(item)),
                            Err(error) => failed = Some(error),
                        }
                    }
                    Some(Done::Renewal) | None => {}
                },
                _ = renewal.tick() => {
                    running.push(self.renew().boxed());
                    queue.unpark();
                    // Reads what has become due in the meantime: no other worker has these partitions.
                    if goes_on && queue.has_room() && let Some(mut read) = cursor.take() {
                        read.rewind(self.deliver.clock.now() - MAX_ENTRY_DELAY);
                        running.push(self.read(read).boxed());
                    }
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(self.has_time() && queue.is_empty()),
        }
    }

    /// Whether there is time for another Pin.
    fn has_time(&self) -> bool {
        self.deadline.saturating_duration_since(Instant::now()) >= MIN_TIME_LEFT
    }

    async fn renew(&self) -> Done {
        self.lease.renew().await;
        Done::Renewal
    }

    async fn read(&self, mut cursor: DueCursor) -> Done {
        let index = self.deliver.main.due_index();
        let items = index.next(&mut cursor, self.deliver.clock.now()).await;
        let items = match items {
            Ok(items) => Ok(self.resolve(items).await),
            Err(error) => Err(error.into()),
        };
        Done::Read(cursor, items)
    }

    /// Finds the channels of the entries of version 0.1. An entry that belongs to another partition is moved there.
    async fn resolve(&self, items: Vec<DueItem>) -> Vec<DueItem> {
        let resolved = stream::iter(items).map(|item| self.resolve_item(item)).buffered(MAX_PARALLEL_READS);
        resolved.filter_map(std::future::ready).collect().await
    }

    async fn resolve_item(&self, item: DueItem) -> Option<DueItem> {
        let main = &self.deliver.main;
        let (DueItemKind::Pin(tenant, id), None) = (&item.kind, &item.channel) else { return Some(item) };
        let moved = match main.pin(tenant, id).await {
            Ok(None) => return None, // removed: the index is behind
            Ok(Some(pin)) if self.lease.covers(main.due_index().partition_of(&pin.channel_id)) => {
                return Some(DueItem { channel: Some(pin.channel_id.clone()), ..item });
            }
            Ok(Some(pin)) => main.due_index().move_home(&item, &pin.channel_id).await,
            Err(error) => Err(error),
        };
        if let Err(error) = moved {
            self.postpone(&item, &error).await;
        }
        None
    }

    /// Works on one turn of a channel, one Pin after the other. Boxed, here and below: the SDK's futures are deep, and
    /// there are as many of these as lanes.
    async fn take(&self, turn: Turn) -> Done {
        let channel = turn.channel.clone();
        Done::Turn(channel, self.work_on(turn).boxed().await)
    }

    /// Entries that must be checked again are returned.
    async fn work_on(&self, turn: Turn) -> Vec<DueItem> {
        // Pins that have waited for a reconnection are sent before those that become due now.
        if let Some(item) = &turn.reconnected
            && self.resume(&turn, item).boxed().await == Next::Stops
        {
            return turn.reconnected.into_iter().chain(turn.items).collect();
        }
        let ids = turn.items.iter().filter_map(pin_id);
        let mut rows = match self.deliver.main.pins_by_id(&turn.tenant, ids).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(error = %chain(&error), channel.id = %turn.channel, "Pins that are due could not be read");
                return turn.items;
            }
        };
        let mut pins = Vec::new();
        for item in turn.items {
            match pin_id(&item).and_then(|id| rows.remove(id)) {
                Some(Ok(pin)) => pins.push((item, pin)),
                Some(Err(error)) => {
                    self.postpone(&item, &error).await;
                }
                None => {} // removed: the index is behind
            }
        }
        pins.sort_by(|(_, a), (_, b)| a.send_order().cmp(&b.send_order()));
        let mut pins = pins.into_iter();
        while let Some((item, pin)) = pins.next() {
            if self.drive_item(&item, pin).await == Next::Stops {
                return std::iter::once(item).chain(pins.map(|(item, _)| item)).collect();
            }
        }
        Vec::new()
    }

    async fn drive_item(&self, item: &DueItem, pin: Pin) -> Next {
        if !self.may_begin(item) {
            return Next::Stops;
        }
        match self.drive(pin, Input::Due).await {
            Ok(next) => next,
            // A Pin that fails does not stop those after it, if it could be postponed.
            Err(error) => self.postpone(item, &error).await,
        }
    }

    fn may_begin(&self, item: &DueItem) -> bool {
        self.has_time() && self.lease.covers(item.partition)
    }

    /// Sends the Pins that have waited for a channel, by `publish_at`, then by id. If the time is up, the entry stays, and a
    /// later tick continues.
    async fn resume(&self, turn: &Turn, item: &DueItem) -> Next {
        let main = &self.deliver.main;
        match self.resume_pins(turn, item).boxed().await {
            Ok(Next::Stops) => Next::Stops,
            Ok(Next::GoesOn) => match main.clear_resume(&turn.tenant, &turn.channel, &item.sort_key).await {
                Ok(()) => Next::GoesOn,
                Err(error) => self.postpone(item, &error).await,
            },
            Err(error) => self.postpone(item, &error).await,
        }
    }

    /// All are read first, because they are sent in the order of their times; only their ids are kept in memory. A Pin that
    /// fails does not stop those after it: it is tried again with the entry.
    async fn resume_pins(&self, turn: &Turn, item: &DueItem) -> Result<Next> {
        let main = &self.deliver.main;
        let open = main.pins_of_channel(&turn.tenant, &turn.channel, PinGroup::Open, Timestamp::UNIX_EPOCH);
        let mut open = std::pin::pin!(open);
        let (mut waiting, mut failed) = (Vec::new(), None);
        while let Some(pin) = open.next().await {
            match pin {
                Ok(pin) => waiting.push((pin.publish_at, pin.id.clone())),
                Err(error) => failed = Some(error.into()),
            }
        }
        waiting.sort();
        for (_, id) in waiting {
            if !self.may_begin(item) {
                return Ok(Next::Stops);
            }
            let driven = match main.pin(&turn.tenant, &id).await {
                // The process that was sending it may have died.
                Ok(Some(pin)) if matches!(pin.state, State::Sending(_)) => self.drive(pin, Input::Due).await,
                Ok(Some(pin)) => self.drive(pin, Input::ChannelReconnected).await,
                Ok(None) => Ok(Next::GoesOn),
                Err(error) => Err(error.into()),
            };
            match driven {
                Ok(Next::GoesOn) => {}
                Ok(Next::Stops) => return Ok(Next::Stops),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(Next::GoesOn), Err)
    }

    /// Drives a Pin until it rests.
    async fn drive(&self, pin: Pin, input: Input) -> Result<Next> {
        if pin.due_at().is_none() {
            return Ok(Next::GoesOn); // it has ended: the index is behind
        }
        let publisher = &self.deliver.publisher;
        let snapshot = publisher.sessions.read_snapshot(&pin.tenant, &pin.channel_id, None).await?;
        let mut session = publisher.sessions.open_snapshot(snapshot).await?;
        session.uploads_until = self.deadline.checked_sub(MIN_TIME_LEFT);
        let pin = publisher.drive(pin, input, &session).boxed().await?;
        // A Pin stays `sending` only if another process is sending it: that process has the channel until it is done or its
        // time is over.
        Ok(if matches!(pin.state, State::Sending(_)) { Next::Stops } else { Next::GoesOn })
    }

    /// Postpones an entry that failed, so that it blocks nothing. If that fails too, the entry blocks those after it.
    async fn postpone(&self, item: &DueItem, error: &(dyn std::error::Error + Sync)) -> Next {
        let Deliver { main, clock, .. } = self.deliver;
        tracing::error!(error = %chain(error), item = ?item.kind, "an entry that is due was postponed");
        match main.due_index().postpone(item, clock.now() + POSTPONE_BY).await {
            Ok(_) => Next::GoesOn,
            Err(error) => {
                tracing::error!(error = %chain(&error), item = ?item.kind, "it could not be postponed either");
                Next::Stops
            }
        }
    }
}

fn pin_id(item: &DueItem) -> Option<&PinId> {
    match &item.kind {
        DueItemKind::Pin(_, id) => Some(id),
        DueItemKind::Channel(..) | DueItemKind::Token(_) => None,
    }
}
