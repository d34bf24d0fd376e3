//! The protocol of publishing: at most one Pin at Pinterest for each Pin here, and none forgotten.
//!
//! Pinterest has no idempotency key: the same body twice makes two Pins. So a Pin is sent by the one process
//! that wrote [`State::Sending`], and an attempt whose outcome is unknown is never repeated before the board
//! was looked at, completely, late enough for its list to have caught up.
//!
//! Everything here is a decision: what is, what happened and the time go in, what shall be and the next deed
//! come out. Drivers save the first, then do the second.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Answer, Attempt, Environment, Failure, Pause, PauseReason, Pin, PinterestPinId, Reason, Refusal, Scopes,
    Setback, State, words,
};

/// When the board is looked at, counted from the start of the attempt. An effect comes at most 30 s after a
/// send, which comes at most 5 s after the start; a list may lag by two minutes: only the last look decides.
pub const LOOKS: [SignedDuration; 3] = [
    SignedDuration::from_secs(15),
    SignedDuration::from_secs(60),
    SignedDuration::from_secs(300),
];

/// A limit that ends later than this is the app's (Trial's day), not the account's (a minute).
const APP_WIDE: SignedDuration = SignedDuration::from_mins(5);
/// Sending is given up when the image could not be fetched this often.
const MEDIA_TRIES: u32 = 3;
/// Sending is given up when a renewed token was refused this often.
const TOKEN_TRIES: u32 = 5;

/// What is known of a Pin's channel when its time has come.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Whether it may be sent, and if not, why.
    pub readiness: Readiness,
    /// Nobody can renew the tokens any more: the access token is used until it is refused or expires.
    pub lost: bool,
    /// What the account's owner granted.
    pub scopes: Scopes,
    /// On which host the channel lives: words depend on it.
    pub environment: Environment,
    /// What would mark a new attempt: random, never used before.
    pub fence: String,
    /// Spreads retries: at least 0, less than 1.
    pub jitter: f64,
    /// The channel's last pause, over or not: a hold soon after a hold is longer.
    pub last_pause: Option<Pause>,
}

/// Whether a channel can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It was disconnected.
    Gone,
    /// An admin switched the integration off.
    SwitchedOff,
    /// Its owner has to connect it again.
    ReconnectRequired,
    /// Its access token has expired; a new one is on its way.
    TokenExpired,
    /// Pinterest asked for a break.
    Paused(Pause),
}

/// What happened to a Pin.
#[derive(Clone, Debug)]
pub enum Happened {
    /// Its time has come.
    Due,
    /// Its channel was connected again, or has a new token.
    ChannelBack,
    /// The call of `fence` ended.
    Sent {
        /// Of which attempt.
        fence: String,
        /// How.
        outcome: Outcome,
    },
    /// The board was looked at for the attempt in doubt.
    Looked(Look),
}

/// How a `POST /pins` ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The Pin is at Pinterest.
    Created(PinterestPinId, Answer),
    /// Certainly no Pin was made.
    Refused(Refusal, Answer),
    /// Certainly nothing was sent.
    NotSent(String),
    /// A timeout, a 5xx, an answer that broke off.
    Unknown(Answer),
}

/// What a look at the board showed.
#[derive(Clone, Debug)]
pub enum Look {
    /// This Pin of the board is ours, and is bound to it.
    Found(PinterestPinId),
    /// The list was read completely, and holds nothing of ours. The look began at `began_at`.
    Nothing {
        /// Before the first page was asked for.
        began_at: Timestamp,
    },
    /// The list could not be read.
    Refused(Refusal, Answer),
    /// Pinterest could not be reached, or the answer made no sense.
    Failed(String),
    /// The board is too large to be read to its end.
    Endless,
}

/// What to do once the Pin is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send it, if less than 5 s have passed since the save began.
    Send(Attempt),
    /// Look at the board for what this attempt may have made.
    Look(Attempt),
    /// Nothing now.
    Rest,
}

