//! Broken decisions about Pins.

use domain::{
    Pin, PinRecord, Reason, Refusal, ResponseMeta, State,
    delivery::{Action, BoardCheck, Context, Decide, Input, Outcome, Transition, decide},
};
use jiff::{SignedDuration, Timestamp};

use super::{Mutant, SOUND};

const fn mutant(name: &'static str, deliver: Decide) -> Mutant {
    Mutant { name, deliver, ..SOUND }
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("an unknown outcome is sent again without a board check", |pin, input, context, now| {
        as_if(pin, input, context, now, |outcome| match outcome {
            Outcome::Unknown(_) => Outcome::NotSent("nothing came back".to_owned()),
            other => other.clone(),
        })
    }),
    mutant("one board check decides", |pin, input, context, now| decide_after(pin, input, context, now, 0)),
    mutant("two board checks decide", |pin, input, context, now| decide_after(pin, input, context, now, 1)),
    mutant("a list that was not read is an empty one", |pin, input, context, now| match input {
        Input::BoardChecked(BoardCheck::Failed(_) | BoardCheck::Refused(..) | BoardCheck::Endless) => {
            decide(pin, &Input::BoardChecked(BoardCheck::Nothing { began_at: now }), context, now)
        }
        other => decide(pin, other, context, now),
    }),
    mutant("what is not as it was sent is not there", |pin, input, context, now| match input {
        Input::BoardChecked(BoardCheck::Possible { began_at, .. }) => {
            decide(pin, &Input::BoardChecked(BoardCheck::Nothing { began_at: *began_at }), context, now)
        }
        other => decide(pin, other, context, now),
    }),
    mutant("what resembles a Pin is that Pin", |pin, input, context, now| match input {
        Input::BoardChecked(BoardCheck::Possible { matches, .. }) => {
            let found = BoardCheck::Found(matches[0].candidate.pinterest_pin_id.clone());
            decide(pin, &Input::BoardChecked(found), context, now)
        }
        other => decide(pin, other, context, now),
    }),
    mutant("a process that fell silent has sent nothing", |pin, input, context, now| {
        match (&pin.state, input) {
            (State::Sending(attempt), Input::Due) if now >= attempt.started_at + Pin::SENDING_LIMIT => {
                let outcome = Outcome::NotSent("it fell silent".to_owned());
                let input = Input::Sent { fencing_token: attempt.fencing_token.clone(), outcome };
                decide(pin, &input, context, now)
            }
            _ => decide(pin, input, context, now),
        }
    }),
    mutant("a process that is sending is not waited for", |pin, input, context, now| {
        match (&pin.state, input) {
            (State::Sending(_) | State::OutcomeUnknown { .. }, Input::Due) => {
                let again = altered(pin, |record| {
                    record.state = State::Waiting { reason: Reason::OutcomeUnknown, retry_at: None }
                });
                decide(&again, &Input::ChannelReconnected, context, now)
            }
            _ => decide(pin, input, context, now),
        }
    }),
    mutant("a rate limit ends a Pin", |pin, input, context, now| {
        refused(pin, input, context, now, |refusal| match refusal {
            Refusal::Quota { .. } => Refusal::Other,
            other => other.clone(),
        })
    }),
    mutant("a blocked link rests the account", |pin, input, context, now| {
        refused(pin, input, context, now, |refusal| match refusal {
            Refusal::LinkBlocked => Refusal::Spam,
            other => other.clone(),
        })
    }),
    mutant("a busy board ends a Pin", |pin, input, context, now| {
        refused(pin, input, context, now, |refusal| match refusal {
            Refusal::Busy => Refusal::Other,
            other => other.clone(),
        })
    }),
    mutant("a dead access token ends a Pin", |pin, input, context, now| {
        refused(pin, input, context, now, |refusal| match refusal {
            Refusal::TokenDead => Refusal::Scope,
            other => other.clone(),
        })
    }),
    mutant("401 code 3 asks for new tokens", |pin, input, context, now| {
        refused(pin, input, context, now, |refusal| match refusal {
            Refusal::Scope => Refusal::TokenDead,
            other => other.clone(),
        })
    }),
    mutant("a rate limit's end is forgotten", |pin, input, context, now| {
        let mut transition = decide(pin, input, context, now);
        transition.pin = altered(&transition.pin, |record| {
            if let State::Waiting { reason: Reason::Quota, retry_at } = &mut record.state {
                *retry_at = None;
            }
        });
        transition
    }),
    mutant("a Pin does not wait for its time", |pin, input, context, now| {
        let hurried = altered(pin, |record| record.publish_at = pin.publish_at.min(now));
        let mut transition = decide(&hurried, input, context, now);
        transition.pin = altered(&transition.pin, |record| record.publish_at = pin.publish_at);
        transition
    }),
    mutant("a Pin that waits is retried every minute", |pin, input, context, now| {
        let mut transition = decide(pin, input, context, now);
        transition.pin = altered(&transition.pin, |record| {
            if let State::Waiting { retry_at: Some(at), .. }
            | State::OutcomeUnknown { retry_at: Some(at), .. } = &mut record.state
            {
                *at = (*at).min(now + SignedDuration::from_mins(1));
            }
        });
        transition
    }),
    mutant("nothing is ever too late", |pin, input, context, now| {
        let patient = altered(pin, |record| record.give_up_at = now + SignedDuration::from_hours(24 * 365));
        let mut transition = decide(&patient, input, context, now);
        transition.pin = altered(&transition.pin, |record| record.give_up_at = pin.give_up_at);
        transition
    }),
    mutant("the channel's return wakes nobody", |pin, input, context, now| match input {
        Input::ChannelReconnected => unchanged(pin),
        other => decide(pin, other, context, now),
    }),
    mutant("the channel's return wakes some of them later", |pin, input, context, now| {
        let later = pin.id.as_str().bytes().last().is_some_and(|last| last % 2 == 0);
        match (&pin.state, input) {
            (State::Waiting { reason: Reason::Reconnect, .. }, Input::ChannelReconnected) if later => {
                let mut transition = unchanged(pin);
                let retry_at = Some(now + SignedDuration::from_mins(2));
                let waiting = State::Waiting { reason: Reason::TokenRefresh, retry_at };
                transition.pin = altered(&transition.pin, |record| {
                    (record.state, record.waited_for) = (waiting, Some(Reason::TokenRefresh));
                });
                transition
            }
            _ => decide(pin, input, context, now),
        }
    }),
    mutant("all attempts share one fence", |pin, input, context, now| {
        let context = Context { fencing_token: "fence".to_owned(), ..context.clone() };
        decide(pin, input, &context, now)
    }),
    mutant("the end is not written down", |pin, input, context, now| {
        let mut transition = decide(pin, input, context, now);
        if transition.pin.due_at().is_none() && pin.due_at().is_some() {
            transition.pin = altered(&transition.pin, |record| drop(record.timeline.entries.pop()));
        }
        transition
    }),
];

