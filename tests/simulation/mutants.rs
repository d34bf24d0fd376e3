//! Mutants: protocols that are broken on purpose. The simulation must find every one of them.
//!
//! A mutant has another decision function, or it changes the calls to the tables.

mod deliver;
mod refresh;
mod table;

use domain::{delivery, refresh as renewal};
use serde_json::Value;

use crate::{aws::Reply, env::SimEnv, lambda::Invocation, scenario::FaultProfile};

/// One way to break a protocol.
#[derive(Clone, Copy)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) profile: FaultProfile,
    pub(crate) deliver: delivery::Decide,
    pub(crate) refresh: renewal::Decide,
    pub(crate) table: TableMutation,
}

/// Changes a call to a table, or answers it.
pub(crate) type TableMutation = fn(&SimEnv, &Invocation, &str, &mut Value) -> Option<Reply>;

/// All mutants.
pub(crate) const MUTANTS: &[&[Mutant]] = &[deliver::MUTANTS, refresh::MUTANTS, table::MUTANTS];

/// Mutants that seed 0 does not catch, and a seed that does. It only saves the runs before it. When the code has changed
/// so much that the seed does not catch the mutant any more, all seeds are tried in turn.
pub(crate) const SEEDS: &[(&str, u64)] = &[
    ("an unknown outcome is sent again without a board check", 1),
    ("one board check decides", 6),
    ("a list that was not read is an empty one", 1),
    ("what is not as it was sent is not there", 2),
    ("a rate limit ends a Pin", 4),
    ("a blocked link rests the account", 16),
    ("two board checks decide", 37),
    ("401 code 3 asks for new tokens", 1),
    ("a busy board ends a Pin", 9),
    ("a Pin does not wait for its time", 1),
    ("a rate limit's end is forgotten", 2),
    ("the channel's return wakes nobody", 2),
    ("the channel's return wakes some of them later", 4),
    ("every failure is a refusal", 7),
    ("the first refusal is believed", 2),
    ("the App Secret is not checked", 2),
    ("a wrong secret ends a channel", 2),
    ("a Pin that waits is retried every minute", 13),
    ("an expired access token ends a channel", 2),
    ("a lease keeps nobody out", 2),
    ("a lease is given back by whoever comes", 2),
    ("a new pair is saved by the lease's holder only", 4),
    ("the previous pair is dropped", 28),
    ("a Pin is written over any version", 5),
    ("a token is given up three days before its end", 45),
    ("a Pin is published without being bound", 1),
    ("a Pin is written where there is one already", 1),
    ("two workers have one partition", 2),
    ("two workers have one partition of tokens", 2),
    ("a lease ends before its worker does", 5),
    ("the row of a lost channel is not updated", 6),
    ("a Pin at Pinterest may belong to several of ours", 26),
];

/// Sound code with the fault profiles of the mutants. A violation here would not be the fault of a mutant.
pub(crate) const CONTROLS: [Mutant; 3] = [
    Mutant { name: "nothing", ..SOUND },
    Mutant { name: "nothing, with the faults of tokens", profile: FaultProfile::Tokens, ..SOUND },
    Mutant {
        name: "nothing, where late pairs meet conflicts",
        profile: FaultProfile::Tokens,
        table: table::late_pairs_meet_conflicts,
        ..SOUND
    },
];

/// The sound code, from which each mutant differs in one thing.
const SOUND: Mutant = Mutant {
    name: "",
    profile: FaultProfile::Pins,
    deliver: delivery::decide,
    refresh: renewal::decide,
    table: |_, _, _, _| None,
};
