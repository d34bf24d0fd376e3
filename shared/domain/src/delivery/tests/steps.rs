//! What can happen to a Pin, in any order.

use proptest::{
    prelude::*,
    sample::{Index, select},
};

use super::*;
use crate::PauseReason;

/// One thing that happens, or one change of the world.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Pass(i64),
    Become(Readiness, bool),
    Due,
    ChannelReconnected,
    /// The answer to one of the attempts so far: always the same, however often and late it comes.
    Answer(Index, Outcome),
    /// A board check that began so many seconds ago.
    BoardCheck(BoardCheck, i64),
}

fn answer() -> impl Strategy<Value = ResponseMeta> {
    any::<bool>().prop_map(|has_status| ResponseMeta {
        http_status: has_status.then_some(400),
        ..ResponseMeta::default()
    })
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        select(vec![
            Refusal::TokenDead,
            Refusal::Spam,
            Refusal::MediaUnreachable,
            Refusal::Busy,
            Refusal::Scope,
            Refusal::BoardGone,
            Refusal::Other,
        ]),
        proptest::option::of(any::<u32>()).prop_map(|seconds| Refusal::Quota {
            retry_after: seconds.map(|seconds| SignedDuration::from_secs(seconds.into())),
        }),
    ]
}

fn passing_refusal() -> impl Strategy<Value = Refusal> {
    select(vec![Refusal::TokenDead, Refusal::Busy, Refusal::Spam, Refusal::Quota { retry_after: None }])
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => answer().prop_map(Outcome::Unknown),
        2 => (passing_refusal(), answer()).prop_map(|(refusal, answer)| Outcome::Refused(refusal, answer)),
        1 => (refusal(), answer()).prop_map(|(refusal, answer)| Outcome::Refused(refusal, answer)),
        1 => Just(Outcome::NotSent("no route".into())),
        1 => Just(created()),
    ]
}

fn board_check() -> impl Strategy<Value = BoardCheck> {
    prop_oneof![
        6 => Just(nothing_found(0)),
        1 => select(vec![Likeness::Similar, Likeness::Rewritten]).prop_map(|likeness| resembling(0, &[likeness])),
        1 => Just(BoardCheck::Failed("no route".into())),
        1 => (passing_refusal(), answer()).prop_map(|(refusal, answer)| BoardCheck::Refused(refusal, answer)),
    ]
}

fn readiness() -> impl Strategy<Value = Readiness> {
    let reasons = vec![PauseReason::SpamHold, PauseReason::Quota, PauseReason::PinterestUnavailable];
    let pause = (select(reasons), 0..WEEK).prop_map(|(reason, until)| {
        Readiness::Paused(Pause { reason, until: at(until), step: 0, failures: 0 })
    });
    prop_oneof![
        8 => Just(Readiness::Ready),
        1 => select(vec![Readiness::SwitchedOff(Disabled::SwitchedOff), Readiness::ReconnectRequired, Readiness::TokenExpired]),
        1 => pause,
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => select(vec![1, 14, 20, 34, 36, 61, 240, 319, 321, 3600, 86_400]).prop_map(Step::Pass),
        2 => (readiness(), any::<bool>()).prop_map(|(readiness, refresh_impossible)| Step::Become(readiness, refresh_impossible)),
        8 => Just(Step::Due),
        1 => Just(Step::ChannelReconnected),
        4 => (any::<Index>(), outcome()).prop_map(|(index, outcome)| Step::Answer(index, outcome)),
        4 => (board_check(), 0_i64..10).prop_map(|(board_check, ago)| Step::BoardCheck(board_check, ago)),
    ]
}
