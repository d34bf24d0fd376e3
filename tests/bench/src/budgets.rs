//! The figures that a change may not pass. Wall times are shown and never held against a change: they say as much of the
//! machine as of the program.

use crate::{callgrind, figures::Figures};

/// Of each function's binary, in bytes.
const BINARY: u64 = 6_000_000;
/// Of each function's archive, in bytes.
const ZIP: u64 = 2_500_000;
/// Of each function's start, in instructions, with nothing to shake hands with.
const START: u64 = 5_000_000;
/// The same with the handshakes that are made ahead.
const START_WITH_TLS: u64 = 10_000_000;
/// How many of our starts the tutorial's must be worth.
const TUTORIAL: u64 = 10;

/// One sentence for each budget that does not hold.
pub(crate) fn broken(figures: &Figures) -> Vec<String> {
    let mut broken = Vec::new();
    let mut hold = |what: &str, of: &str, is: u64, budget: u64| {
        if is > budget {
            broken.push(format!("over budget: {what} of {of} is {is}, and may be {budget}"));
        }
    };
    for function in &figures.functions {
        hold("the binary (bytes)", &function.name, function.size.binary, BINARY);
        hold("the zip (bytes)", &function.name, function.size.zip, ZIP);
        if let Some(until) = function.instructions {
            hold("the start (instructions)", &function.name, until.plain, START);
            hold("the start with TLS (instructions)", &function.name, until.with_tls, START_WITH_TLS);
        }
    }
    match (figures.publish.instructions, figures.tutorial.instructions) {
        (Some(ours), Some(theirs)) => {
            hold(
                "the start beside the tutorial's (instructions)",
                "publish",
                ours.start,
                theirs.start / TUTORIAL,
            );
        }
        _ => broken.push(format!("not measured: {}", callgrind::MISSING)),
    }
    broken
}
