//! What every process needs: its variables, time, randomness, text encodings and the network.

mod chain;
mod clock;
pub mod encoding;
pub mod network;
mod variables;

pub use chain::chain;
pub use clock::{Clock, Random};
pub use variables::{InvalidVariable, MissingVariable, Variables};
