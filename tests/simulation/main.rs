//! A deterministic simulation of both protocols: several channels, Pins and workers, and faults of everything that
//! can fail between them, DynamoDB and Pinterest.
//!
//! The code under test is the code of the stack: handlers, drivers, store and decision functions. Its transports
//! lead to an embedded DynamoDB and to a model of Pinterest. Its clock jumps from event to event. One seed decides
//! everything, so the same seed gives exactly the same run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod aws;
mod env;
mod history;
mod invariants;
mod lambda;
mod mutants;
mod pinterest;
mod rng;
mod run;
mod scenario;
mod starts;
mod workload;

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use invariants::Stats;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many seeds are run, unless `SIMULATION_SEEDS` is set. The gate runs other seeds, and more.
const SEEDS: u64 = 8;
/// How many seeds of each control are run, unless `SIMULATION_CONTROLS` is set.
const CONTROL_SEEDS: u64 = 2;
/// A mutant that these many seeds do not catch makes the test fail.
const MAX_RUNS: u64 = 100;

#[test]
fn no_seed_breaks_an_invariant() {
    if let Some(seed) = number("SIMULATION_SEED") {
        let result = replay(seed, None);
        assert_eq!(result.violation, None, "seed {seed}");
        return;
    }
    let from = number("SIMULATION_FROM").unwrap_or(0);
    let to = from + number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let stats = Mutex::new(Stats::default());
    let found = find_first(from..to, |seed| {
        let result = run::run(seed, None, false);
        stats.lock().unwrap().add(&result.stats);
        result.violation.is_some().then_some(seed)
    });
    println!("seeds {from} to {to}: {:?}", stats.lock().unwrap());
    if let Some(seed) = found {
        let result = replay(seed, None);
        panic!(
            "seed {seed} breaks an invariant (`cargo xtask seed {seed}` replays it): {:?}",
            result.violation
        );
    }
}

#[test]
fn every_mutant_is_caught() {
    let named = std::env::var("SIMULATION_MUTANT").ok();
    let mutants = mutants::MUTANTS.iter().copied().flatten().copied();
    let mutants: Vec<_> =
        mutants.filter(|mutant| named.as_deref().is_none_or(|name| name == mutant.name)).collect();
    assert!(!mutants.is_empty(), "there is no such mutant");
    println!("{:<60} {:<46} {:>4}", "mutant", "breaks the invariant", "seed");
    let alive = Mutex::new(Vec::new());
    for_each(0..mutants.len() as u64, |index| {
        let mutant = mutants[usize::try_from(index).unwrap()];
        match catch(mutant, MAX_RUNS) {
            Some((seed, violation)) => {
                println!("{:<60} {:<46} {seed:>4}", mutant.name, violation.invariant);
                if named.is_some() {
                    replay(seed, Some(mutant));
                }
            }
            None => alive.lock().unwrap().push(mutant.name),
        }
    });
    let alive = alive.into_inner().unwrap();
    assert!(alive.is_empty(), "{alive:?} are not caught: a check is missing");
}

/// The fault profiles of the mutants do no harm to sound code: what the mutants' runs find is the mutants' fault.
#[test]
fn no_control_breaks_an_invariant() {
    let seeds = number("SIMULATION_CONTROLS").unwrap_or(CONTROL_SEEDS);
    for control in mutants::CONTROLS {
        let stats = Mutex::new(Stats::default());
        let found = find_first(0..seeds, |seed| {
            let result = run::run(seed, Some(control), false);
            stats.lock().unwrap().add(&result.stats);
            result.violation.map(|_| seed)
        });
        println!("{seeds} seeds, {} broken: {:?}", control.name, stats.lock().unwrap());
        if let Some(seed) = found {
            let result = replay(seed, Some(control));
            panic!("{} is broken, and seed {seed} breaks an invariant: {:?}", control.name, result.violation);
        }
    }
}

/// A seed with which a mutant breaks an invariant: the known one, or the first that does.
fn catch(mutant: mutants::Mutant, max_runs: u64) -> Option<(u64, invariants::Violation)> {
    let known = mutants::SEEDS.iter().find(|(name, _)| *name == mutant.name).map(|(_, seed)| *seed);
    known
        .into_iter()
        .chain(0..max_runs)
        .find_map(|seed| Some((seed, run::run(seed, Some(mutant), false).violation?)))
}

#[test]
fn a_seed_replays_its_run_exactly() {
    for seed in 0..2 {
        let (first, second) = (run::run(seed, None, true), run::run(seed, None, true));
        assert!(first.history.len() > 100, "there is something to compare");
        assert_eq!(first.history, second.history, "seed {seed}");
    }
}

/// Runs a seed once more, and prints what happened.
fn replay(seed: u64, mutant: Option<mutants::Mutant>) -> run::RunResult {
    let result = run::run(seed, mutant, true);
    for line in &result.history {
        println!("{line}");
    }
    println!("{:?}", result.violation);
    result
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Does `work` for each number, on all cores.
fn for_each(numbers: Range<u64>, work: impl Fn(u64) + Sync) {
    find_first(numbers, |number| {
        work(number);
        None::<()>
    });
}

/// The first result of `find` among `numbers`, on all cores. It ends the search.
fn find_first<T: Send>(numbers: Range<u64>, find: impl Fn(u64) -> Option<T> + Sync) -> Option<T> {
    let next = AtomicU64::new(numbers.start);
    let found = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while found.lock().unwrap().is_none() {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= numbers.end {
                        break;
                    }
                    if let Some(find) = find(number) {
                        found.lock().unwrap().get_or_insert(find);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}
