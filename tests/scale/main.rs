//! What work costs when there is much of it: the code of the stack at the embedded DynamoDB, in a file, under a clock
//! that jumps from minute to minute, with every call, index entry and unit counted.
//!
//! Small unless asked to be larger, and then to be run alone: `SCALE_CHANNELS=1000000`, `SCALE_PINS=100000`,
//! `SCALE_BURST_PINS=100000`, `SCALE_OUTAGE_CHANNELS=1000000`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod burst;
mod cost;
mod env;
mod lists;
mod memory;
mod meter;
mod month;
mod outage;
mod pinterest;
mod processes;
mod refresh;
mod seed;
mod units;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A number that a variable makes larger than usual.
fn size(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

/// Whether one run at a time has the process to itself, so that its memory can be measured. Large runs have, and with
/// `SCALE_ALONE`, as the gate sets it, all have.
fn is_alone() -> bool {
    ["SCALE_ALONE", "SCALE_BURST_PINS", "SCALE_CHANNELS", "SCALE_OUTAGE_CHANNELS", "SCALE_PINS"]
        .iter()
        .any(|variable| std::env::var_os(variable).is_some())
}

/// Waits for the run before this one, where each has the process to itself.
fn alone() -> Option<MutexGuard<'static, ()>> {
    static ONE: Mutex<()> = Mutex::new(());
    is_alone().then(|| ONE.lock().unwrap_or_else(PoisonError::into_inner))
}
