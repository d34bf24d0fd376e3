//! The part "Nine o'clock" of `docs/benchmarks.md`: its table, and its picture.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use super::picture;
use crate::ROOT;

/// Where they are documented.
const DOCUMENT: &str = "docs/benchmarks.md";
/// What the document shows.
const PICTURE: &str = "tests/scale/nine.svg";
/// They stand between these two lines.
const BEGIN: &str = "<!-- Written by `cargo xtask scale --write-docs`, up to the next comment. -->\n";
const END: &str = "<!-- End of what `scale` writes. -->";

/// What was measured once, before several workers shared a burst: so many Pins, half of them, all of them, in seconds; and
/// the units that one was read for.
pub(super) const BEFORE: [(u64, Option<f64>, f64, f64); 2] =
    [(2000, None, 84.0, 8.8), (20_000, Some(226.0), 338.0, 23.7)];

/// What a row says of a result.
type Figure = fn(&Value) -> String;

/// The rows: what each says, and of which results.
const ROWS: [(&str, Figure); 8] = [
    ("half of them", |of| seconds(&of["p50_s"])),
    ("99 %", |of| seconds(&of["p99_s"])),
    ("the last", |of| seconds(&of["last_s"])),
    ("units read", |of| of["read_units_per_pin"].to_string()),
    ("units written", |of| of["write_units_per_pin"].to_string()),
    ("workers, calls of Pinterest at once", |of| {
        format!("{}, {}", of["workers"], thousands(&of["calls_at_once"]))
    }),
    ("doubled", |of| of["doubled"].to_string()),
    ("memory of a worker", |of| format!("{:.0} MB", of["memory_mb"].as_f64().unwrap_or_default())),
];

/// Puts the results into the document, and the picture beside the program that has measured them.
pub(super) fn write(results: &[Value]) -> Result<(), String> {
    let file = format!("{ROOT}/{DOCUMENT}");
    let document = fs::read_to_string(&file).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let changed = replaced(&document, &table(results))
        .ok_or_else(|| format!("{DOCUMENT} has no place for the table"))?;
    fs::write(&file, changed).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    fs::write(format!("{ROOT}/{PICTURE}"), picture::of(results))
        .map_err(|error| format!("{PICTURE}: {error}"))
}

fn replaced(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

fn table(results: &[Value]) -> String {
    let sizes = results
        .iter()
        .map(|of| format!("{} Pins of {} channels", thousands(&of["pins"]), thousands(&of["channels"])));
    let sizes: Vec<_> = sizes.collect();
    let mut text = format!("| | {} |\n|---|{}\n", sizes.join(" | "), "---|".repeat(sizes.len()));
    let mut row = |what: &str, figures: Vec<String>| {
        writeln!(text, "| {what} | {} |", figures.join(" | ")).unwrap_or_default();
    };
    let before = results.iter().map(|of| before(of["pins"].as_u64().unwrap_or_default()));
    row("before: one index for all, sixteen lanes a worker", before.collect());
    for (what, figure) in ROWS {
        row(what, results.iter().map(figure).collect());
    }
    text
}

fn before(pins: u64) -> String {
    let Some((_, half, last, read)) = BEFORE.into_iter().find(|(size, ..)| *size == pins) else {
        return "–".to_owned();
    };
    let half = half.map_or_else(String::new, |half| format!("half after {half} s, "));
    format!("{half}the last after {last} s; {read} units read")
}

fn seconds(figure: &Value) -> String {
    format!("{:.1} s", figure.as_f64().unwrap_or_default())
}

/// A whole number as people write it.
pub(super) fn thousands(number: &Value) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn results() -> Vec<Value> {
        let result = |pins: u64, half: f64, last: f64| {
            json!({
                "pins": pins, "channels": pins / 4, "p50_s": half, "p99_s": last, "last_s": last,
                "read_units_per_pin": 6.03, "write_units_per_pin": 15.8, "workers": 3, "calls_at_once": 2048,
                "doubled": 0, "memory_mb": 8.0,
            })
        };
        vec![result(2000, 2.7, 6.8), result(100_000, 20.7, 41.1)]
    }

    #[test]
    fn the_table_has_a_column_for_each_size() {
        let table = table(&results());
        assert!(table.starts_with(
            "| | 2,000 Pins of 500 channels | 100,000 Pins of 25,000 channels |\n|---|---|---|\n"
        ));
        assert!(table.contains("| the last after 84 s; 8.8 units read | – |\n"), "{table}");
        assert!(table.contains("| half of them | 2.7 s | 20.7 s |\n"), "{table}");
        assert!(table.contains("| workers, calls of Pinterest at once | 3, 2,048 | 3, 2,048 |\n"), "{table}");
    }

    #[test]
    fn the_document_has_a_place_and_its_text_stays() {
        let document = fs::read_to_string(format!("{ROOT}/{DOCUMENT}")).unwrap();
        let changed = replaced(&document, "new\n").unwrap();
        let (before, rest) = document.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        assert!(changed.starts_with(before) && changed.ends_with(after));
        assert_eq!(replaced("before\nafter\n", "new"), None);
    }
}
