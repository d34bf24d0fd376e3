//! A row, and the Pin that it stands for.

use domain::{
    Attempt, BlockedLinks, ChannelId, Environment, Failure, Pin, PinId, PinRecord, Reason, RetryCounter,
    Scopes, State, TenantId, Timeline,
    delivery::{Context, Readiness},
};
use serde_json::json;

use super::world::{Row, Seconds, Stage, Trial, at, fencing_token, remote, seconds, word};

/// The Pin that all rows are rows of, but for what a row says itself.
pub(super) fn template(publish_at: Seconds, patience: Seconds) -> Pin {
    let image = json!({"kind": "image", "url": "https://example.com/a.jpg"});
    Pin::restore(PinRecord {
        id: PinId::new(at(0), [1; 10]),
        tenant: TenantId("t".into()),
        channel_id: ChannelId::new(at(0), [2; 10]),
        draft: serde_json::from_value(json!({"board_id": "1", "media": image})).unwrap(),
        state: State::Scheduled,
        publish_at: at(publish_at),
        give_up_at: at(publish_at + patience),
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

impl Row {
    /// Counts versions and fences from later on.
    pub(super) fn renumber(&mut self, versions: u8, fences: u8) {
        self.version -= versions;
        self.attempts -= fences;
        if let Stage::Sending(trial) | Stage::OutcomeUnknown { trial, .. } = &mut self.stage {
            trial.fencing_token -= fences;
        }
    }

    /// The Pin whose row this is.
    pub(super) fn pin(&self, template: &Pin) -> Pin {
        let attempt = |trial: &Trial| Attempt {
            fencing_token: fencing_token(trial.fencing_token),
            started_at: at(trial.started_at),
        };
        let state = match &self.stage {
            Stage::Scheduled => State::Scheduled,
            Stage::Sending(trial) => State::Sending(attempt(trial)),
            // No channel is ever lost here, so it does not matter what for.
            Stage::Waiting(until) => {
                State::Waiting { reason: Reason::PinterestUnavailable, retry_at: until.map(at) }
            }
            Stage::OutcomeUnknown { trial, retry_at } => {
                State::OutcomeUnknown { attempt: attempt(trial), checks_done: 0, retry_at: retry_at.map(at) }
            }
            Stage::Published(number) => {
                State::Published { pinterest_pin_id: remote(*number), published_at: at(0) }
            }
            Stage::Failed(code) => State::Failed { error: Failure::new(code, "", "") },
            Stage::Cancelled => State::Cancelled,
        };
        Pin::restore(PinRecord {
            state,
            attempts: self.attempts.into(),
            repeats: self.repeats.into(),
            retry_counter: self
                .retry_counter
                .map(|(code, times)| RetryCounter { code: code.to_owned(), times: times.into() }),
            version: self.version.into(),
            ..template.record()
        })
    }

    /// What is kept of a Pin.
    pub(super) fn of(pin: &Pin) -> Self {
        let trial = |attempt: &Attempt| Trial {
            fencing_token: attempt.fencing_token.parse().unwrap(),
            started_at: seconds(attempt.started_at),
        };
        let stage = match &pin.state {
            State::Scheduled => Stage::Scheduled,
            State::Sending(attempt) => Stage::Sending(trial(attempt)),
            State::Waiting { retry_at, .. } => Stage::Waiting(retry_at.map(seconds)),
            // How many looks there were is told to nobody but people.
            State::OutcomeUnknown { attempt, retry_at, .. } => {
                Stage::OutcomeUnknown { trial: trial(attempt), retry_at: retry_at.map(seconds) }
            }
            State::Published { pinterest_pin_id, .. } => {
                Stage::Published(pinterest_pin_id.as_str().parse().unwrap())
            }
            // What a person decides then is not a worker's doing.
            State::NeedsReview { error, .. } | State::Failed { error } => Stage::Failed(word(&error.code)),
            State::Cancelled => Stage::Cancelled,
        };
        Self {
            stage,
            attempts: pin.attempts.try_into().unwrap(),
            repeats: pin.repeats.try_into().unwrap(),
            retry_counter: pin
                .retry_counter
                .as_ref()
                .map(|had| (word(&had.code), had.times.try_into().unwrap())),
            version: pin.version.try_into().unwrap(),
        }
    }

    /// The attempt that it is about, if there is one.
    pub(super) fn trial(&self) -> Option<Trial> {
        match self.stage {
            Stage::Sending(trial) | Stage::OutcomeUnknown { trial, .. } => Some(trial),
            _ => None,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Published(_) | Stage::Failed(_) | Stage::Cancelled)
    }

    /// Only the winner of a write starts an attempt, so its number in the row is as good as a random mark.
    pub(super) fn context(&self) -> Context {
        Context {
            readiness: Readiness::Ready,
            refresh_impossible: false,
            token_version: 1,
            scopes: Scopes::required(),
            environment: Environment::Sandbox,
            fencing_token: fencing_token(self.attempts + 1),
            jitter: 1.0,
            uploads: false,
            last_pause: None,
            blocked_links: BlockedLinks::default(),
        }
    }
}
