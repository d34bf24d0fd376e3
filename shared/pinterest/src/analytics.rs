//! Analytics: the numbers of an account and its Pins day by day, the top Pins, and the totals of all Pins.
//!
//! Pinterest has none in its sandbox. A day without data is not a day without events: such a number is absent here,
//! whatever Pinterest sends in its place.

use std::collections::BTreeMap;

use domain::{AccessToken, Environment, PinterestPinId};
use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::Number;

use crate::{Client, Error, Page, lenient, lenient::Readable};

/// The metrics of an account (`query_metric_types` in the contract), and of its top Pins.
pub const CHANNEL_METRICS: &[&str] = &[
    "IMPRESSION",
    "ENGAGEMENT",
    "ENGAGEMENT_RATE",
    "PIN_CLICK",
    "PIN_CLICK_RATE",
    "OUTBOUND_CLICK",
    "OUTBOUND_CLICK_RATE",
    "SAVE",
    "SAVE_RATE",
];
/// The metrics of a Pin with images: `query_pin_analytics_metric_types` in the contract, the first family.
pub const IMAGE_METRICS: &[&str] = &[
    "IMPRESSION",
    "PIN_CLICK",
    "OUTBOUND_CLICK",
    "SAVE",
    "SAVE_RATE",
    "PROFILE_VISIT",
    "USER_FOLLOW",
    "TOTAL_COMMENTS",
    "TOTAL_REACTIONS",
];
/// The metrics of a video: the second family. Watch times are milliseconds.
pub const VIDEO_METRICS: &[&str] = &[
    "IMPRESSION",
    "PIN_CLICK",
    "OUTBOUND_CLICK",
    "SAVE",
    "SAVE_RATE",
    "VIDEO_START",
    "VIDEO_MRC_VIEW",
    "VIDEO_10S_VIEW",
    "QUARTILE_95_PERCENT_VIEW",
    "VIDEO_AVG_WATCH_TIME",
    "VIDEO_V50_WATCH_TIME",
    "TOTAL_COMMENTS",
    "TOTAL_REACTIONS",
];
/// Every metric of a Pin: those of images, then those that only videos have.
pub const PIN_METRICS: &[&str] = &[
    "IMPRESSION",
    "PIN_CLICK",
    "OUTBOUND_CLICK",
    "SAVE",
    "SAVE_RATE",
    "PROFILE_VISIT",
    "USER_FOLLOW",
    "TOTAL_COMMENTS",
    "TOTAL_REACTIONS",
    "VIDEO_START",
    "VIDEO_MRC_VIEW",
    "VIDEO_10S_VIEW",
    "QUARTILE_95_PERCENT_VIEW",
    "VIDEO_AVG_WATCH_TIME",
    "VIDEO_V50_WATCH_TIME",
];
/// The metrics by which the top Pins can be sorted (`query_sort_by` in the contract).
pub const SORTS: &[&str] = &["IMPRESSION", "ENGAGEMENT", "PIN_CLICK", "OUTBOUND_CLICK", "SAVE"];

/// Whether Pinterest counts this only over a Pin's whole life, and not by day.
#[must_use]
pub fn is_lifetime(metric: &str) -> bool {
    matches!(metric, "TOTAL_COMMENTS" | "TOTAL_REACTIONS")
}

/// Numbers by Pinterest's names. Metrics without data are absent.
pub type Metrics = BTreeMap<String, Number>;

/// The first and the last day of a query, in UTC. Pinterest has data for 90 days by its own clock, so near midnight 89 are
/// safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day, which is included.
    pub to: Date,
}

/// Numbers of a period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The days, as Pinterest lists them; it may leave some out.
    pub days: Vec<Day>,
    /// Over the whole period. Metrics without data on any day are absent.
    pub sums: Metrics,
    /// Over the whole life of a Pin. Never impressions.
    pub lifetime: Metrics,
}

/// Numbers of one day.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// In UTC.
    pub date: Date,
    /// Whether the numbers are final (`READY`), or why there are none: one of many words, and there may be new ones.
    pub data_status: Option<String>,
    /// Empty on a day without data.
    pub metrics: Metrics,
}

/// The top Pins of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct TopPins {
    /// The best first.
    pub pins: Vec<TopPin>,
    /// Up to when Pinterest has counted.
    pub counted_until: Option<Timestamp>,
}

