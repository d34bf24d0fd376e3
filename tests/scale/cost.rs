//! Dollars: what was counted, times AWS's prices. `cargo test -p tests --test scale cost -- --nocapture` prints them, and
//! `docs/costs.md` has to hold the same tables.
//!
//! `prices.json` holds the prices with their date, and apart from them what cannot be counted and is assumed.

use std::{fmt::Write as _, fs, thread};

use serde::Deserialize;
use tokio::time::Duration;

use crate::{alone, is_alone, meter::Meter, month, refresh};

const PRICES: &str = include_str!("prices.json");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Where the costs are documented.
const DOCUMENT: &str = "docs/costs.md";
const MILLION: f64 = 1_000_000.0;
const GB: f64 = 1_000_000_000.0;
/// What every function has, in GB.
const MEMORY: f64 = 256.0 / 1024.0;

#[derive(Deserialize)]
struct Prices {
    as_of: String,
    region: String,
    dollars: Dollars,
    free: Free,
    assumed: Assumed,
}

#[derive(Deserialize)]
struct Dollars {
    dynamodb_million_write_units: f64,
    dynamodb_million_read_units: f64,
    dynamodb_gb_month: f64,
    dynamodb_backup_gb_month: f64,
    lambda_million_requests: f64,
    lambda_gb_second: f64,
    http_api_million_requests: f64,
    eventbridge_million_custom_events: f64,
    secret_month: f64,
    secrets_million_calls: f64,
    alarm_month: f64,
    dashboard_month: f64,
    logs_gb: f64,
}

#[derive(Deserialize)]
struct Free {
    alarms: f64,
    dashboards: f64,
}

/// What cannot be counted.
#[derive(Deserialize)]
pub(crate) struct Assumed {
    dynamodb_call_ms: u64,
    pinterest_refresh_ms: u64,
    pinterest_create_pin_ms: u64,
    lambda_start_ms: u64,
    own_work_of_an_invocation_ms: u64,
    log_bytes_of_an_invocation: f64,
    days_of_a_month: f64,
    days_between_refreshes: f64,
    row_overhead_bytes: f64,
    index_entry_bytes: f64,
    rows_of_a_channel: f64,
    index_entries_of_a_channel: f64,
    rows_of_a_pin: f64,
    index_entries_of_a_pin: f64,
}

impl Assumed {
    pub(crate) fn read() -> Self {
        Prices::read().assumed
    }

    /// How long a call of AWS takes.
    pub(crate) fn call(&self) -> Duration {
        Duration::from_millis(self.dynamodb_call_ms)
    }

    /// How long Pinterest takes to exchange a token.
    pub(crate) fn refresh(&self) -> Duration {
        Duration::from_millis(self.pinterest_refresh_ms)
    }

    /// How long Lambda takes to start a worker.
    pub(crate) fn lambda_start(&self) -> Duration {
        Duration::from_millis(self.lambda_start_ms)
    }

    /// How long Pinterest takes to make a Pin.
    pub(crate) fn create_pin(&self) -> Duration {
        Duration::from_millis(self.pinterest_create_pin_ms)
    }
}

impl Prices {
    fn read() -> Self {
        serde_json::from_str(PRICES).unwrap()
    }

    fn reads(&self, meter: &Meter) -> f64 {
        meter.all().read_units * self.dollars.dynamodb_million_read_units / MILLION
    }

    fn writes(&self, meter: &Meter) -> f64 {
        meter.all().write_units * self.dollars.dynamodb_million_write_units / MILLION
    }

    /// Invocations, and the time that they wait and work.
    fn lambda(&self, invocations: f64, waited: f64) -> f64 {
        let work = Duration::from_millis(self.assumed.own_work_of_an_invocation_ms).as_secs_f64();
        let seconds = waited + invocations * work;
        invocations * self.dollars.lambda_million_requests / MILLION
            + seconds * MEMORY * self.dollars.lambda_gb_second
    }

    /// Rows and their backups, for a month.
    fn kept(&self, bytes: f64, rows: f64, entries: f64) -> f64 {
        let Assumed { row_overhead_bytes, index_entry_bytes, .. } = self.assumed;
        let table = bytes + rows * row_overhead_bytes;
        let index = entries * index_entry_bytes;
        let Dollars { dynamodb_gb_month, dynamodb_backup_gb_month, .. } = self.dollars;
        ((table + index) * dynamodb_gb_month + table * dynamodb_backup_gb_month) / GB
    }

