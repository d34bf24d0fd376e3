//! Taking over, looking, and what a look decides.

use super::*;

#[test]
fn a_process_that_may_be_alive_is_left_alone() {
    let transition = due(&sending(), &ready(), 34);

    assert_eq!((transition.action, transition.pin), (Action::Rest, sending()));
}

#[test]
fn a_silent_process_leaves_an_unknown_outcome_whatever_its_channel_is_like() {
    for readiness in [
        Readiness::Ready,
        Readiness::Disconnected,
        Readiness::SwitchedOff(Disabled::SwitchedOff),
        Readiness::ReconnectRequired,
    ] {
        let transition = due(&sending(), &ready_but(readiness), 35);
        assert_eq!(transition.action, Action::Rest);
        assert_eq!(next_board_check(&transition.pin), Some(at(35)));
    }
}

#[test]
fn a_late_answer_without_an_outcome_changes_no_board_check() {
    let mut uncertain_pin = outcome_unknown(Some(320));
    uncertain_pin = altered(&uncertain_pin, |record| {
        record.state = State::OutcomeUnknown { attempt: attempt(), checks_done: 2, retry_at: Some(at(320)) }
    });

    let transition = after_answer(&uncertain_pin, Outcome::Unknown(ResponseMeta::default()), &ready(), 70);

    assert_eq!(transition.pin.state, uncertain_pin.state);
}

#[test]
fn the_board_is_checked_after_15_60_and_320_seconds() {
    let mut pin = outcome_unknown(Some(15));
    for (look_at, next) in [(15, 60), (60, 320)] {
        assert_eq!(due(&pin, &ready(), look_at - 1).action, Action::Rest);
        let transition = due(&pin, &ready(), look_at);
        assert_eq!(transition.action, Action::CheckBoard(attempt()));
        pin = after_board_check(&transition.pin, nothing_found(look_at), look_at + 2).pin;
        assert_eq!(next_board_check(&pin), Some(at(next)));
    }

    let transition = due(&pin, &ready(), 320);

    assert_eq!(transition.action, Action::CheckBoard(attempt()));
}

#[test]
fn only_a_board_check_that_began_late_enough_decides() {
    let early = after_board_check(&outcome_unknown(Some(60)), nothing_found(319), 400);
    assert_eq!((early.action, next_board_check(&early.pin)), (Action::Rest, Some(at(320))));

    let late_check = after_board_check(&outcome_unknown(Some(60)), nothing_found(320), 322);
    assert!(
        matches!(late_check.action, Action::Send(attempt) if attempt.fencing_token == "next" && attempt.started_at == at(322))
    );
}

#[test]
fn missed_board_checks_are_skipped() {
    let pin = outcome_unknown(Some(15));
    assert_eq!(due(&pin, &ready(), 5000).action, Action::CheckBoard(attempt()));

    let transition = after_board_check(&pin, nothing_found(5000), 5002);

    assert!(matches!(transition.action, Action::Send(_)));
}

#[test]
fn a_pin_that_is_found_is_published_however_early() {
    assert!(is_published(
        &after_board_check(&outcome_unknown(Some(15)), BoardCheck::Found(remote()), 15).pin
    ));
}

#[test]
fn a_pin_that_pinterest_has_rewritten_is_published_when_nothing_else_can_be_it() {
    let early = after_board_check(&outcome_unknown(Some(60)), resembling(60, &[Likeness::Rewritten]), 62).pin;
    assert_eq!(next_board_check(&early), Some(at(320)));

    assert!(is_published(&after_board_check(&early, resembling(320, &[Likeness::Rewritten]), 322).pin));
    let beside = resembling(320, &[Likeness::Rewritten, Likeness::Similar]);
    assert!(is_published(&after_board_check(&early, beside, 322).pin));
}

