//! Analytics of Pins and accounts. The numbers are invented: they are computed from the Pin's id and the day, so that
//! the same request always has the same answer.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::lookup::{find_pin, is_pin_visible};
use crate::{
    http::{Answer, Environment, Refusal, Request},
    state::{Grant, Media, Pin, State},
};

const ACCOUNT_METRICS: &[&str] = &[
    "ENGAGEMENT",
    "ENGAGEMENT_RATE",
    "IMPRESSION",
    "OUTBOUND_CLICK",
    "OUTBOUND_CLICK_RATE",
    "PIN_CLICK",
    "PIN_CLICK_RATE",
    "SAVE",
    "SAVE_RATE",
];
const IMAGE_METRICS: &[&str] = &[
    "IMPRESSION",
    "OUTBOUND_CLICK",
    "PIN_CLICK",
    "SAVE",
    "SAVE_RATE",
    "TOTAL_COMMENTS",
    "TOTAL_REACTIONS",
    "USER_FOLLOW",
    "PROFILE_VISIT",
];
const VIDEO_METRICS: &[&str] = &[
    "IMPRESSION",
    "OUTBOUND_CLICK",
    "PIN_CLICK",
    "SAVE",
    "SAVE_RATE",
    "VIDEO_MRC_VIEW",
    "VIDEO_10S_VIEW",
    "QUARTILE_95_PERCENT_VIEW",
    "VIDEO_V50_WATCH_TIME",
    "VIDEO_START",
    "VIDEO_AVG_WATCH_TIME",
    "TOTAL_COMMENTS",
    "TOTAL_REACTIONS",
];
const SORT_METRICS: [&str; 5] = ["ENGAGEMENT", "IMPRESSION", "OUTBOUND_CLICK", "PIN_CLICK", "SAVE"];
/// Metrics that exist only for the whole life of a Pin.
const LIFETIME_METRICS: [&str; 2] = ["TOTAL_COMMENTS", "TOTAL_REACTIONS"];
/// The newest days, for which Pinterest has no numbers yet. Today is one of them.
const PROCESSING_DAYS: i32 = 2;

/// The numbers of one or more Pins, for one or more days.
#[derive(Clone, Copy, Default)]
struct Counts {
    impressions: u64,
    clicks: u64,
    outbound: u64,
    saves: u64,
}

impl Counts {
    /// The numbers of `pin` on one day: lower for an older Pin, and different on each day.
    fn for_day(pin: &Pin, date: Date) -> Self {
        let age = u64::try_from(days_between(utc_date(pin.created_at), date)).unwrap_or_default();
        let appeal = 200 + mix(pin.id.0, 0) % 800;
        let chance = 50 + mix(pin.id.0, u64::from(date.day_of_year().unsigned_abs()) + 1) % 100;
        let impressions = appeal * chance / 100 / (1 + age / 7);
        Self {
            impressions,
            clicks: impressions / 8,
            outbound: impressions / 12,
            saves: impressions / (10 + mix(pin.id.0, 1) % 20),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            impressions: self.impressions + other.impressions,
            clicks: self.clicks + other.clicks,
            outbound: self.outbound + other.outbound,
            saves: self.saves + other.saves,
        }
    }

    /// The value of one of the contract's metrics.
    fn metric(self, name: &str) -> Value {
        let engagement = self.clicks + self.outbound + self.saves;
        let starts = self.impressions / 2;
        match name {
            "IMPRESSION" => json!(self.impressions),
            "PIN_CLICK" => json!(self.clicks),
            "OUTBOUND_CLICK" => json!(self.outbound),
            "SAVE" => json!(self.saves),
            "ENGAGEMENT" => json!(engagement),
            "ENGAGEMENT_RATE" => self.rate(engagement),
            "PIN_CLICK_RATE" => self.rate(self.clicks),
            "OUTBOUND_CLICK_RATE" => self.rate(self.outbound),
            "SAVE_RATE" => self.rate(self.saves),
            "PROFILE_VISIT" => json!(self.clicks / 5),
            "USER_FOLLOW" => json!(self.clicks / 20),
            "VIDEO_START" => json!(starts),
            "VIDEO_MRC_VIEW" => json!(starts * 3 / 4),
            "VIDEO_10S_VIEW" => json!(starts / 3),
            "QUARTILE_95_PERCENT_VIEW" => json!(starts / 6),
            "VIDEO_AVG_WATCH_TIME" => json!(if starts == 0 { 0.0 } else { 2507.75 }),
            "VIDEO_V50_WATCH_TIME" => json!(starts * 2508),
            _ => json!(0),
        }
    }

