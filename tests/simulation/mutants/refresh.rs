//! Broken decisions about tokens.

use domain::{
    Cause, Connection,
    refresh::{Decide, Decision, Grant, Happened, Next, Renewal, decide},
};

use super::{Mutant, SOUND};

const fn mutant(name: &'static str, refresh: Decide) -> Mutant {
    Mutant { name, refresh, ..SOUND }
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("an outage ends a channel", |grant, happened, facts, now| match happened {
        Happened::Answered(_, Renewal::Failed { .. }) => dead(grant, Cause::RefreshTokenRejected),
        other => decide(grant, other, facts, now),
    }),
    mutant("a new pair is never due", |grant, happened, facts, now| {
        let mut decision = decide(grant, happened, facts, now);
        if decision.next == Next::SaveRenewed {
            decision.grant.due_at = None;
        }
        decision
    }),
    mutant("an expired access token ends a channel", |grant, happened, facts, now| match happened {
        Happened::Claimed if grant.access_expires_at <= now => dead(grant, Cause::RefreshTokenExpired),
        other => decide(grant, other, facts, now),
    }),
];

fn dead(grant: &Grant, cause: Cause) -> Decision {
    let connection = Connection::ReconnectRequired(cause);
    let grant = Grant { connection, lease: None, due_at: None, ..grant.clone() };
    Decision { grant, next: Next::Release }
}
