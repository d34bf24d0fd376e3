//! The rules of keeping tokens alive, one sentence each.

use super::*;
use crate::ReconnectCause;

fn state(now: Timestamp) -> TokenState {
    TokenState::restore(TokenRecord {
        channel_id: ChannelId::new(now, [3; 10]),
        tenant: TenantId("t".into()),
        environment: Environment::Sandbox,
        connection: Connection::Connected,
        access_expires_at: now + DAY * 7,
        refresh_expires_at: Some(now + DAY * 37),
        version: 4,
        lease: Some(Lease { id: "l".into(), until: now + LEASE_DURATION }),
        believe_refusal_at: None,
        failures: 0,
        due_at: Some(now),
        warned_days: None,
    })
}

/// The same state, changed as no decision would change it.
fn altered(state: &TokenState, change: impl FnOnce(&mut TokenRecord)) -> TokenState {
    let mut record = state.record();
    change(&mut record);
    TokenState::restore(record)
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

const ALONE: Context = Context {
    spare: false,
    previous: false,
    taken_over: false,
    credential_check: None,
    verified_at: None,
    jitter: 0.0,
};

#[test]
fn a_new_pair_raises_the_version_and_is_due_again_before_the_day_seven_days_before_its_end() {
    let lifetimes =
        Lifetimes { access_expires_at: now() + DAY * 30, refresh_expires_at: Some(now() + DAY * 60) };
    let transition = decide(
        &state(now()),
        Input::RefreshAnswered(TokenSlot::Current, RefreshResult::NewTokens(lifetimes)),
        ALONE,
        now(),
    );

    assert_eq!((transition.action, transition.state.version), (Action::SaveNewTokens, 5));
    let due = transition.state.due_at.unwrap();
    assert!(due <= now() + DAY * 23 && due >= now() + DAY * 22);
}

#[test]
fn the_first_refusal_is_not_believed() {
    let transition = decide(
        &state(now()),
        Input::RefreshAnswered(TokenSlot::Current, RefreshResult::Refused),
        ALONE,
        now(),
    );

    assert_eq!(
        (transition.action, transition.state.connection),
        (Action::ReleaseLease, Connection::Connected)
    );
    assert!(transition.state.due_at.unwrap() >= now() + LEASE_DURATION + CALL_TIMEOUT + REFUSAL_ECHO);
}

/// What follows on a refusal of `slot` that is to be believed.
fn believed_refusal(slot: TokenSlot, context: Context) -> Transition {
    let state = TokenState::restore(TokenRecord { believe_refusal_at: Some(now()), ..state(now()).record() });
    decide(&state, Input::RefreshAnswered(slot, RefreshResult::Refused), context, now())
}

#[test]
fn a_refusal_counts_for_every_pair_once_the_secret_is_verified() {
    let unasked = Context { spare: true, previous: true, ..ALONE };
    assert_eq!(believed_refusal(TokenSlot::Current, unasked).action, Action::CheckCredentials);
    assert_eq!(
        decide(&state(now()), Input::CredentialsChecked(CredentialCheck::Right), unasked, now()).action,
        Action::Refresh(TokenSlot::Current)
    );

    let checked = Context { credential_check: Some(CredentialCheck::Right), ..unasked };
    assert_eq!(believed_refusal(TokenSlot::Current, checked).action, Action::Refresh(TokenSlot::Spare));
    assert_eq!(believed_refusal(TokenSlot::Spare, checked).action, Action::Refresh(TokenSlot::Previous));
    let dead = believed_refusal(TokenSlot::Previous, checked).state;
    assert_eq!(dead.connection, Connection::ReconnectRequired(ReconnectCause::RefreshTokenRejected));
    assert_eq!(dead.version, 4); // a late save of this version can undo it
}

#[test]
fn the_access_token_is_checked_when_the_secret_is_uncertain() {
    let unclear = Context { credential_check: Some(CredentialCheck::Inconclusive), ..ALONE };
    assert_eq!(believed_refusal(TokenSlot::Current, unclear).action, Action::CheckAccessToken);

    let since =
        |seconds| Context { verified_at: Some(now() + SignedDuration::from_secs(seconds)), ..unclear };
    assert_eq!(believed_refusal(TokenSlot::Current, since(-1)).action, Action::CheckAccessToken);
    let proven = believed_refusal(TokenSlot::Current, since(1)).state.connection;
    assert_eq!(proven, Connection::ReconnectRequired(ReconnectCause::RefreshTokenRejected));
}

#[test]
fn a_refusal_after_an_interrupted_refresh_counts_as_the_first() {
    let taken_over = Context { taken_over: true, ..ALONE };
    let transition = believed_refusal(TokenSlot::Current, taken_over);
    assert_eq!(transition.action, Action::ReleaseLease);
    assert!(
        transition.state.believe_refusal_at.unwrap() >= now() + LEASE_DURATION + CALL_TIMEOUT + REFUSAL_ECHO
    );
}

#[test]
fn an_earlier_refusal_is_forgotten_after_an_outage_or_a_wrong_secret() {
    let state = TokenState::restore(TokenRecord { believe_refusal_at: Some(now()), ..state(now()).record() });
    let after = |input| decide(&state, input, ALONE, now()).state.believe_refusal_at;

    assert_eq!(
        after(Input::RefreshAnswered(TokenSlot::Current, RefreshResult::Failed { retry_after: None })),
        None
    );
    assert_eq!(after(Input::CredentialsChecked(CredentialCheck::Wrong)), None);
    assert_eq!(after(Input::CredentialsChecked(CredentialCheck::Unreachable)), None);
    assert_eq!(after(Input::AccessTokenChecked(AccessTokenCheck::Unreachable)), None);
    assert_eq!(after(Input::AccessTokenChecked(AccessTokenCheck::Alive)), Some(now()));
}

#[test]
fn a_wrong_secret_or_an_outage_never_changes_the_status() {
    for input in [
        Input::CredentialsChecked(CredentialCheck::Wrong),
        Input::CredentialsChecked(CredentialCheck::Unreachable),
        Input::AccessTokenChecked(AccessTokenCheck::Alive),
        Input::AccessTokenChecked(AccessTokenCheck::Unreachable),
        Input::RefreshAnswered(TokenSlot::Current, RefreshResult::Failed { retry_after: None }),
    ] {
        let transition = decide(&state(now()), input, ALONE, now());
        assert_eq!(transition.state.connection, Connection::Connected, "{input:?}");
        assert!(transition.state.due_at.unwrap() > now());
        assert_eq!((transition.state.lease.clone(), transition.state.version), (None, 4));
    }
}

#[test]
fn a_lost_channel_is_tried_daily_as_long_as_its_token_may_be_valid() {
    let refused = Context { credential_check: Some(CredentialCheck::Right), ..ALONE };
    for (cause, dead) in [
        (
            ReconnectCause::TokenRefused,
            decide(&state(now()), Input::AccessTokenChecked(AccessTokenCheck::Dead), ALONE, now()),
        ),
        (ReconnectCause::RefreshTokenRejected, believed_refusal(TokenSlot::Current, refused)),
    ] {
        assert_eq!(dead.state.connection, Connection::ReconnectRequired(cause));
        assert_eq!(dead.state.due_at, Some(now() + DAY));
        assert_eq!(
            decide(&dead.state, Input::LeaseAcquired, ALONE, now()).action,
            Action::Refresh(TokenSlot::Current)
        );

        let spent = Some(now() - DAY);
        let old = TokenState::restore(TokenRecord {
            refresh_expires_at: spent,
            believe_refusal_at: Some(now()),
            ..dead.state.record()
        });
        let expired =
            decide(&old, Input::RefreshAnswered(TokenSlot::Current, RefreshResult::Refused), refused, now());
        assert_eq!((expired.action, expired.state.due_at), (Action::ReleaseLease, None));
    }
}

#[test]
fn a_certain_cause_is_not_replaced_by_a_less_certain_one() {
    let dead = |state: &TokenState| {
        decide(state, Input::AccessTokenChecked(AccessTokenCheck::Dead), ALONE, now()).state.connection
    };
    let rejected = Connection::ReconnectRequired(ReconnectCause::RefreshTokenRejected);

    assert_eq!(
        dead(&TokenState::restore(TokenRecord { connection: rejected, ..state(now()).record() })),
        rejected
    );
}

#[test]
fn each_warning_is_given_once() {
    let mut state = state(now());
    let warnings: Vec<_> = (0..60)
        .filter_map(|day| {
            let days = warning(&state, now() + DAY * day)?;
            state = altered(&state, |record| record.warned_days = Some(days));
            Some(days)
        })
        .collect();
    assert_eq!(warnings, [14, 7, 1]);
}

#[test]
fn a_token_is_about_to_expire_in_its_last_week_and_beyond_while_its_channel_counts_on_it() {
    let mut state = state(now());
    let days = |state: &TokenState| [30, 31, 37, 60].map(|day| is_about_to_expire(state, now() + DAY * day));
    assert_eq!(days(&state), [false, true, true, true]);
    state = altered(&state, |record| {
        record.connection = Connection::ReconnectRequired(ReconnectCause::RefreshTokenExpired);
    });
    assert_eq!(days(&state), [false; 4], "its owner knows already");
    let state = altered(&state, |record| {
        (record.connection, record.refresh_expires_at) = (Connection::Connected, None);
    });
    assert_eq!(days(&state), [false; 4], "it has no end that is known");
}

#[test]
fn due_times_of_channels_that_were_connected_together_fill_the_day_evenly() {
    let lifetimes = Lifetimes { access_expires_at: now() + DAY * 30, refresh_expires_at: None };
    let mut hours = [0_u32; 24];
    for number in 0..10_000_u16 {
        let [high, low] = number.to_be_bytes();
        let channel = ChannelId::new(now(), [0, 0, 0, 0, 0, 0, 0, 0, high, low]);
        let due = due_at(&channel, now(), lifetimes).duration_since(now() + DAY * 22);
        hours[usize::try_from(due.as_hours()).unwrap()] += 1;
    }
    assert!(hours.iter().all(|&count| count <= 600), "{hours:?}");
}