    /// The share of impressions, to four places.
    fn rate(self, part: u64) -> Value {
        let places = (part * 10_000).checked_div(self.impressions).unwrap_or_default();
        json!(f64::from(u32::try_from(places).unwrap_or(u32::MAX)) / 10_000.0)
    }
}

/// The days of a request.
struct DateRange {
    from: Date,
    to: Date,
    today: Date,
}

impl DateRange {
    fn parse(request: &Request) -> Result<Self, Refusal> {
        let date = |name| {
            let text = request.query.get(name).ok_or(INVALID)?;
            text.parse::<Date>().map_err(|_| INVALID)
        };
        let days = Self { from: date("start_date")?, to: date("end_date")?, today: utc_date(request.now) };
        if days.from > days.to || days_between(days.from, days.to) > 90 {
            return Err(INVALID);
        }
        if days_between(days.from, days.today) > 90 {
            return Err(Refusal::Analytics(Cow::Borrowed("You can only get data from the last 90 days.")));
        }
        Ok(days)
    }

    fn all(&self) -> impl Iterator<Item = Date> {
        self.from.series(Span::new().days(1)).take_while(|date| *date <= self.to)
    }

    /// Pinterest's status of the numbers of a day, for a Pin or account that exists since `first`.
    fn status(&self, date: Date, first: Date, before: &'static str) -> &'static str {
        if date < first {
            before
        } else if days_between(date, self.today) < PROCESSING_DAYS {
            "PROCESSING"
        } else {
            "READY"
        }
    }
}

const INVALID: Refusal = Refusal::Analytics(Cow::Borrowed("Invalid analytics parameters."));

/// `GET /user_account/analytics`
pub(crate) fn get_account_analytics(
    state: &State,
    grant: &Grant,
    request: &Request,
) -> Result<Answer, Refusal> {
    let (days, metrics) =
        (DateRange::parse(request)?, parse_metrics(request, ACCOUNT_METRICS, Some(ACCOUNT_METRICS))?);
    let host = state.host(request.environment);
    let boards = host.boards.iter().filter(|board| board.account == grant.account);
    let first = boards.map(|board| utc_date(board.created_at)).min().unwrap_or(days.today);
    let pins: Vec<&Pin> = host.pins.iter().filter(|pin| pin.account == grant.account).collect();
    let counts = |date| {
        let existing = pins.iter().filter(|pin| utc_date(pin.created_at) <= date);
        existing.map(|pin| Counts::for_day(pin, date)).fold(Counts::default(), Counts::plus)
    };
    Ok(answer_analytics(&days, &metrics, first, "BEFORE_BUSINESS_CREATED", counts, None))
}

/// `GET /pins/{pin_id}/analytics`
pub(crate) fn get_pin_analytics(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let pin = find_pin(state, grant, request).map_err(|refusal| match refusal {
        Refusal::PinNotFound => Refusal::AnalyticsPinNotFound,
        other => other,
    })?;
    let all = if matches!(pin.media, Media::Video { .. }) { VIDEO_METRICS } else { IMAGE_METRICS };
    let (days, metrics) = (DateRange::parse(request)?, parse_metrics(request, all, None)?);
    let lifetime = LIFETIME_METRICS.into_iter().filter(|name| metrics.contains(name));
    let lifetime = lifetime.map(|name| (name, lifetime_count(pin, days.today, name))).collect();
    let first = utc_date(pin.created_at);
    let counts = |date| Counts::for_day(pin, date);
    Ok(answer_analytics(&days, &metrics, first, "BEFORE_PIN_CREATED", counts, Some(lifetime)))
}

/// `GET /user_account/analytics/top_pins`
pub(crate) fn list_top_pins(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let (days, metrics) =
        (DateRange::parse(request)?, parse_metrics(request, ACCOUNT_METRICS, Some(ACCOUNT_METRICS))?);
    let sort_by = request.query.get("sort_by").filter(|sort| SORT_METRICS.contains(sort)).ok_or(INVALID)?;
    let Ok(limit @ 1..=50) = request.query.get("num_of_pins").map_or(Ok(10), str::parse) else {
        return Err(INVALID);
    };
    let pins = state.host(request.environment).pins.iter();
    let pins = pins.filter(|pin| is_pin_visible(state, grant, request, pin));
    let mut counted: Vec<_> = pins.map(|pin| (total_counts(pin, &days), pin)).collect();
    counted.sort_by_key(|(counts, pin)| std::cmp::Reverse((counts.metric(sort_by).as_u64(), pin.id)));
    let pins: Vec<Value> = counted
        .into_iter()
        .take(limit)
        .map(|(counts, pin)| {
            let is_counted =
                days.all().any(|date| days.status(date, utc_date(pin.created_at), "") == "READY");
            let status = if is_counted { "READY" } else { "PROCESSING" };
            let numbers = metrics.iter().filter(|_| is_counted).map(|name| (*name, counts.metric(name)));
            json!({
                "pin_id": pin.id.to_string(),
                "metrics": numbers.collect::<BTreeMap<_, _>>(),
                "data_status": metrics.iter().map(|name| (*name, status)).collect::<BTreeMap<_, _>>(),
            })
        })
        .collect();
    let counted_until = days.today.saturating_sub(Span::new().days(PROCESSING_DAYS - 1));
    let counted_until =
        counted_until.to_zoned(TimeZone::UTC).map_or(0, |end| end.timestamp().as_millisecond() - 1000);
    Ok(Answer::ok(&json!({
        "date_availability": { "latest_available_timestamp": counted_until, "is_realtime": false },
        "sort_by": sort_by,
        "pins": pins,
    })))
}

/// The field `pin_metrics` of a Pin, if the request asks for it. The sandbox has no numbers.
pub(crate) fn pin_metrics(request: &Request, pin: &Pin) -> Value {
    if request.query.get("pin_metrics") != Some("true") || request.environment == Environment::Sandbox {
        return Value::Null;
    }
    let today = utc_date(request.now);
    let days = DateRange { from: today.saturating_sub(Span::new().days(89)), to: today, today };
    let counts = |days: &DateRange| {
        let counts = total_counts(pin, days);
        json!({ "pin_click": counts.clicks, "impression": counts.impressions, "clickthrough": counts.outbound })
    };
    let mut lifetime = counts(&DateRange { from: utc_date(pin.created_at).min(today), ..days });
    lifetime["reaction"] = lifetime_count(pin, today, "TOTAL_REACTIONS");
    lifetime["comment"] = lifetime_count(pin, today, "TOTAL_COMMENTS");
    json!({ "90d": counts(&days), "lifetime_metrics": lifetime })
}

/// The metrics that the request names, which must be in `all`; if it names none, `default`.
fn parse_metrics(
    request: &Request,
    all: &'static [&'static str],
    default: Option<&'static [&'static str]>,
) -> Result<Vec<&'static str>, Refusal> {
    match request.query.get("metric_types") {
        None => default.map(<[_]>::to_vec).ok_or(INVALID),
        Some(list) => {
            let metric = |name: &str| all.iter().copied().find(|metric| *metric == name);
            list.split(',').map(|name| metric(name).ok_or(INVALID)).collect()
        }
    }
}

