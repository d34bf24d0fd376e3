//! `deliver`: every minute, the Pins that are due, and the channels that were connected again.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use delivery::PinPublisher;
use domain::{ChannelId, PinGroup, TenantId, delivery::Input};
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use platform::Clock;
use store::{DueItem, DueItemKind, Heartbeat, MainTable};
use tokio::time::{Duration, Instant};

use super::{
    due_loop::DueLoop,
    due_pins::{ChannelBatch, DuePins, PinBuffer, WaitingPin},
};
use crate::{error::Result, setup::Setup};

/// How many channels are worked on in parallel. The Pins of one channel are sent one after the other.
const MAX_PARALLEL_CHANNELS: usize = 16;
/// What must be left of the invocation to begin with a Pin: for a send or a board check, and for the writes.
const MIN_TIME_LEFT: Duration = Duration::from_secs(40);
/// How long one worker has the return of a channel to itself: as long as it may run.
const RESUME_LEASE: SignedDuration = domain::delivery::MAX_UPLOAD_TIME;

/// What `deliver` may use: what publishing may.
#[derive(Debug)]
pub struct Deliver {
    publisher: PinPublisher,
    main: MainTable,
    clock: Clock,
    /// The channels that this process works on: on one machine, several ticks run in parallel.
    in_progress: Mutex<BTreeSet<ChannelId>>,
}

impl Deliver {
    #[must_use]
    pub fn new(publisher: PinPublisher, setup: &Setup) -> Self {
        let main = publisher.sessions.main.clone();
        Self { publisher, main, clock: setup.clock.clone(), in_progress: Mutex::default() }
    }

    /// Works on what is due, round by round, until nothing is or the time is up. The next tick takes what is left.
    pub async fn tick(&self, deadline: Instant) -> Result<()> {
        let mut due = DueLoop::new(self.main.due_index(), &self.clock, deadline, MIN_TIME_LEFT);
        let mut pins = DuePins::default();
        loop {
            if pins.has_room() {
                let items = due.next().await?;
                self.read(items, &mut pins, &due).await;
            }
            let due = &due;
            stream::iter(pins.take_round())
                .for_each_concurrent(MAX_PARALLEL_CHANNELS, |(tenant, channel, batch)| async move {
                    if let Some(_guard) = self.lock_channel(&channel) {
                        self.process_channel(&tenant, &channel, batch, due, deadline).await;
                    }
                })
                .await;
            if (pins.is_empty() && !due.has_more()) || !due.has_time() {
                break;
            }
        }
        let oldest = due.oldest_left(due.has_time()).await?;
        self.main.record_heartbeat(&Heartbeat::Deliver(oldest), self.clock.now()).await?;
        Ok(())
    }

    /// Reads the Pins that are due, and sorts everything by channel. An entry whose Pin cannot be read is postponed.
    async fn read(&self, items: Vec<DueItem>, pins: &mut DuePins, due: &DueLoop<'_>) {
        let read = stream::iter(items).map(|item| async move {
            let pin = match &item.kind {
                DueItemKind::Pin(tenant, id) => self.main.pin(tenant, id).await,
                DueItemKind::Channel(..) | DueItemKind::Token(_) => Ok(None),
            };
            (item, pin)
        });
        let mut read = read.buffered(MAX_PARALLEL_CHANNELS);
        while let Some((item, pin)) = read.next().await {
            match (item.kind.clone(), pin) {
                (DueItemKind::Pin(..), Ok(Some(pin))) => pins.add_pin(item, pin),
                (DueItemKind::Channel(tenant, channel), _) => pins.add_reconnected(tenant, channel, item),
                (DueItemKind::Pin(..) | DueItemKind::Token(_), Ok(_)) => {} // removed: the index is behind
                (_, Err(error)) => due.postpone(&item, &error).await,
            }
        }
    }

