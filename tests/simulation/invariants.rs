//! The invariants. A violation ends the run.

mod pins;
mod tokens;
mod workers;

use std::collections::{BTreeMap, BTreeSet};

use domain::{Pin, PinId, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    aws::{TOKENS, Write},
    env::SimEnv,
    lambda::{CallKind, Invocation},
    pinterest::PinterestRequest,
};

/// What the checks of the invariants have to remember.
#[derive(Default)]
pub(crate) struct Invariants {
    violation: Option<Violation>,
    /// Pins that the API has accepted.
    accepted: BTreeSet<PinId>,
    cancelled: BTreeSet<PinId>,
    /// Since when the writes of a Pin are counted, and how many there were.
    writes: BTreeMap<PinId, (Timestamp, u32)>,
    fences: BTreeMap<String, Fence>,
    lease_holders: BTreeMap<String, u64>,
    /// Token pairs that Pinterest has issued, or was asked for, and that are not saved yet.
    issued: Vec<IssuedPair>,
    /// Status and code of Pinterest's refusals of a Pin, by its image.
    refusals: BTreeMap<String, Vec<(u16, i64)>>,
    /// The accounts that Pinterest has blocked for spam.
    blocked_accounts: BTreeSet<usize>,
    /// When an account had its last fault at Pinterest.
    fault_at: BTreeMap<usize, Timestamp>,
    /// Calls to a table that met a fault: when, and what they asked for.
    failed_calls: Vec<(Timestamp, String)>,
    /// When the whole app was rate limited.
    rate_limited_at: Option<Timestamp>,
    /// When Pinterest last refused an access token.
    token_refused_at: Option<Timestamp>,
    /// Until when a channel waited for its owner.
    disconnected_until: BTreeMap<String, Timestamp>,
    /// Pins that waited for the owner when the channel was connected again, in the order in which they must be sent.
    queues: BTreeMap<String, Vec<Pin>>,
    /// The invocations of `deliver`.
    deliverers: BTreeSet<u64>,
    /// Pins and tokens that were sent to Pinterest, which has not done them yet: the account, and who sends.
    sends: BTreeMap<u64, (CallKind, usize, u64)>,
    /// When each Pin was last written.
    written_at: BTreeMap<PinId, Timestamp>,
    /// Every Pin as it was last written.
    pins: BTreeMap<PinId, Pin>,
    /// How many Pins at Pinterest were checked.
    pub(super) checked_remote_pins: usize,
    pub(crate) stats: Stats,
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) detail: String,
}

/// The right of one attempt to send.
struct Fence {
    image: String,
    writer: u64,
    at: Timestamp,
    sent: u32,
}

/// A token pair that Pinterest was asked for.
struct IssuedPair {
    invocation: u64,
    account: Option<usize>,
    requested_at: Timestamp,
    answered_at: Option<Timestamp>,
    received: bool,
    refresh: String,
}

/// What happened in a run. It shows that the run has tested something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stats {
    pub(crate) published: u32,
    pub(crate) failed: u32,
    pub(crate) unknown_outcomes: u32,
    pub(crate) reviews: u32,
    pub(crate) refreshes: u32,
    pub(crate) disconnects: u32,
    /// Calls to tables and to Pinterest.
    pub(crate) calls: u64,
}

impl Stats {
    pub(crate) fn add(&mut self, other: &Self) {
        self.published += other.published;
        self.failed += other.failed;
        self.unknown_outcomes += other.unknown_outcomes;
        self.reviews += other.reviews;
        self.refreshes += other.refreshes;
        self.disconnects += other.disconnects;
        self.calls += other.calls;
    }
}

