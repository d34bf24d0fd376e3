//! The rules of publishing, one sentence each.

mod blocked_links;
mod ends;
mod invariants;
mod outcome_unknown;
mod pauses;
mod sending;
mod steps;
mod video;
mod waits;

use serde_json::json;

use super::*;
use crate::matching::{Candidate, Likeness};
use crate::{ChannelId, Disabled, Failure, PinId, PinRecord, Reason, State, TenantId, Timeline, phrases};

const WEEK: i64 = 7 * 24 * 60 * 60;

/// So many seconds after the Pin was to be published.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// A Pin that was to be published at 0, and is too late after a week.
fn pin(state: State) -> Pin {
    let image = json!({"kind": "image", "url": "https://example.com/a.jpg"});
    Pin::restore(PinRecord {
        id: PinId::new(at(0), [1; 10]),
        tenant: TenantId("t".into()),
        channel_id: ChannelId::new(at(0), [2; 10]),
        draft: serde_json::from_value(json!({"board_id": "1", "media": image})).unwrap(),
        state,
        publish_at: at(0),
        give_up_at: at(WEEK),
        created_at: at(0),
        attempts: 0,
        repeats: 0,
        retry_counter: None,
        refused_token: None,
        waited_for: None,
        video: None,
        timeline: Timeline::default(),
        version: 1,
    })
}

/// The same Pin, changed as no transition would change it.
fn altered(pin: &Pin, change: impl FnOnce(&mut PinRecord)) -> Pin {
    let mut record = pin.record();
    change(&mut record);
    Pin::restore(record)
}

/// The attempt that began at 0.
fn attempt() -> Attempt {
    Attempt { fencing_token: "first".into(), started_at: at(0) }
}

fn sending() -> Pin {
    pin(State::Sending(attempt()))
}

fn outcome_unknown(retry_at: Option<i64>) -> Pin {
    pin(State::OutcomeUnknown { attempt: attempt(), checks_done: 0, retry_at: retry_at.map(at) })
}

fn waiting(reason: Reason, retry_at: Option<i64>) -> Pin {
    pin(State::Waiting { reason, retry_at: retry_at.map(at) })
}

fn ready() -> Context {
    Context {
        readiness: Readiness::Ready,
        refresh_impossible: false,
        token_version: 1,
        scopes: Scopes::required(),
        environment: Environment::Sandbox,
        fencing_token: "next".into(),
        jitter: 0.5,
        uploads: true,
        last_pause: None,
        blocked_links: BlockedLinks::default(),
    }
}

fn ready_but(readiness: Readiness) -> Context {
    Context { readiness, ..ready() }
}

fn due(pin: &Pin, context: &Context, seconds: i64) -> Transition {
    decide(pin, &Input::Due, context, at(seconds))
}

fn after_answer(pin: &Pin, outcome: Outcome, context: &Context, seconds: i64) -> Transition {
    let fencing_token = attempt().fencing_token;
    decide(pin, &Input::Sent { fencing_token, outcome }, context, at(seconds))
}

fn after_refusal(pin: &Pin, refusal: Refusal, context: &Context, seconds: i64) -> Transition {
    let answer = ResponseMeta { http_status: Some(400), ..ResponseMeta::default() };
    after_answer(pin, Outcome::Refused(refusal, answer), context, seconds)
}

fn after_board_check(pin: &Pin, board_check: BoardCheck, seconds: i64) -> Transition {
    decide(pin, &Input::BoardChecked(board_check), &ready(), at(seconds))
}

/// A complete board check that began then, and found Pins of this likeness.
fn resembling(seconds: i64, likenesses: &[Likeness]) -> BoardCheck {
    let to_match = |(number, likeness): (usize, &Likeness)| Match {
        likeness: *likeness,
        candidate: Candidate {
            pinterest_pin_id: PinterestPinId::try_from((99 + number).to_string()).unwrap(),
            created_at: None,
            differs: Vec::new(),
        },
    };
    BoardCheck::Possible {
        began_at: at(seconds),
        matches: likenesses.iter().enumerate().map(to_match).collect(),
    }
}

/// A complete board check that began then and found nothing.
fn nothing_found(seconds: i64) -> BoardCheck {
    BoardCheck::Nothing { began_at: at(seconds) }
}

fn remote() -> PinterestPinId {
    PinterestPinId::try_from("99".to_owned()).unwrap()
}

fn created() -> Outcome {
    Outcome::Created(remote(), ResponseMeta::default())
}

fn is_published(pin: &Pin) -> bool {
    matches!(&pin.state, State::Published { pinterest_pin_id, .. } if *pinterest_pin_id == remote())
}

fn failure(pin: &Pin) -> Option<&str> {
    pin.state.error().map(|error| error.code.as_str())
}

fn waits_for(pin: &Pin) -> Option<(Reason, Option<Timestamp>)> {
    match pin.state {
        State::Waiting { reason, retry_at } => Some((reason, retry_at)),
        _ => None,
    }
}

/// When the board is checked next.
fn next_board_check(pin: &Pin) -> Option<Timestamp> {
    match &pin.state {
        State::OutcomeUnknown { retry_at, .. } => *retry_at,
        other => panic!("not in doubt: {other:?}"),
    }
}

/// How many lines the timeline has had.
fn lines(pin: &Pin) -> usize {
    pin.timeline.entries.len() + usize::try_from(pin.timeline.dropped).unwrap()
}
