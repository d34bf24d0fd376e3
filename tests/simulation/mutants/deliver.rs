//! Broken decisions about Pins.

use domain::{
    Answer, Pin, Reason, Refusal, State,
    delivery::{Conditions, Decide, Decision, Happened, Look, Next, Outcome, decide},
};
use jiff::{SignedDuration, Timestamp};

use super::{Mutant, SOUND};

const fn mutant(name: &'static str, deliver: Decide) -> Mutant {
    Mutant { name, deliver, ..SOUND }
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("an unknown outcome is sent again without a board check", |pin, happened, conditions, now| {
        as_if(pin, happened, conditions, now, |outcome| match outcome {
            Outcome::Unknown(_) => Outcome::NotSent("nothing came back".to_owned()),
            other => other.clone(),
        })
    }),
    mutant("one board check decides", |pin, happened, conditions, now| {
        decide_after(pin, happened, conditions, now, 0)
    }),
    mutant("two board checks decide", |pin, happened, conditions, now| {
        decide_after(pin, happened, conditions, now, 1)
    }),
    mutant("a list that was not read is an empty one", |pin, happened, conditions, now| match happened {
        Happened::Looked(Look::Failed(_) | Look::Refused(..) | Look::Endless) => {
            decide(pin, &Happened::Looked(Look::Nothing { began_at: now }), conditions, now)
        }
        other => decide(pin, other, conditions, now),
    }),
    mutant("a process that fell silent has sent nothing", |pin, happened, conditions, now| {
        match (&pin.state, happened) {
            (State::Sending(attempt), Happened::Due) if now >= attempt.started_at + Pin::SENDING_LIMIT => {
                let outcome = Outcome::NotSent("it fell silent".to_owned());
                let happened = Happened::Sent { fence: attempt.fence.clone(), outcome };
                decide(pin, &happened, conditions, now)
            }
            _ => decide(pin, happened, conditions, now),
        }
    }),
    mutant("a process that is sending is not waited for", |pin, happened, conditions, now| {
        match (&pin.state, happened) {
            (State::Sending(_) | State::InDoubt { .. }, Happened::Due) => {
                let mut again = pin.clone();
                again.state = State::Waiting { reason: Reason::OutcomeUnknown, retry_at: None };
                decide(&again, &Happened::ChannelBack, conditions, now)
            }
            _ => decide(pin, happened, conditions, now),
        }
    }),
    mutant("a rate limit ends a Pin", |pin, happened, conditions, now| {
        refused(pin, happened, conditions, now, |refusal| match refusal {
            Refusal::Quota { .. } => Refusal::Other,
            other => other.clone(),
        })
    }),
    mutant("a busy board ends a Pin", |pin, happened, conditions, now| {
        refused(pin, happened, conditions, now, |refusal| match refusal {
            Refusal::Busy => Refusal::Other,
            other => other.clone(),
        })
    }),
    mutant("a dead access token ends a Pin", |pin, happened, conditions, now| {
        refused(pin, happened, conditions, now, |refusal| match refusal {
            Refusal::TokenDead => Refusal::Scope,
            other => other.clone(),
        })
    }),
    mutant("401 code 3 asks for new tokens", |pin, happened, conditions, now| {
        refused(pin, happened, conditions, now, |refusal| match refusal {
            Refusal::Scope => Refusal::TokenDead,
            other => other.clone(),
        })
    }),
    mutant("a rate limit's end is forgotten", |pin, happened, conditions, now| {
        let mut decision = decide(pin, happened, conditions, now);
        if let State::Waiting { reason: Reason::Quota, retry_at } = &mut decision.pin.state {
            *retry_at = None;
        }
        decision
    }),
    mutant("a Pin does not wait for its time", |pin, happened, conditions, now| {
        let mut hurried = pin.clone();
        hurried.publish_at = pin.publish_at.min(now);
        let mut decision = decide(&hurried, happened, conditions, now);
        decision.pin.publish_at = pin.publish_at;
        decision
    }),
    mutant("a Pin that waits is retried every minute", |pin, happened, conditions, now| {
        let mut decision = decide(pin, happened, conditions, now);
        if let State::Waiting { retry_at: Some(at), .. } | State::InDoubt { retry_at: Some(at), .. } =
            &mut decision.pin.state
        {
            *at = (*at).min(now + SignedDuration::from_mins(1));
        }
        decision
    }),
    mutant("nothing is ever too late", |pin, happened, conditions, now| {
        let mut patient = pin.clone();
        patient.give_up_at = now + SignedDuration::from_hours(24 * 365);
        let mut decision = decide(&patient, happened, conditions, now);
        decision.pin.give_up_at = pin.give_up_at;
        decision
    }),
    mutant("the channel's return wakes nobody", |pin, happened, conditions, now| match happened {
        Happened::ChannelBack => unchanged(pin),
        other => decide(pin, other, conditions, now),
    }),
    mutant("the channel's return wakes some of them later", |pin, happened, conditions, now| {
        let later = pin.id.as_str().bytes().last().is_some_and(|last| last % 2 == 0);
        match (&pin.state, happened) {
            (State::Waiting { reason: Reason::Reconnect, .. }, Happened::ChannelBack) if later => {
                let mut decision = unchanged(pin);
                let retry_at = Some(now + SignedDuration::from_mins(2));
                decision.pin.enter(State::Waiting { reason: Reason::TokenRefresh, retry_at });
                decision
            }
            _ => decide(pin, happened, conditions, now),
        }
    }),
    mutant("all attempts share one fence", |pin, happened, conditions, now| {
        let conditions = Conditions { fence: "fence".to_owned(), ..conditions.clone() };
        decide(pin, happened, &conditions, now)
    }),
    mutant("the end is not written down", |pin, happened, conditions, now| {
        let mut decision = decide(pin, happened, conditions, now);
        if decision.pin.due_at().is_none() && pin.due_at().is_some() {
            decision.pin.timeline.entries.pop();
        }
        decision
    }),
];