    /// Takes a channel, unless another tick in this process has it.
    fn lock_channel(&self, channel: &ChannelId) -> Option<ChannelGuard<'_>> {
        let mut in_progress = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = in_progress.insert(channel.clone());
        is_free.then(|| ChannelGuard { deliver: self, channel: channel.clone() })
    }

    /// Works on one channel, one Pin after the other.
    async fn process_channel(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        batch: ChannelBatch,
        due: &DueLoop<'_>,
        deadline: Instant,
    ) {
        // Pins that have waited for the owner go before those that are only now due.
        if let Some(item) = batch.reconnected
            && let Err(error) = self.resume(tenant, channel, &item, due, deadline).await
        {
            due.postpone(&item, &error).await;
        }
        for (item, waiting) in batch.pins {
            if !due.has_time() {
                return;
            }
            if let Err(error) = self.drive(tenant, waiting, Input::Due, deadline).await {
                due.postpone(&item, &error).await;
            }
        }
    }

    /// Sends the Pins that have waited for a channel, one by one, by `publish_at`, then by id. Two workers would mix the
    /// order, so one takes the entry for itself for a while. If the time is up, a later tick continues.
    async fn resume(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        item: &DueItem,
        due: &DueLoop<'_>,
        deadline: Instant,
    ) -> Result<()> {
        let index = self.main.due_index();
        let Some(taken) = index.postpone(item, self.clock.now() + RESUME_LEASE).await? else {
            return Ok(()); // another worker has it
        };
        // From here on, the entry is the one that was taken.
        match self.resume_pins(tenant, channel, due, deadline).await {
            Ok(true) => self.main.clear_resume(tenant, channel, &taken.sort_key).await?,
            Ok(false) => drop(index.postpone(&taken, self.clock.now()).await?),
            Err(error) => due.postpone(&taken, &error).await,
        }
        Ok(())
    }

    /// `false`: the time was up. A Pin that fails does not stop those after it; it is tried again with the entry.
    /// All are read first, because they leave in the order of their times.
    async fn resume_pins(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        due: &DueLoop<'_>,
        deadline: Instant,
    ) -> Result<bool> {
        let mut buffer = PinBuffer::default();
        let open = self.main.pins_of_channel(tenant, channel, PinGroup::Open, Timestamp::UNIX_EPOCH);
        let mut waiting: Vec<_> = open.map_ok(|pin| buffer.add(pin)).try_collect().await?;
        waiting.sort_by(|a, b| a.publish_order().cmp(&b.publish_order()));
        let mut failed = None;
        for waiting in waiting {
            if !due.has_time() {
                return Ok(false);
            }
            let driven = self.drive(tenant, waiting, Input::ChannelReconnected, deadline).await;
            failed = driven.err().or(failed);
        }
        failed.map_or(Ok(true), Err)
    }

    /// Takes a Pin as far as it goes. One that is not in memory is read; one that is gone needs nothing.
    async fn drive(
        &self,
        tenant: &TenantId,
        waiting: WaitingPin,
        input: Input,
        deadline: Instant,
    ) -> Result<()> {
        let pin = match waiting.buffered {
            Some(pin) => pin,
            None => match self.main.pin(tenant, &waiting.id).await? {
                Some(pin) => pin,
                None => return Ok(()),
            },
        };
        let sessions = &self.publisher.sessions;
        let snapshot = sessions.read_snapshot(&pin.tenant, &pin.channel_id, None).await?;
        let mut session = sessions.open_snapshot(snapshot).await?;
        session.uploads_until = deadline.checked_sub(MIN_TIME_LEFT);
        // Boxed: the SDK's futures are deep, and there are as many of these as channels that are worked on in parallel.
        self.publisher.drive(pin, input, &session).boxed().await?;
        Ok(())
    }
}

/// A channel that a tick works on, until this is dropped.
struct ChannelGuard<'a> {
    deliver: &'a Deliver,
    channel: ChannelId,
}

impl Drop for ChannelGuard<'_> {
    fn drop(&mut self) {
        let mut in_progress = self.deliver.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        in_progress.remove(&self.channel);
    }
}
