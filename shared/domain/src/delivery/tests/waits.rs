//! Waiting, and what ends it.

use super::*;
use crate::PauseReason;

#[test]
fn each_wait_says_what_for() {
    let pause = |reason| Readiness::Paused(Pause { reason, until: at(900), step: 0, failures: 0 });
    for (readiness, reason, retry_at) in [
        (Readiness::SwitchedOff(Disabled::SwitchedOff), Reason::PinterestUnavailable, Some(300)),
        (Readiness::ReconnectRequired, Reason::Reconnect, None),
        (Readiness::TokenExpired, Reason::TokenRefresh, Some(60)),
        (pause(PauseReason::Quota), Reason::Quota, Some(900)),
        (pause(PauseReason::SpamHold), Reason::SpamHold, Some(900)),
    ] {
        let transition = due(&pin(State::Scheduled), &ready_but(readiness), 0);
        assert_eq!(transition.action, Action::Rest);
        assert_eq!(waits_for(&transition.pin), Some((reason, retry_at.map(at))));
        assert_eq!(transition.side_effect == SideEffect::RefreshToken, readiness == Readiness::TokenExpired);
    }
}

#[test]
fn a_pin_that_goes_on_waiting_for_the_same_says_so_once_and_is_tried_later() {
    for readiness in [Readiness::SwitchedOff(Disabled::SwitchedOff), Readiness::TokenExpired] {
        let (mut pin, mut now) = (pin(State::Scheduled), at(0));
        for _ in 0..200 {
            let waits = decide(&pin, &Input::Due, &ready_but(readiness), now).pin;
            assert!(waits.due_at().unwrap() > now);
            (now, pin) = (waits.due_at().unwrap(), waits);
        }
        assert_eq!(lines(&pin), 1);
    }
}

#[test]
fn a_wait_of_a_week_is_checked_some_hundred_times_and_its_end_is_noticed_soon() {
    let attempt = Attempt { fencing_token: "f1".into(), started_at: at(0) };
    let uncertain_state = State::OutcomeUnknown { attempt, checks_done: 0, retry_at: Some(at(0)) };
    for readiness in [Readiness::SwitchedOff(Disabled::SwitchedOff), Readiness::TokenExpired] {
        for state in [State::Scheduled, uncertain_state.clone()] {
            let mut pin = pin(state);
            pin = altered(&pin, |record| record.timeline.push(at(0), "accepted", phrases::ACCEPTED.into())); // long before the wait begins
            let (begun_at, mut now, mut waits) = (at(3600), at(3600), Vec::new());
            while now < at(WEEK - 3600) {
                pin = decide(&pin, &Input::Due, &ready_but(readiness), now).pin;
                let due_at = pin.due_at().unwrap();
                waits.push(due_at.duration_since(now));
                assert!(
                    waits.len() == 1 || waits.last() <= Some(&waits[0].max(now.duration_since(begun_at)))
                );
                now = due_at;
            }
            assert!(waits[0] <= SignedDuration::from_mins(5), "{readiness:?}: {waits:?}");
            assert!(waits.len() < 400, "{readiness:?}: {} times", waits.len());
        }
    }
}

#[test]
fn a_pin_that_waits_for_something_else_says_so_even_if_the_reason_has_the_same_name() {
    let busy = after_refusal(&sending(), Refusal::Busy, &ready(), 1).pin;
    let before = lines(&busy);

    let switched_off = due(&busy, &ready_but(Readiness::SwitchedOff(Disabled::SwitchedOff)), 60).pin;

    assert_eq!(waits_for(&busy).unwrap().0, waits_for(&switched_off).unwrap().0);
    assert_eq!(lines(&switched_off), before + 1);
    assert_eq!(switched_off.timeline.entries.last().unwrap().detail, phrases::SWITCHED_OFF.text);
}

#[test]
fn a_waiting_pin_does_not_change_before_its_retry_time() {
    let waits = waiting(Reason::Quota, Some(100));

    assert_eq!(due(&waits, &ready(), 99).pin, waits);
    assert!(matches!(due(&waits, &ready(), 100).action, Action::Send(_)));
}

#[test]
fn a_pin_that_waits_for_its_channel_is_sent_after_a_reconnection() {
    let reconnect = |pin: &Pin| decide(pin, &Input::ChannelReconnected, &ready(), at(10)).action;

    for pin in [waiting(Reason::Reconnect, None), waiting(Reason::TokenRefresh, Some(60))] {
        assert!(matches!(reconnect(&pin), Action::Send(_)));
    }
}

#[test]
fn a_pin_that_waits_for_something_else_is_not_sent_after_a_reconnection() {
    for pin in [
        pin(State::Scheduled),
        sending(),
        waiting(Reason::SpamHold, Some(60)),
        waiting(Reason::Quota, Some(60)),
        waiting(Reason::PinterestUnavailable, Some(60)),
    ] {
        let transition = decide(&pin, &Input::ChannelReconnected, &ready(), at(10));
        assert_eq!((transition.action, transition.pin), (Action::Rest, pin));
    }
}

#[test]
fn a_channel_that_is_back_but_paused_sends_nothing() {
    let pause = Pause { reason: PauseReason::SpamHold, until: at(900), step: 0, failures: 0 };

    let transition = decide(
        &waiting(Reason::Reconnect, None),
        &Input::ChannelReconnected,
        &ready_but(Readiness::Paused(pause)),
        at(10),
    );

    assert_eq!(transition.action, Action::Rest);
    assert_eq!(waits_for(&transition.pin), Some((Reason::SpamHold, Some(at(900)))));
}

#[test]
fn an_unsent_pin_is_cancelled_when_its_channel_is_gone() {
    for pin in [pin(State::Scheduled), waiting(Reason::Quota, Some(0)), waiting(Reason::Reconnect, None)] {
        for seconds in [0, WEEK] {
            let transition = due(&pin, &ready_but(Readiness::Disconnected), seconds);
            assert_eq!(transition.pin.state, State::Cancelled);
        }
    }
}

#[test]
fn a_pin_is_tried_once_more_before_its_give_up_time_however_long_it_waited() {
    for readiness in [Readiness::SwitchedOff(Disabled::SwitchedOff), Readiness::TokenExpired] {
        let (mut pin, mut now) = (pin(State::Scheduled), at(0));
        while now < at(WEEK - 300) {
            pin = decide(&pin, &Input::Due, &ready_but(readiness), now).pin;
            now = pin.due_at().unwrap();
        }
        assert!(now < at(WEEK - 60), "{now}");
        assert!(matches!(decide(&pin, &Input::Due, &ready(), now).action, Action::Send(_)));
    }
}
