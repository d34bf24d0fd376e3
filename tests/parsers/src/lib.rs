//! Every parser of outside input, fed with bytes: one function for each family of parsers, which sends what the
//! bytes say through the code that runs in production, and asserts what must hold whatever they say.
//!
//! The same functions are the targets of libFuzzer (`fuzz/`) and of the property tests beside this library.
//! [`tally`] counts how many inputs get past a parser: inputs that are all refused at the door test the door.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this is a test: it says what it expects by failing"
)]

mod answer;
mod answers;
mod aws;
mod changes;
mod connecting;
mod dice;
mod events;
mod harness;
mod ids;
mod keys;
mod lists;
pub mod memory;
mod mutate;
mod publishing;
mod requests;
mod rows;
mod secrets;
mod sources;
pub mod tally;
mod times;
mod twins;
mod wire;

pub use answers::answers;
pub use changes::{changes, ticks};
pub use connecting::connecting;
pub use events::events;
pub use ids::ids;
pub use keys::keys;
pub use lists::lists;
pub use publishing::publishing;
pub use requests::requests;
pub use rows::rows;
pub use secrets::{rings, settings};
pub use sources::sources;
pub use times::times;
pub use twins::twins;