#[test]
fn a_pin_that_may_be_on_the_board_is_never_sent_again() {
    let two = [Likeness::Rewritten, Likeness::Rewritten];
    for likenesses in [&[Likeness::Similar][..], &two] {
        let review = after_board_check(&outcome_unknown(Some(320)), resembling(320, likenesses), 322);

        assert_eq!((review.action, failure(&review.pin)), (Action::Rest, Some("perhaps_published")));
        let State::NeedsReview { candidates, .. } = &review.pin.state else {
            panic!("{:?}", review.pin.state)
        };
        assert_eq!(candidates.len(), likenesses.len());
        assert_eq!(review.pin.due_at(), None);
    }
}

#[test]
fn attempts_without_a_pin_are_repeated_at_growing_intervals() {
    let (mut pin, mut now, mut delays) = (pin(State::Scheduled), 0, Vec::new());
    while now < WEEK - 24 * 3600 {
        let attempted = due(&pin, &ready(), now).pin;
        let State::Sending(attempt) = &attempted.state else { panic!("{:?}", attempted.state) };
        let fencing_token = attempt.fencing_token.clone();
        let outcome = Outcome::Unknown(ResponseMeta::default());
        let unknown = decide(&attempted, &Input::Sent { fencing_token, outcome }, &ready(), at(now)).pin;
        now += 320;
        let checked = after_board_check(&unknown, nothing_found(now), now);
        pin = match checked.action {
            Action::Send(_) => altered(&checked.pin, |record| record.state = State::Scheduled),
            _ => checked.pin,
        };
        let next = pin.due_at().unwrap().as_second() - at(0).as_second();
        delays.push((next.max(now) - now) / 60);
        now = now.max(next);
    }

    assert!(delays.is_sorted(), "{delays:?}");
    assert_eq!(delays[..4], [0, 15, 63, 189]);
    assert!(delays.len() < 12, "{delays:?}");
}

#[test]
fn a_pin_that_was_not_found_is_sent_again_only_if_the_channel_allows_it() {
    let pause = Pause { reason: crate::PauseReason::SpamHold, until: at(4000), step: 0, failures: 0 };
    let input = Input::BoardChecked(nothing_found(320));

    let transition =
        decide(&outcome_unknown(Some(320)), &input, &ready_but(Readiness::Paused(pause)), at(321));

    assert_eq!(transition.action, Action::Rest);
    assert_eq!(waits_for(&transition.pin), Some((Reason::SpamHold, Some(at(4000)))));
}

#[test]
fn a_board_check_that_has_begun_is_not_repeated_at_once() {
    let checking = due(&outcome_unknown(Some(15)), &ready(), 15).pin;

    for seconds in [16, 75, 135] {
        assert_eq!(due(&checking, &ready(), seconds).action, Action::Rest);
    }
    assert_eq!(due(&checking, &ready(), 15 + 5 * 60).action, Action::CheckBoard(attempt()));
}

#[test]
fn a_board_that_cannot_be_read_is_tried_later_each_time() {
    let (mut pin, mut now) = (outcome_unknown(Some(15)), 15);
    let mut waits = Vec::new();
    for _ in 0..10 {
        let checking = due(&pin, &ready(), now).pin;
        pin = after_board_check(&checking, BoardCheck::Failed("no route".into()), now).pin;
        let next = next_board_check(&pin).unwrap().as_second() - at(0).as_second();
        waits.push(next - now);
        now = next;
    }

    assert!(waits.is_sorted(), "{waits:?}");
    assert!(waits[0] >= 30 && waits[9] >= 15 * 60);
    assert_eq!(lines(&pin), 1);
}

#[test]
fn a_board_that_is_gone_or_has_no_end_ends_the_pin() {
    let board_gone = BoardCheck::Refused(Refusal::BoardGone, ResponseMeta::default());
    let transition = after_board_check(&outcome_unknown(Some(15)), board_gone, 16);
    assert_eq!(failure(&transition.pin), Some("board_id_invalid"));

    let transition = after_board_check(&outcome_unknown(Some(15)), BoardCheck::Endless, 16);
    assert_eq!(failure(&transition.pin), Some("outcome_unknown"));
}

