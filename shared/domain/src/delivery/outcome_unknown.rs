//! Finds out if an attempt with an unknown outcome has created the Pin.

use jiff::{SignedDuration, Timestamp};

use super::{
    Action, BOARD_CHECK_DELAYS, BoardCheck, Readiness, SideEffect, Transition, protocol::TransitionBuilder,
};
use crate::{
    Attempt, Message, Pause, PauseReason, Reason, Refusal, ResponseMeta, State, failures,
    matching::{Candidate, Likeness, Match},
    phrases,
};

/// The retry counter of board checks that did not reach the end of the list.
const BOARD_CHECK: &str = "look";
/// The time after which a board check that has begun may be begun again: it may be running, or its process has ended.
const BOARD_CHECK_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);
/// How long a Pin waits before it is sent again, after each attempt that has created nothing. An outage may last for days.
const REPEAT_DELAYS: [SignedDuration; 7] = [
    SignedDuration::ZERO,
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(3),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(12),
    SignedDuration::from_hours(24),
];
/// How many Pins of the board are shown to the person who decides.
pub const MAX_CANDIDATES: usize = 10;
/// After the last time for a check, this many incomplete checks in a row end the Pin.
const MAX_LATE_BOARD_CHECKS: u32 = 5;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The reason to wait during a pause.
pub(super) fn pause_message(pause: Pause) -> Message {
    match pause.reason {
        PauseReason::Quota => phrases::RATE_LIMITED.into(),
        PauseReason::SpamHold => phrases::SPAM_HOLD.into(),
        PauseReason::PinterestUnavailable => phrases::PINTEREST_FAILS.into(),
    }
}

