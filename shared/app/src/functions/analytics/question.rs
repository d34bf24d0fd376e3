//! What can be asked, checked before anybody is asked.

use domain::{ChannelId, Invalid, Media, Pin, PinId, PinterestPinId};
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use pinterest::{CHANNEL_METRICS, IMAGE_METRICS, Period, SORTS, VIDEO_METRICS};

use crate::{
    error::Result,
    functions::pins::{PAGE, limit},
    http::Call,
};

/// How far back Pinterest looks. It says 90 days, and refuses the 90th while it is another date where it counts.
const DAYS_BACK: i32 = 89;
/// How many days are asked about unless the caller says otherwise, today included.
const USUAL_DAYS: i32 = 30;
/// How many of the best Pins are asked for unless the caller says otherwise, and at most: Pinterest's numbers.
const TOP_PINS: (u16, u16) = (10, 50);
/// How much of what is no metric is repeated to whoever sent it.
const REPEATED: usize = 40;

/// A question that Pinterest can answer, about one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) channel: ChannelId,
    pub(super) about: About,
}

/// What is asked about the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// How all of it does.
    Channel(Days),
    /// How one of its Pins does.
    Pin { id: PinId, remote: PinterestPinId, days: Days },
    /// Which Pins do best.
    TopPins { days: Days, sort_by: &'static str, most: u16 },
    /// All Pins in short, page by page.
    Pins { cursor: Option<String>, limit: u16 },
}

/// Which numbers, of which days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) period: Period,
    /// By Pinterest's names, in Pinterest's order, each once.
    pub(super) metrics: Vec<&'static str>,
}

impl Question {
    pub(super) fn of_channel(call: &Call, now: Timestamp) -> Result<Self> {
        let days = Days { period: period(call, now)?, metrics: metrics(call, CHANNEL_METRICS)? };
        Ok(Self { channel: call.id("channel")?, about: About::Channel(days) })
    }

    /// About a Pin that is published as `remote`.
    pub(super) fn of_pin(call: &Call, now: Timestamp, pin: &Pin, remote: &PinterestPinId) -> Result<Self> {
        let all = match pin.draft.media {
            Media::Video { .. } => VIDEO_METRICS,
            _ => IMAGE_METRICS,
        };
        let days = Days { period: period(call, now)?, metrics: metrics(call, all)? };
        let about = About::Pin { id: pin.id.clone(), remote: remote.clone(), days };
        Ok(Self { channel: pin.channel_id.clone(), about })
    }

    pub(super) fn of_top_pins(call: &Call, now: Timestamp) -> Result<Self> {
        let days = Days { period: period(call, now)?, metrics: metrics(call, CHANNEL_METRICS)? };
        let about = About::TopPins { days, sort_by: sort_by(call)?, most: limit(call, TOP_PINS)? };
        Ok(Self { channel: call.id("channel")?, about })
    }

    pub(super) fn of_pins(call: &Call) -> Result<Self> {
        let about =
            About::Pins { cursor: call.query("cursor").map(str::to_owned), limit: limit(call, PAGE)? };
        Ok(Self { channel: call.id("channel")?, about })
    }

    /// What Pinterest wants the owner to have granted: the contract's `security` of each operation.
    pub(super) fn scopes(&self) -> &'static [&'static str] {
        match self.about {
            About::Channel(_) => &["user_accounts:read"],
            About::TopPins { .. } => &["pins:read", "user_accounts:read"],
            About::Pin { .. } | About::Pins { .. } => &["boards:read", "pins:read"],
        }
    }
}

/// The days from `from` to `to`: up to today, which is a date of UTC as all of Pinterest's are.
fn period(call: &Call, now: Timestamp) -> Result<Period, Invalid> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let earliest = today.saturating_sub(Span::new().days(DAYS_BACK));
    let to = day(call, "to", earliest, today)?.unwrap_or(today);
    let usual = to.saturating_sub(Span::new().days(USUAL_DAYS - 1)).max(earliest);
    let from = day(call, "from", earliest, today)?.unwrap_or(usual);
    if from > to {
        let detail = format!("is {from}, which is after `to`, {to}");
        return Err(Invalid::new("from", "dates_reversed", detail, "Give the earlier date as `from`."));
    }
    Ok(Period { from, to })
}

/// A date that Pinterest has numbers of.
fn day(call: &Call, name: &str, earliest: Date, today: Date) -> Result<Option<Date>, Invalid> {
    let Some(text) = call.query(name) else { return Ok(None) };
    // Other spellings of a date have no place in an address.
    let Some(date) = text.parse::<Date>().ok().filter(|date| date.to_string() == text) else {
        let fix = "Write a date as YYYY-MM-DD; days are those of UTC.";
        return Err(Invalid::new(name, "invalid_date", "is not a date", fix));
    };
    if date > today {
        let detail = format!("is in the future: in UTC it is {today}");
        return Err(Invalid::new(name, "date_in_future", detail, "Ask about days up to today."));
    }
    if date < earliest {
        let detail = format!("is more than {DAYS_BACK} days ago, and Pinterest looks back no further");
        return Err(Invalid::new(
            name,
            "date_too_old",
            detail,
            format!("Ask about days from {earliest} on."),
        ));
    }
    Ok(Some(date))
}

/// Those of `all` that are asked for: all of them unless some are named.
fn metrics(call: &Call, all: &[&'static str]) -> Result<Vec<&'static str>, Invalid> {
    let Some(list) = call.query("metrics") else { return Ok(all.to_vec()) };
    let named: Vec<&str> = list.split(',').map(str::trim).collect();
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        let unknown: String = unknown.chars().take(REPEATED).collect();
        let detail = format!("holds what is no metric here: '{unknown}'");
        let fix = format!("Use any of {}, separated by commas.", all.join(", "));
        return Err(Invalid::new("metrics", "invalid_metric", detail, fix));
    }
    Ok(all.iter().copied().filter(|metric| named.contains(metric)).collect())
}

fn sort_by(call: &Call) -> Result<&'static str, Invalid> {
    let Some(text) = call.query("sort_by") else { return Ok(SORTS[0]) };
    SORTS.iter().copied().find(|sort| *sort == text).ok_or_else(|| {
        let fix = format!("Use one of {}.", SORTS.join(", "));
        Invalid::new("sort_by", "invalid_sort", "is nothing that Pins can be sorted by", fix)
    })
}