fn altered(pin: &Pin, change: impl FnOnce(&mut PinRecord)) -> Pin {
    let mut record = pin.record();
    change(&mut record);
    Pin::restore(record)
}

fn unchanged(pin: &Pin) -> Transition {
    Transition { pin: pin.clone(), action: Action::Rest, side_effect: domain::delivery::SideEffect::Nothing }
}

/// Decides as if a send had another outcome.
fn as_if(
    pin: &Pin,
    input: &Input,
    context: &Context,
    now: Timestamp,
    change: fn(&Outcome) -> Outcome,
) -> Transition {
    match input {
        Input::Sent { fencing_token, outcome } => {
            let input = Input::Sent { fencing_token: fencing_token.clone(), outcome: change(outcome) };
            decide(pin, &input, context, now)
        }
        other => decide(pin, other, context, now),
    }
}

/// Decides as if Pinterest had given another refusal.
fn refused(
    pin: &Pin,
    input: &Input,
    context: &Context,
    now: Timestamp,
    change: fn(&Refusal) -> Refusal,
) -> Transition {
    match input {
        Input::Sent { fencing_token, outcome: Outcome::Refused(refusal, answer) } => {
            let outcome = Outcome::Refused(change(refusal), ResponseMeta::clone(answer));
            decide(pin, &Input::Sent { fencing_token: fencing_token.clone(), outcome }, context, now)
        }
        other => decide(pin, other, context, now),
    }
}

/// Lets the board check after `enough` others decide.
fn decide_after(pin: &Pin, input: &Input, context: &Context, now: Timestamp, enough: u8) -> Transition {
    match (&pin.state, input) {
        (
            State::OutcomeUnknown { attempt, checks_done, .. },
            Input::BoardChecked(BoardCheck::Nothing { .. }),
        ) if *checks_done >= enough => {
            let began_at = attempt.started_at + SignedDuration::from_hours(1);
            decide(pin, &Input::BoardChecked(BoardCheck::Nothing { began_at }), context, now)
        }
        _ => decide(pin, input, context, now),
    }
}
