//! Lists of Pins, page by page. The cost of a page depends on its size, not on the number of Pins in the table.
//!
//! | list | read from |
//! |---|---|
//! | all Pins, by `created_at` | the rows themselves: ids sort by time |
//! | the Pins of a channel or in a state, by `created_at` | their partitions of the index `queue`, merged |
//! | all Pins, scheduled ones or published ones, by `publish_at` | the index `list`: a tenant's Pins by that time |
//! | Pins in another state, by `publish_at` | all of them, from `queue`: there are few |
//!
//! The keys of `list` are attributes that every version writes, so the index contains the Pins of older versions too.

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

/// The most entries of an index in one query, if few of them match.
const MAX_ENTRIES: usize = 1000;
/// The `publish_at` of a published Pin may be in the future by the difference of two clocks.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);
/// A Pin that is still `scheduled` was not due this long before the last complete tick.
const MAX_LATENESS: SignedDuration = SignedDuration::from_hours(1);

/// The filters and the order of a list.
#[derive(Clone, Copy, Debug)]
pub struct PinList<'a> {
    /// Only Pins of this channel.
    pub channel: Option<&'a ChannelId>,
    /// Only Pins in this state, by its name in the API.
    pub state: Option<&'a str>,
    /// Only Pins whose sort time is at or after this.
    pub from: Option<Timestamp>,
    /// Only Pins whose sort time is before this.
    pub to: Option<Timestamp>,
    /// The time by which they are sorted.
    pub order: PinOrder,
    /// Whether the latest comes first.
    pub latest_first: bool,
    /// At most this many on a page.
    pub limit: usize,
}

/// A time by which Pins are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinOrder {
    /// When they were requested.
    CreatedAt,
    /// When they are, or were, to be published.
    PublishAt,
}

/// A position in a list: after a Pin, even if that Pin is no longer in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinPosition {
    /// `publish_at` as the row has it. `None` in a list by `created_at`.
    at: Option<String>,
    id: PinId,
}

impl PinPosition {
    /// The Pin before the position.
    #[must_use]
    pub fn id(&self) -> &PinId {
        &self.id
    }

    /// Whether it is a position in a list of that order.
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

/// The text is not a position in a list.
#[derive(Clone, Copy, Debug)]
pub struct InvalidPosition;

/// A page of a list.
#[derive(Debug)]
pub struct PinPage {
    /// The matching Pins, in order.
    pub pins: Vec<ListedPin>,
    /// The position of the next page. `None`: this is the last one.
    pub next: Option<PinPosition>,
}

/// A Pin in a list.
#[derive(Debug)]
pub struct ListedPin {
    /// The position after it.
    pub position: PinPosition,
    /// The Pin, or the reason why this version cannot read its row. The other Pins are listed all the same.
    pub pin: Result<Pin, Error>,
}

/// The result of one read.
struct Part {
    pins: Vec<ListedPin>,
    /// The position of the next read. `None`: this was the end.
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
        // One more than the page holds shows whether there is a next page.
        let wanted = list.limit + 1;
        let (mut pins, mut place, mut entries) = (Vec::new(), after.cloned(), wanted);
        loop {
            let part = self.read_part(tenant, list, &source, place.as_ref(), entries).await?;
            pins.extend(part.pins);
            place = part.end;
            if pins.len() >= wanted || place.is_none() {
                break;
            }
            // A nearly full page needs few entries more. If few entries match, many are read at once.
            let missing = wanted - pins.len();
            entries = if 2 * missing < wanted { 2 * missing } else { (2 * entries).min(MAX_ENTRIES) };
        }
        let more = pins.len() > list.limit;
        pins.truncate(list.limit);
        let next = pins.last().filter(|_| more).map(|last| last.position.clone());
        Ok(PinPage { pins, next })
    }

    /// The source from which a list is read.
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

    /// A tick has taken every Pin that was due before this time, so none of them is still `scheduled`. `None`: there was no
    /// tick yet.
    async fn scheduled_since(&self) -> Result<Option<Timestamp>, Error> {
        let worker = self.worker_status().await?;
        let looked_at = worker.delivered_at.into_iter().chain(worker.deliver_oldest_at).min();
        Ok(worker.delivered_at.and(looked_at).map(|at| at - MAX_LATENESS))
    }
}

impl PinList<'_> {
    /// The groups that contain Pins in the list's state.
    fn groups(&self) -> Vec<PinGroup> {
        PinGroup::ALL
            .into_iter()
            .filter(|group| self.state.is_none_or(|state| group.states().contains(&state)))
            .collect()
    }

    /// The Pin of a row, if it matches the filters.
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
            // The readable attributes decide.
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
