//! What `deliver` does with what is due.

use domain::{Pin, PinGroup, PinId, State, delivery::Input};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use jiff::Timestamp;
use platform::chain;
use store::{DueItem, DueItemKind, Heartbeat};

use super::{
    super::{
        closed_channel::cancel_pins,
        due::{Hold, Lease, Turn, Work, postpone},
    },
    Deliver,
};
use crate::error::{Error, Result};

/// How many rows are read at once to find out whose work old entries are.
const MAX_PARALLEL_READS: usize = 16;

impl Work for Deliver {
    /// Finds out whose work the entries of version 0.1 are. What is another partition's is moved there.
    fn resolve<'a>(&'a self, items: Vec<DueItem>, lease: &'a Lease<'_>) -> BoxFuture<'a, Vec<DueItem>> {
        let resolved = stream::iter(items).map(|item| self.resolve_item(item, lease));
        resolved.buffered(MAX_PARALLEL_READS).filter_map(std::future::ready).collect().boxed()
    }

    /// Boxed, here and below: the SDK's futures are deep, and there are as many of these as lanes.
    fn take<'a>(&'a self, turn: Turn, hold: &'a Hold<'_>) -> BoxFuture<'a, Vec<DueItem>> {
        async move { Worker { deliver: self, hold }.work_on(turn).await }.boxed()
    }

    fn heartbeat(&self, oldest: Option<Timestamp>) -> Heartbeat {
        Heartbeat::Deliver(oldest)
    }
}

impl Deliver {
    async fn resolve_item(&self, item: DueItem, lease: &Lease<'_>) -> Option<DueItem> {
        let main = &self.main;
        let (DueItemKind::Pin(tenant, id), None) = (&item.kind, &item.channel) else { return Some(item) };
        let moved = match main.pin(tenant, id).await {
            Ok(None) => return None, // removed: the index is behind
            Ok(Some(pin)) if lease.covers(main.due_index().partition_of(&pin.channel_id)) => {
                return Some(DueItem { channel: Some(pin.channel_id.clone()), ..item });
            }
            Ok(Some(pin)) => main.due_index().move_home(&item, &pin.channel_id).await,
            Err(error) => Err(error),
        };
        if let Err(error) = moved {
            postpone(main.due_index(), &item, self.clock.now(), &error).await;
        }
        None
    }
}

/// A worker, and what it may count on.
struct Worker<'a> {
    deliver: &'a Deliver,
    hold: &'a Hold<'a>,
}

/// Whether the next Pin of a channel may be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoesOn,
    /// Another process is sending a Pin of the channel, or no more Pins may be started.
    Stops,
}

impl Worker<'_> {
    /// What is to be looked at again is returned.
    async fn work_on(&self, turn: Turn) -> Vec<DueItem> {
        // Pins that have waited for a reconnection are sent before those that become due now.
        if let Some(item) = &turn.channel_item
            && self.follow_channel(&turn, item).boxed().await == Next::Stops
        {
            return turn.channel_item.into_iter().chain(turn.items).collect();
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
        self.hold.has_time() && self.hold.lease.covers(item.partition)
    }

    /// Does what a channel's own entry asks for. If the time is up, the entry stays, and a later tick continues.
    async fn follow_channel(&self, turn: &Turn, item: &DueItem) -> Next {
        let followed = match item.kind {
            DueItemKind::ClosedChannel(..) => self.cancel_pins(turn).boxed().await,
            _ => self.resume_pins(turn, item).boxed().await,
        };
        match followed {
            Ok(Next::Stops) => Next::Stops,
            Ok(Next::GoesOn) => match self.deliver.main.due_index().clear(item).await {
                Ok(()) => Next::GoesOn,
                Err(error) => self.postpone(item, &error).await,
            },
            Err(error) => self.postpone(item, &error).await,
        }
    }

    /// A Pin may have been created while its channel was deleted.
    async fn cancel_pins(&self, turn: &Turn) -> Result<Next> {
        let Deliver { main, clock, .. } = self.deliver;
        match cancel_pins(main, &turn.tenant, &turn.channel, clock.now(), &mut 0).await? {
            0 => Ok(Next::GoesOn),
            _ => Err(Error::Busy), // others change them: the entry is tried again
        }
    }

    /// Sends the Pins that have waited for a channel, by `publish_at`, then by id.
    ///
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
        session.uploads_until = self.hold.last_begin();
        let pin = publisher.drive(pin, input, &session).boxed().await?;
        // A Pin stays `sending` only if another process is sending it: that process has the channel until it is done or its
        // time is over.
        Ok(if matches!(pin.state, State::Sending(_)) { Next::Stops } else { Next::GoesOn })
    }

    /// Postpones an entry that failed, so that it blocks nothing. If that fails too, the entry blocks those after it.
    async fn postpone(&self, item: &DueItem, error: &(dyn std::error::Error + Sync)) -> Next {
        let Deliver { main, clock, .. } = self.deliver;
        if postpone(main.due_index(), item, clock.now(), error).await { Next::GoesOn } else { Next::Stops }
    }
}

fn pin_id(item: &DueItem) -> Option<&PinId> {
    match &item.kind {
        DueItemKind::Pin(_, id) => Some(id),
        DueItemKind::Channel(..) | DueItemKind::ClosedChannel(..) | DueItemKind::Token(..) => None,
    }
}
