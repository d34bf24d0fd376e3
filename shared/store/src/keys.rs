//! The keys of all rows and indexes.

use domain::{ChannelId, Environment, PinGroup, PinId, PinterestPinId, PinterestUserId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many partitions the `due` index has in a deployed table, so that several workers can share them.
///
/// A row is written with the partition of its channel, so a table that holds rows keeps this number.
pub const DUE_PARTITIONS: u32 = 16;

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

    pub(crate) fn closed_channel(tenant: &TenantId, id: &ChannelId) -> Self {
        Self::new(tenant_pk(tenant), format!("{CLOSED}{id}"))
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

    pub(crate) fn channels(tenant: &TenantId) -> Self {
        Self::new(format!("CHANNELS#{tenant}"), "CHANNELS")
    }

    pub(crate) fn token(channel: &ChannelId) -> Self {
        Self::new(format!("TOKEN#{channel}"), "TOKEN")
    }

    pub(crate) fn refresh_key_share() -> Self {
        Self::new("SHARE", "SHARE")
    }

    pub(crate) fn ticket(hash: &str) -> Self {
        Self::new(format!("TICKET#{hash}"), "TICKET")
    }
}

/// The sort keys of a tenant's channels begin with this.
pub(crate) const CHANNEL: &str = "CHANNEL#";
/// The sort keys of a tenant's disconnected channels begin with this, for as long as there may be work left.
pub(crate) const CLOSED: &str = "CLOSED#";
/// The sort keys of a tenant's Pins begin with this.
pub(crate) const PIN: &str = "PIN#";

/// The partition of a tenant's channels and Pins.
pub(crate) fn tenant_pk(tenant: &TenantId) -> String {
    format!("TENANT#{tenant}")
}

/// The position of a row in the `due` index. Without it, the row is not in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DueIndexKey {
    due_pk: String,
    due_sk: String,
}

impl DueIndexKey {
    /// The entry of a channel's tokens. It names the tenant, so that tenants take turns before a row is read.
    pub(crate) fn of_tokens(at: Timestamp, tenant: &TenantId, channel: &ChannelId, partitions: u32) -> Self {
        let due_pk = due_partition(channel.as_str(), partitions).to_string();
        Self { due_pk, due_sk: format!("{}#{channel}#{tenant}", sort_key_time(at)) }
    }

    /// The entry of a channel.
    pub(crate) fn of_channel(at: Timestamp, channel: &ChannelId, partitions: u32) -> Self {
        let due_pk = due_partition(channel.as_str(), partitions).to_string();
        Self { due_pk, due_sk: format!("{}#{channel}", sort_key_time(at)) }
    }

    /// The entry of a Pin. It is in the partition of its channel and contains the channel's id, so that a worker has whole
    /// channels, and knows them before it reads a row.
    pub(crate) fn of_pin(at: Timestamp, channel: &ChannelId, pin: &PinId, partitions: u32) -> Self {
        let due_pk = due_partition(channel.as_str(), partitions).to_string();
        Self { due_pk, due_sk: format!("{}#{channel}#{pin}", sort_key_time(at)) }
    }

    /// The entry of a Pin whose channel is unknown: it stays in the partition that version 0.1 has chosen.
    pub(crate) fn of_old_pin(at: Timestamp, pin: &PinId, partition: u32) -> Self {
        Self { due_pk: partition.to_string(), due_sk: format!("{}#{pin}", sort_key_time(at)) }
    }

    pub(crate) fn sort_key(&self) -> &str {
        &self.due_sk
    }
}

/// The partition of the `due` index that `id` belongs to: its last characters are random.
pub(crate) fn due_partition(id: &str, partitions: u32) -> u32 {
    id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % partitions
}

/// Milliseconds since 1970 with leading zeros: sorts as text.
pub(crate) fn sort_key_time(at: Timestamp) -> String {
    format!("{:015}", at.as_millisecond().max(0))
}

/// Reads [`sort_key_time`] back from the front of a `due_sk`.
pub(crate) fn parse_sort_key_time(due_sk: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(due_sk.split('#').next()?.parse().ok()?).ok()
}

/// The channel in the `due_sk` of a Pin. `None`: version 0.1 has written it without a channel.
pub(crate) fn parse_sort_key_channel(due_sk: &str) -> Option<ChannelId> {
    let (channel, _pin) = due_sk.split_once('#')?.1.split_once('#')?;
    ChannelId::try_from(channel.to_owned()).ok()
}

/// The tenant in the `due_sk` of a channel's tokens. `None`: an older version has written it, which named none.
pub(crate) fn parse_sort_key_tenant(due_sk: &str) -> Option<TenantId> {
    Some(TenantId(due_sk.splitn(3, '#').nth(2)?.to_owned()))
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
    fn a_pins_entry_names_its_channel_and_stands_in_its_partition() {
        let (channel, pin) =
            (ChannelId::new(Timestamp::UNIX_EPOCH, [3; 10]), PinId::new(Timestamp::UNIX_EPOCH, [4; 10]));
        let entry = DueIndexKey::of_pin(Timestamp::UNIX_EPOCH, &channel, &pin, DUE_PARTITIONS);
        let of_channel = DueIndexKey::of_channel(Timestamp::UNIX_EPOCH, &channel, DUE_PARTITIONS);
        assert_eq!(entry.due_pk, of_channel.due_pk);
        assert_eq!(parse_sort_key_channel(&entry.due_sk), Some(channel));
        let old = DueIndexKey::of_old_pin(Timestamp::UNIX_EPOCH, &pin, 3);
        assert_eq!((old.due_pk.as_str(), parse_sort_key_channel(&old.due_sk)), ("3", None));
        assert_eq!(parse_sort_key_channel(&of_channel.due_sk), None);
    }

    #[test]
    fn the_entry_of_tokens_names_their_tenant_and_stands_in_their_channels_partition() {
        let (channel, tenant) = (ChannelId::new(Timestamp::UNIX_EPOCH, [3; 10]), TenantId("a#b".to_owned()));
        let of_channel = DueIndexKey::of_channel(Timestamp::UNIX_EPOCH, &channel, DUE_PARTITIONS);
        let entry = DueIndexKey::of_tokens(Timestamp::UNIX_EPOCH, &tenant, &channel, DUE_PARTITIONS);
        assert_eq!(entry.due_pk, of_channel.due_pk);
        assert_eq!(parse_sort_key_tenant(&entry.due_sk), Some(tenant));
        assert_eq!(parse_sort_key_tenant(&of_channel.due_sk), None);
    }

    #[test]
    fn ids_fall_into_every_partition() {
        let mut seen: Vec<_> =
            (0..200).map(|number| due_partition(&format!("ch_{number}"), DUE_PARTITIONS)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 16);
    }
}
