//! `CHANNELS`: the channels whose partitions of `queue` may contain Pins of a tenant. The Pins of a disconnected channel stay.

use std::collections::BTreeSet;

use domain::{ChannelId, TenantId};
use serde::Deserialize;
use tokio::try_join;

use super::PinList;
use crate::{
    MainTable,
    keys::{RowKey, queue_pk},
    table::{Error, row, s},
};

/// All channels that a tenant has or had.
#[derive(Deserialize)]
struct ChannelsRow {
    channels: BTreeSet<ChannelId>,
}

impl MainTable {
    /// The partitions of `queue` that may contain Pins of the list.
    pub(super) async fn queues(&self, tenant: &TenantId, list: &PinList<'_>) -> Result<Vec<String>, Error> {
        let channels = match list.channel {
            Some(channel) => BTreeSet::from([channel.clone()]),
            None => self.all_channels(tenant).await?,
        };
        let groups = list.groups();
        Ok(channels.iter().flat_map(|channel| groups.iter().map(|group| queue_pk(channel, *group))).collect())
    }

    /// All channels that the tenant has or had. If the row does not exist yet, they are found among the tenant's Pins, once.
    async fn all_channels(&self, tenant: &TenantId) -> Result<BTreeSet<ChannelId>, Error> {
        let key = RowKey::channels(tenant);
        let (noted, present) = try_join!(self.table.get(&key), self.channel_ids(tenant))?;
        let is_noted = noted.is_some();
        let mut all = noted.map(row::<ChannelsRow>).transpose()?.map(|row| row.channels).unwrap_or_default();
        let mut new: BTreeSet<_> = present.into_iter().filter(|channel| !all.contains(channel)).collect();
        if !is_noted {
            new.extend(self.channels_of_pins(tenant).await?);
        }
        if !new.is_empty() {
            self.table.add_to_set(&key, "channels", new.iter().map(ToString::to_string).collect()).await?;
            all.extend(new);
        }
        Ok(all)
    }

    async fn channels_of_pins(&self, tenant: &TenantId) -> Result<BTreeSet<ChannelId>, Error> {
        #[derive(Deserialize)]
        struct Entry {
            channel_id: ChannelId,
        }

        let (mut channels, mut start) = (BTreeSet::new(), None);
        loop {
            let query = self.query(Some("list"), false).key_condition_expression("tenant = :tenant");
            let query = query.expression_attribute_values(":tenant", s(&tenant.0));
            let page = query.set_exclusive_start_key(start).send().await.map_err(Error::aws("Query"))?;
            for entry in page.items.unwrap_or_default() {
                channels.insert(row::<Entry>(entry)?.channel_id);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(channels);
            }
        }
    }
}