#[test]
fn a_channel_that_is_gone_leaves_the_outcome_unknown() {
    let transition = due(&outcome_unknown(Some(15)), &ready_but(Readiness::Disconnected), 15);

    assert_eq!(failure(&transition.pin), Some("outcome_unknown"));
}

#[test]
fn an_unknown_outcome_waits_for_an_unreadable_channel_and_says_so_once() {
    let pause = Pause { reason: crate::PauseReason::Quota, until: at(500), step: 0, failures: 0 };
    for (readiness, next) in [
        (Readiness::ReconnectRequired, None),
        (Readiness::TokenExpired, Some(at(80))),
        (Readiness::SwitchedOff(Disabled::SwitchedOff), Some(at(320))),
        (Readiness::Paused(pause), Some(at(500))),
    ] {
        let transition = due(&outcome_unknown(Some(15)), &ready_but(readiness), 20);
        assert_eq!(transition.action, Action::Rest);
        assert_eq!((next_board_check(&transition.pin), lines(&transition.pin)), (next, 1));

        let seconds = next.map_or(WEEK - 1, |next| next.as_second() - at(0).as_second());
        let second = due(&transition.pin, &ready_but(readiness), seconds);
        assert_eq!(lines(&second.pin), 1);
    }
}

#[test]
fn a_board_check_with_a_dead_token_refreshes_it_or_waits_for_the_owner() {
    let dead = Input::BoardChecked(BoardCheck::Refused(Refusal::TokenDead, ResponseMeta::default()));
    let refresh_impossible = Context { refresh_impossible: true, ..ready() };

    let with_refresh = decide(&outcome_unknown(Some(15)), &dead, &ready(), at(16));
    let without_refresh = decide(&outcome_unknown(Some(15)), &dead, &refresh_impossible, at(16));

    assert_eq!(
        (with_refresh.side_effect, next_board_check(&with_refresh.pin)),
        (SideEffect::RefreshToken, Some(at(76)))
    );
    assert_eq!(
        (without_refresh.side_effect, next_board_check(&without_refresh.pin)),
        (SideEffect::Nothing, None)
    );
}

#[test]
fn an_unknown_outcome_that_waits_for_the_owner_is_checked_after_a_reconnection() {
    let reconnect = |pin: &Pin| decide(pin, &Input::ChannelReconnected, &ready(), at(100));

    assert_eq!(reconnect(&outcome_unknown(None)).action, Action::CheckBoard(attempt()));
    let has_its_time = outcome_unknown(Some(320));
    assert_eq!((reconnect(&has_its_time).action, reconnect(&has_its_time).pin), (Action::Rest, has_its_time));
}

#[test]
fn a_complete_board_check_resets_the_retry_counter() {
    let checking = due(&outcome_unknown(Some(15)), &ready(), 15).pin;
    assert!(checking.retry_counter.is_some());

    let checked = after_board_check(&checking, nothing_found(15), 17).pin;

    assert_eq!(checked.retry_counter, None);
}

#[test]
fn a_running_board_check_is_not_repeated_however_late_it_is() {
    let mut past_deadline = outcome_unknown(Some(320));
    past_deadline = altered(&past_deadline, |record| record.give_up_at = at(30));
    let checking = due(&past_deadline, &ready(), 320);
    assert!(matches!(checking.action, Action::CheckBoard(_)));
    for seconds in [321, 380, 440, 600] {
        let next = due(&checking.pin, &ready(), seconds);
        assert_eq!((next.action, &next.pin), (Action::Rest, &checking.pin));
        assert!(checking.pin.due_at().unwrap() > at(seconds));
    }
    assert!(matches!(due(&checking.pin, &ready(), 320 + 300).action, Action::CheckBoard(_)));
}
