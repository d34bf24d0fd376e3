//! Sending a Pin, if everything allows it, and what the answer means.

use jiff::{SignedDuration, Timestamp};

use super::{Also, Decision, Next, Outcome, Readiness, protocol::Step};
use crate::{Answer, Attempt, File, PauseReason, Pin, Reason, Refusal, State, words};

/// Sending is given up when the image could not be fetched this often.
const MEDIA_TRIES: u32 = 3;
/// Sending is given up when so many new tokens in a row were refused. However long a renewal takes, it counts once.
const TOKEN_TRIES: u32 = 5;

/// What a rate limit counts as.
const QUOTA: &str = "quota";

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl Step<'_> {
    /// Sends, if everything allows it.
    pub(super) fn start(mut self) -> Decision {
        let none = Answer::default();
        if self.conditions.readiness == Readiness::Gone {
            let detail = "the channel was disconnected";
            return self.rest(State::Cancelled, "cancelled", detail, &none);
        }
        if self.now >= self.pin.give_up_at {
            return self.fail(words::too_late(), &none);
        }
        match self.conditions.readiness {
            Readiness::Ready if self.pin.refused_token == Some(self.conditions.token_version) => {
                if self.conditions.lost {
                    return self.await_owner(&none);
                }
                let retry_at = self.patiently(words::RENEWING, MINUTE);
                return self.await_token(retry_at, &none); // it has not been renewed yet
            }
            Readiness::Ready | Readiness::Gone => {}
            Readiness::SwitchedOff(why) => {
                let retry_at = self.patiently(why, MINUTE * 5);
                return self.wait(Reason::PinterestUnavailable, Some(retry_at), why, &none);
            }
            Readiness::ReconnectRequired => return self.await_owner(&none),
            Readiness::TokenExpired => {
                let retry_at = self.patiently(words::RENEWING, MINUTE);
                return self.await_token(retry_at, &none);
            }
            Readiness::Paused(pause) => {
                let (reason, detail) = match pause.reason {
                    PauseReason::Quota => (Reason::Quota, words::RATE_LIMIT),
                    PauseReason::SpamHold => (Reason::SpamHold, words::SPAM_HOLD),
                };
                // It may have ended since it was read.
                let retry_at = pause.until.max(self.now + SECOND);
                return self.wait(reason, Some(retry_at), detail, &none);
            }
        }
        if !self.conditions.scopes.missing().is_empty() {
            return self.out_of_scope(&none);
        }
        if !self.video_is_ready() {
            return self.prepare();
        }
        let attempt = Attempt { fence: self.conditions.fence.clone(), started_at: self.now };
        self.pin.attempts = self.pin.attempts.saturating_add(1);
        self.pin.state = State::Sending(attempt.clone());
        let detail = format!("attempt {}", self.pin.attempts);
        self.pin.timeline.note(self.now, "sending", detail);
        self.then(Next::Send(attempt), Also::Nothing)
    }

    /// What the answer to a send means.
    pub(super) fn sent(mut self, attempt: &Attempt, outcome: &Outcome) -> Decision {
        match outcome {
            Outcome::Created(id, answer) => self.published(id, "created", answer),
            Outcome::Unknown(answer) => {
                let detail = "Pinterest's answer did not come, so the Pin may exist";
                self.doubt(attempt, detail, answer)
            }
            Outcome::NotSent(detail) => {
                let retry_at = self.put_off("not_sent", SECOND * 30);
                let none = Answer::default();
                self.wait(Reason::PinterestUnavailable, Some(retry_at), detail, &none)
            }
            Outcome::Refused(refusal, answer) => self.refused(refusal, answer),
        }
    }

    pub(super) fn refused(mut self, refusal: &Refusal, answer: &Answer) -> Decision {
        match refusal {
            Refusal::TokenDead if self.conditions.lost => {
                self.pin.refused_token = Some(self.conditions.token_version);
                self.await_owner(answer)
            }
            Refusal::TokenDead => {
                self.pin.refused_token = Some(self.conditions.token_version);
                let next_tick = self.now + MINUTE;
                let retry_at = self.put_off("token_dead", MINUTE).max(next_tick);
                if self.times("token_dead") >= TOKEN_TRIES {
                    return self.fail(words::token_refused(), answer);
                }
                self.await_token(retry_at, answer)
            }
            Refusal::Scope => self.out_of_scope(answer),
            Refusal::Quota { retry_after } => {
                let before = self.times(QUOTA);
                self.count(QUOTA);
                let (pause, also) = self.limited(*retry_after, before);
                let wait = self.wait(Reason::Quota, Some(pause.until), words::RATE_LIMIT, answer);
                Decision { also, ..wait }
            }
            Refusal::Spam => {
                let pause = self.hold();
                self.count(Pin::SPAM);
                let detail = words::took_for_spam(answer.message.as_deref());
                let wait = self.wait(Reason::SpamHold, Some(pause.until), &detail, answer);
                Decision { also: Also::PauseChannel(pause), ..wait }
            }
            Refusal::BoardGone => self.fail(words::board_gone(), answer),
            Refusal::SectionGone => self.fail(words::section_gone(), answer),
            Refusal::MediaUnreachable => {
                let retry_at = self.put_off("media_unreachable", SECOND * 30);
                let message = answer.message.as_deref().unwrap_or("Pinterest could not fetch the image");
                if self.times("media_unreachable") >= MEDIA_TRIES {
                    let files = self.pin.draft.media.files();
                    let uploaded = files.iter().any(|(_, file, _)| matches!(file, File::Uploaded { .. }));
                    return self.fail(words::media_unreachable(message, uploaded), answer);
                }
                self.wait(Reason::PinterestUnavailable, Some(retry_at), message, answer)
            }
            Refusal::Busy => {
                let retry_at = self.put_off("busy", SECOND * 5);
                let detail = "another change of the same board was under way";
                self.wait(Reason::PinterestUnavailable, Some(retry_at), detail, answer)
            }
            Refusal::Other => {
                let message = answer.message.clone().unwrap_or_default();
                self.fail(words::refused(&message), answer)
            }
        }
    }

    fn out_of_scope(self, answer: &Answer) -> Decision {
        let environment = self.conditions.environment;
        self.fail(words::invalid_scope(environment), answer)
    }

    /// Only `refresh` refreshes: the Pin waits for one of its next ticks.
    fn await_token(self, retry_at: Timestamp, answer: &Answer) -> Decision {
        let wait = self.wait(Reason::TokenRefresh, Some(retry_at), words::RENEWING, answer);
        Decision { also: Also::RefreshToken, ..wait }
    }

    /// What the old tokens did is over when the owner has given new ones.
    fn await_owner(mut self, answer: &Answer) -> Decision {
        self.pin.setback = None;
        let detail = "the account has to be connected again";
        self.wait(Reason::Reconnect, None, detail, answer)
    }
}
