//! Taking over, looking, and what a look decides.

use super::*;

#[test]
fn a_process_that_may_be_alive_is_left_alone() {
    let decision = due(&sending(), &ready(), 34);

    assert_eq!((decision.next, decision.pin), (Next::Rest, sending()));
}

#[test]
fn a_process_that_has_fallen_silent_leaves_doubt_whatever_its_channel_is_like() {
    for readiness in [
        Readiness::Ready,
        Readiness::Gone,
        Readiness::SwitchedOff(words::SWITCHED_OFF),
        Readiness::ReconnectRequired,
    ] {
        let decision = due(&sending(), &but(readiness), 35);
        assert_eq!(decision.next, Next::Rest);
        assert_eq!(next_look(&decision.pin), Some(at(35)));
    }
}

#[test]
fn a_late_answer_that_says_nothing_new_changes_no_look() {
    let mut doubt = in_doubt(Some(320));
    doubt.state = State::InDoubt { attempt: attempt(), looks: 2, retry_at: Some(at(320)) };

    let decision = answered(&doubt, Outcome::Unknown(Answer::default()), &ready(), 70);

    assert_eq!(decision.pin.state, doubt.state);
}

#[test]
fn the_board_is_looked_at_after_15_60_and_320_seconds() {
    let mut pin = in_doubt(Some(15));
    for (look_at, next) in [(15, 60), (60, 320)] {
        assert_eq!(due(&pin, &ready(), look_at - 1).next, Next::Rest);
        let decision = due(&pin, &ready(), look_at);
        assert_eq!(decision.next, Next::Look(attempt()));
        pin = looked(&decision.pin, nothing(look_at), look_at + 2).pin;
        assert_eq!(next_look(&pin), Some(at(next)));
    }

    let decision = due(&pin, &ready(), 320);

    assert_eq!(decision.next, Next::Look(attempt()));
}

#[test]
fn only_a_look_that_began_late_enough_decides() {
    let early = looked(&in_doubt(Some(60)), nothing(319), 400);
    assert_eq!((early.next, next_look(&early.pin)), (Next::Rest, Some(at(320))));

    let late = looked(&in_doubt(Some(60)), nothing(320), 322);
    assert!(
        matches!(late.next, Next::Send(attempt) if attempt.fence == "next" && attempt.started_at == at(322))
    );
}

#[test]
fn looks_that_were_missed_are_not_made_up_for() {
    let pin = in_doubt(Some(15));
    assert_eq!(due(&pin, &ready(), 5000).next, Next::Look(attempt()));

    let decision = looked(&pin, nothing(5000), 5002);

    assert!(matches!(decision.next, Next::Send(_)));
}

#[test]
fn a_pin_that_is_found_is_published_however_early() {
    assert!(is_published(&looked(&in_doubt(Some(15)), Look::Found(remote()), 15).pin));
}

#[test]
fn what_was_not_found_is_sent_again_only_if_the_channel_allows_it() {
    let pause = Pause { reason: crate::PauseReason::SpamHold, until: at(4000), step: 0 };
    let looked = Happened::Looked(nothing(320));

    let decision = decide(&in_doubt(Some(320)), &looked, &but(Readiness::Paused(pause)), at(321));

    assert_eq!(decision.next, Next::Rest);
    assert_eq!(waits_for(&decision.pin), Some((Reason::SpamHold, Some(at(4000)))));
}

#[test]
fn a_look_that_was_begun_is_not_begun_again_at_once() {
    let begun = due(&in_doubt(Some(15)), &ready(), 15).pin;

    for seconds in [16, 75, 135] {
        assert_eq!(due(&begun, &ready(), seconds).next, Next::Rest);
    }
    assert_eq!(due(&begun, &ready(), 15 + 5 * 60).next, Next::Look(attempt()));
}

#[test]
fn a_board_that_cannot_be_read_is_tried_later_each_time() {
    let (mut pin, mut now) = (in_doubt(Some(15)), 15);
    let mut waits = Vec::new();
    for _ in 0..10 {
        let begun = due(&pin, &ready(), now).pin;
        pin = looked(&begun, Look::Failed("no route".into()), now).pin;
        let next = next_look(&pin).unwrap().as_second() - at(0).as_second();
        waits.push(next - now);
        now = next;
    }

    assert!(waits.is_sorted(), "{waits:?}");
    assert!(waits[0] >= 30 && waits[9] >= 15 * 60);
    assert_eq!(lines(&pin), 1);
}

