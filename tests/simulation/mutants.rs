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
