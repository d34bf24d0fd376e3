//! `cargo xtask scale`: runs of `tests/scale` of any size, and what the documents say of them.

mod document;
mod picture;

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::{HELP, ROOT, cargo_test, number, test_command};

/// The bursts of the document: so many Pins, each of a quarter as many channels.
const BURSTS: [u64; 3] = [2000, 20_000, 100_000];

/// What follows on `scale`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    match arguments {
        [channels, pins] if !channels.starts_with('-') => {
            cargo_test("scale", "", &[("SCALE_CHANNELS", channels), ("SCALE_PINS", pins)])
        }
        ["--pins", pins, "--channels", channels] => burst(pins, channels, "0").map(print),
        ["--pins", pins, "--channels", channels, "--of-one-tenant", of_one] => {
            burst(pins, channels, of_one).map(print)
        }
        ["--refresh", "--channels", channels] => outage(channels, "0").map(print),
        ["--refresh", "--channels", channels, "--of-one-tenant", of_one] => {
            outage(channels, of_one).map(print)
        }
        ["--write-docs"] => write_docs(&BURSTS),
        ["--write-docs", pins @ ..] => {
            write_docs(&pins.iter().map(|pins| number(pins)).collect::<Result<Vec<_>, _>>()?)
        }
        _ => Err(HELP.to_owned()),
    }
}

/// Pins that are due in one minute.
fn burst(pins: &str, channels: &str, of_one_tenant: &str) -> Result<Value, String> {
    let sizes = [
        ("SCALE_BURST_PINS", pins),
        ("SCALE_BURST_CHANNELS", channels),
        ("SCALE_BURST_OF_ONE_TENANT", of_one_tenant),
    ];
    measured("a_burst", sizes)
}

/// Channels that are due at once after an outage.
fn outage(channels: &str, of_one_tenant: &str) -> Result<Value, String> {
    let sizes = [("SCALE_OUTAGE_CHANNELS", channels), ("SCALE_OUTAGE_OF_ONE_TENANT", of_one_tenant)];
    measured("after_an_outage", sizes)
}

#[expect(clippy::needless_pass_by_value, reason = "it is the end of a result")]
fn print(result: Value) {
    println!("{result}");
}

/// Runs one test alone, shows what it says, and returns its result: the line that is a JSON object.
fn measured<'a>(test: &str, sizes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Value, String> {
    let mut command = test_command("scale", test);
    command.envs(sizes).current_dir(ROOT).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cargo could not be started: {error}"))?;
    let mut result = None;
    for line in BufReader::new(child.stdout.take().ok_or("it says nothing")?).lines() {
        let line = line.map_err(|error| error.to_string())?;
        if line.starts_with('{') {
            result = Some(serde_json::from_str(&line).map_err(|error| error.to_string())?);
        } else {
            println!("{line}");
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("{test} failed: {status}"));
    }
    result.ok_or_else(|| format!("{test} has no result"))
}

/// Measures the bursts one after the other, and puts them into the document.
fn write_docs(sizes: &[u64]) -> Result<(), String> {
    let mut results = Vec::new();
    for pins in sizes {
        results.push(burst(&pins.to_string(), &(pins / 4).to_string(), "0")?);
    }
    document::write(&results)
}
