//! What can be asked, checked before anybody is asked.

use domain::{ChannelId, Invalid, Media, Pin, PinId, PinterestPinId};
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use pinterest::{IMAGE_METRICS, Period, SORTS, VIDEO_METRICS};

use crate::{
    error::Result,
    http::Call,
    parameters::{BEST, CHANNEL_METRICS, CURSOR, FROM, LIMIT, METRICS_OF_PIN, Parameter, SORT_BY, TO},
};

/// How far back Pinterest looks. It says 90 days, and refuses the 90th while it is another date where it counts.
const DAYS_BACK: i32 = 89;
/// How many days are asked about unless the caller says otherwise, today included.
const USUAL_DAYS: i32 = 30;
/// How many of the best Pins are asked for unless the caller says otherwise, and at most: Pinterest's numbers.
pub(crate) const TOP_PINS: (u16, u16) = (10, 50);

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
        let days = Days {
            period: period(call, now)?,
            metrics: metrics(call, &CHANNEL_METRICS, pinterest::CHANNEL_METRICS)?,
        };
        Ok(Self { channel: call.id("channel")?, about: About::Channel(days) })
    }

    /// About a Pin that is published as `remote`.
    pub(super) fn of_pin(call: &Call, now: Timestamp, pin: &Pin, remote: &PinterestPinId) -> Result<Self> {
        let all = match pin.draft.media {
            Media::Video { .. } => VIDEO_METRICS,
            _ => IMAGE_METRICS,
        };
        let days = Days { period: period(call, now)?, metrics: metrics(call, &METRICS_OF_PIN, all)? };
        let about = About::Pin { id: pin.id.clone(), remote: remote.clone(), days };
        Ok(Self { channel: pin.channel_id.clone(), about })
    }

    pub(super) fn of_top_pins(call: &Call, now: Timestamp) -> Result<Self> {
        let days = Days {
            period: period(call, now)?,
            metrics: metrics(call, &CHANNEL_METRICS, pinterest::CHANNEL_METRICS)?,
        };
        let about = About::TopPins { days, sort_by: sort_by(call)?, most: call.number(&BEST)? };
        Ok(Self { channel: call.id("channel")?, about })
    }

    pub(super) fn of_pins(call: &Call) -> Result<Self> {
        let about =
            About::Pins { cursor: call.query(CURSOR.name).map(str::to_owned), limit: call.number(&LIMIT)? };
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
    let to = day(call, &TO, earliest, today)?.unwrap_or(today);
    let usual = to.saturating_sub(Span::new().days(USUAL_DAYS - 1)).max(earliest);
    let from = day(call, &FROM, earliest, today)?.unwrap_or(usual);
    if from > to {
        let detail = format!("is {from}, which is after `to`, {to}");
        return Err(Invalid::new("from", "dates_reversed", detail, "Give the earlier date as `from`."));
    }
    Ok(Period { from, to })
}

/// A date that Pinterest has numbers of.
fn day(call: &Call, parameter: &Parameter, earliest: Date, today: Date) -> Result<Option<Date>, Invalid> {
    let name = parameter.name;
    let Some(text) = call.query(name) else { return Ok(None) };
    let date = parameter.date(text)?;
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
fn metrics(call: &Call, parameter: &Parameter, all: &[&'static str]) -> Result<Vec<&'static str>> {
    let named = call.words(parameter)?;
    if named.is_empty() {
        return Ok(all.to_vec());
    }
    // Images and videos have different metrics.
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        let detail = format!("holds what is not a metric here: '{unknown}'");
        let fix = format!("Use any of {}, separated by commas.", all.join(", "));
        return Err(parameter.wrong(detail, fix).into());
    }
    Ok(all.iter().copied().filter(|metric| named.contains(metric)).collect())
}

fn sort_by(call: &Call) -> Result<&'static str, Invalid> {
    call.query(SORT_BY.name).map_or(Ok(SORTS[0]), |text| SORT_BY.word(text))
}
