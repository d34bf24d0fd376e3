//! Finds the Pin on a board that an attempt may have created.
//!
//! Pinterest does not list a Pin as it was sent: it normalises white space, escapes `&`, cuts texts, leaves fields out,
//! takes titles from the linked page, and drops the query of a link. So a Pin with other texts may still be the same Pin.

mod text;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::text::{TextRelation, compare_links, compare_texts};
use crate::{Attempt, Draft, Media, Pin, PinterestPinId, delivery::BOARD_CHECK_DELAYS};

/// How far Pinterest's clock may be behind ours.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);
/// A date that is wrong by less may come from a clock that is behind.
const MAX_DELAY: SignedDuration = SignedDuration::from_mins(15);
/// Time zones differ from UTC by a multiple of this …
const ZONE_STEP: SignedDuration = SignedDuration::from_mins(30);
/// … and by at most this.
const MAX_ZONE: SignedDuration = SignedDuration::from_hours(14);

/// A Pin as a board lists it. Pinterest guarantees only the id.
#[derive(Clone, Debug)]
pub struct BoardPin {
    /// At Pinterest.
    pub id: PinterestPinId,
    /// By Pinterest's clock.
    pub created_at: Option<Timestamp>,
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its link.
    pub link: Option<String>,
    /// Its alternative text.
    pub alt_text: Option<String>,
    /// What it shows.
    pub media: Option<MediaKind>,
    /// It belongs to somebody else, or was saved from another Pin: `POST /pins` with our token has not created it.
    pub is_foreign: bool,
}

/// The media of a Pin, as far as a board lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// One image.
    Image,
    /// Several images.
    Carousel,
    /// A video.
    Video,
}

impl From<&Media> for MediaKind {
    fn from(media: &Media) -> Self {
        match media {
            Media::Image { .. } => Self::Image,
            Media::Carousel { .. } => Self::Carousel,
            Media::Video { .. } => Self::Video,
        }
    }
}

/// Whether an attempt has created a listed Pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// No. It shares nothing with the draft, or the attempt cannot have created it.
    Stranger,
    /// Perhaps: some values are equal, and others contradict.
    Similar,
    /// Yes, if no other Pin can be: it was created while the attempt was under way, and differs only in what Pinterest is
    /// known to change.
    Rewritten,
    /// Yes: everything is equal.
    Same,
}

/// A Pin on the board that may be ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// Its id at Pinterest.
    pub pinterest_pin_id: PinterestPinId,
    /// When Pinterest says that it was created.
    #[serde(default, serialize_with = "crate::instant::optional::serialize")]
    pub created_at: Option<Timestamp>,
    /// The fields that differ from what was sent.
    #[serde(default)]
    pub differs: Vec<Difference>,
}

/// A field in which a Pin on the board differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The title.
    Title,
    /// The description.
    Description,
    /// The link.
    Link,
    /// The text in place of the picture.
    AltText,
    /// An image, a carousel or a video.
    Media,
    /// It was created at another time, or Pinterest does not say when.
    CreatedAt,
    /// It is another account's, or was saved from another Pin.
    Owner,
}

/// A listed Pin, compared with a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Whether it is ours.
    pub likeness: Likeness,
    /// The candidate that people see.
    pub candidate: Candidate,
}

/// When a listed Pin was created, relative to the attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    /// While the attempt was under way.
    Within,
    /// Soon after it. Of two equal Pins, each may have taken the other's.
    Soon,
    /// While the attempt was under way, if the clock or the time zone is wrong.
    Misdated,
    /// Pinterest returned no date.
    Unknown,
    /// At another time.
    OtherTime,
}

impl Age {
    fn new(created_at: Option<Timestamp>, attempt: &Attempt) -> Self {
        let Some(created_at) = created_at else { return Self::Unknown };
        let [.., last_check] = BOARD_CHECK_DELAYS;
        let age = created_at.duration_since(attempt.started_at);
        if (-CLOCK_SKEW..=Pin::SENDING_LIMIT + CLOCK_SKEW).contains(&age) {
            Self::Within
        } else if (SignedDuration::ZERO..=last_check + CLOCK_SKEW).contains(&age) {
            Self::Soon
        } else if is_misdated(age) {
            Self::Misdated
        } else {
            Self::OtherTime
        }
    }
}

/// Whether a difference of `age` from the time of the attempt may come from a clock that is some minutes wrong, or from a
/// missing time zone.
fn is_misdated(age: SignedDuration) -> bool {
    let step = ZONE_STEP.as_secs();
    let from_zone = (age.as_secs() + step / 2).rem_euclid(step) - step / 2;
    let is_zone = age.abs() <= MAX_ZONE + CLOCK_SKEW
        && (-CLOCK_SKEW..=Pin::SENDING_LIMIT + CLOCK_SKEW).contains(&SignedDuration::from_secs(from_zone));
    is_zone || age.abs() <= MAX_DELAY
}

/// Compares a listed Pin with what `attempt` sent of `draft`.
#[must_use]
pub fn compare(listed: &BoardPin, draft: &Draft, attempt: &Attempt) -> Match {
    let age = Age::new(listed.created_at, attempt);
    let sent_text = |text: Option<&str>, listed: &Option<String>| compare_texts(text, listed.as_deref());
    let title = sent_text(draft.title.as_ref().map(crate::Text::as_str), &listed.title);
    let description = sent_text(draft.description.as_ref().map(crate::Text::as_str), &listed.description);
    let alt_text = sent_text(draft.alt_text.as_ref().map(crate::Text::as_str), &listed.alt_text);
    let link = compare_links(draft.link.as_ref().map(crate::WebAddress::as_str), listed.link.as_deref());
    let other_media = listed.media.is_some_and(|media| media != MediaKind::from(&draft.media));

    let differences = [
        (Difference::Title, !title.is_equal()),
        (Difference::Description, !description.is_equal()),
        (Difference::Link, !link.is_equal()),
        (Difference::AltText, !alt_text.is_equal()),
        (Difference::Media, other_media),
        (Difference::CreatedAt, age != Age::Within),
        (Difference::Owner, listed.is_foreign),
    ];
    let differs = differences.into_iter().filter_map(|(what, differs)| differs.then_some(what)).collect();

    let texts = [title, description, alt_text];
    let is_impossible = other_media || listed.is_foreign;
    let shares_text = texts.iter().chain([&link]).any(|relation| relation.is_shared());
    // A title or a description that Pinterest has taken from the linked page is ignored: the link is compared.
    let fits = |relation: TextRelation| relation.is_explained() || link.is_shared();
    let is_explained =
        fits(title) && fits(description) && alt_text.is_explained() && link.is_explained() && shares_text;

    let is_equal = texts.iter().chain([&link]).all(|relation| relation.is_equal());
    let likeness = match age {
        Age::OtherTime => Likeness::Stranger,
        Age::Within | Age::Soon if is_equal && !is_impossible => Likeness::Same,
        _ if is_equal => Likeness::Similar,
        _ if is_impossible => Likeness::Stranger,
        Age::Within if is_explained => Likeness::Rewritten,
        Age::Within if link == TextRelation::Near => Likeness::Similar,
        _ if shares_text => Likeness::Similar,
        _ => Likeness::Stranger,
    };
    let candidate = Candidate { pinterest_pin_id: listed.id.clone(), created_at: listed.created_at, differs };
    Match { likeness, candidate }
}

#[cfg(test)]
mod tests;