    fn minutes(&self) -> f64 {
        self.assumed.days_of_a_month * 24.0 * 60.0
    }

    /// What a stack costs in which nothing happens.
    fn idle(&self) -> Vec<(String, f64)> {
        let (day, month) = (refresh::usual(), month::usual());
        let mut both = day.idle.clone();
        both.add(&month.idle, 1);
        let waited = (day.idle_ran + month.idle_ran).as_secs_f64();
        let (minutes, dollars) = (self.minutes(), &self.dollars);
        let template = fs::read_to_string(format!("{ROOT}/template.yaml")).unwrap();
        let count = |kind: &str| number(template.matches(&format!("Type: {kind}\n")).count());
        // Those with a condition are made for whoever wants mail.
        let conditional = "Type: AWS::CloudWatch::Alarm\n    Condition: ";
        let alarms = count("AWS::CloudWatch::Alarm") - number(template.matches(conditional).count());
        let dashboards = (count("AWS::CloudWatch::Dashboard") - self.free.dashboards).max(0.0);
        let secrets = count("AWS::SecretsManager::Secret");
        let queries = both.of(|what| what.starts_with("Query"));
        let beats = both.of(|what| what.starts_with("UpdateItem"));
        let log = 2.0 * minutes * self.assumed.log_bytes_of_an_invocation;
        vec![
            (
                format!("two ticks a minute: {} short invocations", thousands(2.0 * minutes)),
                self.lambda(2.0 * minutes, waited * minutes),
            ),
            (
                format!(
                    "{} index queries a minute: {} read units",
                    queries.calls,
                    thousands(queries.read_units * minutes)
                ),
                self.reads(&both) * minutes,
            ),
            (
                format!("two heartbeats a minute: {} write units", thousands(beats.write_units * minutes)),
                self.writes(&both) * minutes,
            ),
            (format!("{secrets} secrets"), secrets * dollars.secret_month),
            (
                format!("{alarms} alarms, {} of them free, and a free dashboard", self.free.alarms),
                (alarms - self.free.alarms).max(0.0) * dollars.alarm_month
                    + dashboards * dollars.dashboard_month,
            ),
            (format!("the functions' logs, about {:.0} MB", log / 1e6), log / GB * dollars.logs_gb),
        ]
    }

    /// What a refresh costs: write units, everything else that is asked, and time.
    fn refresh(&self) -> [(String, f64); 3] {
        let day = refresh::usual();
        let (count, meter) = (number(day.channels), day.above_idle());
        let secrets = meter.of(|what| what == "GetSecretValue");
        let ticks = number(usize::try_from(day.ticks).unwrap());
        let waited = day.ran.as_secs_f64() - day.idle_ran.as_secs_f64() * ticks;
        let asked = self.reads(&meter) + self.reads(&day.daily_check);
        let asked = asked + as_float(secrets.calls) * self.dollars.secrets_million_calls / MILLION;
        [
            (
                format!(
                    "the save and a share of the leases, {:.2} write units",
                    meter.all().write_units / count
                ),
                self.writes(&meter) / count,
            ),
            ("index entries, the daily check and the settings".to_owned(), asked / count),
            (format!("{:.0} ms of 256 MB", waited / count * 1e3), self.lambda(0.0, waited) / count),
        ]
    }

    fn channels(&self) -> String {
        let (idle, refresh, day) = (self.idle(), self.refresh(), refresh::usual());
        let a_month = self.assumed.days_of_a_month / self.assumed.days_between_refreshes;
        let sizes = [0.0, 10_000.0, MILLION];
        let mut rows: Vec<(String, [f64; 3])> =
            idle.into_iter().map(|(what, dollars)| (what, [dollars; 3])).collect();
        let refresh = refresh.into_iter().map(|(what, each)| (format!("refreshes: {what}"), each * a_month));
        let Assumed { rows_of_a_channel, index_entries_of_a_channel, .. } = self.assumed;
        let bytes = number(usize::try_from(day.bytes_each).unwrap());
        let kept = self.kept(bytes, rows_of_a_channel, index_entries_of_a_channel);
        let kept = (format!("rows and their backups: {bytes:.0} bytes a channel"), kept);
        rows.extend(refresh.chain([kept]).map(|(what, each)| (what, sizes.map(|count| each * count))));
        let mut text = "| | 0 channels | 10 thousand | 1 million |\n|---|---|---|---|\n".to_owned();
        let sum = std::array::from_fn(|column| rows.iter().map(|(_, dollars)| dollars[column]).sum());
        for (what, dollars) in &rows {
            line(&mut text, what, dollars);
        }
        let bold = |sum: f64| format!("**{sum:.2}**");
        let sum: [f64; 3] = sum;
        writeln!(text, "| **together** | {} |", sum.map(bold).join(" | ")).unwrap();
        text
    }

