//! When it is too late, and what an end means.

use super::*;

#[test]
fn nothing_changes_a_pin_in_a_final_state() {
    let error = Failure::new("c", "d", "f");
    let published = State::Published {
        pinterest_pin_id: PinterestPinId::try_from("1".to_owned()).unwrap(),
        published_at: at(0),
    };
    let review = State::NeedsReview { attempt: attempt(), candidates: Vec::new(), error: error.clone() };
    for state in [published, review, State::Failed { error }, State::Cancelled] {
        let ended_pin = pin(state);
        for input in [
            Input::Due,
            Input::ChannelReconnected,
            Input::BoardChecked(BoardCheck::Found(remote())),
            Input::Sent {
                fencing_token: attempt().fencing_token,
                outcome: Outcome::Unknown(ResponseMeta::default()),
            },
        ] {
            let transition = decide(&ended_pin, &input, &ready(), at(WEEK * 2));
            assert_eq!((transition.action, transition.side_effect), (Action::Rest, SideEffect::Nothing));
            assert_eq!(transition.pin, ended_pin);
        }
        assert_eq!(ended_pin.due_at(), None);
    }
}

#[test]
fn a_late_success_publishes_even_a_pin_that_has_ended() {
    let error = Failure::new("c", "d", "f");
    let review = State::NeedsReview { attempt: attempt(), candidates: Vec::new(), error: error.clone() };
    for state in [review, State::Failed { error }, State::Cancelled] {
        assert!(is_published(&after_answer(&pin(state), created(), &ready(), WEEK).pin));
    }
}

#[test]
fn a_pin_is_not_sent_after_its_give_up_time_whatever_it_waited_for() {
    let scheduled = pin(State::Scheduled);
    let for_a_person = waiting(Reason::Reconnect, None);
    let for_long = waiting(Reason::Quota, Some(WEEK + 500));
    for pin in [scheduled, for_a_person, for_long] {
        for seconds in [WEEK, WEEK + 1] {
            let transition = due(&pin, &ready(), seconds);
            assert_eq!((failure(&transition.pin), transition.action), (Some("too_late"), Action::Rest));
        }
    }
}

#[test]
fn a_pin_that_fails_after_spam_holds_shows_pinterests_last_message() {
    let response = |words: &str| ResponseMeta { message: Some(words.to_owned()), ..ResponseMeta::default() };
    let outcome = |words| Outcome::Refused(Refusal::Spam, response(words));
    let first = after_answer(&sending(), outcome("Slow down"), &ready(), 1).pin;
    let second_attempt = altered(&first, |record| record.state = State::Sending(attempt()));
    let held_pin = after_answer(&second_attempt, outcome("A block in place"), &ready(), 700).pin;

    let failed_pin = due(&held_pin, &ready(), WEEK).pin;

    let State::Failed { error } = &failed_pin.state else { panic!("{:?}", failed_pin.state) };
    assert_eq!((error.code.as_str(), error.params["message"].as_str()), ("too_late", "A block in place"));
    assert!(error.detail.ends_with("A block in place"), "{}", error.detail);
    let retried = failed_pin.retry(at(WEEK)).unwrap();
    let too_late = due(&retried, &ready(), WEEK * 3).pin;
    assert!(
        matches!(&too_late.state, State::Failed { error } if error.params.is_empty()),
        "{:?}",
        too_late.state
    );
}

#[test]
fn a_pin_that_waits_for_its_owner_ends_at_its_give_up_time() {
    for pin in [waiting(Reason::Reconnect, None), outcome_unknown(None)] {
        assert_eq!(pin.due_at(), Some(at(WEEK)));
        let transition = due(&pin, &ready_but(Readiness::ReconnectRequired), WEEK);
        assert!(failure(&transition.pin).is_some(), "{:?}", transition.pin.state);
    }
}

#[test]
fn a_pin_that_is_found_after_its_give_up_time_is_published() {
    let uncertain_pin = outcome_unknown(None);
    assert_eq!(due(&uncertain_pin, &ready(), WEEK * 2).action, Action::CheckBoard(attempt()));
    assert!(is_published(&after_board_check(&uncertain_pin, BoardCheck::Found(remote()), WEEK * 2).pin));
    assert!(is_published(&after_answer(&uncertain_pin, created(), &ready(), WEEK * 2).pin));
}

#[test]
fn an_attempt_without_a_pin_is_not_repeated_after_the_give_up_time() {
    let transition = after_board_check(&outcome_unknown(None), nothing_found(WEEK + 1), WEEK + 2);

    assert_eq!((failure(&transition.pin), transition.action), (Some("too_late"), Action::Rest));
}

#[test]
fn an_attempt_just_before_the_give_up_time_is_checked_until_a_check_can_decide() {
    let mut short = outcome_unknown(Some(60));
    short = altered(&short, |record| record.give_up_at = at(60));

    let missing = after_board_check(&short, nothing_found(60), 62).pin;
    let failed = after_board_check(&short, BoardCheck::Failed("no route".into()), 62).pin;

    assert_eq!(next_board_check(&missing), Some(at(320)));
    assert_eq!(due(&missing, &ready(), 120).pin, missing, "checks are not hurried");
    assert!(next_board_check(&failed).is_some());
    let last = due(&missing, &ready(), 320);
    assert_eq!(last.action, Action::CheckBoard(attempt()));
    assert_eq!(failure(&after_board_check(&last.pin, nothing_found(320), 322).pin), Some("too_late"));
}

#[test]
fn an_unreadable_board_leaves_the_outcome_unknown_after_the_give_up_time() {
    for board_check in
        [BoardCheck::Failed("no route".into()), BoardCheck::Refused(Refusal::Busy, ResponseMeta::default())]
    {
        let transition = after_board_check(&outcome_unknown(None), board_check, WEEK);
        assert_eq!(failure(&transition.pin), Some("outcome_unknown"));
    }
    for readiness in
        [Readiness::SwitchedOff(Disabled::SwitchedOff), Readiness::TokenExpired, Readiness::ReconnectRequired]
    {
        let transition = due(&outcome_unknown(None), &ready_but(readiness), WEEK);
        assert_eq!(failure(&transition.pin), Some("outcome_unknown"));
    }
}

#[test]
fn board_checks_that_always_end_their_process_stop_at_last() {
    let (mut pin, mut checks_done) = (outcome_unknown(Some(15)), 0_i64);
    for minute in 0..(WEEK / 60 + 60) {
        let transition = due(&pin, &ready(), minute * 60);
        checks_done += i64::from(transition.action == Action::CheckBoard(attempt()));
        pin = transition.pin;
    }

    assert_eq!(failure(&pin), Some("outcome_unknown"));
    assert!(checks_done < WEEK / 60 / 15, "{checks_done} checks");
}
