//! The history of a Pin.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Message, Params, ResponseMeta};

/// One entry of a Pin's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When it happened.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub at: Timestamp,
    /// What happened.
    #[schemars(extend("enum" = Self::EVENTS))]
    pub event: String,
    /// Why it happened, for programs: the name of the sentence in `detail`. A failed Pin has the code of its error here.
    /// Entries from before version 0.2 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same as a sentence. It may be empty.
    pub detail: String,
    /// The values in the sentence, by name, so that a frontend can say it in its own language.
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    pub params: Params,
    /// Pinterest's HTTP status, if Pinterest answered.
    pub http_status: Option<u16>,
    /// Pinterest's own code.
    pub pinterest_code: Option<i64>,
    /// Pinterest's id of the request, for its support.
    pub request_id: Option<String>,
}

impl TimelineEntry {
    /// Every event.
    pub const EVENTS: [&str; 13] = [
        "accepted",
        "suggested",
        "sending",
        "uploading",
        "video_ready",
        "waiting",
        "looked",
        "published",
        "needs_review",
        "failed",
        "retried",
        "changed",
        "cancelled",
    ];
}

/// The last 100 entries of a Pin's history. Older ones are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// The entries, oldest first.
    pub entries: Vec<TimelineEntry>,
    /// How many older entries were dropped.
    #[serde(default, skip_serializing_if = "super::record::is_zero")]
    pub dropped: u32,
}

impl Timeline {
    /// The number of stored entries.
    pub const MAX_ENTRIES: usize = 100;

    /// Pinterest's last message since the Pin was requested or retried.
    pub(crate) fn last_words(&self) -> Option<&str> {
        let entries = self.entries.iter().rev().take_while(|entry| entry.event != "retried");
        entries
            .filter_map(|entry| entry.params.get("message"))
            .map(String::as_str)
            .find(|words| !words.is_empty())
    }

    /// Adds an entry about an event in Pinwright.
    pub(crate) fn push(&mut self, at: Timestamp, event: &str, message: Message) {
        self.push_response(at, event, message, &ResponseMeta::default());
    }

    /// Adds an entry about a response of Pinterest.
    pub(crate) fn push_response(
        &mut self,
        at: Timestamp,
        event: &str,
        message: Message,
        response: &ResponseMeta,
    ) {
        debug_assert!(TimelineEntry::EVENTS.contains(&event), "{event} is missing in the list of events");
        if self.entries.len() == Self::MAX_ENTRIES {
            self.entries.remove(0);
            self.dropped += 1;
        }
        self.entries.push(TimelineEntry {
            at,
            event: event.to_owned(),
            reason: Some(message.reason),
            detail: message.text,
            params: message.params,
            http_status: response.http_status,
            pinterest_code: response.pinterest_code,
            request_id: response.request_id.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrases;

    #[test]
    fn a_timeline_keeps_the_last_hundred_entries_and_counts_the_rest() {
        let mut timeline = Timeline::default();
        for number in 0..130 {
            timeline.push(Timestamp::UNIX_EPOCH, "sending", phrases::ATTEMPT.with([("number", number)]));
        }
        assert_eq!((timeline.entries.len(), timeline.dropped), (100, 30));
        assert_eq!(timeline.entries[0].detail, "attempt 30");
    }
}