/// What else changes in the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Also {
    /// Nothing.
    Nothing,
    /// The channel sends nothing until then.
    PauseChannel(Pause),
    /// No channel of this environment sends anything until then.
    PauseApp(Pause),
    /// The channel's tokens are due for a refresh now.
    RefreshToken,
}

/// What shall be, and what to do.
#[derive(Clone, Debug)]
pub struct Decision {
    /// To be saved if it differs from what was read.
    pub pin: Pin,
    /// To be done after the save, by the process that saved.
    pub next: Next,
    /// To be saved with it.
    pub also: Also,
}

/// A decision function: drivers take it as an argument, so that tests can break it.
pub type Decide = fn(&Pin, &Happened, &Conditions, Timestamp) -> Decision;

/// The protocol.
#[must_use]
pub fn decide(pin: &Pin, happened: &Happened, conditions: &Conditions, now: Timestamp) -> Decision {
    let step = Step {
        pin: pin.clone(),
        conditions,
        now,
    };
    match (happened, &pin.state) {
        (Happened::Due, State::Scheduled) if now < pin.publish_at => step.unchanged(),
        (
            Happened::Due,
            State::Waiting {
                retry_at: Some(at), ..
            }
            | State::InDoubt {
                retry_at: Some(at), ..
            },
        ) if now < *at && now <= pin.give_up_at => step.unchanged(),
        (Happened::Due, State::Scheduled)
        | (Happened::Due | Happened::ChannelBack, State::Waiting { .. }) => step.start(),
        (Happened::Due, State::Sending(attempt)) if now < attempt.started_at + Pin::SENDING_LIMIT => {
            step.unchanged() // its process may be alive
        }
        (Happened::Due, State::Sending(attempt)) => {
            let attempt = attempt.clone();
            step.doubt(
                attempt,
                "the process that was sending it ended without a word",
                &Answer::default(),
            )
        }
        (Happened::Due | Happened::ChannelBack, State::InDoubt { attempt, .. }) => {
            let attempt = attempt.clone();
            step.look(attempt)
        }
        // The answer of an attempt counts as long as nothing was decided about that attempt.
        (Happened::Sent { fence, outcome }, State::Sending(attempt) | State::InDoubt { attempt, .. })
            if *fence == attempt.fence =>
        {
            let attempt = attempt.clone();
            step.sent(attempt, outcome)
        }
        (Happened::Looked(look), State::InDoubt { attempt, looks, .. }) => {
            let (attempt, looks) = (attempt.clone(), *looks);
            step.looked(attempt, looks, look)
        }
        _ => step.unchanged(),
    }
}

struct Step<'a> {
    pin: Pin,
    conditions: &'a Conditions,
    now: Timestamp,
}

