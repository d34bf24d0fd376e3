//! A Pin: its state, and the transitions between states.

mod record;
mod requests;
mod stored;
mod timeline;

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    record::PinRecord,
    requests::{PinEdit, PinRequest, WrongState},
    timeline::{Timeline, TimelineEntry},
};
use crate::{Message, Params, PinterestMediaId, PinterestPinId, matching::Candidate};

/// A Pin that a user has requested.
///
/// It can be read like its [`PinRecord`]. It is created by [`Pin::accept`], and changed by the transitions in this module
/// and in [`crate::delivery`]. Nothing else can write its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "stored::StoredPin", into = "stored::StoredPin")]
pub struct Pin(PinRecord);

impl Deref for Pin {
    type Target = PinRecord;

    fn deref(&self) -> &PinRecord {
        &self.0
    }
}

impl Pin {
    /// The time after which an unfinished send can only belong to a process that has ended: 5 s until the call may begin,
    /// 25 s for the call, 5 s for the write.
    pub const SENDING_LIMIT: SignedDuration = SignedDuration::from_secs(35);

    /// The code under which spam blocks are counted.
    pub(crate) const SPAM: &str = "spam";

    /// The Pin of a record that was stored.
    #[must_use]
    pub fn restore(record: PinRecord) -> Self {
        Self(record)
    }

    /// A copy of what is stored, to be changed.
    #[must_use]
    pub fn record(&self) -> PinRecord {
        self.0.clone()
    }

    /// Its approximate size in memory: twice its content, because of the overhead of texts, and its timeline.
    #[must_use]
    pub fn bytes(&self) -> usize {
        2 * self.draft.bytes() + 300 * self.timeline.entries.len()
    }

    /// The Pin with the version that may replace `before`. `None`: nothing has changed.
    #[must_use]
    pub fn next_version(mut self, before: &Self) -> Option<Self> {
        if self == *before {
            return None;
        }
        self.0.version = before.version + 1;
        Some(self)
    }
}

/// The state of a Pin. Each state has its own data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Its time has not come yet.
    Scheduled,
    /// One process may be sending it right now.
    Sending(Attempt),
    /// It can be sent again when the reason of the wait is over. The last attempt had no effect.
    Waiting {
        /// The reason of the wait.
        reason: Reason,
        /// When to try again. `None`: when the channel is connected again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// The last attempt may have created the Pin at Pinterest. It must not be sent again before the board was checked.
    #[serde(rename = "in_doubt")]
    OutcomeUnknown {
        /// The attempt.
        attempt: Attempt,
        /// How many complete board checks have found nothing.
        #[serde(rename = "looks")]
        checks_done: u8,
        /// When to check next. `None`: when the channel is connected again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// It is at Pinterest.
    Published {
        /// There.
        pinterest_pin_id: PinterestPinId,
        /// Since then.
        published_at: Timestamp,
    },
    /// It cannot be found out if the last attempt has created the Pin. It is not sent again, unless a person has looked at
    /// the board and decides so.
    NeedsReview {
        /// The attempt.
        attempt: Attempt,
        /// The Pins on the board that may be this one. Empty: the board could not be read.
        #[serde(default)]
        candidates: Vec<Candidate>,
        /// Why, and what to do.
        error: Failure,
    },
    /// It will not be sent, unless a user requests it.
    Failed {
        /// Why.
        error: Failure,
    },
    /// A user, or a disconnection, has cancelled it.
    Cancelled,
}

/// One sending of a Pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Random. The process that wrote it may send once, and only a response to this attempt counts for it.
    #[serde(rename = "fence")]
    pub fencing_token: String,
    /// When the write that allowed it was made.
    pub started_at: Timestamp,
}

/// Pinterest's copy of a video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// Its id at Pinterest. It is used for one Pin only: Pinterest does not guarantee that it works for another.
    pub pinterest_media_id: PinterestMediaId,
    /// Its stage.
    pub stage: VideoStage,
}

/// The stage of Pinterest's copy of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoStage {
    /// It is registered, and one process may be uploading it.
    Registered,
    /// Pinterest has all of it, and processes it.
    Uploaded,
    /// A Pin can show it.
    Ready,
}

/// How many times in a row the same cause has led to a retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryCounter {
    /// The cause.
    pub code: String,
    /// How many times in a row.
    pub times: u32,
}

