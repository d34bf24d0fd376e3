//! What must always hold. A broken rule ends the run.

mod pins;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use domain::{Pin, PinId, TenantId};
use jiff::{SignedDuration, Timestamp};

use crate::{
    aws::{TOKENS, Write},
    lambda::{Deed, Invocation},
    pinterest::Asked,
    world::World,
};

/// What has to be remembered to see whether the rules hold.
#[derive(Default)]
pub(crate) struct Rules {
    broken: Option<Broken>,
    /// What people were promised.
    accepted: BTreeSet<PinId>,
    cancelled: BTreeSet<PinId>,
    /// Since when a Pin's writes are counted, and how many there were.
    writes: BTreeMap<PinId, (Timestamp, u32)>,
    fences: BTreeMap<String, Fence>,
    lease_holders: BTreeMap<String, u64>,
    /// Pairs that were given and not saved yet: who asked for them, when, and the refresh token that came.
    given: Vec<Given>,
    /// What Pinterest said to a Pin, by its image.
    refusals: BTreeMap<String, Vec<(u16, i64)>>,
    /// Something went wrong at Pinterest then, by account.
    hampered_at: BTreeMap<usize, Timestamp>,
    /// The whole app was over its limit then.
    limited_at: Option<Timestamp>,
    /// Pinterest has called an access token dead then.
    dead_at: Option<Timestamp>,
    /// The owner had to do something until then, by channel.
    away_until: BTreeMap<String, Timestamp>,
    /// Pins that waited for the owner when the channel came back, in the order in which they are to go out.
    queues: BTreeMap<String, Vec<Pin>>,
    /// Every Pin as it was written last.
    pins: BTreeMap<PinId, Pin>,
    /// How many Pins at Pinterest were looked at.
    pub(super) seen: usize,
    pub(crate) tally: Tally,
}

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) rule: &'static str,
    pub(crate) how: String,
}

/// A permission to send.
struct Fence {
    image: String,
    writer: u64,
    at: Timestamp,
    sent: u32,
}

struct Given {
    invocation: u64,
    account: Option<usize>,
    asked_at: Timestamp,
    answered_at: Option<Timestamp>,
    received: bool,
    refresh: String,
}

/// What a run has seen, to know that it was worth it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) published: u32,
    pub(crate) failed: u32,
    pub(crate) doubts: u32,
    pub(crate) renewals: u32,
    pub(crate) lost: u32,
    /// Calls on all wires.
    pub(crate) calls: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.published += other.published;
        self.failed += other.failed;
        self.doubts += other.doubts;
        self.renewals += other.renewals;
        self.lost += other.lost;
        self.calls += other.calls;
    }
}

impl Rules {
    pub(crate) fn broken(&mut self, rule: &'static str, how: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(Broken { rule, how: how() });
        }
    }

    fn must(&mut self, holds: bool, rule: &'static str, how: impl FnOnce() -> String) {
        if !holds {
            self.broken(rule, how);
        }
    }

    pub(crate) fn verdict(&self) -> Option<Broken> {
        self.broken.clone()
    }

    /// A person was told that a Pin is on its way.
    pub(crate) fn accept(&mut self, id: PinId) {
        self.accepted.insert(id);
    }

    /// A person was told that a Pin is cancelled.
    pub(crate) fn cancel(&mut self, id: PinId) {
        self.cancelled.insert(id);
    }

    /// Something goes wrong at Pinterest, for an account.
    pub(crate) fn hampered(&mut self, account: Option<usize>, now: Timestamp) {
        if let Some(account) = account {
            self.hampered_at.insert(account, now);
        }
    }

    /// Pinterest limits the app: every account waits.
    pub(crate) fn limited(&mut self, now: Timestamp) {
        self.limited_at = Some(now);
    }

    /// Pinterest calls an access token dead.
    pub(crate) fn called_dead(&mut self, now: Timestamp) {
        self.dead_at = Some(now);
    }

    pub(crate) fn holds_lease(&self, invocation: u64, lease: &str) -> bool {
        self.lease_holders.get(lease) == Some(&invocation)
    }

    pub(crate) fn refused(&mut self, image: &str, status: u16, code: i64) {
        self.refusals.entry(image.to_owned()).or_default().push((status, code));
    }

    /// Whether something was in the way of a person's channel within so many hours.
    fn was_hampered(&self, world: &World, person: &TenantId, channel: &str, hours: i64) -> bool {
        let since = world.now() - SignedDuration::from_hours(hours);
        let is_away =
            |row: &serde_json::Value| row["id"] == channel && row["connection"]["status"] != "connected";
        self.hampered_at.get(&account_of(person)).is_some_and(|at| *at >= since)
            || self.limited_at.is_some_and(|at| at >= since)
            || world.tables.rows("CHANNEL#").iter().any(|row| is_away(row))
            || world.was_unconfigured(since)
            || self.away_until.get(channel).is_some_and(|until| *until >= since)
    }

    /// A row was written.
    pub(crate) fn wrote(&mut self, world: &World, writer: u64, write: &Write) {
        match (write.place.table.as_str(), write.place.sk.as_str()) {
            (TOKENS, "TOKEN") => self.token_written(world, writer, write),
            (_, sk) if sk.starts_with("PIN#") => self.pin_written(world, writer, write),
            _ => {}
        }
    }

    /// A call to Pinterest is about to leave.
    pub(crate) fn asked(&mut self, world: &World, invocation: &Invocation, deed: Deed, asked: &Asked) {
        match deed {
            Deed::Send => self.pin_sent(world, invocation.id(), asked),
            Deed::Renew => self.renewal_sent(world, invocation.id(), asked),
            _ => {}
        }
    }
}

/// Each person has one account at Pinterest.
fn account_of(person: &TenantId) -> usize {
    person.0.trim_start_matches("person").parse().unwrap()
}
