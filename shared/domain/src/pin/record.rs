//! What is stored of a Pin.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Attempt, Reason, RetryCounter, State, Timeline, Video};
use crate::{ChannelId, Draft, PinId, TenantId};

/// Everything that is stored of a Pin. A [`Pin`](super::Pin) is read like its record, and changed by transitions only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRecord {
    /// The id that the API uses.
    pub id: PinId,
    /// The tenant that owns the Pin.
    pub tenant: TenantId,
    /// The channel to publish to.
    pub channel_id: ChannelId,
    /// The content.
    pub draft: Draft,
    /// The state.
    #[serde(flatten)]
    pub state: State,
    /// The Pin is not sent before this time.
    pub publish_at: Timestamp,
    /// The Pin is not sent after this time.
    pub give_up_at: Timestamp,
    /// When the Pin was requested.
    pub created_at: Timestamp,
    /// How many times the Pin was sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// How many times it was sent again because an attempt had created nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeats: u32,
    /// The last cause of a retry, and how many times in a row it occurred: it spaces the retries, and ends some of them.
    #[serde(default, rename = "setback", skip_serializing_if = "Option::is_none")]
    pub retry_counter: Option<RetryCounter>,
    /// The version of the tokens that Pinterest refused when the Pin was sent last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_token: Option<u64>,
    /// The last reason that was announced by a `pin.waiting` event: each reason is announced once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_for: Option<Reason>,
    /// The state of Pinterest's copy of the video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// The history, for people.
    pub timeline: Timeline,
    /// Increases with each write. A write names the version that it replaces, so that one of two concurrent writers wins.
    pub version: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl PinRecord {
    /// Changes the state, and stores the reason of a wait.
    pub(crate) fn transition_to(&mut self, state: State) {
        self.state = state;
        if let Some((reason, _)) = self.state.waits_for() {
            self.waited_for = Some(reason);
        }
    }

    /// The order in which a channel's Pins are sent: by their times. A Pin that was taken for spam goes after the others.
    /// Its content may be the cause, and then all others would wait for it again and again.
    #[must_use]
    pub fn send_order(&self) -> (bool, Timestamp, &PinId) {
        let is_suspect = self.retry_counter.as_ref().is_some_and(|counter| counter.code == super::Pin::SPAM);
        (is_suspect, self.publish_at, &self.id)
    }

    /// The time until which the board is checked for the Pin that `attempt` may have created. It is not before the first
    /// check that can decide, even if that is too late for another attempt.
    #[must_use]
    pub fn final_check_at(&self, attempt: &Attempt) -> Timestamp {
        let [.., last_delay] = crate::delivery::BOARD_CHECK_DELAYS;
        self.give_up_at.max(attempt.started_at + last_delay)
    }

    /// When a worker has to process the Pin next. `None`: the Pin has ended.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Scheduled => Some(self.publish_at),
            State::Sending(attempt) => Some(attempt.started_at + super::Pin::SENDING_LIMIT),
            // A Pin that waits for a person is processed once more at its give-up time.
            State::Waiting { retry_at, .. } => Some(retry_at.unwrap_or(self.give_up_at).min(self.give_up_at)),
            State::OutcomeUnknown { attempt, retry_at, .. } => {
                Some(retry_at.unwrap_or_else(|| self.final_check_at(attempt)))
            }
            State::Published { .. } | State::NeedsReview { .. } | State::Failed { .. } | State::Cancelled => {
                None
            }
        }
    }
}
