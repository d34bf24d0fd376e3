//! What work costs when there is much of it: the code of the stack at the embedded DynamoDB, in a file, under a clock
//! that jumps from minute to minute, with every call, index entry and unit counted.
//!
//! Small unless asked to be larger, and then to be run alone: `SCALE_CHANNELS=1000000`, `SCALE_PINS=100000`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod cost;
mod env;
mod memory;
mod meter;
mod month;
mod pinterest;
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

/// One run at a time: each tells how much memory the process has needed.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
