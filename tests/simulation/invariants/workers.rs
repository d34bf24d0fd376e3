//! The invariants of workers that share the work: whole channels belong to one of them at a time.

use domain::{Pin, State};
use jiff::SignedDuration;
use serde_json::Value;

use super::Invariants;
use crate::{
    aws::{MAIN, TOKENS, Write},
    env::SimEnv,
    lambda::CallKind,
};

/// An index shows what was written this long ago.
const MAX_STALENESS: SignedDuration = SignedDuration::from_mins(2);

/// Ticks are skipped, workers die, and starts are lost: but not for longer than this.
const MAX_LEFT: SignedDuration = SignedDuration::from_hours(3);

impl Invariants {
    /// Notes that an invocation of a function has begun.
    pub(crate) fn invocation_began(&mut self, invocation: u64, function: &str) {
        if function == "deliver" {
            self.deliverers.insert(invocation);
        }
    }

    /// Of what is due, nothing is left lying: it is begun with, or waits for a reason and a time.
    pub(crate) fn check_all_is_taken(&mut self, env: &SimEnv) {
        let since = env.now() - MAX_LEFT;
        for table in [MAIN, TOKENS] {
            let oldest = env.tables.next_due(table);
            // Without App ID and App Secret, tokens stay due.
            let is_left = oldest.is_some_and(|oldest| oldest < since)
                && !(table == TOKENS && env.was_unconfigured(since));
            self.check(!is_left, "what is due is taken", || format!("{table}: {oldest:?} at {}", env.now()));
        }
    }

    /// A lease of a partition changes hands only when it was given back, or is over.
    pub(super) fn worker_written(&mut self, env: &SimEnv, write: &Write) {
        let lease = |row: Option<&Value>, name: &str| -> Option<(String, i64)> {
            let lease = &row?[name];
            Some((lease["id"].as_str()?.to_owned(), lease["until"].as_i64()?))
        };
        let (before, after) = (write.before.as_deref(), write.after.as_deref());
        let names = before.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
        // For a process whose clock is ahead, a lease of one whose clock is behind is over earlier.
        let skew = 2000 * env.scenario.clock_skew_secs;
        let now = env.now().as_millisecond() + skew;
        for name in names.filter(|name| name.contains("lease_")) {
            let (Some((had, until)), Some((has, _))) = (lease(before, name), lease(after, name)) else {
                continue;
            };
            self.check(had == has || until < now, "a partition is one worker's", || {
                format!("{name}: {had} has it until {until}, and {has} takes it at {now}")
            });
        }
    }

    /// Notes that a Pin, or a refresh token, is being sent for an account. Of two workers, only one writes to a channel's
    /// boards at a time, and only one exchanges its tokens.
    pub(crate) fn send_began(
        &mut self,
        env: &SimEnv,
        call: u64,
        kind: CallKind,
        account: Option<usize>,
        sender: u64,
    ) {
        let is_workers = kind == CallKind::RefreshTokens || self.deliverers.contains(&sender);
        let Some(account) = account.filter(|_| is_workers) else { return };
        let is_another = |of: &&(CallKind, usize, u64)| (of.0, of.1) == (kind, account) && of.2 != sender;
        let other = self.sends.values().find(is_another).copied();
        let invariant = match kind {
            CallKind::RefreshTokens => "one worker exchanges a channel's tokens",
            _ => "one worker writes to a channel",
        };
        // A process whose clock is ahead takes another one for dead.
        let is_alone = other.is_none() || env.scenario.clock_skew_secs > 0;
        self.check(is_alone, invariant, || format!("#{sender}, and {other:?}"));
        self.sends.insert(call, (kind, account, sender));
    }

    /// Notes that Pinterest is done with it, or that nobody waits for it any more.
    pub(crate) fn send_ended(&mut self, call: u64) {
        self.sends.remove(&call);
    }

    /// What is due leaves in the order of its times, whatever the number of workers.
    pub(super) fn check_channel_order(&mut self, env: &SimEnv, writer: u64, before: Option<&Pin>, pin: &Pin) {
        let now = env.now();
        self.written_at.insert(pin.id.clone(), now);
        let begins = before.is_some_and(|before| before.state == State::Scheduled)
            && matches!(pin.state, State::Sending(_));
        if !begins || !self.deliverers.contains(&writer) {
            return;
        }
        let waits = |other: &&Pin| {
            other.channel_id == pin.channel_id
                && other.state == State::Scheduled
                && (other.publish_at, &other.id) < (pin.publish_at, &pin.id)
                && now.duration_since(self.written_at[&other.id]) > MAX_STALENESS
                && indexed_at(env, other) == Some(other.publish_at.as_millisecond())
        };
        let overtaken = self.pins.values().find(waits).map(|other| other.id.clone());
        self.check(overtaken.is_none(), "a channel's Pins leave in order", || {
            format!("#{writer} sends {} before {}", pin.id, overtaken.unwrap())
        });
    }
}

/// When the row of a Pin is due: not at its time if it failed, and was postponed.
fn indexed_at(env: &SimEnv, pin: &Pin) -> Option<i64> {
    let row = env.tables.row(MAIN, &format!("TENANT#{}", pin.tenant), &format!("PIN#{}", pin.id))?;
    row["due_sk"].as_str()?.split('#').next()?.parse().ok()
}
