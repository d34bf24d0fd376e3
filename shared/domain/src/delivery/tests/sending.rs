//! Sending, and what an answer means.

use super::*;

#[test]
fn nothing_is_sent_before_its_time() {
    let early = pin(State::Scheduled);

    let transition = due(&early, &ready(), -1);

    assert_eq!((transition.action, transition.pin), (Action::Rest, early));
}

#[test]
fn a_due_pin_is_sent_by_the_attempt_that_is_saved() {
    let transition = due(&pin(State::Scheduled), &ready(), 0);

    let attempt = Attempt { fencing_token: "next".into(), started_at: at(0) };
    assert_eq!(transition.action, Action::Send(attempt.clone()));
    assert_eq!(transition.pin.state, State::Sending(attempt));
    assert_eq!(transition.pin.attempts, 1);
}

#[test]
fn a_channel_that_lacks_a_scope_refuses_at_once() {
    let granted = Context { scopes: Scopes::parse("pins:read"), ..ready() };

    let transition = due(&pin(State::Scheduled), &granted, 0);

    assert_eq!(failure(&transition.pin), Some("invalid_scope"));
    assert_eq!((transition.action, transition.pin.attempts), (Action::Rest, 0));
}

#[test]
fn a_created_pin_is_published() {
    for pin in [sending(), outcome_unknown(Some(60)), outcome_unknown(None)] {
        assert!(is_published(&after_answer(&pin, created(), &ready(), 50).pin));
    }
}

#[test]
fn a_created_pin_is_published_even_if_the_board_did_not_show_it_in_time() {
    let transition = after_board_check(&outcome_unknown(Some(320)), nothing_found(320), 321);
    assert!(matches!(transition.action, Action::Send(_)));
    let sent_again = transition.pin;
    let an_hour_later = Some(3600);
    let refused_again = waiting(Reason::Quota, an_hour_later);

    for pin in [sent_again, refused_again] {
        assert!(is_published(&after_answer(&pin, created(), &ready(), 302).pin));
    }
}

#[test]
fn a_lost_answer_leaves_an_unknown_outcome_and_no_second_send() {
    let transition = after_answer(&sending(), Outcome::Unknown(ResponseMeta::default()), &ready(), 3);

    assert_eq!(transition.action, Action::Rest);
    assert_eq!(next_board_check(&transition.pin), Some(at(15)));
}

#[test]
fn the_refusal_of_an_older_attempt_says_nothing_about_this_one() {
    let mut newer = sending();
    newer = altered(&newer, |record| {
        record.state = State::Sending(Attempt { fencing_token: "second".into(), started_at: at(310) });
    });

    for transition in [
        after_refusal(&newer, Refusal::Other, &ready(), 311),
        after_answer(&newer, Outcome::NotSent("held up".into()), &ready(), 311),
        after_answer(&newer, Outcome::Unknown(ResponseMeta::default()), &ready(), 311),
    ] {
        assert_eq!((transition.action, &transition.pin), (Action::Rest, &newer));
    }
}

#[test]
fn a_definite_refusal_settles_the_outcome_without_a_board_check() {
    for pin in [sending(), outcome_unknown(Some(60))] {
        let transition = after_refusal(&pin, Refusal::Busy, &ready(), 40);
        assert!(waits_for(&transition.pin).is_some(), "{:?}", transition.pin.state);
        let transition = after_answer(&pin, Outcome::NotSent("no route".into()), &ready(), 40);
        assert!(waits_for(&transition.pin).is_some(), "{:?}", transition.pin.state);
    }
}

#[test]
fn a_pin_that_a_person_has_to_change_fails_at_once_and_says_why() {
    for (refusal, code) in [
        (Refusal::Scope, "invalid_scope"),
        (Refusal::NotPermitted, "invalid_scope"),
        (Refusal::BoardGone, "board_id_invalid"),
        (Refusal::SectionGone, "board_section_id_invalid"),
        (Refusal::Other, "refused_by_pinterest"),
    ] {
        let transition = after_refusal(&sending(), refusal, &ready(), 1);
        assert_eq!(failure(&transition.pin), Some(code));
        assert_eq!((transition.action, transition.side_effect), (Action::Rest, SideEffect::Nothing));
    }
}

