//! Finding out what became of an attempt whose outcome is unknown.

use jiff::{SignedDuration, Timestamp};

use super::{Also, Decision, LOOKS, Look, Next, Readiness, protocol::Step};
use crate::{Answer, Attempt, PauseReason, Reason, Refusal, State, words};

/// What a look that has not come to the end of the list counts as, until one does.
const LOOK: &str = "look";
/// A look that was begun is not begun again sooner: it may be under way, or may have ended its process.
const LOOK_LIMIT: SignedDuration = SignedDuration::from_mins(5);
/// When it is too late for more, so many looks in a row without an end were enough.
const LOOK_TRIES: u32 = 5;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl Step<'_> {
    /// From now on the Pin is looked for. Looks that have begun already go on as they were.
    pub(super) fn doubt(self, attempt: &Attempt, detail: &str, answer: &Answer) -> Decision {
        let state = match &self.pin.state {
            doubt @ State::InDoubt { .. } => doubt.clone(),
            _ => State::InDoubt {
                attempt: attempt.clone(),
                looks: 0,
                retry_at: Some((attempt.started_at + LOOKS[0]).max(self.now)),
            },
        };
        self.go_on(state, "waiting", detail, answer)
    }

    /// Looks at the board, if the channel can be read.
    pub(super) fn look(mut self, attempt: &Attempt, looks: u8) -> Decision {
        let late = self.now >= self.pin.last_word(attempt);
        let (retry_at, detail) = match self.conditions.readiness {
            Readiness::Ready if late && self.times(LOOK) >= LOOK_TRIES => return self.end_in_doubt(),
            Readiness::Ready => {
                // However late it is: a look under way is not begun again.
                let limit = self.now + LOOK_LIMIT;
                let retry_at = Some(self.put_off(LOOK, LOOK_LIMIT).max(limit));
                self.pin.state = State::InDoubt { attempt: attempt.clone(), looks, retry_at };
                return self.then(Next::Look(attempt.clone()), Also::Nothing);
            }
            Readiness::Gone => return self.end_in_doubt(),
            _ if late => return self.end_in_doubt(),
            Readiness::ReconnectRequired => {
                (None, "the board can be read when the account is connected again")
            }
            Readiness::TokenExpired => (Some(self.patiently(words::RENEWING, MINUTE)), words::RENEWING),
            Readiness::SwitchedOff(why) => (Some(self.patiently(why, MINUTE * 5)), why),
            Readiness::Paused(pause) => {
                let detail = match pause.reason {
                    PauseReason::Quota => words::RATE_LIMIT,
                    PauseReason::SpamHold => words::SPAM_HOLD,
                };
                (Some(pause.until.max(self.now + SECOND)), detail)
            }
        };
        let also = match self.conditions.readiness {
            Readiness::TokenExpired => Also::RefreshToken,
            _ => Also::Nothing,
        };
        let state = self.doubted(attempt, looks, retry_at);
        let wait = self.go_on(state, "waiting", detail, &Answer::default());
        Decision { also, ..wait }
    }

    /// What a look at the board means.
    pub(super) fn looked(mut self, attempt: &Attempt, looks: u8, look: &Look) -> Decision {
        let none = Answer::default();
        match look {
            Look::Found(id) => self.published(id, "found on the board", &none),
            Look::Nothing { began_at } => {
                self.pin.setback = self.pin.setback.filter(|setback| setback.code != LOOK);
                let age = began_at.duration_since(attempt.started_at);
                let Some(&after) = LOOKS.iter().find(|&&after| after > age) else {
                    return self.resend();
                };
                let state = self.doubted(attempt, looks.saturating_add(1), Some(attempt.started_at + after));
                self.rest(state, "looked", "not on the board yet", &none)
            }
            Look::Endless => self.end_in_doubt(),
            Look::Refused(Refusal::BoardGone, answer) => self.fail(words::board_gone(), answer),
            Look::Failed(_) | Look::Refused(..) if self.now >= self.pin.last_word(attempt) => {
                self.end_in_doubt()
            }
            Look::Failed(detail) => {
                let retry_at = Some(self.spaced(self.times(LOOK), MINUTE));
                let state = self.doubted(attempt, looks, retry_at);
                let detail = format!("the board could not be read: {detail}");
                self.go_on(state, "looked", &detail, &none)
            }
            Look::Refused(refusal, answer) => {
                let (retry_at, also) = self.after_refusal(refusal);
                let state = self.doubted(attempt, looks, retry_at);
                let wait = self.go_on(state, "looked", "Pinterest refused to list the board", answer);
                Decision { also, ..wait }
            }
        }
    }

    /// When to look again after Pinterest has refused to list the board.
    fn after_refusal(&self, refusal: &Refusal) -> (Option<Timestamp>, Also) {
        match refusal {
            Refusal::TokenDead if self.conditions.lost => (None, Also::Nothing),
            Refusal::TokenDead => {
                let next_tick = self.now + MINUTE;
                let retry_at = self.spaced(self.times(LOOK), MINUTE).max(next_tick);
                (Some(retry_at), Also::RefreshToken)
            }
            Refusal::Quota { retry_after } => {
                let (pause, also) = self.limited(*retry_after, self.times(LOOK));
                (Some(pause.until), also)
            }
            Refusal::Spam => {
                let pause = self.hold();
                (Some(pause.until), Also::PauseChannel(pause))
            }
            _ => (Some(self.spaced(self.times(LOOK), MINUTE * 5)), Also::Nothing),
        }
    }

    /// The last look is the one that decides: the attempt made nothing.
    fn resend(mut self) -> Decision {
        let detail = "not on the board: the attempt made nothing";
        self.pin.timeline.note(self.now, "looked", detail);
        self.pin.state = State::Waiting { reason: Reason::OutcomeUnknown, retry_at: Some(self.now) };
        self.start()
    }

    fn end_in_doubt(self) -> Decision {
        self.fail(words::outcome_unknown(), &Answer::default())
    }

    /// In doubt until `retry_at`, but not beyond the time when it must be decided.
    fn doubted(&self, attempt: &Attempt, looks: u8, retry_at: Option<Timestamp>) -> State {
        let end = self.pin.last_word(attempt);
        State::InDoubt { attempt: attempt.clone(), looks, retry_at: retry_at.map(|at| at.min(end)) }
    }
}
