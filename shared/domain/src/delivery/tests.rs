//! The rules of publishing, one sentence each.

mod deeds;
mod doubt;
mod ends;
mod invariants;
mod pauses;
mod sending;
mod video;
mod waits;

use serde_json::json;

use super::*;
use crate::{ChannelId, Failure, PinId, Reason, State, TenantId, Timeline, words};

const WEEK: i64 = 7 * 24 * 60 * 60;

/// So many seconds after the Pin was to be published.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// A Pin that was to be published at 0, and is too late after a week.
fn pin(state: State) -> Pin {
    let image = json!({"kind": "image", "url": "https://example.com/a.jpg"});
    Pin {
        id: PinId::new(at(0), [1; 10]),
        tenant: TenantId("t".into()),
        channel_id: ChannelId::new(at(0), [2; 10]),
        draft: serde_json::from_value(json!({"board_id": "1", "media": image})).unwrap(),
        state,
        publish_at: at(0),
        give_up_at: at(WEEK),
        created_at: at(0),
        attempts: 0,
        setback: None,
        refused_token: None,
        waited_for: None,
        video: None,
        timeline: Timeline::default(),
        version: 1,
    }
}

/// The attempt that began at 0.
fn attempt() -> Attempt {
    Attempt { fence: "first".into(), started_at: at(0) }
}

fn sending() -> Pin {
    pin(State::Sending(attempt()))
}

fn in_doubt(retry_at: Option<i64>) -> Pin {
    pin(State::InDoubt { attempt: attempt(), looks: 0, retry_at: retry_at.map(at) })
}

fn waiting(reason: Reason, retry_at: Option<i64>) -> Pin {
    pin(State::Waiting { reason, retry_at: retry_at.map(at) })
}

fn ready() -> Conditions {
    Conditions {
        readiness: Readiness::Ready,
        lost: false,
        token_version: 1,
        scopes: Scopes::needed(),
        environment: Environment::Sandbox,
        fence: "next".into(),
        jitter: 0.5,
        uploads: true,
        last_pause: None,
    }
}

fn but(readiness: Readiness) -> Conditions {
    Conditions { readiness, ..ready() }
}

fn due(pin: &Pin, conditions: &Conditions, seconds: i64) -> Decision {
    decide(pin, &Happened::Due, conditions, at(seconds))
}

fn answered(pin: &Pin, outcome: Outcome, conditions: &Conditions, seconds: i64) -> Decision {
    let fence = attempt().fence;
    decide(pin, &Happened::Sent { fence, outcome }, conditions, at(seconds))
}

fn refused(pin: &Pin, refusal: Refusal, conditions: &Conditions, seconds: i64) -> Decision {
    let answer = Answer { http_status: Some(400), ..Answer::default() };
    answered(pin, Outcome::Refused(refusal, answer), conditions, seconds)
}

fn looked(pin: &Pin, look: Look, seconds: i64) -> Decision {
    decide(pin, &Happened::Looked(look), &ready(), at(seconds))
}

/// A complete look that began then and found nothing.
fn nothing(seconds: i64) -> Look {
    Look::Nothing { began_at: at(seconds) }
}

fn remote() -> PinterestPinId {
    PinterestPinId::try_from("99".to_owned()).unwrap()
}

fn created() -> Outcome {
    Outcome::Created(remote(), Answer::default())
}

fn is_published(pin: &Pin) -> bool {
    matches!(&pin.state, State::Published { pinterest_pin_id, .. } if *pinterest_pin_id == remote())
}

fn failure(pin: &Pin) -> Option<&str> {
    match &pin.state {
        State::Failed { error } => Some(&error.code),
        _ => None,
    }
}

fn waits_for(pin: &Pin) -> Option<(Reason, Option<Timestamp>)> {
    match pin.state {
        State::Waiting { reason, retry_at } => Some((reason, retry_at)),
        _ => None,
    }
}

/// When the board is looked at next.
fn next_look(pin: &Pin) -> Option<Timestamp> {
    match &pin.state {
        State::InDoubt { retry_at, .. } => *retry_at,
        other => panic!("not in doubt: {other:?}"),
    }
}

/// How many lines the timeline has had.
fn lines(pin: &Pin) -> usize {
    pin.timeline.entries.len() + usize::try_from(pin.timeline.dropped).unwrap()
}
