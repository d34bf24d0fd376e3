//! The limits of one tenant, so that no tenant can block the others or cause high costs for the operator.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a limit of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LimitName")]
pub enum Limit {
    /// Connected accounts.
    Channels,
    /// Pins that are scheduled, being sent, or waiting.
    OpenPins,
    /// Pins that are accepted, in requests and in files.
    PinsPerMinute,
    /// Connections that are started.
    StartsPerMinute,
    /// Calls of Pinterest that requests cause, for boards and numbers. Publishing does not count.
    PinterestCallsPerMinute,
    /// The same over a day: a share of what Pinterest allows the app, so that the reads of one tenant do not delay the Pins
    /// of another.
    PinterestCallsPerDay,
    /// Bytes of files that are offered for upload.
    UploadBytesPerDay,
    /// The same over the life of a file: about what a tenant has in the bucket.
    UploadBytes,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Channels,
        Self::OpenPins,
        Self::PinsPerMinute,
        Self::StartsPerMinute,
        Self::PinterestCallsPerMinute,
        Self::PinterestCallsPerDay,
        Self::UploadBytesPerDay,
        Self::UploadBytes,
    ];

    /// The name in settings and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::OpenPins => "open_pins",
            Self::PinsPerMinute => "pins_per_minute",
            Self::StartsPerMinute => "starts_per_minute",
            Self::PinterestCallsPerMinute => "pinterest_calls_per_minute",
            Self::PinterestCallsPerDay => "pinterest_calls_per_day",
            Self::UploadBytesPerDay => "upload_bytes_per_day",
            Self::UploadBytes => "upload_bytes",
        }
    }

    /// How much a tenant may have or use by default. Pinterest's Trial access has 1,000 calls a day for all tenants
    /// together.
    #[must_use]
    pub fn default_amount(self) -> u64 {
        match self {
            Self::Channels => 100,
            Self::OpenPins => 10_000,
            Self::PinsPerMinute => 2_000,
            Self::StartsPerMinute => 20,
            Self::PinterestCallsPerMinute => 300,
            Self::PinterestCallsPerDay => 500,
            Self::UploadBytesPerDay => 20_000_000_000,
            Self::UploadBytes => 200_000_000_000,
        }
    }

    /// The time after which use no longer counts. `None`: the limit is on what exists now.
    #[must_use]
    pub fn window(self) -> Option<SignedDuration> {
        match self {
            Self::Channels | Self::OpenPins => None,
            Self::PinsPerMinute | Self::StartsPerMinute | Self::PinterestCallsPerMinute => {
                Some(SignedDuration::from_mins(1))
            }
            Self::PinterestCallsPerDay | Self::UploadBytesPerDay => Some(SignedDuration::from_hours(24)),
            Self::UploadBytes => Some(SignedDuration::from_hours(400 * 24)),
        }
    }

    /// The limit of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }
}

/// The limits that differ from the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(BTreeMap<Limit, u64>);

impl Limits {
    /// Makes limits from their amounts.
    #[must_use]
    pub fn new(amounts: BTreeMap<Limit, u64>) -> Self {
        Self(amounts)
    }

    /// Reads `name=amount`, separated by commas. `None`: a name is not known, or an amount is not a whole number above
    /// zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut amounts = BTreeMap::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, amount) = pair.split_once('=')?;
            let amount = amount.trim().parse().ok().filter(|amount| *amount > 0)?;
            amounts.insert(Limit::named(name.trim())?, amount);
        }
        Some(Self(amounts))
    }

    /// How much a tenant may have or use.
    #[must_use]
    pub fn amount(&self, limit: Limit) -> u64 {
        self.0.get(&limit).copied().unwrap_or_else(|| limit.default_amount())
    }

    /// These limits, replaced by those in `own` where it has them.
    #[must_use]
    pub fn with(&self, own: &Self) -> Self {
        let mut amounts = self.0.clone();
        amounts.extend(&own.0);
        Self(amounts)
    }
}

/// How much of a limit is used: a leaky bucket, which is filled by use and empties at an even rate. A full one is empty
/// after one window of the limit (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    /// When it will be empty, in nanoseconds since 1970.
    pub empty_at: i128,
}