    fn a_million_refreshes(&self) -> f64 {
        self.refresh().into_iter().map(|(_, each)| each * MILLION).sum()
    }

    /// A million scheduled Pins: asked for, delivered, told of and kept for a month.
    fn pins(&self) -> Vec<(String, f64)> {
        let month = month::usual();
        let count = number(month.pins);
        let each = MILLION / count;
        let delivered = month.above_idle();
        let both = || {
            let mut both = month.asked.clone();
            both.add(&delivered, 1);
            both.add(&month.told, 1);
            both
        };
        let units = both().all();
        let told = as_float(month.told.of(|what| what == "PutEvents").entries);
        // Each change may wake `events` by itself.
        let changes = as_float(month.changes);
        let idle = month.idle_ran.as_secs_f64() * as_float(month.busy);
        let delivering = month.busy_ran.as_secs_f64() - idle;
        let waiting = month.asked_ran.as_secs_f64() + delivering + month.told_ran.as_secs_f64();
        let Assumed { rows_of_a_pin, index_entries_of_a_pin, .. } = self.assumed;
        let bytes = number(usize::try_from(month.bytes_each).unwrap());
        vec![
            ("a request each at API Gateway".to_owned(), self.dollars.http_api_million_requests),
            (
                format!(
                    "{:.1} invocations and {:.2} s of 256 MB each",
                    1.0 + changes / count,
                    waiting / count
                ),
                self.lambda(count + changes, waiting) * each,
            ),
            (format!("{:.1} write units each", units.write_units / count), self.writes(&both()) * each),
            (format!("{:.1} read units each", units.read_units / count), self.reads(&both()) * each),
            (
                format!("{:.0} events each on the bus", told / count),
                told * self.dollars.eventbridge_million_custom_events / MILLION * each,
            ),
            (
                format!("a month of their rows and backups: {bytes:.0} bytes each"),
                self.kept(bytes, rows_of_a_pin, index_entries_of_a_pin) * MILLION,
            ),
        ]
    }

    fn million_pins(&self) -> String {
        let mut text = "| a million Pins | dollars |\n|---|---|\n".to_owned();
        let rows = self.pins();
        for (what, dollars) in &rows {
            line(&mut text, what, &[*dollars]);
        }
        let sum: f64 = rows.iter().map(|(_, dollars)| dollars).sum();
        writeln!(text, "| **together** | **{sum:.2}** |").unwrap();
        text
    }
}

fn line(text: &mut String, what: &str, dollars: &[f64]) {
    let dollars = dollars.iter().map(|dollars| match dollars {
        0.0 => "–".to_owned(),
        _ => format!("{dollars:.2}"),
    });
    writeln!(text, "| {what} | {} |", dollars.collect::<Vec<_>>().join(" | ")).unwrap();
}

fn number(count: usize) -> f64 {
    as_float(count as u64)
}

#[expect(clippy::cast_precision_loss, reason = "a few million at most")]
fn as_float(count: u64) -> f64 {
    count as f64
}

/// A whole number as people write it.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn the_documented_costs_are_the_computed_ones() {
    let _alone = alone();
    if !is_alone() {
        thread::scope(|scope| {
            scope.spawn(refresh::usual);
            scope.spawn(month::usual);
        });
    }
    let prices = Prices::read();
    let (channels, pins) = (prices.channels(), prices.million_pins());
    let refreshes = format!("A million refreshes are {:.2} dollars", prices.a_million_refreshes());
    let dated = format!("at the list prices of {} in {}", prices.region, prices.as_of);
    println!("{dated}, dollars a month:\n\n{channels}\n{refreshes}.\n\n{pins}");

    let document = fs::read_to_string(format!("{ROOT}/{DOCUMENT}")).unwrap();
    let words = document.split_whitespace().collect::<Vec<_>>().join(" ");
    for table in [channels, pins] {
        assert!(document.contains(&table), "{DOCUMENT} does not hold this table:\n{table}");
    }
    for sentence in [refreshes, dated] {
        assert!(words.contains(&sentence), "{DOCUMENT} does not say: {sentence}");
    }
}
