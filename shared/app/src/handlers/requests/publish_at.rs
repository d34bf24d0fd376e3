//! The time to publish a Pin, in the form of a request.

use std::fmt;

use domain::{Invalid, LocalTime};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A time that is at most this far in the past means now.
const PAST_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead a Pin can be scheduled, and the largest `publish_within`.
pub(super) const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Either an instant, as text with an offset or `Z`, or an object with what the clocks of a time zone show.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
#[schemars(rename = "PublishAt")]
pub(super) enum PublishAt {
    /// With an offset or `Z` (RFC 3339).
    Instant(#[schemars(with = "Timestamp")] String),
    /// What the clocks show.
    Local(LocalTime),
}

impl PublishAt {
    /// The instant, which must be at most 366 days ahead.
    pub(super) fn instant(&self, now: Timestamp) -> Result<Timestamp, Invalid> {
        let instant = match self {
            Self::Instant(text) => text.parse().map_err(|_| {
                let fix = "Write it as `2026-12-01T09:00:00Z`, or give `local` and `time_zone`; leave it out to publish now.";
                Invalid::new("publish_at", "invalid_publish_at", "is not a time with an offset or `Z`", fix)
            })?,
            Self::Local(local) => local.instant("publish_at")?,
        };
        let ahead = instant.duration_since(now);
        if ahead < -PAST_TOLERANCE {
            let fix = "Give a time that is still to come, or leave publish_at out to publish now.";
            return Err(Invalid::new("publish_at", "publish_at_past", "lies in the past", fix));
        }
        if ahead > MAX_AHEAD {
            let detail = "lies more than a year ahead";
            return Err(Invalid::new("publish_at", "publish_at_too_far", detail, "Give an earlier time."));
        }
        // All times here are whole milliseconds.
        Ok(Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant).max(now))
    }
}

/// The type of the value decides which form is read, so that the error is about the right form.
impl<'de> Deserialize<'de> for PublishAt {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = PublishAt;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .write_str("a time such as 2026-12-01T09:00:00Z, or an object with local and time_zone")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PublishAt, E> {
                Ok(PublishAt::Instant(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<PublishAt, A::Error> {
                LocalTime::deserialize(MapAccessDeserializer::new(fields)).map(PublishAt::Local)
            }
        }

        value.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_just_passed_means_now() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let minute = SignedDuration::from_mins(1);
        let at = |instant: Timestamp| PublishAt::Instant(instant.to_string()).instant(now);
        assert_eq!(at(now - minute * 5).unwrap(), now);
        assert!(at(now - minute * 6).is_err());
        assert!(at(now + SignedDuration::from_hours(367 * 24)).is_err());
        assert_eq!(at(now + minute).unwrap(), now + minute);
    }
}
