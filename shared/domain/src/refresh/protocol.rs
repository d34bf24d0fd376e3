//! Which transition follows from an input.

use jiff::{SignedDuration, Timestamp};

use super::{
    AccessTokenCheck, Action, CALL_TIMEOUT, Context, CredentialCheck, DAY, Input, Lifetimes, REFUSAL_ECHO,
    RefreshResult, TokenRecord, TokenSlot, TokenState, Transition, due_at,
};
use crate::{Connection, ReconnectCause, backoff};

/// The protocol.
#[must_use]
pub fn decide(state: &TokenState, input: Input, context: Context, now: Timestamp) -> Transition {
    let builder = TransitionBuilder { state: state.record(), context, now };
    match input {
        Input::LeaseAcquired => match state.connection {
            Connection::Connected
            | Connection::ReconnectRequired(
                ReconnectCause::TokenRefused | ReconnectCause::RefreshTokenRejected,
            ) => builder.then(Action::Refresh(TokenSlot::Current)),
            Connection::ReconnectRequired(ReconnectCause::RefreshTokenExpired) => builder.release(None),
        },
        Input::RefreshAnswered(_, RefreshResult::NewTokens(lifetimes)) => builder.new_tokens(lifetimes),
        Input::RefreshAnswered(slot, RefreshResult::Refused) => builder.refused(slot),
        Input::RefreshAnswered(_, RefreshResult::Failed { retry_after }) => builder.failed(retry_after),
        // Only a refusal after a successful credential check is the token's own fault.
        Input::CredentialsChecked(CredentialCheck::Right | CredentialCheck::Inconclusive) => {
            builder.then(Action::Refresh(TokenSlot::Current))
        }
        Input::CredentialsChecked(CredentialCheck::Wrong | CredentialCheck::Unreachable)
        | Input::AccessTokenChecked(AccessTokenCheck::Unreachable) => builder.failed(None),
        Input::AccessTokenChecked(AccessTokenCheck::Dead) => builder.dead(ReconnectCause::TokenRefused),
        Input::AccessTokenChecked(AccessTokenCheck::Alive) => builder.postpone(None),
    }
}

struct TransitionBuilder {
    state: TokenRecord,
    context: Context,
    now: Timestamp,
}

impl TransitionBuilder {
    fn then(self, action: Action) -> Transition {
        Transition { state: TokenState::restore(self.state), action }
    }

    fn release(mut self, due_at: Option<Timestamp>) -> Transition {
        self.state.lease = None;
        self.state.due_at = due_at;
        self.then(Action::ReleaseLease)
    }

    fn new_tokens(mut self, lifetimes: Lifetimes) -> Transition {
        let due_at = due_at(&self.state.channel_id, self.now, lifetimes);
        self.state.connection = Connection::Connected;
        self.state.access_expires_at = lifetimes.access_expires_at;
        self.state.refresh_expires_at = lifetimes.refresh_expires_at.or(self.state.refresh_expires_at);
        self.state.version += 1;
        self.state.lease = None;
        self.state.believe_refusal_at = None;
        self.state.failures = 0;
        self.state.warned_days = None;
        self.state.due_at = Some(due_at);
        self.then(Action::SaveNewTokens)
    }

    /// A refusal counts only if no other process can have used the token, and the App Secret is right. So the row is read
    /// again, the credentials are checked, and every pair in the row is tried.
    fn refused(mut self, slot: TokenSlot) -> Transition {
        let lease_end = self.state.lease.as_ref().map_or(self.now, |lease| lease.until);
        let seen_before = self.state.believe_refusal_at.filter(|_| !self.context.taken_over);
        let believe_at = seen_before.unwrap_or(lease_end + CALL_TIMEOUT + REFUSAL_ECHO);
        if self.now < believe_at {
            self.state.believe_refusal_at = Some(believe_at);
            return self.release(Some(believe_at));
        }
        let verified = self.context.verified_at.is_some_and(|at| at >= believe_at);
        match (self.context.credential_check, slot) {
            (None, _) => self.then(Action::CheckCredentials),
            (_, TokenSlot::Current) if self.context.spare => self.then(Action::Refresh(TokenSlot::Spare)),
            (_, TokenSlot::Current | TokenSlot::Spare) if self.context.previous => {
                self.then(Action::Refresh(TokenSlot::Previous))
            }
            (Some(CredentialCheck::Right), _) => self.dead(ReconnectCause::RefreshTokenRejected),
            _ if verified => self.dead(ReconnectCause::RefreshTokenRejected),
            _ => self.then(Action::CheckAccessToken),
        }
    }

    /// The account has to be connected again. The version stays: if a delayed process saves a pair over that version later,
    /// the channel is connected again.
    ///
    /// App ID and App Secret may have been wrong, or belong to another app. So the refresh is tried daily as long as the
    /// token may be valid, and a success undoes this.
    fn dead(mut self, cause: ReconnectCause) -> Transition {
        let known =
            self.state.connection == Connection::ReconnectRequired(ReconnectCause::RefreshTokenRejected);
        if !(known && cause == ReconnectCause::TokenRefused) {
            self.state.connection = Connection::ReconnectRequired(cause);
        }
        let may_live = cause != ReconnectCause::RefreshTokenExpired && !self.has_expired();
        let due_at = may_live.then(|| self.now + DAY);
        self.release(due_at)
    }

    fn has_expired(&self) -> bool {
        self.state.refresh_expires_at.is_some_and(|dies| dies + REFUSAL_ECHO < self.now)
    }

    /// The answer means nothing for the token, and an earlier refusal may have had the same cause.
    fn failed(mut self, retry_after: Option<SignedDuration>) -> Transition {
        self.state.believe_refusal_at = None;
        self.postpone(retry_after)
    }

    /// The token's status stays, and the refresh is tried again as long as the token may be valid.
    fn postpone(mut self, retry_after: Option<SignedDuration>) -> Transition {
        if self.has_expired() {
            return self.dead(ReconnectCause::RefreshTokenExpired);
        }
        self.state.failures = self.state.failures.saturating_add(1);
        let (first, most) = (SignedDuration::from_mins(1), SignedDuration::from_hours(6));
        let wait = backoff(first, most, self.state.failures, self.context.jitter);
        let due_at = self.now + wait.max(retry_after.unwrap_or_default().min(DAY));
        self.release(Some(due_at))
    }
}