/// A limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitReached {
    /// Which.
    pub limit: Limit,
    /// How much it is.
    pub amount: u64,
    /// The time until there is room for the request. `None`: only when something is removed, or never.
    pub wait: Option<SignedDuration>,
}

impl Bucket {
    /// For how many nanoseconds `units` of a limit of `amount` fill it.
    #[must_use]
    pub fn filled_by(units: u64, amount: u64, window: SignedDuration) -> i128 {
        i128::from(units) * window.as_nanos() / i128::from(amount.max(1))
    }

    /// The bucket with `units` more.
    ///
    /// # Errors
    ///
    /// There is no room for them.
    pub fn fill(self, limit: Limit, amount: u64, units: u64, now: Timestamp) -> Result<Self, LimitReached> {
        let Some(window) = limit.window() else { return Ok(self) };
        let (now, window_ns) = (now.as_nanosecond(), window.as_nanos());
        let empty_at = self.empty_at.max(now) + Self::filled_by(units, amount, window);
        let over = empty_at - now - window_ns;
        if over <= 0 {
            return Ok(Self { empty_at });
        }
        let wait = i64::try_from(over).ok().filter(|_| units <= amount).map(SignedDuration::from_nanos);
        Err(LimitReached { limit, amount, wait })
    }

    /// How many units of a limit of `amount` it holds.
    #[must_use]
    pub fn used(self, limit: Limit, amount: u64, now: Timestamp) -> u64 {
        let window = limit.window().map_or(1, |window| window.as_nanos());
        let filled = (self.empty_at - now.as_nanosecond()).clamp(0, window);
        // Rounded up: a unit counts until all of it has run out.
        let units = (filled * i128::from(amount) + window - 1) / window;
        u64::try_from(units).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_796_115_600, 0);
    const LIMIT: Limit = Limit::StartsPerMinute;

    #[test]
    fn a_bucket_takes_a_burst_and_then_as_much_as_runs_out() {
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            bucket = bucket.fill(LIMIT, 20, 1, NOW).unwrap();
        }
        assert_eq!(bucket.used(LIMIT, 20, NOW), 20);
        let reached = bucket.fill(LIMIT, 20, 1, NOW).unwrap_err();
        assert_eq!(reached.wait, Some(SignedDuration::from_secs(3)));
        let later = NOW + SignedDuration::from_secs(3);
        bucket = bucket.fill(LIMIT, 20, 1, later).unwrap();
        assert!(bucket.fill(LIMIT, 20, 1, later).is_err());
        let much_later = NOW + SignedDuration::from_mins(5);
        assert_eq!(bucket.used(LIMIT, 20, much_later), 0);
        assert!(bucket.fill(LIMIT, 20, 20, much_later).is_ok());
    }

    #[test]
    fn an_amount_above_the_limit_has_no_wait() {
        assert_eq!(Bucket::default().fill(LIMIT, 20, 21, NOW).unwrap_err().wait, None);
    }

    #[test]
    fn limits_are_read_by_name_and_a_tenants_own_go_first() {
        let limits = Limits::parse("channels=5, open_pins=7,").unwrap();
        assert_eq!((limits.amount(Limit::Channels), limits.amount(Limit::OpenPins)), (5, 7));
        assert_eq!(limits.amount(LIMIT), LIMIT.default_amount());
        let own = Limits::parse("channels=9").unwrap();
        assert_eq!(limits.with(&own).amount(Limit::Channels), 9);
        assert_eq!(limits.with(&own).amount(Limit::OpenPins), 7);
        for limit_text in ["channel=5", "channels", "channels=", "channels=0", "channels=-1", "channels=1.5"]
        {
            assert_eq!(Limits::parse(limit_text), None, "{limit_text}");
        }
    }

    #[test]
    fn names_are_those_of_the_api() {
        for limit in Limit::ALL {
            assert_eq!(serde_json::to_value(limit).unwrap(), limit.name());
            assert_eq!(Limit::named(limit.name()), Some(limit));
        }
    }
}
