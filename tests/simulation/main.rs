//! Both protocols under a deterministic simulation: many channels and Pins, several workers, and everything that
//! can go wrong between them, DynamoDB and Pinterest.
//!
//! The code under test is the code of the stack: handlers, drivers, store and decision functions. Its wires lead
//! to an embedded DynamoDB and to a model of Pinterest; its clock jumps from event to event. One seed decides
//! everything, so it replays one run exactly.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod aws;
mod dice;
mod history;
mod lambda;
mod mutants;
mod people;
mod pinterest;
mod plan;
mod rules;
mod run;
mod world;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use rules::Tally;

/// How many seeds, unless `SIMULATION_SEEDS` says otherwise.
const SEEDS: u64 = 300;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn threads() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

#[test]
fn whatever_happens_no_token_is_lost_and_no_pin_is_doubled_or_dropped() {
    if let Some(seed) = number("SIMULATION_SEED") {
        let ended = run::run(seed, None, true);
        for line in &ended.history {
            println!("{line}");
        }
        assert_eq!(ended.broken, None, "seed {seed}");
        return;
    }
    let seeds = number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let from = number("SIMULATION_FROM").unwrap_or(0);
    let (next, stop) = (AtomicU64::new(from), AtomicBool::new(false));
    let broken = Mutex::new(None);
    let tally = Mutex::new((Tally::default(), 0));
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= from + seeds {
                        break;
                    }
                    let ended = run::run(seed, None, false);
                    let mut tally = tally.lock().unwrap();
                    tally.0.add(ended.tally);
                    tally.1 += ended.calls;
                    if ended.broken.is_some() {
                        broken.lock().unwrap().get_or_insert(seed);
                        stop.store(true, Relaxed);
                    }
                }
            });
        }
    });
    let (tally, calls) = *tally.lock().unwrap();
    println!("{seeds} seeds: {tally:?}, {calls} calls");
    let broken = *broken.lock().unwrap();
    if let Some(seed) = broken {
        let ended = run::run(seed, None, true);
        for line in &ended.history {
            println!("{line}");
        }
        panic!("seed {seed} breaks a rule: {:?}", ended.broken);
    }
}
