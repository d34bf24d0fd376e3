//! Which transition follows from an input, and what transitions are made of.

use jiff::{SignedDuration, Timestamp};

use super::{Action, Context, Input, Outcome, SideEffect, Transition};
use crate::{
    Failure, Message, Phrase, Pin, PinRecord, PinterestPinId, Reason, ResponseMeta, RetryCounter, State,
    backoff::whole_millis, phrases,
};

/// The longest wait that backoff leads to.
pub(super) const MAX_BACKOFF: SignedDuration = SignedDuration::from_mins(30);

/// A waiting Pin is tried once more this long before its give-up time, while it can still be sent.
const LAST_CHANCE: SignedDuration = SignedDuration::from_mins(2);

/// The protocol.
#[must_use]
pub fn decide(pin: &Pin, input: &Input, context: &Context, now: Timestamp) -> Transition {
    let builder = TransitionBuilder { pin: pin.record(), context, now };
    match (&pin.state, input) {
        (State::Published { .. }, _) => builder.unchanged(),

        (State::Scheduled, Input::Due) if now >= pin.publish_at => builder.start(),
        (State::Waiting { retry_at, .. }, Input::Due) if is_time(now, *retry_at, pin.give_up_at) => {
            builder.start()
        }
        // A new token does not end a rate limit or an outage: Pins that wait for those have their own due time.
        (
            State::Waiting { reason: Reason::Reconnect | Reason::TokenRefresh, .. }
            | State::Waiting { retry_at: None, .. },
            Input::ChannelReconnected,
        ) => builder.start(),

        // Before the limit, its process may still be sending.
        (State::Sending(attempt), Input::Due) if now >= attempt.started_at + Pin::SENDING_LIMIT => {
            let message = phrases::PROCESS_ENDED.into();
            builder.outcome_unknown(attempt, message, &ResponseMeta::default())
        }
        (State::OutcomeUnknown { attempt, checks_done, retry_at }, Input::Due)
            if now >= retry_at.unwrap_or_else(|| pin.final_check_at(attempt)) =>
        {
            builder.check_board(attempt, *checks_done)
        }
        (State::OutcomeUnknown { attempt, checks_done, retry_at: None }, Input::ChannelReconnected) => {
            builder.check_board(attempt, *checks_done)
        }
        (State::OutcomeUnknown { attempt, checks_done, .. }, Input::BoardChecked(check)) => {
            builder.board_checked(attempt, *checks_done, check)
        }

        (State::Waiting { reason: Reason::VideoProcessing, .. }, Input::Registered(answer)) => {
            builder.registered(answer)
        }
        (State::Waiting { reason: Reason::VideoProcessing, .. }, Input::Uploaded(outcome)) => {
            builder.uploaded(outcome)
        }
        (State::Waiting { reason: Reason::VideoProcessing, .. }, Input::Polled(answer)) => {
            builder.polled(answer)
        }

        // The answer to an attempt counts as long as nothing was decided about that attempt.
        (
            State::Sending(attempt) | State::OutcomeUnknown { attempt, .. },
            Input::Sent { fencing_token, outcome },
        ) if *fencing_token == attempt.fencing_token => builder.sent(attempt, outcome),
        // It is certain that the Pin exists, even if something else was concluded about its attempt, or the Pin has ended.
        (_, Input::Sent { outcome: Outcome::Created(id, response), .. }) => {
            builder.published(id, phrases::CREATED, response)
        }
        _ => builder.unchanged(),
    }
}

/// Whether a wait until `at` is over. It is over at `end` in any case.
fn is_time(now: Timestamp, at: Option<Timestamp>, end: Timestamp) -> bool {
    now >= end || at.is_none_or(|at| now >= at)
}

/// Builds one transition.
pub(super) struct TransitionBuilder<'a> {
    pub(super) pin: PinRecord,
    pub(super) context: &'a Context,
    pub(super) now: Timestamp,
}

