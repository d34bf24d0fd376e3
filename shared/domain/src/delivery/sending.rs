//! Sends a Pin, if nothing prevents it, and decides after Pinterest's answer.

use jiff::{SignedDuration, Timestamp};

use super::{
    Action, Outcome, Readiness, SideEffect, Transition, outcome_unknown::pause_message,
    protocol::TransitionBuilder,
};
use crate::{
    Attempt, File, Message, PauseReason, Pin, Reason, Refusal, ResponseMeta, State, failures, phrases,
};

/// A Pin fails when its image could not be fetched this many times in a row.
const MAX_MEDIA_TRIES: u32 = 3;
/// A Pin fails when this many new tokens in a row were refused. However long a refresh takes, it counts once.
const MAX_TOKEN_TRIES: u32 = 5;

/// The retry counter of rate limits.
const QUOTA: &str = "quota";

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl TransitionBuilder<'_> {
    /// Sends the Pin, if nothing prevents it.
    pub(super) fn start(mut self) -> Transition {
        let none = ResponseMeta::default();
        if self.context.readiness == Readiness::Disconnected {
            return self.enter(State::Cancelled, "cancelled", phrases::CHANNEL_DISCONNECTED.into(), &none);
        }
        if self.now >= self.pin.give_up_at {
            let failure = failures::too_late(self.pin.timeline.last_words());
            return self.fail(failure, &none);
        }
        match self.context.readiness {
            Readiness::Ready if self.pin.refused_token == Some(self.context.token_version) => {
                if self.context.refresh_impossible {
                    return self.await_owner(&none);
                }
                let (retry_at, _) = self.backoff_by_age(phrases::TOKEN_REFRESH, MINUTE);
                return self.await_token(retry_at, &none); // the refused token was not replaced yet
            }
            Readiness::Ready | Readiness::Disconnected => {}
            Readiness::SwitchedOff(why) => {
                let (retry_at, message) = self.backoff_by_age(why.phrase(), MINUTE * 5);
                return self.wait(Reason::PinterestUnavailable, retry_at, message, &none);
            }
            Readiness::ReconnectRequired => return self.await_owner(&none),
            Readiness::TokenExpired => {
                let (retry_at, _) = self.backoff_by_age(phrases::TOKEN_REFRESH, MINUTE);
                return self.await_token(retry_at, &none);
            }
            Readiness::Paused(pause) => {
                let reason = match pause.reason {
                    PauseReason::Quota => Reason::Quota,
                    PauseReason::SpamHold => Reason::SpamHold,
                    PauseReason::PinterestUnavailable => Reason::PinterestUnavailable,
                };
                // The pause may have ended since it was read.
                let retry_at = pause.until.max(self.now + SECOND);
                return self.wait(reason, Some(retry_at), pause_message(pause), &none);
            }
        }
        if !self.context.scopes.missing().is_empty() {
            return self.out_of_scope(&none);
        }
        if let Some(failure) = self.resting_host() {
            return self.fail(failure, &none);
        }
        if !self.video_is_ready() {
            return self.prepare_video();
        }
        let attempt = Attempt { fencing_token: self.context.fencing_token.clone(), started_at: self.now };
        self.pin.attempts = self.pin.attempts.saturating_add(1);
        self.pin.state = State::Sending(attempt.clone());
        let message = phrases::ATTEMPT.with([("number", self.pin.attempts)]);
        self.pin.timeline.push(self.now, "sending", message);
        self.then(Action::Send(attempt), SideEffect::Nothing)
    }

    /// The decision after a send.
    pub(super) fn sent(mut self, attempt: &Attempt, outcome: &Outcome) -> Transition {
        match outcome {
            Outcome::Created(id, response) => {
                let end_of_failures = self.end_of_failures();
                let published = self.published(id, phrases::CREATED, response);
                let side_effect = match published.side_effect {
                    SideEffect::Nothing => end_of_failures,
                    other => other,
                };
                Transition { side_effect, ..published }
            }
            Outcome::Unknown(response) => {
                let side_effect = SideEffect::PauseChannel(self.rest_after_failure());
                let wait = self.outcome_unknown(attempt, nothing_certain(response), response);
                Transition { side_effect, ..wait }
            }
            Outcome::NotSent(detail) => {
                let retry_at = self.postpone("not_sent", SECOND * 30);
                let message = phrases::NOT_SENT.with([("detail", detail)]);
                let none = ResponseMeta::default();
                self.wait(Reason::PinterestUnavailable, Some(retry_at), message, &none)
            }
            Outcome::Refused(refusal, response) => self.refused(refusal, response),
        }
    }

    pub(super) fn refused(mut self, refusal: &Refusal, response: &ResponseMeta) -> Transition {
        match refusal {
            Refusal::TokenDead if self.context.refresh_impossible => {
                self.pin.refused_token = Some(self.context.token_version);
                self.await_owner(response)
            }
            Refusal::TokenDead => {
                self.pin.refused_token = Some(self.context.token_version);
                let next_tick = self.now + MINUTE;
                let retry_at = self.postpone("token_dead", MINUTE).max(next_tick);
                if self.times("token_dead") >= MAX_TOKEN_TRIES {
                    return self.fail(failures::token_refused(), response);
                }
                self.await_token(Some(retry_at), response)
            }
            Refusal::Scope | Refusal::NotPermitted => self.out_of_scope(response),
            Refusal::Quota { retry_after } => {
                let before = self.times(QUOTA);
                self.count(QUOTA);
                let (pause, side_effect) = self.rate_limited(*retry_after, before);
                let message = phrases::RATE_LIMITED.into();
                let wait = self.wait(Reason::Quota, Some(pause.until), message, response);
                Transition { side_effect, ..wait }
            }
            Refusal::Spam => {
                let pause = self.spam_hold();
                self.count(Pin::SPAM);
                let message = taken_for_spam(response.message.as_deref());
                let wait = self.wait(Reason::SpamHold, Some(pause.until), message, response);
                Transition { side_effect: SideEffect::PauseChannel(pause), ..wait }
            }
            Refusal::LinkBlocked => self.link_blocked(response),
            Refusal::BoardGone => self.fail(failures::board_gone(), response),
            Refusal::SectionGone => self.fail(failures::section_gone(), response),
            Refusal::MediaUnreachable => {
                let retry_at = self.postpone("media_unreachable", SECOND * 30);
                let text = response.message.as_deref().unwrap_or("Pinterest could not fetch the image");
                if self.times("media_unreachable") >= MAX_MEDIA_TRIES {
                    let files = self.pin.draft.media.files();
                    let uploaded = files.iter().any(|file| matches!(file.file, File::Uploaded { .. }));
                    return self.fail(failures::media_unreachable(text, uploaded), response);
                }
                let message = phrases::MEDIA_UNREACHABLE.with([("message", text)]);
                self.wait(Reason::PinterestUnavailable, Some(retry_at), message, response)
            }
            Refusal::Busy => {
                let retry_at = self.postpone("busy", SECOND * 5);
                let message = phrases::BOARD_BUSY.into();
                self.wait(Reason::PinterestUnavailable, Some(retry_at), message, response)
            }
            Refusal::GrantDead | Refusal::Other => {
                let message = response.message.clone().unwrap_or_default();
                self.fail(failures::refused(&message), response)
            }
        }
    }

    fn out_of_scope(self, response: &ResponseMeta) -> Transition {
        let environment = self.context.environment;
        self.fail(failures::invalid_scope(environment), response)
    }

    /// Only `refresh` refreshes tokens: the Pin waits for one of its next ticks.
    fn await_token(self, retry_at: Option<Timestamp>, response: &ResponseMeta) -> Transition {
        let wait = self.wait(Reason::TokenRefresh, retry_at, phrases::TOKEN_REFRESH.into(), response);
        Transition { side_effect: SideEffect::RefreshToken, ..wait }
    }

    /// The next connection brings new tokens, so the count of the old ones does not matter any more.
    fn await_owner(mut self, response: &ResponseMeta) -> Transition {
        self.pin.retry_counter = None;
        self.wait(Reason::Reconnect, None, phrases::RECONNECT_REQUIRED.into(), response)
    }
}

/// Why the outcome of an attempt is unknown.
fn nothing_certain(response: &ResponseMeta) -> Message {
    match (&response.message, response.http_status) {
        (Some(message), _) => phrases::PINTEREST_FAILED_BECAUSE.with([("message", message)]),
        (None, _) if response.unreadable => phrases::ANSWER_UNREADABLE.into(),
        (None, Some(500..)) => phrases::PINTEREST_FAILED.into(),
        (None, _) => phrases::ANSWER_LOST.into(),
    }
}

/// A spam block, with Pinterest's own message.
fn taken_for_spam(message: Option<&str>) -> Message {
    match message {
        Some(message) => phrases::TAKEN_FOR_SPAM_BECAUSE.with([("message", message)]),
        None => phrases::TAKEN_FOR_SPAM.into(),
    }
}
