//! Answers of several functions.

use domain::{
    ChannelId, Draft, Failure, Pin, PinId, PinterestPinId, Reason, State, Timeline, TimelineEntry,
    delivery::MAX_CANDIDATES, matching::Candidate,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::vocabulary::PinState;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// A Pin of Pinwright.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pin")]
pub struct PinView {
    id: PinId,
    channel_id: ChannelId,
    #[serde(flatten)]
    draft: Draft,
    #[schemars(with = "PinState")]
    state: String,
    /// What the Pin waits for.
    reason: Option<Reason>,
    /// When it is tried again, if the time is known.
    #[serde(serialize_with = "domain::instant::optional::serialize")]
    retry_at: Option<Timestamp>,
    #[serde(serialize_with = "domain::instant::serialize")]
    publish_at: Timestamp,
    /// For how long after `publish_at` it may still be published (ISO 8601).
    #[schemars(extend("format" = "duration"))]
    publish_within: String,
    /// The give-up time, after which the Pin becomes `failed`.
    #[serde(serialize_with = "domain::instant::serialize")]
    give_up_at: Timestamp,
    pinterest_pin_id: Option<PinterestPinId>,
    #[schemars(url)]
    pinterest_pin_url: Option<String>,
    /// Why it has failed or needs a review, and what to do.
    error: Option<Failure>,
    /// The Pins on the board that may be this one, if it needs a review.
    #[schemars(length(max = MAX_CANDIDATES))]
    candidates: Vec<CandidateView>,
    #[serde(serialize_with = "domain::instant::serialize")]
    created_at: Timestamp,
    #[serde(serialize_with = "domain::instant::optional::serialize")]
    published_at: Option<Timestamp>,
    /// What happened to it, the oldest entry first: the last 100 entries.
    #[schemars(length(max = Timeline::MAX_ENTRIES))]
    timeline: Vec<TimelineEntry>,
    /// How many older entries were dropped.
    timeline_dropped: u32,
}

impl PinView {
    pub(super) fn new(pin: &Pin) -> Self {
        let (remote, published_at) = match &pin.state {
            State::Published { pinterest_pin_id, published_at } => {
                (Some(pinterest_pin_id.clone()), Some(*published_at))
            }
            _ => (None, None),
        };
        let candidates = match &pin.state {
            State::NeedsReview { candidates, .. } => candidates.iter().map(CandidateView::new).collect(),
            _ => Vec::new(),
        };
        let waits = pin.state.waits_for();
        Self {
            id: pin.id.clone(),
            channel_id: pin.channel_id.clone(),
            draft: pin.draft.clone(),
            state: pin.state.name().to_owned(),
            reason: waits.map(|(reason, _)| reason),
            retry_at: waits.and_then(|(_, retry_at)| retry_at),
            publish_at: pin.publish_at,
            publish_within: iso_8601(pin.give_up_at.duration_since(pin.publish_at)),
            give_up_at: pin.give_up_at,
            pinterest_pin_url: remote.as_ref().map(PinterestPinId::url),
            pinterest_pin_id: remote,
            error: pin.state.error().cloned(),
            candidates,
            created_at: pin.created_at,
            published_at,
            timeline: pin.timeline.entries.clone(),
            timeline_dropped: pin.timeline.dropped,
        }
    }
}

/// A Pin at Pinterest that may be one of ours.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Candidate")]
struct CandidateView {
    #[serde(flatten)]
    candidate: Candidate,
    /// Its address at Pinterest.
    #[schemars(url)]
    pinterest_pin_url: String,
}

impl CandidateView {
    fn new(candidate: &Candidate) -> Self {
        Self { candidate: candidate.clone(), pinterest_pin_url: candidate.pinterest_pin_id.url() }
    }
}

/// In days if it is a whole number of them, as most people write it.
fn iso_8601(duration: SignedDuration) -> String {
    let (days, rest) = (duration.as_secs() / SECONDS_PER_DAY, duration.as_secs() % SECONDS_PER_DAY);
    if rest == 0 && duration.subsec_nanos() == 0 { format!("P{days}D") } else { duration.to_string() }
}
