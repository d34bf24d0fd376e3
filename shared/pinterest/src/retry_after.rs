//! Reads when Pinterest allows the next call.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::response::header;

/// Pinterest's longest window is a day. A later end is ignored.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(2 * 24);

/// `retry-after`, which Pinterest does not document, or `x-ratelimit-reset`, which counts seconds, and whose gateway (Envoy)
/// may write a list: `100, 100;w=60`. An instant is measured from the `date` of the same answer: by Pinterest's own clock.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let sent_at = header(headers, DATE.as_str()).and_then(instant);
    [RETRY_AFTER.as_str(), "x-ratelimit-reset"].iter().find_map(|name| wait(header(headers, name)?, sent_at))
}

fn wait(text: &str, sent_at: Option<Timestamp>) -> Option<SignedDuration> {
    let until = |end: Timestamp| Some(end.duration_since(sent_at?).max(SignedDuration::ZERO));
    let wait = match (instant(text), first_number(text)) {
        (Some(end), _) => until(end)?,
        (None, Some(number)) if number <= MAX_WAIT.as_secs() => SignedDuration::from_secs(number),
        // More would be the year 5138: then it counts milliseconds.
        (None, Some(number)) if number < 100_000_000_000 => until(Timestamp::from_second(number).ok()?)?,
        (None, Some(number)) => until(Timestamp::from_millisecond(number).ok()?)?,
        (None, None) => return None,
    };
    (wait <= MAX_WAIT).then_some(wait)
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`, as HTTP has it, or `2026-10-21T07:28:00Z`.
fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    rfc2822::parse(text).map(|zoned| zoned.timestamp()).or_else(|_| text.parse()).ok()
}

/// The first number of a list, if it is not negative. A part of a second is a second.
#[expect(clippy::cast_possible_truncation, reason = "what is too large for a number is no time to wait")]
pub(crate) fn first_number(text: &str) -> Option<i64> {
    let first = text.split([',', ';']).next()?.trim();
    let number = first.parse().ok().or_else(|| {
        let number: f64 = first.parse().ok()?;
        number.is_finite().then_some(number.ceil() as i64)
    });
    number.filter(|number| *number >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds to wait, in an answer of 2026-10-21T07:00:00Z.
    fn seconds(text: &str) -> Option<i64> {
        wait(text, Some("2026-10-21T07:00:00Z".parse().unwrap())).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_number_is_the_seconds_to_wait() {
        for (text, expected) in
            [("67150", 67_150), ("100, 100;w=60", 100), ("7;w=60", 7), ("0", 0), ("29.3", 30)]
        {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_instant_is_measured_from_the_date_of_the_answer() {
        let half_an_hour =
            ["Wed, 21 Oct 2026 07:30:00 GMT", "2026-10-21T07:30:00Z", "1792567800", "1792567800000"];
        for text in half_an_hour {
            assert_eq!(seconds(text), Some(1800), "{text}");
            assert_eq!(wait(text, None), None, "{text}");
        }
        assert_eq!(seconds("Wed, 21 Oct 2026 06:30:00 GMT"), Some(0), "it is over");
    }

    #[test]
    fn an_invalid_retry_after_is_ignored() {
        for garbage in ["", "soon", "-5", "NaN", "1e300", "Wed, 21 Oct 2027 07:28:00 GMT", "1730227664000000"]
        {
            assert_eq!(seconds(garbage), None, "{garbage}");
        }
    }
}
