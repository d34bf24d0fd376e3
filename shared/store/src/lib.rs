//! The two DynamoDB tables. A row is a key and a `domain` value; only this crate knows keys and attributes.
//!
//! A lost race is a value, and not an error. Nothing here scans a table: no policy allows it.

mod changes;
mod channels;
mod connections;
mod due;
mod idempotency;
mod keys;
mod lists;
mod partitions;
mod pins;
mod refresh_key;
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
pub use partitions::{DueOf, PartitionLease};
pub use pins::WriteOutcome;
pub use settings::{Heartbeat, VerifiedSecret, WorkerStatus};
pub use table::{Error, Table};
pub use tokens::{SaveOutcome, TokenRow};
pub use usage::Usage;

use std::sync::{Arc, OnceLock};

use domain::RefreshKeyShare;
use tokio::sync::OnceCell;

/// Settings, channels, Pins, and their related rows.
#[derive(Clone, Debug)]
pub struct MainTable {
    table: Table,
    settings: settings::Cache,
    usages: Arc<usage::Remembered>,
    first_tenant_claim: Arc<OnceLock<Option<String>>>,
}

/// Sealed tokens. Fewer functions may read it.
#[derive(Clone, Debug)]
pub struct TokensTable {
    table: Table,
    refresh_key_share: Arc<OnceCell<RefreshKeyShare>>,
}

impl MainTable {
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self {
            table,
            settings: settings::Cache::default(),
            usages: Arc::default(),
            first_tenant_claim: Arc::default(),
        }
    }
}

impl TokensTable {
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, refresh_key_share: Arc::default() }
    }
}
