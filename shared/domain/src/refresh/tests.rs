//! The rules of keeping tokens alive, one sentence each.

use super::*;
use crate::Cause;

fn grant(now: Timestamp) -> Grant {
    Grant {
        channel_id: ChannelId::new(now, [3; 10]),
        tenant: TenantId("t".into()),
        environment: Environment::Sandbox,
        connection: Connection::Connected,
        access_expires_at: now + DAY * 7,
        refresh_expires_at: Some(now + DAY * 37),
        version: 4,
        lease: Some(Lease { id: "l".into(), until: now + LEASE }),
        believe_refusal_at: None,
        failures: 0,
        due_at: Some(now),
        warned_days: None,
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

const ALONE: Facts =
    Facts { spare: false, previous: false, taken_over: false, probed: None, proven_at: None, jitter: 0.0 };

#[test]
fn a_new_pair_raises_the_version_and_is_due_again_before_the_day_seven_days_before_its_end() {
    let lifetimes =
        Lifetimes { access_expires_at: now() + DAY * 30, refresh_expires_at: Some(now() + DAY * 60) };
    let decision =
        decide(&grant(now()), Happened::Answered(Which::Current, Renewal::Renewed(lifetimes)), ALONE, now());

    assert_eq!((decision.next, decision.grant.version), (Next::SaveRenewed, 5));
    let due = decision.grant.due_at.unwrap();
    assert!(due <= now() + DAY * 23 && due >= now() + DAY * 22);
}

#[test]
fn the_first_refusal_is_not_believed() {
    let decision = decide(&grant(now()), Happened::Answered(Which::Current, Renewal::Refused), ALONE, now());

    assert_eq!((decision.next, decision.grant.connection), (Next::Release, Connection::Connected));
    assert!(decision.grant.due_at.unwrap() >= now() + LEASE + CALL_TIMEOUT + ECHO);
}

/// What follows on a refusal of `which` that is to be believed.
fn believed(which: Which, facts: Facts) -> Decision {
    let grant = Grant { believe_refusal_at: Some(now()), ..grant(now()) };
    decide(&grant, Happened::Answered(which, Renewal::Refused), facts, now())
}

#[test]
fn a_refusal_counts_for_every_pair_once_the_secret_was_asked_about() {
    let unasked = Facts { spare: true, previous: true, ..ALONE };
    assert_eq!(believed(Which::Current, unasked).next, Next::Probe);
    assert_eq!(
        decide(&grant(now()), Happened::Probed(Probe::Right), unasked, now()).next,
        Next::Try(Which::Current)
    );

    let asked = Facts { probed: Some(Probe::Right), ..unasked };
    assert_eq!(believed(Which::Current, asked).next, Next::Try(Which::Spare));
    assert_eq!(believed(Which::Spare, asked).next, Next::Try(Which::Previous));
    let dead = believed(Which::Previous, asked).grant;
    assert_eq!(dead.connection, Connection::ReconnectRequired(Cause::RefreshTokenRejected));
    assert_eq!(dead.version, 4); // a late save of this version can undo it
}

#[test]
fn without_a_clear_word_about_the_secret_the_access_token_is_asked() {
    let unclear = Facts { probed: Some(Probe::Inconclusive), ..ALONE };
    assert_eq!(believed(Which::Current, unclear).next, Next::Ask);

    let since = |seconds| Facts { proven_at: Some(now() + SignedDuration::from_secs(seconds)), ..unclear };
    assert_eq!(believed(Which::Current, since(-1)).next, Next::Ask);
    let proven = believed(Which::Current, since(1)).grant.connection;
    assert_eq!(proven, Connection::ReconnectRequired(Cause::RefreshTokenRejected));
}

#[test]
fn a_refusal_after_a_turn_that_was_left_in_the_middle_is_the_first() {
    let taken_over = Facts { taken_over: true, ..ALONE };
    let decision = believed(Which::Current, taken_over);
    assert_eq!(decision.next, Next::Release);
    assert!(decision.grant.believe_refusal_at.unwrap() >= now() + LEASE + CALL_TIMEOUT + ECHO);
}

#[test]
fn what_seemed_a_refusal_before_an_outage_or_a_wrong_secret_is_forgotten() {
    let grant = Grant { believe_refusal_at: Some(now()), ..grant(now()) };
    let after = |happened| decide(&grant, happened, ALONE, now()).grant.believe_refusal_at;

    assert_eq!(after(Happened::Answered(Which::Current, Renewal::Failed { retry_after: None })), None);
    assert_eq!(after(Happened::Probed(Probe::Wrong)), None);
    assert_eq!(after(Happened::Probed(Probe::Unreachable)), None);
    assert_eq!(after(Happened::Asked(Asked::Unreachable)), None);
    assert_eq!(after(Happened::Asked(Asked::Alive)), Some(now()));
}

#[test]
fn a_wrong_secret_or_an_outage_never_changes_the_status() {
    for happened in [
        Happened::Probed(Probe::Wrong),
        Happened::Probed(Probe::Unreachable),
        Happened::Asked(Asked::Alive),
        Happened::Asked(Asked::Unreachable),
        Happened::Answered(Which::Current, Renewal::Failed { retry_after: None }),
    ] {
        let decision = decide(&grant(now()), happened, ALONE, now());
        assert_eq!(decision.grant.connection, Connection::Connected, "{happened:?}");
        assert!(decision.grant.due_at.unwrap() > now());
        assert_eq!((decision.grant.lease, decision.grant.version), (None, 4));
    }
}

#[test]
fn a_death_is_doubted_daily_as_long_as_the_token_may_live() {
    let refused = Facts { probed: Some(Probe::Right), ..ALONE };
    for (cause, dead) in [
        (Cause::TokenRefused, decide(&grant(now()), Happened::Asked(Asked::Dead), ALONE, now())),
        (Cause::RefreshTokenRejected, believed(Which::Current, refused)),
    ] {
        assert_eq!(dead.grant.connection, Connection::ReconnectRequired(cause));
        assert_eq!(dead.grant.due_at, Some(now() + DAY));
        assert_eq!(decide(&dead.grant, Happened::Claimed, ALONE, now()).next, Next::Try(Which::Current));

        let spent = Some(now() - DAY);
        let old = Grant { refresh_expires_at: spent, believe_refusal_at: Some(now()), ..dead.grant };
        let over = decide(&old, Happened::Answered(Which::Current, Renewal::Refused), refused, now());
        assert_eq!((over.next, over.grant.due_at), (Next::Release, None));
    }
}

#[test]
fn what_was_told_of_a_death_is_not_told_again_with_less_certainty() {
    let dead = |grant: &Grant| decide(grant, Happened::Asked(Asked::Dead), ALONE, now()).grant.connection;
    let rejected = Connection::ReconnectRequired(Cause::RefreshTokenRejected);

    assert_eq!(dead(&Grant { connection: rejected, ..grant(now()) }), rejected);
}

#[test]
fn each_warning_is_given_once() {
    let mut grant = grant(now());
    let given: Vec<_> = (0..60)
        .filter_map(|day| {
            let days = warning(&grant, now() + DAY * day)?;
            grant.warned_days = Some(days);
            Some(days)
        })
        .collect();
    assert_eq!(given, [14, 7, 1]);
}

#[test]
fn a_token_is_dying_in_its_last_week_and_beyond_while_its_channel_counts_on_it() {
    let mut grant = grant(now());
    let days = |grant: &Grant| [30, 31, 37, 60].map(|day| is_dying(grant, now() + DAY * day));
    assert_eq!(days(&grant), [false, true, true, true]);
    grant.connection = Connection::ReconnectRequired(Cause::RefreshTokenExpired);
    assert_eq!(days(&grant), [false; 4], "its owner knows already");
    (grant.connection, grant.refresh_expires_at) = (Connection::Connected, None);
    assert_eq!(days(&grant), [false; 4], "it has no end that is known");
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