/// What a Pin waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "WaitReason")]
pub enum Reason {
    /// Pinterest is preparing the video.
    VideoProcessing,
    /// Pinterest's rate limit.
    Quota,
    /// Pinterest took our Pins for spam: the account rests.
    SpamHold,
    /// The account has to be connected again.
    Reconnect,
    /// Pinterest is down, cannot fetch the image, or the integration is switched off.
    PinterestUnavailable,
    /// The last attempt may have worked: the board is being looked at.
    OutcomeUnknown,
    /// The access token is being renewed.
    TokenRefresh,
}

/// Why a Pin was not published, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PinFailure")]
pub struct Failure {
    /// Stable and `snake_case`, for programs.
    pub code: String,
    /// What happened.
    pub detail: String,
    /// What to do next.
    pub fix: String,
    /// The values in the sentences, by name, so that a frontend can say them in its own language.
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    pub params: Params,
}

impl Failure {
    /// A failure without values.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), fix: fix.into(), params: Params::new() }
    }

    /// The failure as an entry of the timeline.
    pub(crate) fn message(&self) -> Message {
        Message { reason: self.code.clone(), text: self.detail.clone(), params: self.params.clone() }
    }

    /// The same failure, with a value that its sentences contain.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// The groups by which the queue index lists Pins. Only a change of the group costs a write to the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinGroup {
    /// Scheduled, being sent, or waiting.
    Open,
    /// Published.
    Published,
    /// A person has to decide.
    NeedsReview,
    /// Failed.
    Failed,
    /// Cancelled.
    Cancelled,
}

impl PinGroup {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Published, Self::NeedsReview, Self::Failed, Self::Cancelled];

    /// The states in which its Pins are, by their names in the API.
    #[must_use]
    pub fn states(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["scheduled", "sending", "waiting"],
            Self::Published => &["published"],
            Self::NeedsReview => &["needs_review"],
            Self::Failed => &["failed"],
            Self::Cancelled => &["cancelled"],
        }
    }

    /// The name of the group in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Published => "published",
            Self::NeedsReview => "needs_review",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl State {
    /// The group in the queue index.
    #[must_use]
    pub fn group(&self) -> PinGroup {
        match self {
            Self::Scheduled | Self::Sending(_) | Self::Waiting { .. } | Self::OutcomeUnknown { .. } => {
                PinGroup::Open
            }
            Self::Published { .. } => PinGroup::Published,
            Self::NeedsReview { .. } => PinGroup::NeedsReview,
            Self::Failed { .. } => PinGroup::Failed,
            Self::Cancelled => PinGroup::Cancelled,
        }
    }

    /// The names of all states in the API.
    pub const NAMES: [&str; 7] =
        ["scheduled", "sending", "waiting", "published", "needs_review", "failed", "cancelled"];

    /// The name of the state in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sending(_) => "sending",
            Self::Waiting { .. } | Self::OutcomeUnknown { .. } => "waiting",
            Self::Published { .. } => "published",
            Self::NeedsReview { .. } => "needs_review",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The name in the API of a state that a row names.
    #[must_use]
    pub fn name_of_stored(stored: &str) -> &str {
        if stored == "in_doubt" { "waiting" } else { stored }
    }

    /// The attempt of which it is not known whether it has created the Pin, or will.
    #[must_use]
    pub fn unknown_attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Sending(attempt)
            | Self::OutcomeUnknown { attempt, .. }
            | Self::NeedsReview { attempt, .. } => Some(attempt),
            _ => None,
        }
    }

    /// Why it has failed or needs a review, and what to do.
    #[must_use]
    pub fn error(&self) -> Option<&Failure> {
        match self {
            Self::NeedsReview { error, .. } | Self::Failed { error } => Some(error),
            _ => None,
        }
    }

    /// The reason of a wait, and the time of the next try if that is known.
    #[must_use]
    pub fn waits_for(&self) -> Option<(Reason, Option<Timestamp>)> {
        match self {
            Self::Waiting { reason, retry_at } => Some((*reason, *retry_at)),
            Self::OutcomeUnknown { retry_at, .. } => Some((Reason::OutcomeUnknown, *retry_at)),
            _ => None,
        }
    }
}
