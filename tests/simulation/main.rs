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
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use rules::Tally;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many seeds are run, unless `SIMULATION_SEEDS` says otherwise. The gate runs others, and more.
const SEEDS: u64 = 24;
/// How many seeds of each control are run, unless `SIMULATION_STORMS` says otherwise.
const STORMS: u64 = 5;
/// A mutant that has not been caught after so many seeds lives.
const MAX_RUNS: u64 = 100;

#[test]
fn no_seed_breaks_an_invariant() {
    if let Some(seed) = number("SIMULATION_SEED") {
        let ended = tell(seed, None);
        assert_eq!(ended.broken, None, "seed {seed}");
        return;
    }
    let from = number("SIMULATION_FROM").unwrap_or(0);
    let to = from + number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let tally = Mutex::new(Tally::default());
    let broken = first(from..to, |seed| {
        let ended = run::run(seed, None, false);
        tally.lock().unwrap().add(&ended.tally);
        ended.broken.is_some().then_some(seed)
    });
    println!("seeds {from} to {to}: {:?}", tally.lock().unwrap());
    if let Some(seed) = broken {
        let ended = tell(seed, None);
        panic!("seed {seed} breaks a rule (`cargo xtask seed {seed}` replays it): {:?}", ended.broken);
    }
}

#[test]
fn every_mutant_is_caught() {
    let named = std::env::var("SIMULATION_MUTANT").ok();
    let mutants = mutants::MUTANTS.iter().copied().flatten().copied();
    let mutants: Vec<_> =
        mutants.filter(|mutant| named.as_deref().is_none_or(|name| name == mutant.name)).collect();
    assert!(!mutants.is_empty(), "there is no such mutant");
    println!("{:<60} {:<46} {:>4}", "mutant", "breaks the rule", "seed");
    let alive = Mutex::new(Vec::new());
    each(0..mutants.len() as u64, |index| {
        let mutant = mutants[usize::try_from(index).unwrap()];
        match caught(mutant, MAX_RUNS) {
            Some((seed, broken)) => {
                println!("{:<60} {:<46} {seed:>4}", mutant.name, broken.rule);
                if named.is_some() {
                    tell(seed, Some(mutant));
                }
            }
            None => alive.lock().unwrap().push(mutant.name),
        }
    });
    let alive = alive.into_inner().unwrap();
    assert!(alive.is_empty(), "{alive:?} live: a check is missing");
}

/// The weather that mutants live in harms nothing else: it is the mutants that are caught.
#[test]
fn no_control_breaks_an_invariant() {
    let seeds = number("SIMULATION_STORMS").unwrap_or(STORMS);
    for control in mutants::CONTROLS {
        let tally = Mutex::new(Tally::default());
        let broken = first(0..seeds, |seed| {
            let ended = run::run(seed, Some(control), false);
            tally.lock().unwrap().add(&ended.tally);
            ended.broken.map(|_| seed)
        });
        println!("{seeds} storms, {} broken: {:?}", control.name, tally.lock().unwrap());
        if let Some(seed) = broken {
            let ended = tell(seed, Some(control));
            panic!("{} is broken, and seed {seed} breaks a rule: {:?}", control.name, ended.broken);
        }
    }
}

/// A seed under which a mutant breaks a rule: the one that is known to, or the first.
fn caught(mutant: mutants::Mutant, max_runs: u64) -> Option<(u64, rules::Broken)> {
    let known = mutants::SEEDS.iter().find(|(name, _)| *name == mutant.name).map(|(_, seed)| *seed);
    known
        .into_iter()
        .chain(0..max_runs)
        .find_map(|seed| Some((seed, run::run(seed, Some(mutant), false).broken?)))
}

#[test]
fn a_seed_replays_its_run_exactly() {
    for seed in 0..3 {
        let (once, again) = (run::run(seed, None, true), run::run(seed, None, true));
        assert!(once.history.len() > 100, "there is something to compare");
        assert_eq!(once.history, again.history, "seed {seed}");
    }
}

/// Runs a seed once more, and prints what happened.
fn tell(seed: u64, mutant: Option<mutants::Mutant>) -> run::Ended {
    let ended = run::run(seed, mutant, true);
    for line in &ended.history {
        println!("{line}");
    }
    println!("{:?}", ended.broken);
    ended
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Does something with each number, on all cores.
fn each(numbers: Range<u64>, work: impl Fn(u64) + Sync) {
    first(numbers, |number| {
        work(number);
        None::<()>
    });
}

/// The first find among `numbers`, on all cores. The search ends with it.
fn first<T: Send>(numbers: Range<u64>, find: impl Fn(u64) -> Option<T> + Sync) -> Option<T> {
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
