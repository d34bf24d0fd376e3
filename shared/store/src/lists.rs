//! Lists of Pins, page by page: each page costs what it holds, and not what there is.
//!
//! | wanted | read from |
//! |---|---|
//! | everything, by the time it was asked for | the rows themselves: ids sort by time |
//! | of a channel or in a state, by the same | the partitions of `queue` with those Pins, merged |
//! | by `publish_at`: everything, and the usual states | `list`, which holds a tenant's Pins by that time |
//! | by `publish_at`: the states in which few Pins are | all of them, from `queue` |
//!
//! The keys of `list` are attributes that every version has written, so that it holds every Pin from its first day.

mod channels;
mod sources;

use std::fmt;

use domain::{ChannelId, Pin, PinGroup, PinId, State, TenantId};
use jiff::{SignedDuration, Timestamp};

use self::sources::Source;
use crate::{
    MainTable,
    pins::pin_of,
    table::{Error, Item, text},
};

/// How many entries of an index are read at once where few of them match.
const MAX_ENTRIES: usize = 1000;
/// What is published may have its time ahead by as much as two clocks differ.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);
/// A Pin that is still scheduled was not due this long before the last tick had looked at everything.
const MAX_LATENESS: SignedDuration = SignedDuration::from_hours(1);

/// Which Pins a list holds, and in which order.
#[derive(Clone, Copy, Debug)]
pub struct PinList<'a> {
    /// Those of one channel.
    pub channel: Option<&'a ChannelId>,
    /// Those in a state, by the word that callers see.
    pub state: Option<&'a str>,
    /// Those whose time, by which they are sorted, is not before this.
    pub from: Option<Timestamp>,
    /// And is before this.
    pub to: Option<Timestamp>,
    /// By which time they are sorted.
    pub order: PinOrder,
    /// Whether the latest comes first.
    pub latest_first: bool,
    /// At most this many on a page.
    pub limit: usize,
}

/// A time by which Pins are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinOrder {
    /// When they were asked for.
    CreatedAt,
    /// When they are, or were, to be published.
    PublishAt,
}

/// A place in a list: behind a Pin, whether that is still in the list or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinPosition {
    /// `publish_at` as the row has it. `None` in a list by `created_at`.
    at: Option<String>,
    id: PinId,
}

impl PinPosition {
    /// Which Pin it is behind.
    #[must_use]
    pub fn id(&self) -> &PinId {
        &self.id
    }

    /// Whether it is a place in a list of that order.
    #[must_use]
    pub fn fits(&self, order: PinOrder) -> bool {
        self.at.is_some() == (order == PinOrder::PublishAt)
    }
}

impl fmt::Display for PinPosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(formatter, "{at}_{}", self.id),
            None => self.id.fmt(formatter),
        }
    }
}

impl TryFrom<String> for PinPosition {
    type Error = InvalidPosition;

    fn try_from(text: String) -> Result<Self, InvalidPosition> {
        let (at, id) = match text.split_once('_') {
            Some((at, id)) if at.parse::<Timestamp>().is_ok() => (Some(at.to_owned()), id.to_owned()),
            _ => (None, text),
        };
        Ok(Self { at, id: PinId::try_from(id).map_err(|_| InvalidPosition)? })
    }
}

/// The text is no place in a list.
#[derive(Clone, Copy, Debug)]
pub struct InvalidPosition;

/// A page of a list.
#[derive(Debug)]
pub struct PinPage {
    /// What matches, in order.
    pub pins: Vec<ListedPin>,
    /// Where the next page begins. `None`: nothing follows.
    pub next: Option<PinPosition>,
}

/// A Pin in a list.
#[derive(Debug)]
pub struct ListedPin {
    /// The place behind it.
    pub position: PinPosition,
    /// The Pin, or why this version cannot read its row. That is no reason to leave the others out.
    pub pin: Result<Pin, Error>,
}

/// What was read at once.
struct Part {
    pins: Vec<ListedPin>,
    /// Where to go on. `None`: this was the end.
    end: Option<PinPosition>,
}

