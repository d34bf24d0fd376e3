//! The two DynamoDB tables. A row is its key and a `domain` value; nobody outside this crate knows keys or attributes.
//!
//! A lost race is a value, and not an error. Nothing here scans: no policy would allow it.

mod changes;
mod channels;
mod connections;
mod due;
mod idempotency;
mod keys;
mod lists;
mod partitions;
mod pins;
mod settings;
mod table;
mod tokens;
mod usage;

pub use changes::{RowImage, changed_row, row_name};
pub use channels::ChannelSnapshot;
pub use connections::{OAuthFlow, PendingConnection, ReturnedFlow};
pub use due::{DueCursor, DueIndex, DueItem, DueItemKind};
pub use idempotency::IdempotencyRecord;
pub use keys::DUE_PARTITIONS;
pub use lists::{InvalidPosition, ListedPin, PinList, PinOrder, PinPage, PinPosition};
pub use partitions::PartitionLease;
pub use pins::WriteOutcome;
pub use settings::{Heartbeat, VerifiedSecret, WorkerStatus};
pub use table::{Error, Table};
pub use tokens::{SaveOutcome, TokenRow};
pub use usage::Usage;

use std::sync::Arc;

/// Settings, channels, Pins, and what belongs to them.
#[derive(Clone, Debug)]
pub struct MainTable {
    table: Table,
    settings: settings::Cache,
    usages: Arc<usage::Remembered>,
}

/// Sealed tokens. Fewer functions may read it.
#[derive(Clone, Debug)]
pub struct TokensTable {
    table: Table,
}

impl MainTable {
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, settings: settings::Cache::default(), usages: Arc::default() }
    }
}

impl TokensTable {
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }
}