#[test]
fn a_board_that_is_gone_or_has_no_end_ends_the_pin() {
    let gone = Look::Refused(Refusal::BoardGone, Answer::default());
    let decision = looked(&in_doubt(Some(15)), gone, 16);
    assert_eq!(failure(&decision.pin), Some("board_id_invalid"));

    let decision = looked(&in_doubt(Some(15)), Look::Endless, 16);
    assert_eq!(failure(&decision.pin), Some("outcome_unknown"));
}

#[test]
fn a_channel_that_is_gone_leaves_the_outcome_unknown() {
    let decision = due(&in_doubt(Some(15)), &but(Readiness::Gone), 15);

    assert_eq!(failure(&decision.pin), Some("outcome_unknown"));
}

#[test]
fn doubt_waits_for_a_channel_that_cannot_be_read_and_says_so_once() {
    let pause = Pause { reason: crate::PauseReason::Quota, until: at(500), step: 0 };
    for (readiness, next) in [
        (Readiness::ReconnectRequired, None),
        (Readiness::TokenExpired, Some(at(80))),
        (Readiness::SwitchedOff(words::SWITCHED_OFF), Some(at(320))),
        (Readiness::Paused(pause), Some(at(500))),
    ] {
        let decision = due(&in_doubt(Some(15)), &but(readiness), 20);
        assert_eq!(decision.next, Next::Rest);
        assert_eq!((next_look(&decision.pin), lines(&decision.pin)), (next, 1));

        let seconds = next.map_or(WEEK - 1, |next| next.as_second() - at(0).as_second());
        let again = due(&decision.pin, &but(readiness), seconds);
        assert_eq!(lines(&again.pin), 1);
    }
}

#[test]
fn a_look_that_meets_a_dead_token_asks_for_a_new_one_or_waits_for_the_owner() {
    let dead = Happened::Looked(Look::Refused(Refusal::TokenDead, Answer::default()));
    let lost = Conditions { lost: true, ..ready() };

    let renewed = decide(&in_doubt(Some(15)), &dead, &ready(), at(16));
    let stuck = decide(&in_doubt(Some(15)), &dead, &lost, at(16));

    assert_eq!((renewed.also, next_look(&renewed.pin)), (Also::RefreshToken, Some(at(76))));
    assert_eq!((stuck.also, next_look(&stuck.pin)), (Also::Nothing, None));
}

#[test]
fn doubt_that_waits_for_the_owner_goes_on_when_the_channel_is_back() {
    let back = |pin: &Pin| decide(pin, &Happened::ChannelBack, &ready(), at(100));

    assert_eq!(back(&in_doubt(None)).next, Next::Look(attempt()));
    let has_its_time = in_doubt(Some(320));
    assert_eq!((back(&has_its_time).next, back(&has_its_time).pin), (Next::Rest, has_its_time));
}

#[test]
fn a_look_that_comes_to_its_end_ends_the_row_of_those_that_did_not() {
    let begun = due(&in_doubt(Some(15)), &ready(), 15).pin;
    assert!(begun.setback.is_some());

    let ended = looked(&begun, nothing(15), 17).pin;

    assert_eq!(ended.setback, None);
}

#[test]
fn a_look_under_way_is_not_begun_again_however_late_it_is() {
    let mut late = in_doubt(Some(320));
    late.give_up_at = at(30);
    let begun = due(&late, &ready(), 320);
    assert!(matches!(begun.next, Next::Look(_)));
    for seconds in [321, 380, 440, 600] {
        let again = due(&begun.pin, &ready(), seconds);
        assert_eq!((again.next, &again.pin), (Next::Rest, &begun.pin));
        assert!(begun.pin.due_at().unwrap() > at(seconds));
    }
    assert!(matches!(due(&begun.pin, &ready(), 320 + 300).next, Next::Look(_)));
}
