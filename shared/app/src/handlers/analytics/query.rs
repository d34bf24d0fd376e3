//! Queries, checked before the call to Pinterest.

use domain::{ChannelId, Invalid, Media, Pin, PinId, PinterestPinId};
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use pinterest::{IMAGE_METRICS, Period, SORTS, VIDEO_METRICS};

use edge::{ApiRequest, query::Parameter};

use crate::{
    error::Result,
    parameters::{CHANNEL_METRICS, CURSOR, FROM, LIMIT, METRICS_OF_PIN, SORT_BY, TO, TOP_PINS_LIMIT},
};

/// How far back Pinterest has numbers. It documents 90 days, but refuses the 90th while its own date differs.
const MAX_DAYS_BACK: i32 = 89;
/// How many days are read by default, including today.
const DEFAULT_DAYS: i32 = 30;
/// How many top Pins are listed by default, and at most: Pinterest's numbers.
pub(crate) const DEFAULT_TOP_PINS: u16 = 10;
pub(crate) const MAX_TOP_PINS: u16 = 50;

/// A valid query about one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) channel: ChannelId,
    pub(super) kind: QueryKind,
}

/// The kind of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum QueryKind {
    /// The numbers of the whole channel.
    Channel(MetricsQuery),
    /// The numbers of one of its Pins.
    Pin { id: PinId, remote: PinterestPinId, wanted: MetricsQuery },
    /// The Pins with the best numbers.
    TopPins { wanted: MetricsQuery, sort_by: &'static str, limit: u16 },
    /// All Pins with their totals, page by page.
    Pins { cursor: Option<String>, limit: u16 },
}

/// The metrics and the days of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MetricsQuery {
    pub(super) period: Period,
    /// The metrics, by Pinterest's names, in Pinterest's order, each once.
    pub(super) metrics: Vec<&'static str>,
}

impl Query {
    pub(super) fn channel(request: &ApiRequest, now: Timestamp) -> Result<Self> {
        let wanted = MetricsQuery {
            period: period(request, now)?,
            metrics: metrics(request, &CHANNEL_METRICS, pinterest::CHANNEL_METRICS)?,
        };
        Ok(Self { channel: request.id("channel")?, kind: QueryKind::Channel(wanted) })
    }

    /// A query about a Pin whose id at Pinterest is `remote`.
    pub(super) fn pin(
        request: &ApiRequest,
        now: Timestamp,
        pin: &Pin,
        remote: &PinterestPinId,
    ) -> Result<Self> {
        let all = match pin.draft.media {
            Media::Video { .. } => VIDEO_METRICS,
            _ => IMAGE_METRICS,
        };
        let wanted =
            MetricsQuery { period: period(request, now)?, metrics: metrics(request, &METRICS_OF_PIN, all)? };
        let kind = QueryKind::Pin { id: pin.id.clone(), remote: remote.clone(), wanted };
        Ok(Self { channel: pin.channel_id.clone(), kind })
    }

    pub(super) fn top_pins(request: &ApiRequest, now: Timestamp) -> Result<Self> {
        let wanted = MetricsQuery {
            period: period(request, now)?,
            metrics: metrics(request, &CHANNEL_METRICS, pinterest::CHANNEL_METRICS)?,
        };
        let kind = QueryKind::TopPins {
            wanted,
            sort_by: sort_by(request)?,
            limit: request.number(&TOP_PINS_LIMIT)?,
        };
        Ok(Self { channel: request.id("channel")?, kind })
    }

    pub(super) fn pins(request: &ApiRequest) -> Result<Self> {
        let kind = QueryKind::Pins {
            cursor: request.query(CURSOR.name).map(str::to_owned),
            limit: request.number(&LIMIT)?,
        };
        Ok(Self { channel: request.id("channel")?, kind })
    }

    /// The scopes that Pinterest requires: the contract's `security` of each operation.
    pub(super) fn scopes(&self) -> &'static [&'static str] {
        match self.kind {
            QueryKind::Channel(_) => &["user_accounts:read"],
            QueryKind::TopPins { .. } => &["pins:read", "user_accounts:read"],
            QueryKind::Pin { .. } | QueryKind::Pins { .. } => &["boards:read", "pins:read"],
        }
    }
}

/// The days from `from` to `to`. Today, like all of Pinterest's dates, is in UTC.
fn period(request: &ApiRequest, now: Timestamp) -> Result<Period, Invalid> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let earliest = today.saturating_sub(Span::new().days(MAX_DAYS_BACK));
    let to = day(request, &TO, earliest, today)?.unwrap_or(today);
    let usual = to.saturating_sub(Span::new().days(DEFAULT_DAYS - 1)).max(earliest);
    let from = day(request, &FROM, earliest, today)?.unwrap_or(usual);
    if from > to {
        let detail = format!("is {from}, which is after `to`, {to}");
        return Err(Invalid::new("from", "dates_reversed", detail, "Give the earlier date as `from`."));
    }
    Ok(Period { from, to })
}

/// A date for which Pinterest has numbers.
fn day(
    request: &ApiRequest,
    parameter: &Parameter,
    earliest: Date,
    today: Date,
) -> Result<Option<Date>, Invalid> {
    let name = parameter.name;
    let Some(text) = request.query(name) else { return Ok(None) };
    let date = parameter.date(text)?;
    if date > today {
        let detail = format!("is in the future: in UTC it is {today}");
        return Err(Invalid::new(name, "date_in_future", detail, "Ask about days up to today."));
    }
    if date < earliest {
        let detail = format!("is more than {MAX_DAYS_BACK} days ago, and Pinterest looks back no further");
        return Err(Invalid::new(
            name,
            "date_too_old",
            detail,
            format!("Ask about days from {earliest} on."),
        ));
    }
    Ok(Some(date))
}

/// The requested metrics of `all`; all of them if the request names none.
fn metrics(request: &ApiRequest, parameter: &Parameter, all: &[&'static str]) -> Result<Vec<&'static str>> {
    let named = request.words(parameter)?;
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

fn sort_by(request: &ApiRequest) -> Result<&'static str, Invalid> {
    request.query(SORT_BY.name).map_or(Ok(SORTS[0]), |text| SORT_BY.word(text))
}
