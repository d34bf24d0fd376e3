//! Rests that Pinterest asks for.

use super::*;
use crate::PauseReason;

fn paused_by(transition: &Transition) -> Pause {
    match transition.side_effect {
        SideEffect::PauseChannel(pause) | SideEffect::PauseApp(pause) => pause,
        other => panic!("no pause: {other:?}"),
    }
}

fn after(last_pause: Pause) -> Context {
    Context { last_pause: Some(last_pause), ..ready() }
}

fn quota(seconds: Option<i64>) -> Refusal {
    Refusal::Quota { retry_after: seconds.map(SignedDuration::from_secs) }
}

#[test]
fn a_pin_waits_as_long_as_the_pause_that_it_causes() {
    for refusal in [Refusal::Spam, quota(Some(30)), quota(Some(4000)), quota(None)] {
        let transition = after_refusal(&sending(), refusal, &ready(), 1);
        let (_, retry_at) = waits_for(&transition.pin).unwrap();
        assert_eq!(retry_at, Some(paused_by(&transition).until));
    }
}

#[test]
fn a_pin_that_met_a_spam_block_is_sent_after_those_held_with_it_and_says_why() {
    let answer = ResponseMeta { message: Some("We blocked this link".to_owned()), ..ResponseMeta::default() };

    let transition = after_answer(&sending(), Outcome::Refused(Refusal::Spam, answer), &ready(), 1);

    let other = Pin::restore(PinRecord { publish_at: at(3600), ..pin(State::Scheduled).record() });
    let held_pin = due(&other, &ready_but(Readiness::Paused(paused_by(&transition))), 3600).pin;
    assert!(
        held_pin.send_order() < transition.pin.send_order() && held_pin.send_order() > sending().send_order()
    );
    let detail = &transition.pin.timeline.entries.last().unwrap().detail;
    assert!(detail.contains("We blocked this link"), "{detail}");
}

#[test]
fn a_lasting_rate_limit_is_met_at_growing_intervals() {
    for seconds in [None, Some(1)] {
        let (mut pin, mut now, mut tries) = (pin(State::Scheduled), 0, 0);
        while now < 24 * 60 * 60 {
            tries += 1;
            let attempted = due(&pin, &ready(), now).pin;
            let State::Sending(attempt) = &attempted.state else { panic!("{attempted:?}") };
            let outcome = Outcome::Refused(quota(seconds), ResponseMeta::default());
            let input = Input::Sent { fencing_token: attempt.fencing_token.clone(), outcome };
            let rate_limited = decide(&attempted, &input, &ready(), at(now));
            assert!(
                matches!(rate_limited.side_effect, SideEffect::PauseChannel(_)),
                "other accounts do not wait for it"
            );
            pin = rate_limited.pin;
            now = pin.due_at().unwrap().as_second() - at(0).as_second() + 60;
        }
        assert!(tries < 80, "{tries} times a day");
        assert!(tries > 40, "{tries} times a day: its end is noticed within the hour");
    }
}

#[test]
fn a_short_rate_limit_pauses_the_channel_and_a_long_one_the_app() {
    let short = after_refusal(&sending(), quota(Some(60)), &ready(), 1);
    let long = after_refusal(&sending(), quota(Some(3600)), &ready(), 1);

    assert!(matches!(short.side_effect, SideEffect::PauseChannel(_)), "{:?}", short.side_effect);
    assert!(matches!(long.side_effect, SideEffect::PauseApp(_)), "{:?}", long.side_effect);
}

#[test]
fn a_long_rate_limit_of_a_board_check_pauses_the_app_too() {
    let board_check = BoardCheck::Refused(quota(Some(3600)), ResponseMeta::default());

    let transition = after_board_check(&outcome_unknown(Some(15)), board_check, 16);

    assert!(matches!(transition.side_effect, SideEffect::PauseApp(_)), "{:?}", transition.side_effect);
    assert_eq!(next_board_check(&transition.pin), Some(paused_by(&transition).until));
}

#[test]
fn retries_start_after_the_reset_time_and_at_different_moments() {
    for (retry_after, jitter) in [(Some(0), 0.0), (Some(30), 0.0), (Some(30), 0.9), (None, 0.3)] {
        let context = Context { jitter, ..ready() };
        let until = paused_by(&after_refusal(&sending(), quota(retry_after), &context, 1)).until;
        let wait = retry_after.unwrap_or(60).max(1);
        assert!(until >= at(1 + wait) && until <= at(2 + wait + wait / 10));
    }
}

#[test]
fn no_limit_is_believed_to_last_longer_than_a_day() {
    let transition = after_refusal(&sending(), quota(Some(i64::MAX)), &ready(), 0);

    assert!(paused_by(&transition).until <= at(27 * 60 * 60));
}

