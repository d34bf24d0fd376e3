//! A Pin on its way: where it stands, and the record of how it came there.

mod requests;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::requests::{PinEdit, PinRequest, WrongState};
use crate::{Answer, ChannelId, Draft, PinId, PinterestMediaId, PinterestPinId, TenantId};

/// A Pin that somebody asked us to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Ours.
    pub id: PinId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it is published.
    pub channel_id: ChannelId,
    /// What it shows.
    pub draft: Draft,
    /// How far it has come.
    #[serde(flatten)]
    pub state: State,
    /// Not before this.
    pub publish_at: Timestamp,
    /// Later than this is too late.
    pub give_up_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How often it was sent.
    #[serde(default)]
    pub attempts: u32,
    /// What put it off last: the same thing again and again spaces the tries, and ends some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setback: Option<Setback>,
    /// Which version of the tokens Pinterest refused when it was sent last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_token: Option<u64>,
    /// What it waited for last, or waits for: told once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_for: Option<Reason>,
    /// Pinterest's copy of the video that it shows, as far as it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// How it came here, for people.
    pub timeline: Timeline,
    /// Rises with each write, and a write needs the one it read: of two workers, one wins.
    pub version: u64,
}

/// How far a Pin has come. Each step carries what only that step knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Its time has not come.
    Scheduled,
    /// One process may be sending it right now.
    Sending(Attempt),
    /// It can be sent again, once what it waits for is over: the last attempt had no effect.
    Waiting {
        /// What for.
        reason: Reason,
        /// When to try again. `None`: when the channel is back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// The last attempt may have made the Pin: it must not be sent before the board was looked at.
    InDoubt {
        /// The attempt in question.
        attempt: Attempt,
        /// How many complete looks have found nothing.
        looks: u8,
        /// When to look next. `None`: when the channel is back.
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
    /// It will not be sent, unless somebody asks for it.
    Failed {
        /// Why.
        error: Failure,
    },
    /// Somebody did not want it any more.
    Cancelled,
}

/// One sending of a Pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Random: who wrote it may send, once.
    pub fence: String,
    /// When the write that allowed it was made.
    pub started_at: Timestamp,
}

/// Pinterest's copy of a video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// What Pinterest calls it. Used for one Pin only: nobody promises that it serves another.
    pub pinterest_media_id: PinterestMediaId,
    /// How far it has come.
    pub stage: VideoStage,
}

/// How far Pinterest's copy of a video has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoStage {
    /// Pinterest has a place for it, to which one process may be sending it.
    Registered,
    /// Pinterest has all of it, and looks at it.
    Uploaded,
    /// A Pin can show it.
    Ready,
}

/// The same thing going wrong with a Pin, one time after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setback {
    /// What.
    pub code: String,
    /// How often in a row.
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
}

impl Failure {
    /// A failure in fixed words.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), fix: fix.into() }
    }
}

/// The coarse state: lists are kept by it, and only its changes are worth an index write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Scheduled, being sent, waiting or in doubt.
    Open,
    /// Published.
    Published,
    /// Failed.
    Failed,
    /// Cancelled.
    Cancelled,
}

impl Class {
    /// As it stands in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Published => "published",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl State {
    /// The coarse state.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Scheduled | Self::Sending(_) | Self::Waiting { .. } | Self::InDoubt { .. } => Class::Open,
            Self::Published { .. } => Class::Published,
            Self::Failed { .. } => Class::Failed,
            Self::Cancelled => Class::Cancelled,
        }
    }

    /// The word that callers see.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sending(_) => "sending",
            Self::Waiting { .. } | Self::InDoubt { .. } => "waiting",
            Self::Published { .. } => "published",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// What it waits for, and until when if that is known.
    #[must_use]
    pub fn waits_for(&self) -> Option<(Reason, Option<Timestamp>)> {
        match self {
            Self::Waiting { reason, retry_at } => Some((*reason, *retry_at)),
            Self::InDoubt { retry_at, .. } => Some((Reason::OutcomeUnknown, *retry_at)),
            _ => None,
        }
    }
}

