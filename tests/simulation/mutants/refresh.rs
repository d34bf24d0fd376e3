//! Broken decisions about tokens.

use domain::{
    Connection, ReconnectCause,
    refresh::{
        Action, Context, CredentialCheck, Decide, Input, RefreshResult, TokenRecord, TokenState, Transition,
        decide,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{FaultProfile, Mutant, SOUND};

const fn mutant(name: &'static str, refresh: Decide) -> Mutant {
    Mutant { name, profile: FaultProfile::Tokens, refresh, ..SOUND }
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("an outage ends a channel", |state, input, context, now| match input {
        Input::RefreshAnswered(_, RefreshResult::Failed { .. }) => {
            dead(state, ReconnectCause::RefreshTokenRejected)
        }
        other => decide(state, other, context, now),
    }),
    mutant("every failure is a refusal", |state, input, context, now| match input {
        Input::RefreshAnswered(slot, RefreshResult::Failed { .. }) => {
            decide(state, Input::RefreshAnswered(slot, RefreshResult::Refused), context, now)
        }
        other => decide(state, other, context, now),
    }),
    mutant("the first refusal is believed", |state, input, context, now| {
        let believing = altered(state, |record| record.believe_refusal_at = Some(now));
        let context = Context { taken_over: false, ..context };
        match input {
            Input::RefreshAnswered(_, RefreshResult::Refused) => decide(&believing, input, context, now),
            other => decide(state, other, context, now),
        }
    }),
    mutant("the App Secret is not checked", |state, input, context, now| {
        decide(state, input, Context { credential_check: Some(CredentialCheck::Right), ..context }, now)
    }),
    mutant("a wrong secret ends a channel", |state, input, context, now| match input {
        Input::CredentialsChecked(CredentialCheck::Wrong) => {
            dead(state, ReconnectCause::RefreshTokenRejected)
        }
        other => decide(state, other, context, now),
    }),
    mutant("only the newest pair is tried", |state, input, context, now| {
        decide(state, input, Context { spare: false, previous: false, ..context }, now)
    }),
    mutant("a new pair has the old version", |state, input, context, now| {
        let mut transition = decide(state, input, context, now);
        transition.state = altered(&transition.state, |record| record.version = state.version);
        transition
    }),
    mutant("what failed is never tried again", |state, input, context, now| {
        let mut transition = decide(state, input, context, now);
        if matches!(input, Input::RefreshAnswered(_, RefreshResult::Failed { .. })) {
            transition.state = altered(&transition.state, |record| record.due_at = None);
        }
        transition
    }),
    mutant("a new pair is never due", |state, input, context, now| {
        let mut transition = decide(state, input, context, now);
        if transition.action == Action::SaveNewTokens {
            transition.state = altered(&transition.state, |record| record.due_at = None);
        }
        transition
    }),
    mutant("a new pair is due when its access token is dead", |state, input, context, now| {
        let mut transition = decide(state, input, context, now);
        if transition.action == Action::SaveNewTokens {
            transition.state = altered(&transition.state, |record| {
                record.due_at = Some(transition.state.access_expires_at + SignedDuration::from_hours(12));
            });
        }
        transition
    }),
    mutant("a token is given up three days before its end", |state, input, context, now| {
        let early = altered(state, |record| {
            record.refresh_expires_at =
                state.refresh_expires_at.map(|at| at - SignedDuration::from_hours(72));
        });
        let mut transition = decide(&early, input, context, now);
        if transition.action != Action::SaveNewTokens {
            transition.state =
                altered(&transition.state, |record| record.refresh_expires_at = state.refresh_expires_at);
        }
        transition
    }),
    mutant("an expired access token ends a channel", |state, input, context, now| match input {
        Input::LeaseAcquired if state.access_expires_at <= now => {
            dead(state, ReconnectCause::RefreshTokenExpired)
        }
        other => decide(state, other, context, now),
    }),
    mutant("a refusal ends a channel without trying again", |state, input, context, now| match input {
        Input::RefreshAnswered(_, RefreshResult::Refused) => refuse(state, context, now),
        other => decide(state, other, context, now),
    }),
];

fn altered(state: &TokenState, change: impl FnOnce(&mut TokenRecord)) -> TokenState {
    let mut record = state.record();
    change(&mut record);
    TokenState::restore(record)
}

fn dead(state: &TokenState, cause: ReconnectCause) -> Transition {
    let connection = Connection::ReconnectRequired(cause);
    let state = TokenState::restore(TokenRecord { connection, lease: None, due_at: None, ..state.record() });
    Transition { state, action: Action::ReleaseLease }
}

fn refuse(state: &TokenState, _: Context, _: Timestamp) -> Transition {
    dead(state, ReconnectCause::RefreshTokenRejected)
}
