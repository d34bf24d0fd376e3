//! Times, zones and durations in bodies.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde_json::json;

use crate::{
    dice::Dice,
    harness::{self, NOW},
    mutate, tally,
};

const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);

/// An instant means the same however its zone is written, and a duration however it is put together; both are
/// taken within their limits and refused beyond them.
pub fn times(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let mut pin = json!({ "channel_id": app.channel, "media": harness::image() });
        let (at, at_text) = instant(&mut dice);
        let (within, within_text) = duration(&mut dice);
        let (odd_at, odd_within) = (dice.once_in(4), dice.once_in(4));
        let maybe_mutated = |dice: &mut Dice<'_>, text: &str, odd: bool| {
            if odd { mutate::text(dice, text) } else { text.to_owned() }
        };
        pin["publish_at"] = maybe_mutated(&mut dice, &at_text, odd_at).into();
        pin["publish_within"] = maybe_mutated(&mut dice, &within_text, odd_within).into();
        let answer = app.send("POST", "/api/v1/pins", "", &pin).await;
        answer.check(&[]);
        tally::count("times", answer.is_success());

        let near = at >= NOW - SignedDuration::from_mins(5) && at.duration_since(NOW) <= YEAR;
        let short = (SignedDuration::from_mins(1)..=YEAR).contains(&within);
        if !odd_at && !odd_within {
            assert_eq!(answer.is_success(), near && short, "{pin}: {}", answer.text);
        }
        if !answer.is_success() {
            return;
        }
        let time = |name: &str| answer.json[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        let (publish_at, give_up_at) = (time("publish_at"), time("give_up_at"));
        assert!((NOW..=NOW + YEAR).contains(&publish_at), "{pin}");
        let time_to_publish = give_up_at.duration_since(publish_at);
        assert!((SignedDuration::from_mins(1)..=YEAR).contains(&time_to_publish), "{pin}");
        if !odd_at {
            let whole_millis = Timestamp::from_millisecond(at.as_millisecond()).unwrap();
            assert_eq!(publish_at, whole_millis.max(NOW), "{pin}");
        }
        if !odd_within {
            assert_eq!(time_to_publish, within, "{pin}");
        }
    });
}

/// An instant around the limits, written at some offset.
fn instant(dice: &mut Dice<'_>) -> (Timestamp, String) {
    let distance = dice.pick(&[0, 0, 3600, -300, YEAR.as_secs(), 40_000_000_000, -40_000_000_000]);
    let near = i64::try_from(dice.below(7)).unwrap() - 3;
    let nanoseconds = if dice.once_in(3) { 123_456_789 } else { 0 };
    let at = NOW + SignedDuration::new(distance + near, nanoseconds);
    let offset = dice.pick(&["Z", "+00:00", "-00:00", "+01:00", "-09:30", "+14:00", "+23:59", "-23:59"]);
    let hours = |text: &str| text.parse::<i32>().unwrap();
    let seconds = match offset.split_once(':') {
        Some((hour, minute)) => {
            let minutes = hours(minute) * 60;
            hours(hour) * 3600 + if hour.starts_with('-') { -minutes } else { minutes }
        }
        None => 0,
    };
    let civil = Offset::from_seconds(seconds).unwrap().to_datetime(at);
    let text = match dice.below(4) {
        0 => format!("{civil}{offset}").to_lowercase(),
        1 => format!("{civil}{offset}").replace('T', " "),
        _ => format!("{civil}{offset}"),
    };
    (at, text)
}

/// A duration of ISO 8601, in any of its units that have a length.
fn duration(dice: &mut Dice<'_>) -> (SignedDuration, String) {
    let (mut seconds, mut date, mut time) = (0, String::new(), String::new());
    for (unit, length) in [('W', 604_800), ('D', 86_400), ('H', 3600), ('M', 60), ('S', 1)] {
        if dice.once_in(3) {
            let many = dice.pick(&[0_i64, 1, 2, 52, 59, 60, 366, 367]);
            seconds += many * length;
            let text = if length < 86_400 { &mut time } else { &mut date };
            write!(text, "{many}{unit}").unwrap();
        }
    }
    match (date.is_empty(), time.is_empty()) {
        (true, true) => (SignedDuration::from_hours(24), "P1D".to_owned()),
        (_, true) => (SignedDuration::from_secs(seconds), format!("P{date}")),
        _ => (SignedDuration::from_secs(seconds), format!("P{date}T{time}")),
    }
}
