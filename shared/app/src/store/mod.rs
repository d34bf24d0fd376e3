//! The two tables. Keys are private to this module; a row is its key and a `domain` value.
//!
//! A lost race is a value, not an error. Nothing here scans: no policy would allow it.

mod channels;
mod connect;
mod due;
mod keys;
mod pins;
mod settings;
mod table;
mod tokens;

pub use channels::Briefing;
pub use connect::{Flow, Pending};
pub use due::{Due, Reading, Work};
pub(crate) use keys::DUE_SHARDS;
pub use pins::{Key, Put, Wanted};
pub use settings::{Heartbeat, Proven, Worker};
pub use table::{Error, Table};
pub use tokens::{Saved, TokenRow};

/// The table that all functions share: settings, channels, Pins.
#[derive(Clone, Debug)]
pub struct MainTable {
    table: Table,
    settings: settings::Memory,
}

/// The table of sealed tokens: few functions may touch it.
#[derive(Clone, Debug)]
pub struct TokensTable {
    table: Table,
}

impl MainTable {
    pub(crate) fn new(table: Table) -> Self {
        Self { table, settings: settings::Memory::default() }
    }
}

impl TokensTable {
    pub(crate) fn new(table: Table) -> Self {
        Self { table }
    }
}