impl Step<'_> {
    fn unchanged(self) -> Decision {
        Decision {
            pin: self.pin,
            next: Next::Rest,
            also: Also::Nothing,
        }
    }

    fn rest(mut self, state: State, event: &str, detail: impl Into<String>, answer: &Answer) -> Decision {
        self.pin.timeline.record(self.now, event, detail, answer);
        self.pin.state = state;
        self.unchanged()
    }

    fn fail(self, failure: Failure, answer: &Answer) -> Decision {
        let detail = failure.detail.clone();
        self.rest(State::Failed { error: failure }, "failed", detail, answer)
    }

    fn wait(self, reason: Reason, retry_at: Option<Timestamp>, detail: &str, answer: &Answer) -> Decision {
        // A Pin that goes on waiting for the same thing says so once.
        let silent = answer == &Answer::default()
            && matches!(&self.pin.state, State::Waiting { reason: before, .. } if *before == reason);
        let state = State::Waiting { reason, retry_at };
        if silent {
            let mut pin = self.pin;
            pin.state = state;
            return Decision {
                pin,
                next: Next::Rest,
                also: Also::Nothing,
            };
        }
        self.rest(state, "waiting", detail, answer)
    }

    /// Sends, if everything allows it.
    fn start(mut self) -> Decision {
        let none = Answer::default();
        if self.now > self.pin.give_up_at {
            return self.fail(words::too_late(), &none);
        }
        match self.conditions.readiness {
            Readiness::Gone => {
                return self.rest(
                    State::Cancelled,
                    "cancelled",
                    "the channel was disconnected",
                    &none,
                );
            }
            Readiness::SwitchedOff => {
                let retry_at = self.now + SignedDuration::from_mins(5);
                return self.wait(
                    Reason::PinterestUnavailable,
                    Some(retry_at),
                    words::SWITCHED_OFF,
                    &none,
                );
            }
            Readiness::ReconnectRequired => {
                return self.wait(
                    Reason::Reconnect,
                    None,
                    "the account has to be connected again",
                    &none,
                );
            }
            Readiness::TokenExpired => return self.await_token(&none),
            Readiness::Paused(pause) => {
                let (reason, detail) = match pause.reason {
                    PauseReason::Quota => (Reason::Quota, "Pinterest's rate limit is used up"),
                    PauseReason::SpamHold => (Reason::SpamHold, "the account rests after a spam block"),
                };
                return self.wait(reason, Some(pause.until), detail, &none);
            }
            Readiness::Ready => {}
        }
        if !self.conditions.scopes.missing().is_empty() {
            let environment = self.conditions.environment;
            return self.fail(words::invalid_scope(environment), &none);
        }
        let attempt = Attempt {
            fence: self.conditions.fence.clone(),
            started_at: self.now,
        };
        self.pin.state = State::Sending(attempt.clone());
        self.pin.attempts += 1;
        self.pin
            .timeline
            .note(self.now, "sending", format!("attempt {}", self.pin.attempts));
        Decision {
            pin: self.pin,
            next: Next::Send(attempt),
            also: Also::Nothing,
        }
    }

    /// What the answer to a send means.
    fn sent(mut self, attempt: Attempt, outcome: &Outcome) -> Decision {
        match outcome {
            Outcome::Created(id, answer) => self.published(id, "created", answer),
            Outcome::Unknown(answer) => self.doubt(
                attempt,
                "Pinterest's answer did not come, so the Pin may exist",
                answer,
            ),
            Outcome::NotSent(detail) => {
                let retry_at = self.backoff("not_sent", SignedDuration::from_secs(30));
                self.wait(
                    Reason::PinterestUnavailable,
                    Some(retry_at),
                    detail,
                    &Answer::default(),
                )
            }
            Outcome::Refused(refusal, answer) => self.refused(refusal, answer),
        }
    }

    fn refused(mut self, refusal: &Refusal, answer: &Answer) -> Decision {
        match refusal {
            Refusal::TokenDead if self.conditions.lost => self.wait(
                Reason::Reconnect,
                None,
                "the account has to be connected again",
                answer,
            ),
            Refusal::TokenDead if self.again("token_dead") >= TOKEN_TRIES => {
                self.fail(words::token_refused(), answer)
            }
            Refusal::TokenDead => self.await_token(answer),
            Refusal::Scope => {
                let environment = self.conditions.environment;
                self.fail(words::invalid_scope(environment), answer)
            }
            Refusal::Quota { retry_after } => {
                let pause = self.quota(*retry_after);
                let app = retry_after.is_some_and(|wait| wait >= APP_WIDE);
                let mut decision = self.wait(
                    Reason::Quota,
                    Some(pause.until),
                    "Pinterest's rate limit is used up",
                    answer,
                );
                decision.also = if app {
                    Also::PauseApp(pause)
                } else {
                    Also::PauseChannel(pause)
                };
                decision
            }
            Refusal::Spam => {
                let pause = self.hold();
                let detail = "Pinterest took it for spam: the account rests";
                let mut decision = self.wait(Reason::SpamHold, Some(pause.until), detail, answer);
                decision.also = Also::PauseChannel(pause);
                decision
            }
            Refusal::BoardGone => self.fail(words::board_gone(), answer),
            Refusal::SectionGone => self.fail(words::section_gone(), answer),
            Refusal::MediaUnreachable => {
                let retry_at = self.backoff("media_unreachable", SignedDuration::from_secs(30));
                if self.times() >= MEDIA_TRIES {
                    return self.fail(words::media_unreachable(), answer);
                }
                let detail = "Pinterest could not fetch the image";
                self.wait(Reason::PinterestUnavailable, Some(retry_at), detail, answer)
            }
            Refusal::Busy => {
                let retry_at = self.backoff("busy", SignedDuration::from_secs(5));
                let detail = "another change of the same board was under way";
                self.wait(Reason::PinterestUnavailable, Some(retry_at), detail, answer)
            }
            Refusal::Other => {
                let message = answer.message.clone().unwrap_or_default();
                self.fail(words::refused(&message), answer)
            }
        }
    }

    /// Looks at the board, if the channel can be read.
    fn look(self, attempt: Attempt) -> Decision {
        if self.now > self.pin.give_up_at && self.conditions.readiness != Readiness::Ready {
            return self.fail(words::outcome_unknown(), &Answer::default());
        }
        let (looks, minutes) = (self.looks(), SignedDuration::from_mins(1));
        let retry_at = match self.conditions.readiness {
            Readiness::Ready => {
                return Decision {
                    pin: self.pin,
                    next: Next::Look(attempt),
                    also: Also::Nothing,
                };
            }
            Readiness::Gone => return self.fail(words::outcome_unknown(), &Answer::default()),
            Readiness::ReconnectRequired => None,
            Readiness::TokenExpired => Some(self.now + minutes),
            Readiness::SwitchedOff => Some(self.now + minutes * 5),
            Readiness::Paused(pause) => Some(pause.until),
        };
        let also = match self.conditions.readiness {
            Readiness::TokenExpired => Also::RefreshToken,
            _ => Also::Nothing,
        };
        let mut pin = self.pin;
        pin.state = State::InDoubt {
            attempt,
            looks,
            retry_at,
        };
        Decision {
            pin,
            next: Next::Rest,
            also,
        }
    }

    fn looked(mut self, attempt: Attempt, looks: u8, look: &Look) -> Decision {
        let none = Answer::default();
        match look {
            Look::Failed(_) | Look::Refused(..) if self.now > self.pin.give_up_at => {
                self.fail(words::outcome_unknown(), &none)
            }
            Look::Found(id) => self.published(id, "found on the board", &none),
            Look::Nothing { began_at } => {
                let age = began_at.duration_since(attempt.started_at);
                match LOOKS.iter().find(|&&after| after > age) {
                    // The last look is the one that decides: the attempt made nothing.
                    None => self.resend(),
                    Some(&after) => {
                        let retry_at = Some(attempt.started_at + after);
                        let state = State::InDoubt {
                            attempt,
                            looks: looks + 1,
                            retry_at,
                        };
                        self.rest(state, "looked", "not on the board yet", &none)
                    }
                }
            }
            Look::Failed(detail) => {
                let retry_at = Some(self.backoff("look_failed", SignedDuration::from_secs(60)));
                let state = State::InDoubt {
                    attempt,
                    looks,
                    retry_at,
                };
                self.rest(
                    state,
                    "looked",
                    format!("the board could not be read: {detail}"),
                    &none,
                )
            }
            Look::Refused(Refusal::BoardGone, answer) => self.fail(words::board_gone(), answer),
            Look::Refused(refusal, answer) => {
                let (retry_at, also) = match refusal {
                    Refusal::TokenDead => (self.now + SignedDuration::from_mins(1), Also::RefreshToken),
                    Refusal::Quota { retry_after } => {
                        let pause = self.quota(*retry_after);
                        (pause.until, Also::PauseChannel(pause))
                    }
                    _ => (
                        self.backoff("look_refused", SignedDuration::from_mins(5)),
                        Also::Nothing,
                    ),
                };
                let state = State::InDoubt {
                    attempt,
                    looks,
                    retry_at: Some(retry_at),
                };
                let mut decision = self.rest(state, "looked", "Pinterest refused to list the board", answer);
                decision.also = also;
                decision
            }
            Look::Endless => self.fail(words::outcome_unknown(), &none),
        }
    }

    fn resend(mut self) -> Decision {
        self.pin
            .timeline
            .note(self.now, "looked", "not on the board: it is sent again");
        self.pin.state = State::Waiting {
            reason: Reason::OutcomeUnknown,
            retry_at: Some(self.now),
        };
        self.start()
    }

    fn published(mut self, id: &PinterestPinId, how: &str, answer: &Answer) -> Decision {
        self.pin.setback = None;
        let state = State::Published {
            pinterest_pin_id: id.clone(),
            published_at: self.now,
        };
        self.rest(state, "published", format!("{how} as {id}"), answer)
    }

    fn doubt(self, attempt: Attempt, detail: &str, answer: &Answer) -> Decision {
        let first = (attempt.started_at + LOOKS[0]).max(self.now);
        let state = State::InDoubt {
            attempt,
            looks: 0,
            retry_at: Some(first),
        };
        self.rest(state, "waiting", detail, answer)
    }

    /// Only `refresh` refreshes: the Pin waits for its next tick.
    fn await_token(self, answer: &Answer) -> Decision {
        let retry_at = self.now + SignedDuration::from_mins(1);
        let detail = "the access token is being renewed";
        let mut decision = self.wait(Reason::TokenRefresh, Some(retry_at), detail, answer);
        decision.also = Also::RefreshToken;
        decision
    }

    fn looks(&self) -> u8 {
        match &self.pin.state {
            State::InDoubt { looks, .. } => *looks,
            _ => 0,
        }
    }

    /// Counts how often `code` has put the Pin off in a row, this time included.
    fn again(&mut self, code: &str) -> u32 {
        let times = match &self.pin.setback {
            Some(setback) if setback.code == code => setback.times + 1,
            _ => 1,
        };
        self.pin.setback = Some(Setback {
            code: code.to_owned(),
            times,
        });
        times
    }

    fn times(&self) -> u32 {
        self.pin.setback.as_ref().map_or(0, |setback| setback.times)
    }

    fn backoff(&mut self, code: &str, first: SignedDuration) -> Timestamp {
        let times = self.again(code);
        self.now
            + crate::backoff(
                first,
                SignedDuration::from_mins(30),
                times,
                self.conditions.jitter,
            )
    }

    fn quota(&self, retry_after: Option<SignedDuration>) -> Pause {
        let wait = retry_after
            .unwrap_or(SignedDuration::from_secs(60))
            .max(SignedDuration::from_secs(1));
        let spread = wait.mul_f64(0.1 * self.conditions.jitter);
        Pause {
            reason: PauseReason::Quota,
            until: self.now + wait + spread,
            step: 0,
        }
    }

    /// Each hold is longer than the one before, until a day has passed without one.
    fn hold(&self) -> Pause {
        const HOURS: [SignedDuration; 4] = [
            SignedDuration::from_mins(10),
            SignedDuration::from_hours(1),
            SignedDuration::from_hours(6),
            SignedDuration::from_hours(24),
        ];
        let last = self
            .conditions
            .last_pause
            .filter(|pause| pause.reason == PauseReason::SpamHold);
        let step = match last {
            Some(last) if self.now.duration_since(last.until) < HOURS[3] => (last.step + 1).min(3),
            _ => 0,
        };
        Pause {
            reason: PauseReason::SpamHold,
            until: self.now + HOURS[usize::from(step)],
            step,
        }
    }
}