impl TransitionBuilder<'_> {
    /// The board has to be checked. If it is being checked already, the checks continue as planned.
    pub(super) fn outcome_unknown(
        self,
        attempt: &Attempt,
        message: Message,
        response: &ResponseMeta,
    ) -> Transition {
        let state = match &self.pin.state {
            unknown @ State::OutcomeUnknown { .. } => unknown.clone(),
            _ => State::OutcomeUnknown {
                attempt: attempt.clone(),
                checks_done: 0,
                retry_at: Some((attempt.started_at + BOARD_CHECK_DELAYS[0]).max(self.now)),
            },
        };
        self.continue_waiting(state, "waiting", message, response)
    }

    /// Checks the board, if the channel can read it.
    pub(super) fn check_board(mut self, attempt: &Attempt, checks_done: u8) -> Transition {
        let is_late = self.now >= self.pin.final_check_at(attempt);
        if self.context.readiness.can_read() {
            if is_late && self.times(BOARD_CHECK) >= MAX_LATE_BOARD_CHECKS {
                return self.review_unread(attempt);
            }
            // A check that is running is not started again, however late it is.
            let timeout = self.now + BOARD_CHECK_TIMEOUT;
            let retry_at = Some(self.postpone(BOARD_CHECK, BOARD_CHECK_TIMEOUT).max(timeout));
            self.pin.state = State::OutcomeUnknown { attempt: attempt.clone(), checks_done, retry_at };
            return self.then(Action::CheckBoard(attempt.clone()), SideEffect::Nothing);
        }
        let (retry_at, message) = match self.context.readiness {
            Readiness::Ready | Readiness::Disconnected => return self.review_unread(attempt),
            _ if is_late => return self.review_unread(attempt),
            Readiness::ReconnectRequired => (None, phrases::BOARD_NEEDS_RECONNECT.into()),
            Readiness::TokenExpired => self.backoff_by_age(phrases::TOKEN_REFRESH, MINUTE),
            Readiness::SwitchedOff(why) => self.backoff_by_age(why.phrase(), MINUTE * 5),
            Readiness::Paused(pause) => (Some(pause.until.max(self.now + SECOND)), pause_message(pause)),
        };
        let side_effect = match self.context.readiness {
            Readiness::TokenExpired => SideEffect::RefreshToken,
            _ => SideEffect::Nothing,
        };
        let state = self.unknown_until(attempt, checks_done, retry_at);
        let wait = self.continue_waiting(state, "waiting", message, &ResponseMeta::default());
        Transition { side_effect, ..wait }
    }

    /// The decision after a board check.
    pub(super) fn board_checked(
        mut self,
        attempt: &Attempt,
        checks_done: u8,
        check: &BoardCheck,
    ) -> Transition {
        let none = ResponseMeta::default();
        match check {
            BoardCheck::Found(id) => self.published(id, phrases::FOUND_ON_BOARD, &none),
            BoardCheck::Nothing { began_at } => {
                self.pin.retry_counter = self.pin.retry_counter.filter(|counter| counter.code != BOARD_CHECK);
                match next_check_at(attempt, *began_at) {
                    Some(at) => self.check_again_at(at, attempt, checks_done),
                    None => self.repeat(),
                }
            }
            BoardCheck::Possible { began_at, matches } => {
                self.pin.retry_counter = self.pin.retry_counter.filter(|counter| counter.code != BOARD_CHECK);
                match next_check_at(attempt, *began_at) {
                    Some(at) => self.check_again_at(at, attempt, checks_done),
                    None => self.identify(attempt, matches),
                }
            }
            BoardCheck::Endless => self.review_unread(attempt),
            BoardCheck::Refused(Refusal::BoardGone, response) => self.fail(failures::board_gone(), response),
            BoardCheck::Failed(_) | BoardCheck::Refused(..)
                if self.now >= self.pin.final_check_at(attempt) =>
            {
                self.review_unread(attempt)
            }
            BoardCheck::Failed(detail) => {
                let retry_at = Some(self.backoff(self.times(BOARD_CHECK), MINUTE));
                let state = self.unknown_until(attempt, checks_done, retry_at);
                let message = phrases::BOARD_UNREADABLE.with([("detail", detail)]);
                self.continue_waiting(state, "looked", message, &none)
            }
            BoardCheck::Refused(refusal, response) => {
                let (retry_at, side_effect) = self.after_list_refusal(refusal);
                let state = self.unknown_until(attempt, checks_done, retry_at);
                let message = phrases::BOARD_LIST_REFUSED.into();
                let wait = self.continue_waiting(state, "looked", message, response);
                Transition { side_effect, ..wait }
            }
        }
    }

    /// When to check again after Pinterest has refused to list the board.
    fn after_list_refusal(&self, refusal: &Refusal) -> (Option<Timestamp>, SideEffect) {
        match refusal {
            Refusal::TokenDead if self.context.refresh_impossible => (None, SideEffect::Nothing),
            Refusal::TokenDead => {
                let next_tick = self.now + MINUTE;
                let retry_at = self.backoff(self.times(BOARD_CHECK), MINUTE).max(next_tick);
                (Some(retry_at), SideEffect::RefreshToken)
            }
            Refusal::Quota { retry_after } => {
                let (pause, side_effect) = self.rate_limited(*retry_after, self.times(BOARD_CHECK));
                (Some(pause.until), side_effect)
            }
            Refusal::Spam => {
                let pause = self.spam_hold();
                (Some(pause.until), SideEffect::PauseChannel(pause))
            }
            _ => (Some(self.backoff(self.times(BOARD_CHECK), MINUTE * 5)), SideEffect::Nothing),
        }
    }

    fn check_again_at(self, at: Timestamp, attempt: &Attempt, checks_done: u8) -> Transition {
        let state = self.unknown_until(attempt, checks_done.saturating_add(1), Some(at));
        self.enter(state, "looked", phrases::NOT_ON_BOARD_YET.into(), &ResponseMeta::default())
    }

    /// The last check has decided that the attempt created nothing: the Pin is sent again, at once the first time.
    fn repeat(mut self) -> Transition {
        self.pin.timeline.push(self.now, "looked", phrases::NOT_ON_BOARD.into());
        let repeats = usize::try_from(self.pin.repeats).unwrap_or(usize::MAX);
        self.pin.repeats = self.pin.repeats.saturating_add(1);
        let delay = REPEAT_DELAYS[repeats.min(REPEAT_DELAYS.len() - 1)];
        if delay.is_zero() {
            self.pin.state = State::Waiting { reason: Reason::OutcomeUnknown, retry_at: Some(self.now) };
            return self.start();
        }
        let retry_at = self.in_time(self.now + delay + delay.mul_f64(0.1 * self.context.jitter));
        let message = phrases::PINTEREST_FAILS.into();
        self.wait(Reason::PinterestUnavailable, Some(retry_at), message, &ResponseMeta::default())
    }

    /// The last check has found Pins that may be this one. If exactly one can be, and it differs only by Pinterest's own
    /// changes, it is this one. Otherwise a person decides.
    fn identify(self, attempt: &Attempt, matches: &[Match]) -> Transition {
        let mut rewritten = matches.iter().filter(|found| found.likeness == Likeness::Rewritten);
        if let (Some(found), None) = (rewritten.next(), rewritten.next()) {
            let id = &found.candidate.pinterest_pin_id;
            return self.published(id, phrases::FOUND_REWRITTEN, &ResponseMeta::default());
        }
        let candidates = matches.iter().map(|found| found.candidate.clone()).take(MAX_CANDIDATES).collect();
        self.review(attempt, candidates)
    }

    /// The board check could not find out the outcome of the attempt.
    fn review_unread(self, attempt: &Attempt) -> Transition {
        self.review(attempt, Vec::new())
    }

    fn review(self, attempt: &Attempt, candidates: Vec<Candidate>) -> Transition {
        let error = failures::needs_review(!candidates.is_empty());
        let message = error.message();
        let state = State::NeedsReview { attempt: attempt.clone(), candidates, error };
        self.enter(state, "needs_review", message, &ResponseMeta::default())
    }

    /// Unknown until `retry_at`, but not beyond the time when it must be decided.
    fn unknown_until(&self, attempt: &Attempt, checks_done: u8, retry_at: Option<Timestamp>) -> State {
        let end = self.pin.final_check_at(attempt);
        let retry_at = retry_at.map(|at| at.min(end));
        State::OutcomeUnknown { attempt: attempt.clone(), checks_done, retry_at }
    }
}

/// When to check after a check that began at `began_at`. `None`: it was the last one.
fn next_check_at(attempt: &Attempt, began_at: Timestamp) -> Option<Timestamp> {
    let age = began_at.duration_since(attempt.started_at);
    BOARD_CHECK_DELAYS.iter().find(|&&delay| delay > age).map(|&delay| attempt.started_at + delay)
}
