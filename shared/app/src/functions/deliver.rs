//! `deliver`: every minute, Pins whose time has come, that wait or are in doubt, and channels that are back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use domain::{ChannelId, Class, Pin, TenantId, delivery::Happened};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::SignedDuration;
use tokio::time::{Duration, Instant};

use super::{sending::Sender, warn_of_age};
use crate::{
    error::{Error, Result, chain},
    store::{Due, Heartbeat, Work},
};

/// How many Pins are kept in memory for later rounds: no more are read until some are done.
const KEPT: usize = 10_000;
/// How many Pins of one channel one round works on: a channel with many does not hold up the others for long.
const SHARE: usize = 20;
/// How many channels are worked on at once. The Pins of one go one after the other.
const CHANNELS_AT_ONCE: usize = 16;
/// What must be left of the invocation to begin with a Pin: a send, or a look, and the saves.
const NEEDED: Duration = Duration::from_secs(40);
/// How long one worker has a channel's return to itself: as long as it may run.
const TURN: SignedDuration = domain::delivery::LONGEST_UPLOAD;
/// How long a row that cannot be worked on is left alone.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(5);

/// What `deliver` may touch: what sending may.
#[derive(Debug)]
pub struct Deliver {
    sender: Sender,
    /// The channels that this process works on: on one machine, ticks run side by side.
    serving: Mutex<BTreeSet<ChannelId>>,
}

/// What is due of each channel, as far as it was read.
type Shares = BTreeMap<(String, ChannelId), Share>;

/// What is due of one channel.
#[derive(Debug, Default)]
struct Share {
    pins: Vec<(Due, Pin)>,
    /// The channel is back: everything that waits for it is resumed.
    back: Option<Due>,
}

impl Share {
    /// What one round works on, in the order of their turns. The rest is left.
    fn next(&mut self) -> Self {
        self.pins.sort_by(|(_, a), (_, b)| a.turn().cmp(&b.turn()));
        let rest = self.pins.split_off(self.pins.len().min(SHARE));
        Self { pins: std::mem::replace(&mut self.pins, rest), back: self.back.take() }
    }
}

impl Deliver {
    /// Of its parts.
    #[must_use]
    pub fn new(sender: Sender) -> Self {
        Self { sender, serving: Mutex::default() }
    }

    /// Takes what is due, many at a time, until nothing is or the time is up. What is left is the next tick's.
    pub async fn tick(&self, deadline: Instant) -> Result<()> {
        let main = &self.sender.main;
        let (mut shares, mut reading) = (Shares::new(), main.reading());
        loop {
            if shares.values().map(|share| share.pins.len()).sum::<usize>() < KEPT {
                let due = main.look(&mut reading, self.sender.clock.now()).await?;
                self.read(due, &mut shares).await;
            }
            let round: Vec<_> = shares.iter_mut().map(|(of, share)| (of.clone(), share.next())).collect();
            shares.retain(|_, share| !share.pins.is_empty());
            stream::iter(round)
                .for_each_concurrent(CHANNELS_AT_ONCE, |((tenant, channel), share)| async move {
                    if let Some(_turn) = self.turn(&channel) {
                        self.serve(&tenant, &channel, share, deadline).await;
                    }
                })
                .await;
            if (shares.is_empty() && !reading.has_more()) || !has_time(deadline) {
                break;
            }
        }
        let now = self.sender.clock.now();
        // With time to spare, everything was taken: nothing is overdue.
        let oldest = if has_time(deadline) { None } else { main.first_due(now).await? };
        let oldest = oldest.map(|due| due.since);
        warn_of_age(oldest, now);
        main.beat(&Heartbeat::Delivered(oldest), now).await?;
        Ok(())
    }

