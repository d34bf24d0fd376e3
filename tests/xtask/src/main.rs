//! `cargo xtask <command>`: what takes longer than `cargo test`, each as one command that can be remembered.

mod contract;
mod scale;
mod yaml;

use std::{
    env,
    process::{Command, ExitCode},
};

const HELP: &str = "\
cargo xtask <command>

  soak [FROM] [SEEDS]      simulate SEEDS seeds from FROM on (0 and 20,000), 500 in each process
  seed SEED                simulate one seed, and print what happened
  mutants [NAME]           run the protocols that are broken on purpose, and print what caught each
  scale CHANNELS PINS      refresh so many channels for a day, and publish so many Pins in a month
  scale --pins N --channels M [--of-one-tenant K]
                           publish N Pins of M channels that are due in one minute, K of the channels one tenant's;
                           the last line is one JSON object
  scale --refresh --channels N [--of-one-tenant K]
                           refresh N channels that are due at once after an outage; the last line is one JSON object
  scale --write-docs [PINS ...]
                           publish the bursts of docs/benchmarks.md, and write its table and its picture
  browser [ARGUMENTS]      drive the pages in Chromium (the arguments go to Node's test runner)
  pictures                 make the pictures of docs/
  clients                  make clients of the contract, and let them do the main job
  contract FILE [--write]  print what another version of Pinterest's description changes for us (or take it over)
  deployed [ARGUMENTS]     deploy to an emulator of AWS, and test there (the arguments go to pytest)
  bench [ARGUMENTS]        measure starts and requests (--write-docs puts the tables into docs/)";

/// How many seeds one process simulates: the SDK keeps a retry budget for each function that is started, for good.
const SEEDS_OF_A_PROCESS: u64 = 500;

/// Cargo runs this where it was called: everything below is named from the root.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["soak"] => soak(0, 20_000),
        ["soak", from] => number(from).and_then(|from| soak(from, 20_000)),
        ["soak", from, seeds] => number(from).and_then(|from| soak(from, number(seeds)?)),
        ["seed", seed] => number(seed).and_then(|seed| {
            simulation("no_seed_breaks_an_invariant", &[("SIMULATION_SEED", &seed.to_string())])
        }),
        ["mutants"] => simulation("every_mutant_is_caught", &[]),
        ["mutants", name] => simulation("every_mutant_is_caught", &[("SIMULATION_MUTANT", name)]),
        ["scale", rest @ ..] => scale::run(rest),
        ["browser", rest @ ..] => run(&mut script("tests/browser/run", rest)),
        ["pictures"] => run(&mut script("tests/browser/run", &["pictures"])),
        ["clients"] => run(&mut script("tests/clients/run", &[])),
        ["contract", file] => contract::run(file, false),
        ["contract", file, "--write"] => contract::run(file, true),
        ["deployed", rest @ ..] => run(&mut script("tests/deploy/run", rest)),
        ["bench", rest @ ..] => {
            run(Command::new("cargo").args(["bench", "--package", "bench", "--"]).args(rest))
        }
        _ => Err(HELP.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn soak(from: u64, seeds: u64) -> Result<(), String> {
    let end = from + seeds;
    let mut from = from;
    while from < end {
        let seeds = SEEDS_OF_A_PROCESS.min(end - from);
        let range = [("SIMULATION_FROM", from.to_string()), ("SIMULATION_SEEDS", seeds.to_string())];
        let range: Vec<_> = range.iter().map(|(name, value)| (*name, value.as_str())).collect();
        simulation("no_seed_breaks_an_invariant", &range)?;
        from += seeds;
    }
    Ok(())
}

fn simulation(test: &str, variables: &[(&str, &str)]) -> Result<(), String> {
    cargo_test("simulation", test, variables)
}

fn cargo_test(binary: &str, test: &str, variables: &[(&str, &str)]) -> Result<(), String> {
    run(test_command(binary, test).envs(variables.iter().copied()))
}

/// All packages are named, so that what `cargo test --workspace` has built is used again.
fn test_command(binary: &str, test: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args([
        "test",
        "--quiet",
        "--workspace",
        "--test",
        binary,
        test,
        "--",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
}

fn script(path: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments);
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.current_dir(ROOT).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{}: {status}", command.get_program().display())),
        Err(error) => Err(format!("{} could not be started: {error}", command.get_program().display())),
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number\n\n{HELP}"))
}
