//! The figures as tables of Markdown.

use std::fmt::Write;

use tokio::time::Duration;

use crate::figures::{Compared, Cost, Figures};

/// One row of the comparison: what it is called, and how it is read and written.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    of: fn(&Compared) -> Option<f64>,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    Megabytes,
    Millions,
    Milliseconds,
}

/// What is compared.
pub(crate) const ROWS: &[Row] = &[
    Row { name: "binary", of: |one| Some(number(one.size.binary)), unit: Unit::Megabytes },
    Row { name: "zip", of: |one| Some(number(one.size.zip)), unit: Unit::Megabytes },
    Row {
        name: "instructions of a start",
        of: |one| Some(number(one.instructions?.start)),
        unit: Unit::Millions,
    },
    Row {
        name: "the same with handshakes made ahead",
        of: |one| Some(number(one.instructions?.start_with_tls)),
        unit: Unit::Millions,
    },
    Row {
        name: "of the first request",
        of: |one| Some(number(one.instructions?.first)),
        unit: Unit::Millions,
    },
    Row {
        name: "of start and first request together",
        of: |one| Some(number(one.instructions?.until_answered())),
        unit: Unit::Millions,
    },
    Row { name: "of a warm request", of: |one| Some(number(one.instructions?.warm)), unit: Unit::Millions },
    Row { name: "time of a start", of: |one| Some(seconds(one.start.took)), unit: Unit::Milliseconds },
    Row {
        name: "with handshakes made ahead",
        of: |one| Some(seconds(one.start.took_with_tls)),
        unit: Unit::Milliseconds,
    },
    Row {
        name: "until the first answer",
        of: |one| Some(seconds(one.start.answered?)),
        unit: Unit::Milliseconds,
    },
    Row { name: "memory after the start", of: |one| Some(number(one.start.resident)), unit: Unit::Megabytes },
    Row { name: "after 10,000 requests", of: |one| Some(number(one.memory.late)), unit: Unit::Megabytes },
    Row {
        name: "of that since the 1,000th",
        of: |one| Some(number(one.memory.growth())),
        unit: Unit::Megabytes,
    },
];

impl Row {
    /// The value, as a number.
    pub(crate) fn value(&self, of: &Compared) -> Option<f64> {
        (self.of)(of)
    }

    /// The value, as people read it.
    pub(crate) fn text(&self, of: &Compared) -> String {
        self.value(of).map_or_else(|| "–".to_owned(), |value| self.unit.text(value))
    }

    /// How often `small` goes into `large`. `None`: it is nothing, or was not measured.
    pub(crate) fn ratio(&self, large: &Compared, small: &Compared) -> Option<String> {
        let (large, small) = (self.value(large)?, self.value(small)?);
        (small > 0.0).then(|| format!("{:.1} ×", large / small))
    }
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Megabytes => format!("{:.2} MB", value / 1e6),
            Self::Millions => format!("{:.2} million", value / 1e6),
            Self::Milliseconds => format!("{:.1} ms", value * 1e3),
        }
    }
}

/// All tables, one below the other.
pub(crate) fn all(figures: &Figures) -> String {
    [comparison(figures), functions(figures), round_trips(figures)].join("\n")
}

fn comparison(figures: &Figures) -> String {
    let Figures { floor, publish, tutorial, .. } = figures;
    let mut table =
        "| | floor | `publish` | tutorial | `publish` : floor | tutorial : `publish` |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for row in ROWS {
        let values = [floor, publish, tutorial].map(|one| row.text(one)).join(" | ");
        let ratios = [row.ratio(publish, floor), row.ratio(tutorial, publish)]
            .map(|ratio| ratio.unwrap_or_else(|| "–".to_owned()))
            .join(" | ");
        line(&mut table, format_args!("| {} | {values} | {ratios} |", row.name));
    }
    table
}

/// What every function costs on any machine.
pub(crate) fn costs(costs: &[Cost]) -> String {
    let mut table = "| function | binary | zip | instructions of a start | with handshakes made ahead |\n\
                     |---|---|---|---|---|\n"
        .to_owned();
    for cost in costs {
        line(&mut table, format_args!("{}", cells(cost)));
    }
    table
}

/// The cells that both tables of functions begin with.
fn cells(Cost { name, size, instructions }: &Cost) -> String {
    let [binary, zip] = [size.binary, size.zip].map(|bytes| Unit::Megabytes.text(number(bytes)));
    let [plain, with_tls] = [instructions.map(|until| until.plain), instructions.map(|until| until.with_tls)]
        .map(|count| count.map_or("–".to_owned(), |count| Unit::Millions.text(number(count))));
    format!("| `{name}` | {binary} | {zip} | {plain} | {with_tls} |")
}

fn functions(figures: &Figures) -> String {
    let mut table = "| function | binary | zip | instructions of a start | with handshakes made ahead | time | with handshakes | memory |\n\
                     |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (cost, start) in figures.costs.iter().zip(&figures.starts) {
        let times =
            [start.took, start.took_with_tls].map(|time| Unit::Milliseconds.text(seconds(time))).join(" | ");
        let resident = Unit::Megabytes.text(number(start.resident));
        line(&mut table, format_args!("{} {times} | {resident} |", cells(cost)));
    }
    let [late, growth] =
        [figures.pins.late, figures.pins.growth()].map(|bytes| Unit::Megabytes.text(number(bytes)));
    line(
        &mut table,
        format_args!("\n`pins` has {late} after 10,000 requests, {growth} of it since the 1,000th."),
    );
    table
}

fn round_trips(figures: &Figures) -> String {
    let mut table = "| a warm request | calls |\n|---|---|\n".to_owned();
    for (kind, count) in &figures.round_trips {
        line(&mut table, format_args!("| {kind} | {count} |"));
    }
    table
}

fn line(table: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    writeln!(table, "{line}").ok();
}

/// Exact for all that is measured here.
#[expect(clippy::cast_precision_loss, reason = "no count comes near 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
