//! Which step follows from what happened.

use jiff::{SignedDuration, Timestamp};

use super::{
    Asked, CALL_TIMEOUT, DAY, Decision, ECHO, Facts, Grant, Happened, Lifetimes, Next, Probe, Renewal, Which,
    due_at,
};
use crate::{Cause, Connection, backoff};

/// The protocol.
#[must_use]
pub fn decide(grant: &Grant, happened: Happened, facts: Facts, now: Timestamp) -> Decision {
    let step = Step { grant: grant.clone(), facts, now };
    match happened {
        Happened::Claimed => match grant.connection {
            Connection::Connected
            | Connection::ReconnectRequired(Cause::TokenRefused | Cause::RefreshTokenRejected) => {
                step.then(Next::Try(Which::Current))
            }
            Connection::ReconnectRequired(Cause::RefreshTokenExpired) => step.release(None),
        },
        Happened::Answered(_, Renewal::Renewed(lifetimes)) => step.renewed(lifetimes),
        Happened::Answered(which, Renewal::Refused) => step.refused(which),
        Happened::Answered(_, Renewal::Failed { retry_after }) => step.failed(retry_after),
        // Only what is refused after the secret was asked about is the token's own fault.
        Happened::Probed(Probe::Right | Probe::Inconclusive) => step.then(Next::Try(Which::Current)),
        Happened::Probed(Probe::Wrong | Probe::Unreachable) | Happened::Asked(Asked::Unreachable) => {
            step.failed(None)
        }
        Happened::Asked(Asked::Dead) => step.dead(Cause::TokenRefused),
        Happened::Asked(Asked::Alive) => step.put_off(None),
    }
}

struct Step {
    grant: Grant,
    facts: Facts,
    now: Timestamp,
}

impl Step {
    fn then(self, next: Next) -> Decision {
        Decision { grant: self.grant, next }
    }

    fn release(mut self, due_at: Option<Timestamp>) -> Decision {
        self.grant.lease = None;
        self.grant.due_at = due_at;
        self.then(Next::Release)
    }

    fn renewed(mut self, lifetimes: Lifetimes) -> Decision {
        let due_at = due_at(&self.grant.channel_id, self.now, lifetimes);
        self.grant.connection = Connection::Connected;
        self.grant.access_expires_at = lifetimes.access_expires_at;
        self.grant.refresh_expires_at = lifetimes.refresh_expires_at.or(self.grant.refresh_expires_at);
        self.grant.version += 1;
        self.grant.lease = None;
        self.grant.believe_refusal_at = None;
        self.grant.failures = 0;
        self.grant.warned_days = None;
        self.grant.due_at = Some(due_at);
        self.then(Next::SaveRenewed)
    }

    /// A refusal is the truth only if nobody else can have used the token, and the App Secret is not at fault:
    /// the row is read again, the secret asked about, and every pair in the row tried.
    fn refused(mut self, which: Which) -> Decision {
        let lease_end = self.grant.lease.as_ref().map_or(self.now, |lease| lease.until);
        let seen_before = self.grant.believe_refusal_at.filter(|_| !self.facts.taken_over);
        let believe_at = seen_before.unwrap_or(lease_end + CALL_TIMEOUT + ECHO);
        if self.now < believe_at {
            self.grant.believe_refusal_at = Some(believe_at);
            return self.release(Some(believe_at));
        }
        let proven = self.facts.proven_at.is_some_and(|at| at >= believe_at);
        match (self.facts.probed, which) {
            (None, _) => self.then(Next::Probe),
            (_, Which::Current) if self.facts.spare => self.then(Next::Try(Which::Spare)),
            (_, Which::Current | Which::Spare) if self.facts.previous => {
                self.then(Next::Try(Which::Previous))
            }
            (Some(Probe::Right), _) => self.dead(Cause::RefreshTokenRejected),
            _ if proven => self.dead(Cause::RefreshTokenRejected),
            _ => self.then(Next::Ask),
        }
    }

    /// The account has to be connected again. The version stays: a later save of that version, by a process
    /// that was held up, sets the channel back.
    ///
    /// App ID and App Secret may have been at fault, or be another app's: it is tried daily as long as the token may
    /// live, and a success undoes this.
    fn dead(mut self, cause: Cause) -> Decision {
        let known = self.grant.connection == Connection::ReconnectRequired(Cause::RefreshTokenRejected);
        if !(known && cause == Cause::TokenRefused) {
            self.grant.connection = Connection::ReconnectRequired(cause);
        }
        let may_live = cause != Cause::RefreshTokenExpired && !self.has_expired();
        let due_at = may_live.then(|| self.now + DAY);
        self.release(due_at)
    }

    fn has_expired(&self) -> bool {
        self.grant.refresh_expires_at.is_some_and(|dies| dies + ECHO < self.now)
    }

    /// Nothing was learnt about the token, and what seemed to be learnt before may have had the same cause.
    fn failed(mut self, retry_after: Option<SignedDuration>) -> Decision {
        self.grant.believe_refusal_at = None;
        self.put_off(retry_after)
    }

    /// The token's status stays, and it is tried again as long as it may live.
    fn put_off(mut self, retry_after: Option<SignedDuration>) -> Decision {
        if self.has_expired() {
            return self.dead(Cause::RefreshTokenExpired);
        }
        self.grant.failures = self.grant.failures.saturating_add(1);
        let (first, most) = (SignedDuration::from_mins(1), SignedDuration::from_hours(6));
        let wait = backoff(first, most, self.grant.failures, self.facts.jitter);
        let due_at = self.now + wait.max(retry_after.unwrap_or_default().min(DAY));
        self.release(Some(due_at))
    }
}
