//! Numbers in the form of the API: a number that Pinterest does not have is `null`, and never zero.

use std::collections::{BTreeMap, HashMap};

use domain::{ChannelId, PinId, PinterestPinId};
use jiff::{Timestamp, ToSpan as _, civil::Date};
use pinterest::{Metrics, Page, PinTotals, Report, TopPin, TopPins, Total, is_lifetime};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use super::query::{MAX_TOP_PINS, MetricsQuery};
use crate::vocabulary::PinSort;

/// By the name of a metric; `null` where Pinterest has no data.
type Numbers = BTreeMap<&'static str, Option<Number>>;

/// A channel's numbers, day by day.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChannelAnalytics")]
pub struct ChannelAnalyticsView {
    channel_id: ChannelId,
    #[serde(flatten)]
    numbers: DailyView,
}

/// A Pin's numbers, day by day.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PinAnalytics")]
pub struct PinAnalyticsView {
    pin_id: PinId,
    pinterest_pin_id: PinterestPinId,
    channel_id: ChannelId,
    #[serde(flatten)]
    numbers: DailyView,
    /// Comments and reactions, which Pinterest counts over the Pin's whole life and not by day.
    lifetime: Numbers,
}

/// Numbers of a period.
#[derive(Debug, Serialize, JsonSchema)]
struct DailyView {
    from: Date,
    to: Date,
    /// The sums over all of these days, as Pinterest returns them.
    summary: Numbers,
    /// One for each day from `from` to `to`, in UTC.
    #[schemars(length(max = 90))]
    rows: Vec<RowView>,
    /// When Pinterest was called. An answer is cached for five minutes.
    #[serde(serialize_with = "domain::instant::serialize")]
    read_at: Timestamp,
}

/// Numbers of one day.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DailyMetrics")]
struct RowView {
    date: Date,
    /// `READY`, `ESTIMATE`, or Pinterest's word for why there are no numbers, `PROCESSING` for instance. `null`:
    /// Pinterest says nothing about the day.
    data_status: Option<String>,
    metrics: Numbers,
}

/// The top Pins of a channel.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TopPins")]
pub struct TopPinsView {
    channel_id: ChannelId,
    from: Date,
    to: Date,
    #[schemars(with = "PinSort")]
    sort_by: &'static str,
    /// The first is the best.
    #[schemars(length(max = MAX_TOP_PINS))]
    items: Vec<TopPinView>,
    /// Always `null`: Pinterest gives at most 50.
    next: Option<String>,
    /// Until when Pinterest has counted, if it returns that.
    #[serde(serialize_with = "domain::instant::optional::serialize")]
    counted_until: Option<Timestamp>,
    /// When Pinterest was called. An answer is cached for five minutes.
    #[serde(serialize_with = "domain::instant::serialize")]
    read_at: Timestamp,
}

/// One of the top Pins.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TopPin")]
struct TopPinView {
    /// `null`: it was not published with Pinwright.
    pin_id: Option<PinId>,
    pinterest_pin_id: PinterestPinId,
    #[schemars(url)]
    pinterest_pin_url: String,
    metrics: Numbers,
    /// The status of each metric: `READY`, `ESTIMATE`, or the reason why there is no number.
    data_status: BTreeMap<String, String>,
}

/// A page of the account's Pins, each with its totals.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PinMetricsPage")]
pub struct PinMetricsView {
    channel_id: ChannelId,
    /// In Pinterest's order.
    items: Vec<PinTotalsView>,
    /// The `cursor` of the next page. `null`: this is the last page.
    next: Option<String>,
    /// When Pinterest was called. An answer is cached for five minutes.
    #[serde(serialize_with = "domain::instant::serialize")]
    read_at: Timestamp,
}

/// The totals of one Pin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PinTotals")]
struct PinTotalsView {
    /// `null`: it was not published with Pinwright.
    pin_id: Option<PinId>,
    pinterest_pin_id: PinterestPinId,
    #[schemars(url)]
    pinterest_pin_url: String,
    title: Option<String>,
    last_90_days: RecentView,
    /// Over the Pin's whole life.
    lifetime: LifetimeView,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "RecentTotals")]
struct RecentView {
    impression: Option<Number>,
    pin_click: Option<Number>,
    outbound_click: Option<Number>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "LifetimeTotals")]
