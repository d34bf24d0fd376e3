//! A run of each target that is short enough for every change.

use std::{collections::BTreeMap, fmt};

use parsers::tally::{self, Share};
use proptest::{
    collection::vec,
    prelude::{Strategy as _, any},
    test_runner::{Config, RngSeed, TestRunner},
};

/// Prints itself as a named case can be written.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Feeds `target` with `cases` inputs, the same ones each time, and returns how many its parsers accepted.
///
/// For a long run set `PROPTEST_CASES`, and `PROPTEST_RNG_SEED` for other inputs.
fn run(target: fn(&[u8]), cases: u32, size: usize) -> BTreeMap<&'static str, Share> {
    let set = |name| std::env::var_os(name).is_some();
    let mut config = Config { failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    if !set("PROPTEST_CASES") {
        config.cases = cases;
    }
    if !set("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(1);
    }
    drop(tally::take());
    let outcome = TestRunner::new(config).run(&vec(any::<u8>(), 0..size).prop_map(Input), |input| {
        target(&input.0);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let shares = tally::take();
    for (parser, share) in &shares {
        println!("{parser}: {} of {}", share.accepted, share.of);
    }
    shares
}

/// Fails if a parser took less than one in `least` of its inputs.
fn accepts_one_in(shares: &BTreeMap<&str, Share>, parser: &str, one_in: u32) {
    let share = shares[parser];
    assert!(share.accepted * one_in >= share.of, "{parser}: {share:?}");
}

#[test]
fn every_event_is_answered() {
    let shares = run(parsers::events, 500, 300);
    accepts_one_in(&shares, "events", 2);
    accepts_one_in(&shares, "events that lead somewhere", 2);
}

#[test]
fn every_list_ends_and_holds_the_requested_items() {
    let shares = run(parsers::lists, 150, 100);
    accepts_one_in(&shares, "lists", 2);
    accepts_one_in(&shares, "lists with something in them", 2);
}

#[test]
fn every_id_is_read_as_it_is_written() {
    let shares = run(parsers::ids, 250, 100);
    accepts_one_in(&shares, "ids", 3);
    accepts_one_in(&shares, "ids of something", 50);
}

#[test]
fn every_key_belongs_to_one_body() {
    let shares = run(parsers::keys, 40, 60);
    accepts_one_in(&shares, "keys", 2);
}

#[test]
fn every_body_is_refused_or_done() {
    let shares = run(parsers::requests, 350, 300);
    accepts_one_in(&shares, "pin", 5);
    accepts_one_in(&shares, "settings", 5);
    accepts_one_in(&shares, "start", 5);
    accepts_one_in(&shares, "board", 5);
    accepts_one_in(&shares, "channel", 5);
    accepts_one_in(&shares, "file", 5);
    accepts_one_in(&shares, "validation", 8);
    accepts_one_in(&shares, "video", 8);
    accepts_one_in(&shares, "move", 8);
}

#[test]
fn every_time_means_the_same_in_every_zone() {
    let shares = run(parsers::times, 200, 100);
    accepts_one_in(&shares, "times", 5);
}

#[test]
fn every_twin_is_found() {
    let shares = run(parsers::twins, 4000, 300);
    accepts_one_in(&shares, "twins", 2);
    accepts_one_in(&shares, "twins again", 50);
}

#[test]
fn every_change_becomes_an_event_or_is_named() {
    let shares = run(parsers::changes, 200, 300);
    accepts_one_in(&shares, "streams", 4);
    accepts_one_in(&shares, "streams told to their end", 2);
}

#[test]
fn every_tick_has_its_job() {
    let shares = run(parsers::ticks, 2000, 100);
    accepts_one_in(&shares, "ticks", 2);
}

#[test]
fn every_settings_secret_is_read_or_left_unchanged() {
    let shares = run(parsers::settings, 80, 200);
    accepts_one_in(&shares, "settings secrets", 2);
}

#[test]
fn every_ring_opens_what_it_seals() {
    let shares = run(parsers::rings, 60, 200);
    accepts_one_in(&shares, "rings", 4);
}

#[test]
fn every_answer_of_pinterest_is_understood() {
    let shares = run(parsers::answers, 4000, 500);
    accepts_one_in(&shares, "create_pin", 5);
    accepts_one_in(&shares, "token", 5);
    accepts_one_in(&shares, "board_pins", 5);
    accepts_one_in(&shares, "boards", 5);
    accepts_one_in(&shares, "sections", 5);
    accepts_one_in(&shares, "board", 5);
    accepts_one_in(&shares, "create_board", 5);
    accepts_one_in(&shares, "user_account", 5);
    accepts_one_in(&shares, "exchange", 5);
    accepts_one_in(&shares, "check_credentials", 5);
}

#[test]
fn every_browser_is_redirected_back() {
    let shares = run(parsers::connecting, 100, 500);
    accepts_one_in(&shares, "return addresses", 2);
    accepts_one_in(&shares, "connections", 4);
}

#[test]
fn every_pin_gets_an_outcome_from_every_answer_of_pinterest() {
    let shares = run(parsers::publishing, 60, 1000);
    accepts_one_in(&shares, "Pins published at once", 6);
}

#[test]
fn every_row_of_a_file_is_refused_or_stored() {
    let shares = run(parsers::rows, 150, 300);
    accepts_one_in(&shares, "tables", 5);
    accepts_one_in(&shares, "lines", 2);
    accepts_one_in(&shares, "rows", 5);
}

#[test]
fn every_file_that_says_that_a_model_made_it_is_found() {
    let shares = run(parsers::sources, 2000, 2000);
    accepts_one_in(&shares, "files that say it", 1);
}