/// One of the top Pins.
#[derive(Clone, Debug, PartialEq)]
pub struct TopPin {
    /// Which.
    pub id: PinterestPinId,
    /// Over the whole period. Metrics without data are absent.
    pub metrics: Metrics,
    /// The status of each metric.
    pub data_status: BTreeMap<String, String>,
}

/// A Pin of an account, with its totals.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PinTotals {
    /// Which.
    #[serde(deserialize_with = "lenient::id")]
    pub id: PinterestPinId,
    /// As it was published.
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: Option<String>,
    #[serde(rename = "pin_metrics")]
    totals: Option<Totals>,
}

impl PinTotals {
    /// Of the last 90 days. Comments and reactions are not among them.
    #[must_use]
    pub fn recent(&self) -> Option<&Total> {
        self.totals.as_ref()?.recent.as_ref()
    }

    /// Of all time. Of Pins made before 2023-03-20, only of videos.
    #[must_use]
    pub fn lifetime(&self) -> Option<&Total> {
        self.totals.as_ref()?.lifetime.as_ref()
    }
}

/// `pin_metrics` of a `Pin` in the contract.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Totals {
    #[serde(rename = "90d")]
    recent: Option<Total>,
    #[serde(rename = "lifetime_metrics")]
    lifetime: Option<Total>,
}

/// The totals of a Pin over a long time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Total {
    /// How often it was seen.
    #[serde(default, deserialize_with = "lenient::number")]
    pub impression: Option<Number>,
    /// How often it was opened.
    #[serde(default, deserialize_with = "lenient::number")]
    pub pin_click: Option<Number>,
    /// How often somebody went to where it links to.
    #[serde(default, rename = "clickthrough", deserialize_with = "lenient::number")]
    pub outbound_click: Option<Number>,
    /// How many reacted to it.
    #[serde(default, deserialize_with = "lenient::number")]
    pub reaction: Option<Number>,
    /// How many commented on it.
    #[serde(default, deserialize_with = "lenient::number")]
    pub comment: Option<Number>,
}

/// `AnalyticsResponse` and `PinAnalyticsResponse` in the contract, which are not split.
#[derive(Deserialize)]
struct Unsplit {
    all: Option<RawReport>,
}

/// `PinAnalyticsMetricsResponse` in the contract.
#[derive(Deserialize)]
struct RawReport {
    #[serde(default, rename = "daily_metrics")]
    days: Readable<RawDay>,
    #[serde(default, rename = "summary_metrics", deserialize_with = "lenient::numbers")]
    sums: Metrics,
    #[serde(default, rename = "lifetime_metrics", deserialize_with = "lenient::numbers")]
    lifetime: Metrics,
}

#[derive(Deserialize)]
struct RawDay {
    date: Date,
    #[serde(default, deserialize_with = "lenient::text")]
    data_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::numbers")]
    metrics: Metrics,
}

/// `TopPinsAnalyticsResponse` in the contract.
#[derive(Deserialize)]
struct RawTopPins {
    #[serde(default)]
    pins: Readable<RawTopPin>,
    date_availability: Option<Availability>,
}

