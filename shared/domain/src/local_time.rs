//! A local time in a time zone, and its instant.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// What clocks show in a zone. Twice a year many of them are put forward, so that a time is skipped, or back, so
/// that a time comes twice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ZonedTime")]
pub struct LocalTime {
    /// Date and time without an offset: `2026-12-01T09:00`.
    #[schemars(length(max = 64))]
    local: String,
    /// The zone's name in the IANA database: `Europe/Istanbul`.
    #[schemars(length(max = 64))]
    time_zone: String,
    /// Which of the two instants is meant, if the local time occurs twice.
    #[serde(default)]
    occurrence: Occurrence,
}

/// One of the two instants of a local time that occurs twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ZonedTimeOccurrence")]
pub enum Occurrence {
    /// Before the clocks are put back.
    #[default]
    First,
    /// After.
    Second,
}

impl LocalTime {
    /// The instant of this local time. An error names its place below `field`.
    pub fn instant(&self, field: &str) -> Result<Timestamp, Invalid> {
        let zone = self.zone(field)?;
        let local = self.local(field)?;
        let offset = match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, after } => match self.occurrence {
                Occurrence::First => before,
                Occurrence::Second => after,
            },
            AmbiguousOffset::Gap { after, .. } => {
                // With the offset after the change, it is too early by the skipped time: before the change.
                let change = after.to_timestamp(local).ok().and_then(|early| zone.following(early).next());
                let next = change.map(|change| change.timestamp().to_zoned(zone.clone()).datetime());
                let next = next.map_or_else(|| "a later time".to_owned(), |next| next.to_string());
                return Err(Invalid::new(
                    format!("{field}.local"),
                    "local_time_skipped",
                    format!("is skipped in {}: the clocks are put forward", self.time_zone),
                    format!("The next time that there is: {next}."),
                ));
            }
        };
        offset.to_timestamp(local).map_err(|_| no_time(field))
    }

    fn zone(&self, field: &str) -> Result<TimeZone, Invalid> {
        // The database that is compiled into this program. The machine's own may be old or missing.
        TimeZoneDatabase::bundled().get(&self.time_zone).map_err(|_| {
            let detail = "is not a time zone of the IANA database";
            let fix = "Write it as `Europe/Istanbul`, or give publish_at as an instant.";
            Invalid::new(format!("{field}.time_zone"), "unknown_time_zone", detail, fix)
        })
    }

    fn local(&self, field: &str) -> Result<DateTime, Invalid> {
        // The parser of times also accepts an offset or a zone, and drops it.
        let (_, time) = self.local.split_once('T').ok_or_else(|| no_time(field))?;
        if !time.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte)) {
            return Err(no_time(field));
        }
        self.local.parse().map_err(|_| no_time(field))
    }
}

fn no_time(field: &str) -> Invalid {
    let fix = "Write it as `2026-12-01T09:00`, without an offset.";
    Invalid::new(format!("{field}.local"), "invalid_local_time", "is not a date and time", fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(local: &str, time_zone: &str, occurrence: Occurrence) -> Result<String, Invalid> {
        let time = LocalTime { local: local.to_owned(), time_zone: time_zone.to_owned(), occurrence };
        time.instant("publish_at").map(|instant| instant.to_string())
    }

    #[test]
    fn a_local_time_is_the_instant_at_which_clocks_there_show_it() {
        let cases = [
            ("2026-12-01T09:00", "Europe/Istanbul", "2026-12-01T06:00:00Z"),
            ("2026-12-01T09:00:30", "Europe/Berlin", "2026-12-01T08:00:30Z"),
            ("2026-07-01T09:00", "Europe/Berlin", "2026-07-01T07:00:00Z"),
            ("2026-07-01T09:00", "Asia/Kathmandu", "2026-07-01T03:15:00Z"),
            ("2026-07-01T09:00", "america/new_york", "2026-07-01T13:00:00Z"),
            ("2026-07-01T09:00", "UTC", "2026-07-01T09:00:00Z"),
        ];
        for (local, zone, instant) in cases {
            assert_eq!(at(local, zone, Occurrence::First).unwrap(), instant, "{local} {zone}");
            assert_eq!(at(local, zone, Occurrence::Second).unwrap(), instant, "no time comes twice there");
        }
    }

    /// The clocks go from the second time to the third, on nights that are known.
    #[test]
    fn a_time_that_is_skipped_is_refused_with_the_next_one() {
        let cases = [
            ("2027-03-28T02:00", "Europe/Berlin", "2027-03-28T03:00:00"),
            ("2027-03-28T02:59:59", "Europe/Berlin", "2027-03-28T03:00:00"),
            ("2027-03-14T02:30", "America/New_York", "2027-03-14T03:00:00"),
            ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-04T02:30:00"), // half an hour only
            ("2026-04-24T00:30", "Africa/Cairo", "2026-04-24T01:00:00"),        // the day begins at one
            ("2011-12-30T12:00", "Pacific/Apia", "2011-12-31T00:00:00"),        // a whole day
        ];
        for (local, zone, next) in cases {
            match at(local, zone, Occurrence::First) {
                Err(error) => {
                    assert_eq!(
                        (error.code, error.field.as_str()),
                        ("local_time_skipped", "publish_at.local")
                    );
                    assert!(error.fix.contains(next), "{local} {zone}: {}", error.fix);
                }
                Ok(instant) => panic!("{local} {zone} is {instant}"),
            }
        }
        assert!(at("2027-03-28T01:59:59", "Europe/Berlin", Occurrence::First).is_ok());
        assert!(at("2027-03-28T03:00", "Europe/Berlin", Occurrence::First).is_ok());
    }

    #[test]
    fn a_repeated_local_time_means_the_first_unless_the_second_is_requested() {
        let cases = [
            ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
            ("2027-04-04T01:45", "Australia/Lord_Howe", "2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z"),
        ];
        for (local, zone, first, second) in cases {
            assert_eq!(at(local, zone, Occurrence::First).unwrap(), first, "{zone}");
            assert_eq!(at(local, zone, Occurrence::Second).unwrap(), second, "{zone}");
        }
    }

    #[test]
    fn invalid_times_and_zones_are_refused() {
        for bad in [
            "",
            "2026-12-01",
            "09:00",
            "2026-12-01T09:00Z",
            "2026-12-01T09:00+03:00",
            "2026-12-01T09:00-03",
            "2026-12-01T09:00[Europe/Istanbul]",
            "2026-13-01T09:00",
            "2026-02-30T09:00",
            "2026-12-01T25:00",
            "2026-12-01 09:00",
            "tomorrow",
            "-009999-01-01T00:00",
        ] {
            let error = at(bad, "Pacific/Kiritimati", Occurrence::First).unwrap_err();
            assert_eq!(error.code, "invalid_local_time", "{bad}");
        }
        for bad in ["", "Istanbul", "+03:00", "EET EEST", "../../etc/passwd", "Europe/Atlantis"] {
            let error = at("2026-12-01T09:00", bad, Occurrence::First).unwrap_err();
            assert_eq!(
                (error.code, error.field.as_str()),
                ("unknown_time_zone", "publish_at.time_zone"),
                "{bad}"
            );
        }
    }
}