struct LifetimeView {
    impression: Option<Number>,
    pin_click: Option<Number>,
    outbound_click: Option<Number>,
    total_reactions: Option<Number>,
    total_comments: Option<Number>,
}

impl ChannelAnalyticsView {
    pub(super) fn new(channel: &ChannelId, query: &MetricsQuery, report: &Report, now: Timestamp) -> Self {
        Self { channel_id: channel.clone(), numbers: DailyView::new(query, report, now) }
    }
}

impl PinAnalyticsView {
    pub(super) fn new(
        pin: &PinId,
        remote: &PinterestPinId,
        channel: &ChannelId,
        query: &MetricsQuery,
        report: &Report,
        now: Timestamp,
    ) -> Self {
        let lifetime = query.metrics.iter().copied().filter(|metric| is_lifetime(metric));
        Self {
            pin_id: pin.clone(),
            pinterest_pin_id: remote.clone(),
            channel_id: channel.clone(),
            numbers: DailyView::new(query, report, now),
            lifetime: numbers(lifetime, &report.lifetime),
        }
    }
}

impl DailyView {
    fn new(query: &MetricsQuery, report: &Report, now: Timestamp) -> Self {
        let daily = || query.metrics.iter().copied().filter(|metric| !is_lifetime(metric));
        let (from, to) = (query.period.from, query.period.to);
        let reported: BTreeMap<Date, _> = report.days.iter().map(|day| (day.date, day)).collect();
        let row = |date| {
            let day = reported.get(&date);
            let metrics = day.map_or_else(Metrics::default, |day| day.metrics.clone());
            let data_status = day.and_then(|day| day.data_status.clone());
            RowView { date, data_status, metrics: numbers(daily(), &metrics) }
        };
        let rows = from.series(1.day()).take_while(|date| *date <= to).map(row).collect();
        Self { from, to, summary: numbers(daily(), &report.sums), rows, read_at: now }
    }
}

impl TopPinsView {
    pub(super) fn new(
        channel: &ChannelId,
        query: &MetricsQuery,
        sort_by: &'static str,
        top: &TopPins,
        owners: &HashMap<PinterestPinId, PinId>,
        now: Timestamp,
    ) -> Self {
        let item = |pin: &TopPin| TopPinView {
            pin_id: owners.get(&pin.id).cloned(),
            pinterest_pin_url: pin.id.url(),
            pinterest_pin_id: pin.id.clone(),
            metrics: numbers(query.metrics.iter().copied(), &pin.metrics),
            data_status: pin.data_status.clone(),
        };
        Self {
            channel_id: channel.clone(),
            from: query.period.from,
            to: query.period.to,
            sort_by,
            items: top.pins.iter().map(item).collect(),
            next: None,
            counted_until: top.counted_until,
            read_at: now,
        }
    }
}

impl PinMetricsView {
    pub(super) fn new(
        channel: &ChannelId,
        page: Page<PinTotals>,
        owners: &HashMap<PinterestPinId, PinId>,
        now: Timestamp,
    ) -> Self {
        let item = |pin: PinTotals| PinTotalsView {
            pin_id: owners.get(&pin.id).cloned(),
            last_90_days: RecentView::new(pin.recent()),
            lifetime: LifetimeView::new(pin.lifetime()),
            pinterest_pin_url: pin.id.url(),
            pinterest_pin_id: pin.id,
            title: pin.title,
        };
        let items = page.items.into_iter().map(item).collect();
        Self { channel_id: channel.clone(), items, next: page.bookmark, read_at: now }
    }
}

impl RecentView {
    fn new(total: Option<&Total>) -> Self {
        Self {
            impression: total.and_then(|total| total.impression.clone()),
            pin_click: total.and_then(|total| total.pin_click.clone()),
            outbound_click: total.and_then(|total| total.outbound_click.clone()),
        }
    }
}

impl LifetimeView {
    fn new(total: Option<&Total>) -> Self {
        let RecentView { impression, pin_click, outbound_click } = RecentView::new(total);
        Self {
            impression,
            pin_click,
            outbound_click,
            total_reactions: total.and_then(|total| total.reaction.clone()),
            total_comments: total.and_then(|total| total.comment.clone()),
        }
    }
}

/// The known number of each metric, and `null` for the others.
fn numbers(wanted: impl Iterator<Item = &'static str>, known: &Metrics) -> Numbers {
    wanted.map(|metric| (metric, known.get(metric).cloned())).collect()
}