#[derive(Deserialize)]
struct RawTopPin {
    #[serde(deserialize_with = "lenient::id")]
    pin_id: PinterestPinId,
    #[serde(default, deserialize_with = "lenient::numbers")]
    metrics: Metrics,
    #[serde(default, deserialize_with = "lenient::texts")]
    data_status: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Availability {
    #[serde(default, deserialize_with = "lenient::number")]
    latest_available_timestamp: Option<Number>,
}

/// Whether the numbers of this status count. An estimate counts, and so does a missing status.
fn has_data(status: Option<&str>) -> bool {
    matches!(status, None | Some("READY" | "ESTIMATE"))
}

impl From<RawReport> for Report {
    fn from(answer: RawReport) -> Self {
        let days: Vec<Day> = answer.days.items.into_iter().map(Day::from).collect();
        let counted = |metric: &String| days.iter().any(|day| day.metrics.contains_key(metric));
        let sums = answer.sums.into_iter().filter(|(metric, _)| counted(metric)).collect();
        Self { sums, lifetime: answer.lifetime, days }
    }
}

impl From<RawDay> for Day {
    fn from(answer: RawDay) -> Self {
        let metrics = if has_data(answer.data_status.as_deref()) { answer.metrics } else { Metrics::new() };
        Self { date: answer.date, metrics, data_status: answer.data_status }
    }
}

impl From<RawTopPin> for TopPin {
    fn from(answer: RawTopPin) -> Self {
        let status = |metric: &str| answer.data_status.get(metric).map(String::as_str);
        let metrics = answer.metrics.into_iter().filter(|(metric, _)| has_data(status(metric))).collect();
        Self { id: answer.pin_id, metrics, data_status: answer.data_status }
    }
}

impl From<RawTopPins> for TopPins {
    fn from(answer: RawTopPins) -> Self {
        let millis = answer.date_availability.and_then(|until| until.latest_available_timestamp);
        let instant = |millis: Number| Timestamp::from_millisecond(millis.as_i64()?).ok();
        Self {
            pins: answer.pins.items.into_iter().map(TopPin::from).collect(),
            counted_until: millis.and_then(instant),
        }
    }
}

impl Period {
    fn query(self) -> [(&'static str, String); 2] {
        [("start_date", self.from.to_string()), ("end_date", self.to.to_string())]
    }
}

impl Client {
    /// An account's numbers, day by day
    /// ([`GET /user_account/analytics`](https://developers.pinterest.com/docs/api/v5/user_account-analytics)).
    /// `metrics` are some of [`CHANNEL_METRICS`].
    pub async fn account_analytics(
        &self,
        environment: Environment,
        token: &AccessToken,
        period: Period,
        metrics: &[&str],
    ) -> Result<Report, Error> {
        self.report(environment, token, "user_account/analytics", period, metrics).await
    }

    /// A Pin's numbers, day by day
    /// ([`GET /pins/{pin_id}/analytics`](https://developers.pinterest.com/docs/api/v5/pins-analytics)).
    /// `metrics` are some of [`IMAGE_METRICS`], or of [`VIDEO_METRICS`].
    pub async fn pin_analytics(
        &self,
        environment: Environment,
        token: &AccessToken,
        pin: &PinterestPinId,
        period: Period,
        metrics: &[&str],
    ) -> Result<Report, Error> {
        self.report(environment, token, &format!("pins/{pin}/analytics"), period, metrics).await
    }

    async fn report(
        &self,
        environment: Environment,
        token: &AccessToken,
        path: &str,
        period: Period,
        metrics: &[&str],
    ) -> Result<Report, Error> {
        let request = self.get(environment, token, path).query(&period.query());
        let request = request.query(&[("metric_types", metrics.join(","))]);
        let Unsplit { all } = self.send(request).await?.json()?;
        Ok(all.map(Report::from).unwrap_or_default())
    }

    /// The account's top Pins by one of [`SORTS`], 1 to 50 of them ([`GET
    /// /user_account/analytics/top_pins`](https://developers.pinterest.com/docs/api/v5/user_account-analytics-top_pins)).
    /// `metrics` are some of [`CHANNEL_METRICS`].
    pub async fn top_pins(
        &self,
        environment: Environment,
        token: &AccessToken,
        period: Period,
        metrics: &[&str],
        sort_by: &str,
        most: u16,
    ) -> Result<TopPins, Error> {
        let request = self.get(environment, token, "user_account/analytics/top_pins").query(&period.query());
        let request = request.query(&[("metric_types", metrics.join(",").as_str()), ("sort_by", sort_by)]);
        let answer: RawTopPins = self.send(request.query(&[("num_of_pins", most)])).await?.json()?;
        Ok(answer.into())
    }

    /// A page of the account's Pins, each with its totals: one call for up to 250 Pins, while daily numbers need one for
    /// each ([`GET /pins?pin_metrics=true`](https://developers.pinterest.com/docs/api/v5/pins-list)).
    pub async fn pin_totals(
        &self,
        environment: Environment,
        token: &AccessToken,
        size: u16,
        bookmark: Option<&str>,
    ) -> Result<Page<PinTotals>, Error> {
        let list = self.get(environment, token, "pins").query(&[("pin_metrics", "true")]);
        self.page(list, size, bookmark).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_of_pins_are_those_of_images_and_those_of_videos() {
        for metric in IMAGE_METRICS.iter().chain(VIDEO_METRICS) {
            assert!(PIN_METRICS.contains(metric), "{metric}");
        }
        for metric in PIN_METRICS {
            assert!(IMAGE_METRICS.contains(metric) || VIDEO_METRICS.contains(metric), "{metric}");
        }
    }
}