    /// Reads the Pins that are due, and sorts everything by channel. A row that cannot be read is put off.
    async fn read(&self, due: Vec<Due>, shares: &mut Shares) {
        let read = stream::iter(due).map(|due| async move {
            let pin = match &due.what {
                Work::Pin(tenant, id) => self.sender.main.pin(tenant, id).await,
                Work::Channel(..) | Work::Token(_) => Ok(None),
            };
            (due, pin)
        });
        let read: Vec<_> = read.buffered(CHANNELS_AT_ONCE).collect().await;

        for (due, pin) in read {
            match (due.what.clone(), pin) {
                (Work::Pin(tenant, _), Ok(Some(pin))) => {
                    shares.entry((tenant.0, pin.channel_id.clone())).or_default().pins.push((due, pin));
                }
                (Work::Channel(tenant, channel), _) => {
                    shares.entry((tenant.0, channel)).or_default().back = Some(due);
                }
                (Work::Pin(..) | Work::Token(_), Ok(_)) => {} // gone: the index is behind
                (_, Err(error)) => self.put_off(&due, &error.into()).await,
            }
        }
    }

    /// Takes a channel, unless another tick in this process has it.
    fn turn(&self, channel: &ChannelId) -> Option<Turn<'_>> {
        let taken = self.serving.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.clone());
        taken.then(|| Turn { of: self, channel: channel.clone() })
    }

    /// Works on one channel, one Pin after the other.
    async fn serve(&self, tenant: &str, channel: &ChannelId, share: Share, deadline: Instant) {
        let tenant = TenantId(tenant.to_owned());
        // What has waited for the owner goes before what is only now due.
        if let Some(due) = share.back
            && let Err(error) = self.resume(&tenant, channel, &due, deadline).await
        {
            self.put_off(&due, &error).await;
        }
        for (due, pin) in share.pins {
            if !has_time(deadline) {
                return;
            }
            if let Err(error) = self.carry(pin, Happened::Due, deadline).await {
                self.put_off(&due, &error).await;
            }
        }
    }

    /// Sends what has waited for a channel, one by one, by `publish_at`, then id. Two workers would mix the order,
    /// so one takes it for itself for a while. Cut off, a later tick goes on.
    async fn resume(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        due: &Due,
        deadline: Instant,
    ) -> Result<()> {
        let Sender { main, clock, .. } = &self.sender;
        let Some(taken) = main.put_off(due, clock.now() + TURN).await? else {
            return Ok(()); // another worker has it
        };
        for pin in main.pins_of(tenant, channel, Class::Open).await? {
            if !has_time(deadline) {
                main.put_off(&taken, clock.now()).await?;
                return Ok(());
            }
            self.carry(pin, Happened::ChannelBack, deadline).await?;
        }
        main.resumed(tenant, channel, &taken.entry).await?;
        Ok(())
    }

    async fn carry(&self, pin: Pin, happened: Happened, deadline: Instant) -> Result<()> {
        let Sender { main, tokens, clock, .. } = &self.sender;
        let briefing = main.briefing(tokens, &pin.tenant, &pin.channel_id, None, clock.now()).await?;
        let mut ground = self.sender.ground(briefing).await?;
        ground.uploads_until = deadline.checked_sub(NEEDED);
        // Boxed: the SDK's futures are deep, and there are as many of these as are worked on at once.
        self.sender.carry(pin, happened, &ground).boxed().await?;
        Ok(())
    }

    /// A row that fails moves its own due time: it blocks nothing.
    async fn put_off(&self, due: &Due, error: &Error) {
        tracing::error!(error = %chain(error), what = ?due.what, "a row that is due was put off");
        let until = self.sender.clock.now() + PUT_OFF;
        if let Err(error) = self.sender.main.put_off(due, until).await {
            tracing::error!(error = %chain(&error), what = ?due.what, "it could not be put off either");
        }
    }
}

/// A channel that a tick works on, until this is dropped.
struct Turn<'a> {
    of: &'a Deliver,
    channel: ChannelId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.of.serving.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.channel);
    }
}

fn has_time(deadline: Instant) -> bool {
    deadline.saturating_duration_since(Instant::now()) >= NEEDED
}