impl Invariants {
    pub(crate) fn violate(&mut self, invariant: &'static str, detail: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { invariant, detail: detail() });
        }
    }

    fn check(&mut self, holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.violate(invariant, detail);
        }
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        self.violation.clone()
    }

    /// Notes that the API has accepted a Pin.
    pub(crate) fn accept(&mut self, id: PinId) {
        self.accepted.insert(id);
    }

    /// Notes that the API has answered that a Pin is cancelled.
    pub(crate) fn cancel(&mut self, id: PinId) {
        self.cancelled.insert(id);
    }

    /// Notes a fault of a call to a table.
    pub(crate) fn note_table_fault(&mut self, now: Timestamp, body: &Value) {
        self.failed_calls.push((now, body.to_string()));
    }

    /// Notes a fault at Pinterest for an account.
    pub(crate) fn note_fault(&mut self, account: Option<usize>, now: Timestamp) {
        if let Some(account) = account {
            self.fault_at.insert(account, now);
        }
    }

    /// Notes a rate limit, which concerns every account.
    pub(crate) fn note_rate_limit(&mut self, now: Timestamp) {
        self.rate_limited_at = Some(now);
    }

    /// Notes that Pinterest has refused an access token.
    pub(crate) fn note_dead_token(&mut self, now: Timestamp) {
        self.token_refused_at = Some(now);
    }

    pub(crate) fn holds_lease(&self, invocation: u64, lease: &str) -> bool {
        self.lease_holders.get(lease) == Some(&invocation)
    }

    /// Notes that Pinterest has refused the Pin with this image.
    pub(crate) fn note_refusal(&mut self, image: &str, status: u16, code: i64) {
        self.refusals.entry(image.to_owned()).or_default().push((status, code));
    }

    /// Notes that Pinterest has blocked an account for spam.
    pub(crate) fn note_spam_block(&mut self, account: Option<usize>) {
        self.blocked_accounts.extend(account);
    }

    /// A channel rests for spam only if Pinterest has blocked its account, and not a link.
    fn channel_written(&mut self, write: &Write) {
        let Some(row) = &write.after else { return };
        let person = TenantId(row["tenant"].as_str().unwrap().to_owned());
        let holds =
            row["pause"]["reason"] != "spam_hold" || self.blocked_accounts.contains(&account_of(&person));
        self.check(holds, "one link is not one account", || row.to_string());
    }

    /// Whether a fault kept a person's channel from its work within the last `hours`.
    fn had_fault(&self, env: &SimEnv, person: &TenantId, channel: &str, hours: i64) -> bool {
        let since = env.now() - SignedDuration::from_hours(hours);
        let is_disconnected =
            |row: &serde_json::Value| row["id"] == channel && row["connection"]["status"] != "connected";
        self.fault_at.get(&account_of(person)).is_some_and(|at| *at >= since)
            || self.rate_limited_at.is_some_and(|at| at >= since)
            || env.tables.rows("CHANNEL#").iter().any(|row| is_disconnected(row))
            || env.was_unconfigured(since)
            || self.disconnected_until.get(channel).is_some_and(|until| *until >= since)
    }

    /// Checks a write of a row.
    pub(crate) fn row_written(&mut self, env: &SimEnv, writer: u64, write: &Write) {
        match (write.key.table.as_str(), write.key.sk.as_str()) {
            (TOKENS, "TOKEN") => self.token_written(env, writer, write),
            (_, "WORKER") => self.worker_written(env, write),
            (_, sk) if sk.starts_with("PIN#") => self.pin_written(env, writer, write),
            (_, sk) if sk.starts_with("CHANNEL#") => self.channel_written(write),
            _ => {}
        }
    }

    /// Checks a call to Pinterest that is about to be sent.
    pub(crate) fn call_sent(
        &mut self,
        env: &SimEnv,
        invocation: &Invocation,
        kind: CallKind,
        request: &PinterestRequest,
    ) {
        match kind {
            CallKind::SendPin => self.pin_sent(env, invocation.id(), request),
            CallKind::RefreshTokens => self.refresh_sent(env, invocation.id(), request),
            _ => {}
        }
    }
}

/// Each person has one account at Pinterest.
pub(crate) fn account_of(person: &TenantId) -> usize {
    person.0.trim_start_matches("person").parse().unwrap()
}