impl Pin {
    /// After a send has begun, nothing is heard of it for longer than this only if its process is gone:
    /// 5 s until the call may begin, 25 s for the call, 5 s for the save.
    pub const SENDING_LIMIT: SignedDuration = SignedDuration::from_secs(35);

    /// As what a block for spam counts.
    pub(crate) const SPAM: &str = "spam";

    /// In which order a channel's Pins are sent: by their times. One that was taken for spam goes after the others, as
    /// it may be its own fault: they would all wait for it, again and again.
    #[must_use]
    pub fn turn(&self) -> (bool, Timestamp, &PinId) {
        let suspect = self.setback.as_ref().is_some_and(|setback| setback.code == Self::SPAM);
        (suspect, self.publish_at, &self.id)
    }

    /// Changes the state, and remembers what it waits for.
    pub fn enter(&mut self, state: State) {
        self.state = state;
        if let Some((reason, _)) = self.state.waits_for() {
            self.waited_for = Some(reason);
        }
    }

    /// Until when the board is looked at for what `attempt` may have made: at least until a look can decide,
    /// even if that is too late for another attempt.
    #[must_use]
    pub fn last_word(&self, attempt: &Attempt) -> Timestamp {
        let [.., last_look] = crate::delivery::LOOKS;
        self.give_up_at.max(attempt.started_at + last_look)
    }

    /// When a worker has to look at it, however nothing happens before.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Scheduled => Some(self.publish_at),
            State::Sending(attempt) => Some(attempt.started_at + Self::SENDING_LIMIT),
            // What waits for a person is looked at once more, when it is too late.
            State::Waiting { retry_at, .. } => Some(retry_at.unwrap_or(self.give_up_at).min(self.give_up_at)),
            State::InDoubt { attempt, retry_at, .. } => {
                Some(retry_at.unwrap_or_else(|| self.last_word(attempt)))
            }
            State::Published { .. } | State::Failed { .. } | State::Cancelled => None,
        }
    }
}

/// One line of a Pin's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TimelineEntry")]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What happened.
    #[schemars(extend("enum" = Self::EVENTS))]
    pub event: String,
    /// In words.
    pub detail: String,
    /// Pinterest's HTTP status, if Pinterest answered.
    pub http_status: Option<u16>,
    /// Pinterest's own code.
    pub pinterest_code: Option<i64>,
    /// Pinterest's id of the request, for its support.
    pub request_id: Option<String>,
}

/// A Pin's history: the last 100 lines. Older ones are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// The last lines, oldest first.
    pub entries: Vec<Entry>,
    /// How many came before them.
    #[serde(default)]
    pub dropped: u32,
}

impl Entry {
    /// Every event.
    pub const EVENTS: [&str; 11] = [
        "accepted",
        "sending",
        "uploading",
        "video_ready",
        "waiting",
        "looked",
        "published",
        "failed",
        "retried",
        "changed",
        "cancelled",
    ];
}

impl Timeline {
    const LONGEST: usize = 100;

    /// Adds a line of our own doing.
    pub fn note(&mut self, at: Timestamp, event: &str, detail: impl Into<String>) {
        self.record(at, event, detail, &Answer::default());
    }

    /// Adds a line about an answer of Pinterest's.
    pub fn record(&mut self, at: Timestamp, event: &str, detail: impl Into<String>, answer: &Answer) {
        debug_assert!(Entry::EVENTS.contains(&event), "{event} is missing in the list of events");
        if self.entries.len() == Self::LONGEST {
            self.entries.remove(0);
            self.dropped += 1;
        }
        self.entries.push(Entry {
            at,
            event: event.to_owned(),
            detail: detail.into(),
            http_status: answer.http_status,
            pinterest_code: answer.pinterest_code,
            request_id: answer.request_id.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_keeps_the_last_hundred_lines_and_counts_the_rest() {
        let mut timeline = Timeline::default();
        for number in 0..130 {
            timeline.note(Timestamp::UNIX_EPOCH, "waiting", number.to_string());
        }
        assert_eq!((timeline.entries.len(), timeline.dropped), (100, 30));
        assert_eq!(timeline.entries[0].detail, "30");
    }
}