#[test]
fn each_spam_block_pauses_the_channel_longer_until_a_day_has_passed() {
    let (mut context, mut now) = (ready(), 0);
    let mut minutes = Vec::new();
    for _ in 0..5 {
        let transition = after_refusal(&sending(), Refusal::Spam, &context, now);
        let hold = paused_by(&transition);
        assert_eq!(hold.reason, PauseReason::SpamHold);
        assert!(matches!(transition.side_effect, SideEffect::PauseChannel(_)));
        minutes.push(hold.until.duration_since(at(now)).as_mins());
        context = after(hold);
        now = hold.until.as_second() - at(0).as_second() + 60;
    }
    assert_eq!(minutes, [10, 60, 360, 1440, 1440]);

    let a_day_later = after_refusal(&sending(), Refusal::Spam, &context, now + 24 * 60 * 60);

    assert_eq!(paused_by(&a_day_later).until, at(now + 24 * 60 * 60 + 10 * 60));
}

#[test]
fn a_rate_limit_between_two_spam_blocks_does_not_reset_their_count() {
    let first = paused_by(&after_refusal(&sending(), Refusal::Spam, &ready(), 0));
    let limit = paused_by(&after_refusal(&sending(), quota(Some(60)), &after(first), 700));
    assert_eq!(limit.reason, PauseReason::Quota);

    let second = paused_by(&after_refusal(&sending(), Refusal::Spam, &after(limit), 800));

    assert_eq!(second.until, at(800 + 60 * 60));
}

#[test]
fn a_rate_limit_alone_makes_no_spam_block_longer() {
    let limit = paused_by(&after_refusal(&sending(), quota(Some(60)), &ready(), 0));

    let hold = paused_by(&after_refusal(&sending(), Refusal::Spam, &after(limit), 100));

    assert_eq!(hold.until, at(100 + 10 * 60));
}

#[test]
fn the_same_spam_block_met_twice_counts_once() {
    let hold = paused_by(&after_refusal(&sending(), Refusal::Spam, &ready(), 0));

    let second_block = after_refusal(&sending(), Refusal::Spam, &after(hold), 5);

    assert_eq!(paused_by(&second_block), hold);
}

#[test]
fn a_spam_block_of_a_board_check_pauses_the_channel_too() {
    let board_check = BoardCheck::Refused(Refusal::Spam, ResponseMeta::default());

    let transition = after_board_check(&outcome_unknown(Some(15)), board_check, 16);

    assert_eq!(paused_by(&transition).reason, PauseReason::SpamHold);
    assert_eq!(next_board_check(&transition.pin), Some(at(16 + 10 * 60)));
}

#[test]
fn a_pause_that_has_just_ended_holds_the_pin_for_a_moment_and_not_for_ever() {
    let just_ended = Pause { reason: PauseReason::Quota, until: at(100), step: 0, failures: 0 };

    for pin in [waiting(Reason::Quota, Some(100)), outcome_unknown(Some(100))] {
        let transition = due(&pin, &ready_but(Readiness::Paused(just_ended)), 100);
        let due_at = transition.pin.due_at().unwrap();
        assert!(due_at > at(100) && due_at <= at(101));
    }
}

#[test]
fn consecutive_failures_pause_the_channel_longer_and_longer() {
    let unknown = || Outcome::Unknown(ResponseMeta::default());
    let (mut context, mut now, mut rests) = (ready(), 0, Vec::new());
    for _ in 0..7 {
        let pause = paused_by(&after_answer(&sending(), unknown(), &context, now));
        assert_eq!(pause.reason, PauseReason::PinterestUnavailable);
        let until = pause.until.as_second() - at(0).as_second();
        rests.push((until - now) / 60);
        now = until + 60;
        context = after(pause);
    }
    assert_eq!(rests, [0, 0, 5, 15, 63, 189, 189]);

    let hour_later = paused_by(&after_answer(&sending(), unknown(), &context, now + 3600));
    assert_eq!(hour_later.failures, 1, "it is not in a row with the others");
}

#[test]
fn a_created_pin_resets_the_count_of_failures() {
    let pause = Pause { reason: PauseReason::PinterestUnavailable, until: at(10), step: 2, failures: 3 };
    let new_pause = paused_by(&after_answer(&sending(), created(), &after(pause), 20));
    assert_eq!(new_pause, Pause { until: at(20), failures: 0, ..pause });

    let sound = Pause { failures: 0, ..pause };
    assert_eq!(after_answer(&sending(), created(), &after(sound), 20).side_effect, SideEffect::Nothing);
}

#[test]
fn a_board_is_read_while_pinterest_fails_to_create_pins() {
    let pause = Pause { reason: PauseReason::PinterestUnavailable, until: at(4000), step: 0, failures: 3 };
    let resting = ready_but(Readiness::Paused(pause));

    assert_eq!(due(&outcome_unknown(Some(15)), &resting, 15).action, Action::CheckBoard(attempt()));
    let held_pin = due(&pin(State::Scheduled), &resting, 15).pin;
    assert_eq!(waits_for(&held_pin), Some((Reason::PinterestUnavailable, Some(at(4000)))));
}
