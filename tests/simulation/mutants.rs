//! Protocols that are broken on purpose: a simulation that lets one live proves nothing.
//!
//! A mutant is a decision function of its own, or a table that does not do what is asked of it.

mod deliver;
mod refresh;
mod table;

use domain::{delivery, refresh as renewal};
use serde_json::Value;

use crate::{aws::Reply, lambda::Invocation, plan::Storm, world::World};

/// A way to break a protocol.
#[derive(Clone, Copy)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) storm: Storm,
    pub(crate) deliver: delivery::Decide,
    pub(crate) refresh: renewal::Decide,
    pub(crate) table: Tamper,
}

/// Changes a call to a table, or answers it.
pub(crate) type Tamper = fn(&World, &Invocation, &str, &mut Value) -> Option<Reply>;

/// All of them.
pub(crate) const MUTANTS: &[&[Mutant]] = &[deliver::MUTANTS, refresh::MUTANTS, table::MUTANTS];

/// Mutants that seed 0 does not catch, and a seed that does. It saves the runs before it, and nothing else: when the code
/// has changed so much that a seed catches no more, all are tried in turn.
pub(crate) const SEEDS: &[(&str, u64)] = &[
    ("a list that was not read is an empty one", 3),
    ("a process that fell silent has sent nothing", 3),
    ("two looks decide", 13),
    ("a busy board ends a Pin", 2),
    ("a rate limit ends a Pin", 5),
    ("401 code 3 asks for new tokens", 4),
    ("a Pin does not wait for its time", 1),
    ("a rate limit's end is forgotten", 5),
    ("nothing is ever too late", 4),
    ("the channel's return wakes some of them later", 2),
    ("the first refusal is believed", 2),
    ("a Pin that waits is looked after each minute", 10),
    ("the secret is not asked about", 3),
    ("a wrong secret ends a channel", 3),
    ("a Pin at Pinterest may belong to several of ours", 3),
    ("a Pin is published without being bound", 3),
    ("a dead channel's row is not told", 1),
    ("the previous pair is dropped", 11),
];

/// Nothing is broken, and storms rage all the same: what breaks here was not the mutants' doing.
pub(crate) const CONTROLS: [Mutant; 3] = [
    Mutant { name: "nothing", ..SOUND },
    Mutant { name: "nothing else", storm: Storm::Tokens, ..SOUND },
    Mutant {
        name: "nothing, where late pairs meet conflicts",
        storm: Storm::Tokens,
        table: table::late_pairs_meet_conflicts,
        ..SOUND
    },
];

/// Nothing is broken, yet.
const SOUND: Mutant = Mutant {
    name: "",
    storm: Storm::Pins,
    deliver: delivery::decide,
    refresh: renewal::decide,
    table: |_, _, _, _| None,
};
