//! When it is too late, and what an end means.

use super::*;

#[test]
fn nothing_changes_what_has_ended() {
    let error = Failure::new("c", "d", "f");
    let published = State::Published {
        pinterest_pin_id: PinterestPinId::try_from("1".to_owned()).unwrap(),
        published_at: at(0),
    };
    for state in [published, State::Failed { error }, State::Cancelled] {
        let ended = pin(state);
        for happened in [
            Happened::Due,
            Happened::ChannelBack,
            Happened::Looked(Look::Found(remote())),
            Happened::Sent { fence: attempt().fence, outcome: created() },
        ] {
            let decision = decide(&ended, &happened, &ready(), at(WEEK * 2));
            assert_eq!((decision.next, decision.also), (Next::Rest, Also::Nothing));
            assert_eq!(decision.pin, ended);
        }
        assert_eq!(ended.due_at(), None);
    }
}

#[test]
fn what_is_too_late_is_not_sent_whatever_it_waited_for() {
    let scheduled = pin(State::Scheduled);
    let for_a_person = waiting(Reason::Reconnect, None);
    let for_long = waiting(Reason::Quota, Some(WEEK + 500));
    for pin in [scheduled, for_a_person, for_long] {
        for seconds in [WEEK, WEEK + 1] {
            let decision = due(&pin, &ready(), seconds);
            assert_eq!((failure(&decision.pin), decision.next), (Some("too_late"), Next::Rest));
        }
    }
}

#[test]
fn what_waits_for_a_person_ends_at_the_very_moment_it_is_due_for_the_last_time() {
    for pin in [waiting(Reason::Reconnect, None), in_doubt(None)] {
        assert_eq!(pin.due_at(), Some(at(WEEK)));
        let decision = due(&pin, &but(Readiness::ReconnectRequired), WEEK);
        assert!(failure(&decision.pin).is_some(), "{:?}", decision.pin.state);
    }
}

#[test]
fn it_is_never_too_late_to_learn_that_the_pin_is_there() {
    let doubt = in_doubt(None);
    assert_eq!(due(&doubt, &ready(), WEEK * 2).next, Next::Look(attempt()));
    assert!(is_published(&looked(&doubt, Look::Found(remote()), WEEK * 2).pin));
    assert!(is_published(&answered(&doubt, created(), &ready(), WEEK * 2).pin));
}

#[test]
fn an_attempt_that_made_nothing_is_not_repeated_when_it_is_too_late() {
    let decision = looked(&in_doubt(None), nothing(WEEK + 1), WEEK + 2);

    assert_eq!((failure(&decision.pin), decision.next), (Some("too_late"), Next::Rest));
}

#[test]
fn an_attempt_just_before_the_end_is_still_looked_for_until_a_look_can_decide() {
    let mut short = in_doubt(Some(60));
    short.give_up_at = at(60);

    let missing = looked(&short, nothing(60), 62).pin;
    let failed = looked(&short, Look::Failed("no route".into()), 62).pin;

    assert_eq!(next_look(&missing), Some(at(320)));
    assert_eq!(due(&missing, &ready(), 120).pin, missing, "looks are not hurried");
    assert!(next_look(&failed).is_some());
    let last = due(&missing, &ready(), 320);
    assert_eq!(last.next, Next::Look(attempt()));
    assert_eq!(failure(&looked(&last.pin, nothing(320), 322).pin), Some("too_late"));
}

#[test]
fn when_it_is_too_late_a_board_that_cannot_be_read_leaves_the_outcome_unknown() {
    for look in [Look::Failed("no route".into()), Look::Refused(Refusal::Busy, Answer::default())] {
        let decision = looked(&in_doubt(None), look, WEEK);
        assert_eq!(failure(&decision.pin), Some("outcome_unknown"));
    }
    for readiness in
        [Readiness::SwitchedOff(words::SWITCHED_OFF), Readiness::TokenExpired, Readiness::ReconnectRequired]
    {
        let decision = due(&in_doubt(None), &but(readiness), WEEK);
        assert_eq!(failure(&decision.pin), Some("outcome_unknown"));
    }
}

#[test]
fn looks_that_end_their_process_each_time_end_some_day() {
    let (mut pin, mut looks) = (in_doubt(Some(15)), 0_i64);
    for minute in 0..(WEEK / 60 + 60) {
        let decision = due(&pin, &ready(), minute * 60);
        looks += i64::from(decision.next == Next::Look(attempt()));
        pin = decision.pin;
    }

    assert_eq!(failure(&pin), Some("outcome_unknown"));
    assert!(looks < WEEK / 60 / 15, "{looks} looks");
}