impl TransitionBuilder<'_> {
    pub(super) fn unchanged(self) -> Transition {
        self.then(Action::Rest, SideEffect::Nothing)
    }

    pub(super) fn then(self, action: Action, side_effect: SideEffect) -> Transition {
        Transition { pin: Pin::restore(self.pin), action, side_effect }
    }

    pub(super) fn enter(
        mut self,
        state: State,
        event: &str,
        message: Message,
        response: &ResponseMeta,
    ) -> Transition {
        self.pin.timeline.push_response(self.now, event, message, response);
        self.pin.transition_to(state);
        self.unchanged()
    }

    /// Continues to wait. If the timeline ends with the same entry already, it is not repeated.
    pub(super) fn continue_waiting(
        mut self,
        state: State,
        event: &str,
        message: Message,
        response: &ResponseMeta,
    ) -> Transition {
        let last = self.pin.timeline.entries.last();
        let reason = |state: &State| state.waits_for().map(|(reason, _)| reason);
        let is_repeated = reason(&self.pin.state) == reason(&state)
            && last.is_some_and(|last| last.event == event && last.detail == message.text);
        if is_repeated && response == &ResponseMeta::default() {
            self.pin.transition_to(state);
            return self.unchanged();
        }
        self.enter(state, event, message, response)
    }

    pub(super) fn wait(
        self,
        reason: Reason,
        retry_at: Option<Timestamp>,
        message: Message,
        response: &ResponseMeta,
    ) -> Transition {
        self.continue_waiting(State::Waiting { reason, retry_at }, "waiting", message, response)
    }

    pub(super) fn fail(self, failure: Failure, response: &ResponseMeta) -> Transition {
        let message = failure.message();
        self.enter(State::Failed { error: failure }, "failed", message, response)
    }

    /// Published as `id`. `how` has a place for the id.
    pub(super) fn published(
        mut self,
        id: &PinterestPinId,
        how: Phrase,
        response: &ResponseMeta,
    ) -> Transition {
        self.pin.retry_counter = None;
        // The next call would be refused, so the channel pauses before it.
        let side_effect = match response.spent_for_seconds {
            Some(seconds) => self.rate_limited(Some(SignedDuration::from_secs(seconds.into())), 0).1,
            None => self.forget_blocked_link(),
        };
        let state = State::Published { pinterest_pin_id: id.clone(), published_at: self.now };
        let message = how.with([("pinterest_pin_id", id)]);
        Transition { side_effect, ..self.enter(state, "published", message, response) }
    }

    /// The time of the next check for a wait that ends from outside, and the message of that wait. The interval begins with
    /// `first` and grows with the age of the wait: otherwise a Pin that waits for weeks would be written every minute, and
    /// cost more than all others.
    pub(super) fn backoff_by_age(
        &self,
        phrase: Phrase,
        first: SignedDuration,
    ) -> (Option<Timestamp>, Message) {
        let message = Message::from(phrase);
        let last = self.pin.timeline.entries.last();
        let since = last.filter(|last| last.detail == message.text).map_or(self.now, |last| last.at);
        let interval = whole_millis(self.now.duration_since(since) / 4).clamp(first, MAX_BACKOFF);
        (Some(self.in_time(self.now + interval)), message)
    }

    /// `then`, or the last chance before the Pin's time is over.
    pub(super) fn in_time(&self, then: Timestamp) -> Timestamp {
        let last = self.pin.give_up_at - LAST_CHANCE;
        if self.now < last { then.min(last) } else { then }
    }

    /// How many times in a row `code` was the cause of a retry.
    pub(super) fn times(&self, code: &str) -> u32 {
        let counter = self.pin.retry_counter.as_ref();
        counter.filter(|counter| counter.code == code).map_or(0, |counter| counter.times)
    }

    /// Counts `code` once more, and returns how many times in a row it occurred.
    pub(super) fn count(&mut self, code: &str) -> u32 {
        let times = self.times(code).saturating_add(1);
        self.pin.retry_counter = Some(RetryCounter { code: code.to_owned(), times });
        times
    }

    /// Counts `code` once more, and returns when to try again: the more times in a row, the later.
    pub(super) fn postpone(&mut self, code: &str, first: SignedDuration) -> Timestamp {
        let times = self.count(code);
        self.backoff(times, first)
    }

    /// When to try again after `times` failures in a row.
    pub(super) fn backoff(&self, times: u32, first: SignedDuration) -> Timestamp {
        self.now + crate::backoff(first, MAX_BACKOFF, times, self.context.jitter)
    }
}