fn unchanged(pin: &Pin) -> Decision {
    Decision { pin: pin.clone(), next: Next::Rest, also: domain::delivery::Also::Nothing }
}

/// Decides as if a send had another outcome.
fn as_if(
    pin: &Pin,
    happened: &Happened,
    conditions: &Conditions,
    now: Timestamp,
    change: fn(&Outcome) -> Outcome,
) -> Decision {
    match happened {
        Happened::Sent { fence, outcome } => {
            let happened = Happened::Sent { fence: fence.clone(), outcome: change(outcome) };
            decide(pin, &happened, conditions, now)
        }
        other => decide(pin, other, conditions, now),
    }
}

/// Decides as if Pinterest had given another refusal.
fn refused(
    pin: &Pin,
    happened: &Happened,
    conditions: &Conditions,
    now: Timestamp,
    change: fn(&Refusal) -> Refusal,
) -> Decision {
    match happened {
        Happened::Sent { fence, outcome: Outcome::Refused(refusal, answer) } => {
            let outcome = Outcome::Refused(change(refusal), Answer::clone(answer));
            decide(pin, &Happened::Sent { fence: fence.clone(), outcome }, conditions, now)
        }
        other => decide(pin, other, conditions, now),
    }
}

/// Lets the board check after `enough` others decide.
fn decide_after(
    pin: &Pin,
    happened: &Happened,
    conditions: &Conditions,
    now: Timestamp,
    enough: u8,
) -> Decision {
    match (&pin.state, happened) {
        (State::InDoubt { attempt, looks, .. }, Happened::Looked(Look::Nothing { .. }))
            if *looks >= enough =>
        {
            let began_at = attempt.started_at + SignedDuration::from_hours(1);
            decide(pin, &Happened::Looked(Look::Nothing { began_at }), conditions, now)
        }
        _ => decide(pin, happened, conditions, now),
    }
}