#[test]
fn an_image_that_cannot_be_fetched_three_times_in_a_row_fails_the_pin() {
    let mut pin = sending();
    for _ in 0..2 {
        let wait = after_refusal(&pin, Refusal::MediaUnreachable, &ready(), 1).pin;
        assert!(matches!(waits_for(&wait), Some((Reason::PinterestUnavailable, Some(_)))));
        pin = altered(&pin, |record| record.retry_counter = wait.retry_counter.clone()).clone();
    }

    let transition = after_refusal(&pin, Refusal::MediaUnreachable, &ready(), 1);

    assert_eq!(failure(&transition.pin), Some("media_unreachable"));
}

#[test]
fn another_kind_of_failure_starts_a_new_count() {
    let mut pin = sending();
    pin = altered(&pin, |record| {
        record.retry_counter =
            after_refusal(&pin, Refusal::MediaUnreachable, &ready(), 1).pin.retry_counter.clone();
    })
    .clone();
    pin = altered(&pin, |record| {
        record.retry_counter =
            after_refusal(&pin, Refusal::MediaUnreachable, &ready(), 1).pin.retry_counter.clone();
    })
    .clone();
    pin = altered(&pin, |record| {
        record.retry_counter = after_refusal(&pin, Refusal::Busy, &ready(), 1).pin.retry_counter.clone();
    })
    .clone();

    let transition = after_refusal(&pin, Refusal::MediaUnreachable, &ready(), 1);

    assert!(waits_for(&transition.pin).is_some());
}

#[test]
fn the_same_failure_is_retried_later_each_time() {
    let mut pin = sending();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let wait = after_answer(&pin, Outcome::NotSent("no route".into()), &ready(), 0).pin;
        let retry_at = waits_for(&wait).unwrap().1.unwrap();
        waits.push(retry_at.duration_since(at(0)));
        pin = altered(&pin, |record| record.retry_counter = wait.retry_counter.clone()).clone();
    }

    assert!(waits.is_sorted());
    assert!(waits[0] <= SignedDuration::from_secs(30));
    assert!(waits[11] <= SignedDuration::from_mins(30));
}

#[test]
fn a_dead_token_is_renewed_and_the_pin_waits_for_the_next_tick() {
    let transition = after_refusal(&sending(), Refusal::TokenDead, &ready(), 1);

    assert_eq!(transition.side_effect, SideEffect::RefreshToken);
    assert_eq!(waits_for(&transition.pin), Some((Reason::TokenRefresh, Some(at(61)))));
}

#[test]
fn a_token_that_was_refused_is_not_sent_again_however_long_its_renewal_takes() {
    let mut pin = after_refusal(&sending(), Refusal::TokenDead, &ready(), 1).pin;
    for _ in 0..200 {
        let transition = decide(&pin, &Input::Due, &ready(), pin.due_at().unwrap());
        assert_eq!(transition.action, Action::Rest);
        assert_eq!(waits_for(&transition.pin).map(|(reason, _)| reason), Some(Reason::TokenRefresh));
        pin = transition.pin;
    }
    let renewed = Context { token_version: 2, ..ready() };
    let due = pin.due_at().unwrap();
    assert!(matches!(decide(&pin, &Input::Due, &renewed, due).action, Action::Send(_)));
}

#[test]
fn a_pin_whose_new_tokens_are_refused_again_and_again_fails() {
    let mut pin = sending();
    let mut versions = 0;
    while failure(&pin).is_none() {
        versions += 1;
        let context = Context { token_version: versions, ..ready() };
        pin = altered(&pin, |record| record.state = State::Sending(attempt()));
        pin = after_refusal(&pin, Refusal::TokenDead, &context, 1).pin;
    }
    assert_eq!((failure(&pin), versions), (Some("token_refused"), 5));
}

#[test]
fn a_dead_token_that_nobody_can_renew_waits_for_the_owner_and_resets_the_count() {
    let refresh_impossible = Context { refresh_impossible: true, ..ready() };
    let mut pin = sending();
    pin = altered(&pin, |record| {
        record.retry_counter = after_refusal(&pin, Refusal::TokenDead, &ready(), 1).pin.retry_counter.clone();
    })
    .clone();

    let transition = after_refusal(&pin, Refusal::TokenDead, &refresh_impossible, 1);

    assert_eq!(waits_for(&transition.pin), Some((Reason::Reconnect, None)));
    assert_eq!((transition.side_effect, transition.pin.retry_counter.clone()), (SideEffect::Nothing, None));
}