/// `AnalyticsResponse`, or `PinAnalyticsResponse` if there is `lifetime`.
fn answer_analytics(
    days: &DateRange,
    metrics: &[&'static str],
    first: Date,
    before: &'static str,
    counts: impl Fn(Date) -> Counts,
    lifetime: Option<BTreeMap<&str, Value>>,
) -> Answer {
    let daily = || metrics.iter().filter(|name| !LIFETIME_METRICS.contains(name));
    let numbers =
        |counts: Counts| daily().map(|name| (*name, counts.metric(name))).collect::<BTreeMap<_, _>>();
    let mut sum = Counts::default();
    let rows: Vec<Value> = days
        .all()
        .map(|date| {
            let data_status = days.status(date, first, before);
            let counted = (data_status == "READY").then(|| counts(date));
            sum = sum.plus(counted.unwrap_or_default());
            let metrics = counted.map(numbers).unwrap_or_default();
            json!({ "date": date, "data_status": data_status, "metrics": metrics })
        })
        .collect();
    let mut all = json!({ "daily_metrics": rows, "summary_metrics": numbers(sum) });
    if let Some(lifetime) = lifetime {
        all["lifetime_metrics"] = json!(lifetime);
    }
    Answer::ok(&json!({ "all": all }))
}

/// The numbers of a Pin in these days.
fn total_counts(pin: &Pin, days: &DateRange) -> Counts {
    let ready = days.all().filter(|date| days.status(*date, utc_date(pin.created_at), "") == "READY");
    ready.map(|date| Counts::for_day(pin, date)).fold(Counts::default(), Counts::plus)
}

/// The comments or reactions until today: more for an older Pin.
fn lifetime_count(pin: &Pin, today: Date, metric: &str) -> Value {
    let age = u64::try_from(days_between(utc_date(pin.created_at), today)).unwrap_or_default();
    let (salt, factor) = if metric == "TOTAL_COMMENTS" { (2, 9) } else { (3, 3) };
    json!(age * (1 + mix(pin.id.0, salt) % 4) / factor)
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

fn utc_date(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// A number that looks random and is always the same for the same arguments (splitmix64).
fn mix(id: u64, salt: u64) -> u64 {
    let mut number = id.wrapping_add(salt.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
