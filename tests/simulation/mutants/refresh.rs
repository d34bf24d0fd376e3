//! Broken decisions about tokens.

use domain::{
    Cause, Connection,
    refresh::{Decide, Decision, Facts, Grant, Happened, Next, Probe, Renewal, decide},
};
use jiff::{SignedDuration, Timestamp};

use super::{FaultProfile, Mutant, SOUND};

const fn mutant(name: &'static str, refresh: Decide) -> Mutant {
    Mutant { name, profile: FaultProfile::Tokens, refresh, ..SOUND }
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("an outage ends a channel", |grant, happened, facts, now| match happened {
        Happened::Answered(_, Renewal::Failed { .. }) => dead(grant, Cause::RefreshTokenRejected),
        other => decide(grant, other, facts, now),
    }),
    mutant("every failure is a refusal", |grant, happened, facts, now| match happened {
        Happened::Answered(which, Renewal::Failed { .. }) => {
            decide(grant, Happened::Answered(which, Renewal::Refused), facts, now)
        }
        other => decide(grant, other, facts, now),
    }),
    mutant("the first refusal is believed", |grant, happened, facts, now| {
        let believing = Grant { believe_refusal_at: Some(now), ..grant.clone() };
        let facts = Facts { taken_over: false, ..facts };
        match happened {
            Happened::Answered(_, Renewal::Refused) => decide(&believing, happened, facts, now),
            other => decide(grant, other, facts, now),
        }
    }),
    mutant("the App Secret is not checked", |grant, happened, facts, now| {
        decide(grant, happened, Facts { probed: Some(Probe::Right), ..facts }, now)
    }),
    mutant("a wrong secret ends a channel", |grant, happened, facts, now| match happened {
        Happened::Probed(Probe::Wrong) => dead(grant, Cause::RefreshTokenRejected),
        other => decide(grant, other, facts, now),
    }),
    mutant("only the newest pair is tried", |grant, happened, facts, now| {
        decide(grant, happened, Facts { spare: false, previous: false, ..facts }, now)
    }),
    mutant("a new pair has the old version", |grant, happened, facts, now| {
        let mut decision = decide(grant, happened, facts, now);
        decision.grant.version = grant.version;
        decision
    }),
    mutant("what failed is never tried again", |grant, happened, facts, now| {
        let mut decision = decide(grant, happened, facts, now);
        if matches!(happened, Happened::Answered(_, Renewal::Failed { .. })) {
            decision.grant.due_at = None;
        }
        decision
    }),
    mutant("a new pair is never due", |grant, happened, facts, now| {
        let mut decision = decide(grant, happened, facts, now);
        if decision.next == Next::SaveRenewed {
            decision.grant.due_at = None;
        }
        decision
    }),
    mutant("a new pair is due when its access token is dead", |grant, happened, facts, now| {
        let mut decision = decide(grant, happened, facts, now);
        if decision.next == Next::SaveRenewed {
            decision.grant.due_at = Some(decision.grant.access_expires_at + SignedDuration::from_hours(12));
        }
        decision
    }),
    mutant("a token is given up three days before its end", |grant, happened, facts, now| {
        let early = Grant {
            refresh_expires_at: grant.refresh_expires_at.map(|at| at - SignedDuration::from_hours(72)),
            ..grant.clone()
        };
        let mut decision = decide(&early, happened, facts, now);
        if decision.next != Next::SaveRenewed {
            decision.grant.refresh_expires_at = grant.refresh_expires_at;
        }
        decision
    }),
    mutant("an expired access token ends a channel", |grant, happened, facts, now| match happened {
        Happened::Claimed if grant.access_expires_at <= now => dead(grant, Cause::RefreshTokenExpired),
        other => decide(grant, other, facts, now),
    }),
    mutant("a refusal ends a channel without trying again", |grant, happened, facts, now| match happened {
        Happened::Answered(_, Renewal::Refused) => refuse(grant, facts, now),
        other => decide(grant, other, facts, now),
    }),
];

fn dead(grant: &Grant, cause: Cause) -> Decision {
    let connection = Connection::ReconnectRequired(cause);
    let grant = Grant { connection, lease: None, due_at: None, ..grant.clone() };
    Decision { grant, next: Next::Release }
}

fn refuse(grant: &Grant, _: Facts, _: Timestamp) -> Decision {
    dead(grant, Cause::RefreshTokenRejected)
}
