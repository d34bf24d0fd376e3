//! Sending, and what an answer means.

use super::*;

#[test]
fn nothing_is_sent_before_its_time() {
    let early = pin(State::Scheduled);

    let decision = due(&early, &ready(), -1);

    assert_eq!((decision.next, decision.pin), (Next::Rest, early));
}

#[test]
fn what_is_due_is_sent_by_the_attempt_that_is_saved() {
    let decision = due(&pin(State::Scheduled), &ready(), 0);

    let attempt = Attempt { fence: "next".into(), started_at: at(0) };
    assert_eq!(decision.next, Next::Send(attempt.clone()));
    assert_eq!(decision.pin.state, State::Sending(attempt));
    assert_eq!(decision.pin.attempts, 1);
}

#[test]
fn a_channel_that_lacks_a_scope_refuses_at_once() {
    let granted = Conditions { scopes: Scopes::parse("pins:read"), ..ready() };

    let decision = due(&pin(State::Scheduled), &granted, 0);

    assert_eq!(failure(&decision.pin), Some("invalid_scope"));
    assert_eq!((decision.next, decision.pin.attempts), (Next::Rest, 0));
}

#[test]
fn what_was_created_is_published() {
    for pin in [sending(), in_doubt(Some(60)), in_doubt(None)] {
        assert!(is_published(&answered(&pin, created(), &ready(), 50).pin));
    }
}

#[test]
fn what_was_created_is_published_even_if_the_board_did_not_show_it_in_time() {
    let decision = looked(&in_doubt(Some(320)), nothing(320), 321);
    assert!(matches!(decision.next, Next::Send(_)));
    let sent_again = decision.pin;
    let late = Some(3600);
    let refused_again = waiting(Reason::Quota, late);

    for pin in [sent_again, refused_again] {
        assert!(is_published(&answered(&pin, created(), &ready(), 302).pin));
    }
}

#[test]
fn an_answer_that_did_not_come_leaves_doubt_and_not_another_send() {
    let decision = answered(&sending(), Outcome::Unknown(Answer::default()), &ready(), 3);

    assert_eq!(decision.next, Next::Rest);
    assert_eq!(next_look(&decision.pin), Some(at(15)));
}

#[test]
fn the_refusal_of_an_older_attempt_says_nothing_about_this_one() {
    let mut newer = sending();
    newer.state = State::Sending(Attempt { fence: "second".into(), started_at: at(310) });

    for decision in [
        refused(&newer, Refusal::Other, &ready(), 311),
        answered(&newer, Outcome::NotSent("held up".into()), &ready(), 311),
        answered(&newer, Outcome::Unknown(Answer::default()), &ready(), 311),
    ] {
        assert_eq!((decision.next, &decision.pin), (Next::Rest, &newer));
    }
}

#[test]
fn a_definite_refusal_ends_the_doubt_without_a_look() {
    for pin in [sending(), in_doubt(Some(60))] {
        let decision = refused(&pin, Refusal::Busy, &ready(), 40);
        assert!(waits_for(&decision.pin).is_some(), "{:?}", decision.pin.state);
        let decision = answered(&pin, Outcome::NotSent("no route".into()), &ready(), 40);
        assert!(waits_for(&decision.pin).is_some(), "{:?}", decision.pin.state);
    }
}

#[test]
fn what_a_person_has_to_change_fails_at_once_and_says_what() {
    for (refusal, code) in [
        (Refusal::Scope, "invalid_scope"),
        (Refusal::BoardGone, "board_id_invalid"),
        (Refusal::SectionGone, "board_section_id_invalid"),
        (Refusal::Other, "refused_by_pinterest"),
    ] {
        let decision = refused(&sending(), refusal, &ready(), 1);
        assert_eq!(failure(&decision.pin), Some(code));
        assert_eq!((decision.next, decision.also), (Next::Rest, Also::Nothing));
    }
}

#[test]
fn an_image_that_cannot_be_fetched_three_times_in_a_row_fails_the_pin() {
    let mut pin = sending();
    for _ in 0..2 {
        let wait = refused(&pin, Refusal::MediaUnreachable, &ready(), 1).pin;
        assert!(matches!(waits_for(&wait), Some((Reason::PinterestUnavailable, Some(_)))));
        pin.setback = wait.setback;
    }

    let decision = refused(&pin, Refusal::MediaUnreachable, &ready(), 1);

    assert_eq!(failure(&decision.pin), Some("media_unreachable"));
}

#[test]
fn another_setback_begins_another_row() {
    let mut pin = sending();
    pin.setback = refused(&pin, Refusal::MediaUnreachable, &ready(), 1).pin.setback;
    pin.setback = refused(&pin, Refusal::MediaUnreachable, &ready(), 1).pin.setback;
    pin.setback = refused(&pin, Refusal::Busy, &ready(), 1).pin.setback;

    let decision = refused(&pin, Refusal::MediaUnreachable, &ready(), 1);

    assert!(waits_for(&decision.pin).is_some());
}

#[test]
fn the_same_setback_again_is_tried_later_each_time() {
    let mut pin = sending();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let wait = answered(&pin, Outcome::NotSent("no route".into()), &ready(), 0).pin;
        let retry_at = waits_for(&wait).unwrap().1.unwrap();
        waits.push(retry_at.duration_since(at(0)));
        pin.setback = wait.setback;
    }

    assert!(waits.is_sorted());
    assert!(waits[0] <= SignedDuration::from_secs(30));
    assert!(waits[11] <= SignedDuration::from_mins(30));
}

#[test]
fn a_dead_token_is_renewed_and_the_pin_waits_for_the_next_tick() {
    let decision = refused(&sending(), Refusal::TokenDead, &ready(), 1);

    assert_eq!(decision.also, Also::RefreshToken);
    assert_eq!(waits_for(&decision.pin), Some((Reason::TokenRefresh, Some(at(61)))));
}

#[test]
fn a_token_that_was_refused_is_not_sent_again_however_long_its_renewal_takes() {
    let mut pin = refused(&sending(), Refusal::TokenDead, &ready(), 1).pin;
    for _ in 0..200 {
        let decision = decide(&pin, &Happened::Due, &ready(), pin.due_at().unwrap());
        assert_eq!(decision.next, Next::Rest);
        assert_eq!(waits_for(&decision.pin).map(|(reason, _)| reason), Some(Reason::TokenRefresh));
        pin = decision.pin;
    }
    let renewed = Conditions { token_version: 2, ..ready() };
    let due = pin.due_at().unwrap();
    assert!(matches!(decide(&pin, &Happened::Due, &renewed, due).next, Next::Send(_)));
}

#[test]
fn a_pin_whose_new_tokens_are_refused_again_and_again_fails() {
    let mut pin = sending();
    let mut versions = 0;
    while failure(&pin).is_none() {
        versions += 1;
        let conditions = Conditions { token_version: versions, ..ready() };
        pin.state = State::Sending(attempt());
        pin = refused(&pin, Refusal::TokenDead, &conditions, 1).pin;
    }
    assert_eq!((failure(&pin), versions), (Some("token_refused"), 5));
}

#[test]
fn a_dead_token_that_nobody_can_renew_waits_for_the_owner_and_forgets_its_setbacks() {
    let lost = Conditions { lost: true, ..ready() };
    let mut pin = sending();
    pin.setback = refused(&pin, Refusal::TokenDead, &ready(), 1).pin.setback;

    let decision = refused(&pin, Refusal::TokenDead, &lost, 1);

    assert_eq!(waits_for(&decision.pin), Some((Reason::Reconnect, None)));
    assert_eq!((decision.also, decision.pin.setback), (Also::Nothing, None));
}
