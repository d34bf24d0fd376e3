//! Which step follows from what happened, and what the steps are made of.

use jiff::{SignedDuration, Timestamp};

use super::{Also, Conditions, Decision, Happened, Next, Outcome};
use crate::{Answer, Failure, Pin, PinterestPinId, Reason, Setback, State};

/// No wait that grows becomes longer than this.
pub(super) const LONGEST_BACKOFF: SignedDuration = SignedDuration::from_mins(30);

/// Before it is too late for a Pin, it is looked at once more while it can still be sent.
const LAST_CHANCE: SignedDuration = SignedDuration::from_mins(2);

/// The protocol.
#[must_use]
pub fn decide(pin: &Pin, happened: &Happened, conditions: &Conditions, now: Timestamp) -> Decision {
    let step = Step { pin: pin.clone(), conditions, now };
    match (&pin.state, happened) {
        (State::Published { .. } | State::Failed { .. } | State::Cancelled, _) => step.unchanged(),

        (State::Scheduled, Happened::Due) if now >= pin.publish_at => step.start(),
        (State::Waiting { retry_at, .. }, Happened::Due) if is_time(now, *retry_at, pin.give_up_at) => {
            step.start()
        }
        // A new token ends no rate limit and no outage: what waits for those has a time of its own.
        (
            State::Waiting { reason: Reason::Reconnect | Reason::TokenRefresh, .. }
            | State::Waiting { retry_at: None, .. },
            Happened::ChannelBack,
        ) => step.start(),

        // Before the limit, its process may be alive.
        (State::Sending(attempt), Happened::Due) if now >= attempt.started_at + Pin::SENDING_LIMIT => {
            let detail = "the process that was sending it ended without a word";
            step.doubt(attempt, detail, &Answer::default())
        }
        (State::InDoubt { attempt, looks, retry_at }, Happened::Due)
            if now >= retry_at.unwrap_or_else(|| pin.last_word(attempt)) =>
        {
            step.look(attempt, *looks)
        }
        (State::InDoubt { attempt, looks, retry_at: None }, Happened::ChannelBack) => {
            step.look(attempt, *looks)
        }
        (State::InDoubt { attempt, looks, .. }, Happened::Looked(look)) => step.looked(attempt, *looks, look),

        (State::Waiting { reason: Reason::VideoProcessing, .. }, Happened::Registered(answer)) => {
            step.registered(answer)
        }
        (State::Waiting { reason: Reason::VideoProcessing, .. }, Happened::Uploaded(outcome)) => {
            step.uploaded(outcome)
        }
        (State::Waiting { reason: Reason::VideoProcessing, .. }, Happened::Polled(answer)) => {
            step.polled(answer)
        }

        // The answer of an attempt counts as long as nothing was decided about that attempt.
        (State::Sending(attempt) | State::InDoubt { attempt, .. }, Happened::Sent { fence, outcome })
            if *fence == attempt.fence =>
        {
            step.sent(attempt, outcome)
        }
        // That the Pin is there is certain, whatever was concluded about its attempt meanwhile.
        (_, Happened::Sent { outcome: Outcome::Created(id, answer), .. }) => {
            step.published(id, "created", answer)
        }
        _ => step.unchanged(),
    }
}

/// Whether something that waits until `at` is to be looked at, which it is once more when its time ends.
fn is_time(now: Timestamp, at: Option<Timestamp>, end: Timestamp) -> bool {
    now >= end || at.is_none_or(|at| now >= at)
}

/// One decision in the making.
pub(super) struct Step<'a> {
    pub(super) pin: Pin,
    pub(super) conditions: &'a Conditions,
    pub(super) now: Timestamp,
}

impl Step<'_> {
    pub(super) fn unchanged(self) -> Decision {
        self.then(Next::Rest, Also::Nothing)
    }

    pub(super) fn then(self, next: Next, also: Also) -> Decision {
        Decision { pin: self.pin, next, also }
    }

    pub(super) fn rest(
        mut self,
        state: State,
        event: &str,
        detail: impl Into<String>,
        answer: &Answer,
    ) -> Decision {
        self.pin.timeline.record(self.now, event, detail, answer);
        self.pin.enter(state);
        self.unchanged()
    }

    /// Rests for the same cause as before, perhaps: then the timeline has said so, and once is enough.
    pub(super) fn go_on(mut self, state: State, event: &str, detail: &str, answer: &Answer) -> Decision {
        let last = self.pin.timeline.entries.last();
        let reason = |state: &State| state.waits_for().map(|(reason, _)| reason);
        let said = reason(&self.pin.state) == reason(&state)
            && last.is_some_and(|last| last.event == event && last.detail == detail);
        if said && answer == &Answer::default() {
            self.pin.enter(state);
            return self.unchanged();
        }
        self.rest(state, event, detail, answer)
    }

    pub(super) fn wait(
        self,
        reason: Reason,
        retry_at: Option<Timestamp>,
        detail: &str,
        answer: &Answer,
    ) -> Decision {
        self.go_on(State::Waiting { reason, retry_at }, "waiting", detail, answer)
    }

    pub(super) fn fail(self, failure: Failure, answer: &Answer) -> Decision {
        let detail = failure.detail.clone();
        self.rest(State::Failed { error: failure }, "failed", detail, answer)
    }

    pub(super) fn published(mut self, id: &PinterestPinId, how: &str, answer: &Answer) -> Decision {
        self.pin.setback = None;
        // The next call would be refused: whoever comes next need not try.
        let also = answer.spent_for_seconds.map_or(Also::Nothing, |seconds| {
            self.limited(Some(SignedDuration::from_secs(seconds.into())), 0).1
        });
        let state = State::Published { pinterest_pin_id: id.clone(), published_at: self.now };
        Decision { also, ..self.rest(state, "published", format!("{how} as {id}"), answer) }
    }

    /// When to see again whether a wait that ends without the Pin's doing is over: the longer it lasts already, the
    /// later, from `first` on. Written once a minute, a Pin that waits for weeks would cost more than all others.
    pub(super) fn patiently(&self, detail: &str, first: SignedDuration) -> Timestamp {
        let last = self.pin.timeline.entries.last();
        let since = last.filter(|last| last.detail == detail).map_or(self.now, |last| last.at);
        self.in_time(self.now + (self.now.duration_since(since) / 4).clamp(first, LONGEST_BACKOFF))
    }

    /// Then, or when there is a last chance before it is too late.
    pub(super) fn in_time(&self, then: Timestamp) -> Timestamp {
        let last = self.pin.give_up_at - LAST_CHANCE;
        if self.now < last { then.min(last) } else { then }
    }

    /// How often `code` has put the Pin off in a row.
    pub(super) fn times(&self, code: &str) -> u32 {
        let setback = self.pin.setback.as_ref();
        setback.filter(|setback| setback.code == code).map_or(0, |setback| setback.times)
    }

    /// Counts `code` once more, and says how often it is now in a row.
    pub(super) fn count(&mut self, code: &str) -> u32 {
        let times = self.times(code).saturating_add(1);
        self.pin.setback = Some(Setback { code: code.to_owned(), times });
        times
    }

    /// Counts `code` once more, and says when to try again: the oftener in a row, the later.
    pub(super) fn put_off(&mut self, code: &str, first: SignedDuration) -> Timestamp {
        let times = self.count(code);
        self.spaced(times, first)
    }

    pub(super) fn spaced(&self, times: u32, first: SignedDuration) -> Timestamp {
        self.now + crate::backoff(first, LONGEST_BACKOFF, times, self.conditions.jitter)
    }
}