impl MainTable {
    /// A page of the tenant's Pins. It is full, unless it is the last one.
    pub async fn pins(
        &self,
        tenant: &TenantId,
        list: &PinList<'_>,
        after: Option<&PinPosition>,
        now: Timestamp,
    ) -> Result<PinPage, Error> {
        let source = self.source(tenant, list, now).await?;
        // One more tells whether anything follows.
        let wanted = list.limit + 1;
        let (mut pins, mut place, mut entries) = (Vec::new(), after.cloned(), wanted);
        loop {
            let part = self.read_part(tenant, list, &source, place.as_ref(), entries).await?;
            pins.extend(part.pins);
            place = part.end;
            if pins.len() >= wanted || place.is_none() {
                break;
            }
            // A page that is nearly full needs little more; where few match, many are looked at.
            let missing = wanted - pins.len();
            entries = if 2 * missing < wanted { 2 * missing } else { (2 * entries).min(MAX_ENTRIES) };
        }
        let more = pins.len() > list.limit;
        pins.truncate(list.limit);
        let next = pins.last().filter(|_| more).map(|last| last.position.clone());
        Ok(PinPage { pins, next })
    }

    /// From where a list is read.
    async fn source(&self, tenant: &TenantId, list: &PinList<'_>, now: Timestamp) -> Result<Source, Error> {
        Ok(match (list.order, list.state) {
            (PinOrder::CreatedAt, None) if list.channel.is_none() => Source::Rows,
            (PinOrder::CreatedAt, _) => Source::Queues(self.queues(tenant, list).await?),
            (PinOrder::PublishAt, None) => Source::Times { from: list.from, to: list.to },
            // Nothing is published before its time.
            (PinOrder::PublishAt, Some("published")) => {
                let latest = now + CLOCK_SKEW;
                Source::Times { from: list.from, to: Some(list.to.map_or(latest, |to| to.min(latest))) }
            }
            (PinOrder::PublishAt, Some("scheduled")) => {
                let earliest = self.scheduled_since().await?;
                Source::Times { from: list.from.max(earliest), to: list.to }
            }
            (PinOrder::PublishAt, Some(_)) => Source::Few(self.queues(tenant, list).await?),
        })
    }

    /// No Pin whose time was before this is still scheduled: a tick has taken it. `None`: there has been no tick.
    async fn scheduled_since(&self) -> Result<Option<Timestamp>, Error> {
        let worker = self.worker_status().await?;
        let looked_at = worker.delivered_at.into_iter().chain(worker.deliver_oldest_at).min();
        Ok(worker.delivered_at.and(looked_at).map(|at| at - MAX_LATENESS))
    }
}

impl PinList<'_> {
    /// The groups in which the Pins of its state are.
    fn groups(&self) -> Vec<PinGroup> {
        PinGroup::ALL
            .into_iter()
            .filter(|group| self.state.is_none_or(|state| group.states().contains(&state)))
            .collect()
    }

    /// The Pin of a row, if it belongs into the list.
    fn take(&self, position: PinPosition, row: Item) -> Option<ListedPin> {
        let (channel, state) = (text(&row, "channel_id"), text(&row, "state"));
        let pin = pin_of(row);
        let matches = match &pin {
            Ok(pin) => {
                let at = match self.order {
                    PinOrder::CreatedAt => pin.created_at,
                    PinOrder::PublishAt => pin.publish_at,
                };
                self.state.is_none_or(|state| state == pin.state.name())
                    && self.from.is_none_or(|from| from <= at)
                    && self.to.is_none_or(|to| at < to)
            }
            // What can be read of it decides.
            Err(_) => self.state.is_none_or(|wanted| wanted == State::name_of_stored(&state)),
        };
        let of_channel = self.channel.is_none_or(|wanted| wanted.as_str() == channel);
        (matches && of_channel).then_some(ListedPin { position, pin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_back_as_it_was_written() {
        let id = PinId::new(Timestamp::UNIX_EPOCH, [7; 10]);
        for at in [None, Some("2026-12-01T09:00:00Z".to_owned()), Some("2026-12-01T09:00:00.250Z".to_owned())]
        {
            let position = PinPosition { at, id: id.clone() };
            assert_eq!(PinPosition::try_from(position.to_string()).unwrap(), position);
        }
        for bad in ["", "pin_", "garbage", "2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z_ch_1"] {
            assert!(PinPosition::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
