//! The keys of all rows and indexes.

use domain::{ChannelId, Environment, PinGroup, PinId, PinterestPinId, PinterestUserId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many partitions the `due` index has in a deployed table, so that several workers can share them.
///
/// A row is written with the partition of its id, so a table that holds rows keeps this number.
pub const DUE_SHARDS: u32 = 16;

/// The primary key of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct RowKey {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl RowKey {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(crate) fn settings() -> Self {
        Self::new("SETTINGS", "SETTINGS")
    }

    pub(crate) fn worker() -> Self {
        Self::new("WORKER", "WORKER")
    }

    pub(crate) fn channel(tenant: &TenantId, id: &ChannelId) -> Self {
        Self::new(tenant_pk(tenant), format!("{CHANNEL}{id}"))
    }

    pub(crate) fn pin(tenant: &TenantId, id: &PinId) -> Self {
        Self::new(tenant_pk(tenant), format!("{PIN}{id}"))
    }

    pub(crate) fn idempotency(tenant: &TenantId, key_hash: &str) -> Self {
        Self::new(format!("IDEM#{tenant}#{key_hash}"), "IDEM")
    }

    pub(crate) fn state(hash: &str) -> Self {
        Self::new(format!("STATE#{hash}"), "STATE")
    }

    pub(crate) fn account(environment: Environment, user: &PinterestUserId, tenant: &TenantId) -> Self {
        Self::new(format!("ACCOUNT#{environment}#{user}"), tenant_pk(tenant))
    }

    pub(crate) fn pinterest_pin(environment: Environment, pin: &PinterestPinId) -> Self {
        Self::new(format!("REMOTE#{environment}#{pin}"), "REMOTE")
    }

    pub(crate) fn quota(environment: Environment) -> Self {
        Self::new(format!("QUOTA#{environment}"), "APP")
    }

    pub(crate) fn usage(tenant: &TenantId) -> Self {
        Self::new(format!("USAGE#{tenant}"), "USAGE")
    }

    pub(crate) fn token(channel: &ChannelId) -> Self {
        Self::new(format!("TOKEN#{channel}"), "TOKEN")
    }

    pub(crate) fn ticket(hash: &str) -> Self {
        Self::new(format!("TICKET#{hash}"), "TICKET")
    }
}

/// The sort keys of a tenant's channels begin with this.
pub(crate) const CHANNEL: &str = "CHANNEL#";
/// The sort keys of a tenant's Pins begin with this.
pub(crate) const PIN: &str = "PIN#";

/// The partition of a tenant's channels and Pins.
pub(crate) fn tenant_pk(tenant: &TenantId) -> String {
    format!("TENANT#{tenant}")
}

/// Where in the `due` index a row stands. Without it, the row is not in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DueIndexKey {
    due_pk: String,
    due_sk: String,
}

impl DueIndexKey {
    pub(crate) fn new(at: Timestamp, id: &str, shards: u32) -> Self {
        Self { due_pk: shard(id, shards).to_string(), due_sk: format!("{}#{id}", sort_key_time(at)) }
    }

    pub(crate) fn sort_key(&self) -> &str {
        &self.due_sk
    }
}

/// The partition of the index that `id` belongs to: its last characters are random.
fn shard(id: &str, shards: u32) -> u32 {
    id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % shards
}

/// Milliseconds since 1970 with leading zeros: sorts as text.
pub(crate) fn sort_key_time(at: Timestamp) -> String {
    format!("{:015}", at.as_millisecond().max(0))
}

/// Reads [`sort_key_time`] back from the front of a `due_sk`.
pub(crate) fn parse_sort_key_time(due_sk: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(due_sk.split('#').next()?.parse().ok()?).ok()
}

/// The partition of the `queue_pk` index that holds a channel's Pins of a class.
pub(crate) fn queue_pk(channel: &ChannelId, group: PinGroup) -> String {
    format!("{channel}#{}", group.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_sort_as_text() {
        let early = sort_key_time(Timestamp::from_second(999).unwrap());
        let late = sort_key_time(Timestamp::from_second(1_790_000_000).unwrap());
        assert!(early < late);
        assert_eq!(parse_sort_key_time(&format!("{late}#pin_x")), Timestamp::from_second(1_790_000_000).ok());
    }

    #[test]
    fn ids_fall_into_every_shard() {
        let mut seen: Vec<_> = (0..200).map(|number| shard(&format!("ch_{number}"), DUE_SHARDS)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 16);
    }
}
