//! `PIN` and `REMOTE`: Pins, and which of them owns a Pin of Pinterest.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ChannelId, Environment, Pin, PinGroup, PinId, PinterestPinId, TenantId};
use futures_util::{Stream, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    MainTable,
    keys::{DueIndexKey, RowKey, queue_pk},
    table::{Error, Item, Table, Written, item, n, row, s, values},
};

/// Whether a row `REMOTE` may be written for `:pin`.
const BELONGS_TO_NOBODY_ELSE: &str = "attribute_not_exists(pk) OR pin_id = :pin";
/// How many entries of a channel's Pins one query reads: as many rows as one batch holds.
const CHANNEL_PAGE_ENTRIES: i32 = 100;
#[derive(Serialize, Deserialize)]
struct PinRow {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    due: Option<DueIndexKey>,
    queue_pk: String,
    queue_sk: String,
    #[serde(flatten)]
    pin: Pin,
}

#[derive(Serialize, Deserialize)]
struct PinterestPinRow {
    #[serde(flatten)]
    key: RowKey,
    pin_id: PinId,
}

/// How a write of a Pin ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It is written.
    Done,
    /// Somebody else has changed the Pin since it was read.
    VersionConflict,
    /// The Pinterest Pin belongs to another Pin of ours.
    RemotePinTaken,
}

impl MainTable {
    /// Writes a new Pin. `VersionConflict`: there is one with its id.
    pub async fn create_pin(&self, pin: &Pin) -> Result<WriteOutcome, Error> {
        let new = pin_item(&self.table, pin, pin.due_at())?;
        Ok(match self.table.put_if(new, "attribute_not_exists(pk)", values([])).await? {
            Ok(()) => WriteOutcome::Done,
            Err(_) => WriteOutcome::VersionConflict,
        })
    }

    /// Writes a Pin over the version before it.
    pub async fn save_pin(&self, pin: &Pin) -> Result<WriteOutcome, Error> {
        self.save(pin, pin.due_at()).await
    }

    /// Writes a Pin that is about to be sent over the version before it. Its entry in the `due` index stays where it is:
    /// that costs nothing, and the next worker of the channel sees the Pin before later ones.
    pub async fn save_sending(&self, pin: &Pin, before: &Pin) -> Result<WriteOutcome, Error> {
        // Not later than the Pin's next processing.
        self.save(pin, before.due_at().into_iter().chain(pin.due_at()).min()).await
    }

    async fn save(&self, pin: &Pin, due_at: Option<Timestamp>) -> Result<WriteOutcome, Error> {
        let before = values([(":before", n(pin.version - 1))]);
        let new = pin_item(&self.table, pin, due_at)?;
        Ok(match self.table.put_if(new, "version = :before", before).await? {
            Ok(()) => WriteOutcome::Done,
            Err(_) => WriteOutcome::VersionConflict,
        })
    }

    /// Binds a Pinterest Pin to the Pin of ours for which it was created, independent of that Pin's state. `false`: it
    /// belongs to another one already.
    pub async fn bind(
        &self,
        pin: &PinId,
        environment: Environment,
        remote: &PinterestPinId,
    ) -> Result<bool, Error> {
        let key = RowKey::pinterest_pin(environment, remote);
        let owner = item(&PinterestPinRow { key, pin_id: pin.clone() })?;
        let ours = values([(":pin", s(pin.as_str()))]);
        Ok(self.table.put_if(owner, BELONGS_TO_NOBODY_ELSE, ours).await?.is_ok())
    }

    /// Writes a published Pin over the version before it, and binds `remote` to it, in one transaction: each Pinterest Pin
    /// belongs to one Pin of ours.
    pub async fn save_published(
        &self,
        pin: &Pin,
        environment: Environment,
        remote: &PinterestPinId,
    ) -> Result<WriteOutcome, Error> {
        let before = values([(":before", n(pin.version - 1))]);
        let key = RowKey::pinterest_pin(environment, remote);
        let owner = item(&PinterestPinRow { key, pin_id: pin.id.clone() })?;
        let written = self
            .table
            .transact(vec![
                self.table.put_in_transaction(
                    pin_item(&self.table, pin, None)?,
                    "version = :before",
                    before,
                )?,
                self.table.put_in_transaction(
                    owner,
                    BELONGS_TO_NOBODY_ELSE,
                    values([(":pin", s(pin.id.as_str()))]),
                )?,
            ])
            .await?;
        Ok(match written {
            Written::All => WriteOutcome::Done,
            Written::Refused(reasons) if reasons.iter().any(|(position, _)| *position == 1) => {
                WriteOutcome::RemotePinTaken
            }
            Written::Refused(_) => WriteOutcome::VersionConflict,
        })
    }

    /// Which of these Pinterest Pins belong to Pins of ours other than `pin`.
    pub async fn owned_by_others(
        &self,
        environment: Environment,
        remotes: &BTreeSet<PinterestPinId>,
        pin: &PinId,
    ) -> Result<BTreeSet<PinterestPinId>, Error> {
        let mut owners = self.owners(environment, remotes).await?;
        owners.retain(|_, owner| owner != pin);
        Ok(owners.into_keys().collect())
    }

    /// Which Pins of ours own these Pinterest Pins.
    async fn owners(
        &self,
        environment: Environment,
        remotes: &BTreeSet<PinterestPinId>,
    ) -> Result<HashMap<PinterestPinId, PinId>, Error> {
        let mut owners = HashMap::new();
        if remotes.is_empty() {
            return Ok(owners);
        }
        let key = |remote| RowKey::pinterest_pin(environment, remote);
        let keys: Vec<_> = remotes.iter().map(|remote| (&self.table, key(remote))).collect();
        let mut found = self.table.batch(&keys).await?;
        for remote in remotes {
            if let Some(owner) = found.remove(&key(remote)) {
                owners.insert(remote.clone(), row::<PinterestPinRow>(owner)?.pin_id);
            }
        }
        Ok(owners)
    }

    /// Which of the tenant's Pins own these Pins of Pinterest's.
    ///
    /// An account may be a channel of two tenants. A Pin of the other tenant counts as a stranger's Pin, so it owns nothing
    /// here.
    pub async fn owners_of(
        &self,
        tenant: &TenantId,
        environment: Environment,
        remotes: &BTreeSet<PinterestPinId>,
    ) -> Result<HashMap<PinterestPinId, PinId>, Error> {
        let mut owners = self.owners(environment, remotes).await?;
        if owners.is_empty() {
            return Ok(owners);
        }
        let pins: BTreeSet<_> = owners.values().collect();
        let keys: Vec<_> = pins.into_iter().map(|pin| (&self.table, RowKey::pin(tenant, pin))).collect();
        let theirs = self.table.batch(&keys).await?;
        owners.retain(|_, pin| theirs.contains_key(&RowKey::pin(tenant, pin)));
        Ok(owners)
    }

    /// A Pin, if the tenant has it.
    pub async fn pin(&self, tenant: &TenantId, id: &PinId) -> Result<Option<Pin>, Error> {
        self.table.get(&RowKey::pin(tenant, id)).await?.map(pin_of).transpose()
    }

    /// Some of the tenant's Pins, each with its own result: a row that cannot be read does not affect the others. Deleted
    /// Pins are left out.
    pub async fn pins_by_id<'a>(
        &self,
        tenant: &TenantId,
        ids: impl IntoIterator<Item = &'a PinId>,
    ) -> Result<HashMap<PinId, Result<Pin, Error>>, Error> {
        let ids: BTreeSet<_> = ids.into_iter().collect();
        let keys: Vec<_> = ids.iter().map(|id| (&self.table, RowKey::pin(tenant, id))).collect();
        let mut found = self.table.batch(&keys).await?;
        let rows = ids.into_iter().zip(keys);
        let rows = rows.filter_map(|(id, (_, key))| Some((id.clone(), pin_of(found.remove(&key)?))));
        Ok(rows.collect())
    }

    /// A channel's Pins of a class that were asked for since then, as they are right now, newest first. They are read page
    /// by page, so that never all of them are in memory. A row that cannot be read is an error of its own, after which
    /// the others follow.
    pub fn pins_of_channel(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        group: PinGroup,
        since: Timestamp,
    ) -> impl Stream<Item = Result<Pin, Error>> {
        let pages = stream::try_unfold(Some(None), move |position| async move {
            let Some(start) = position else { return Ok(None) };
            let (pins, next) =
                self.channel_page(tenant, channel, group, since, start, CHANNEL_PAGE_ENTRIES).await?;
            Ok::<_, Error>(Some((stream::iter(pins), next.map(Some))))
        });
        pages.try_flatten()
    }

    /// The newest of a channel's Pins of a group, if it was requested since then and can be read.
    pub async fn latest_pin(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        group: PinGroup,
        since: Timestamp,
    ) -> Result<Option<Pin>, Error> {
        Ok(self.channel_page(tenant, channel, group, since, None, 1).await?.0.pop().and_then(Result::ok))
    }

    /// A page of a channel's Pins, and where the next one begins.
    async fn channel_page(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        group: PinGroup,
        since: Timestamp,
        start: Option<Item>,
        limit: i32,
    ) -> Result<(Vec<Result<Pin, Error>>, Option<Item>), Error> {
        // Ids sort by time: this one is older than all of that instant.
        let oldest = PinId::new(since, [0; 10]);
        let query = self.table.client.query().table_name(&self.table.name).index_name("queue");
        let query = query
            .scan_index_forward(false)
            .key_condition_expression("queue_pk = :queue AND queue_sk >= :oldest")
            .expression_attribute_values(":queue", s(queue_pk(channel, group)))
            .expression_attribute_values(":oldest", s(oldest.as_str()))
            .limit(limit);
        let page = query.set_exclusive_start_key(start).send().await.map_err(Error::aws("Query"))?;
        let ids = page.items.unwrap_or_default().into_iter().map(row::<QueueEntry>);
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = ids.iter().map(|id| (&self.table, RowKey::pin(tenant, &id.queue_sk))).collect();
        let mut found = self.table.batch(&keys).await?;
        let pins = keys.iter().filter_map(|(_, key)| found.remove(key).map(pin_of));
        let mut pins: Vec<_> = pins.collect();
        pins.retain(|pin| pin.as_ref().map_or(true, |pin| pin.state.group() == group)); // the index may be behind
        Ok((pins, page.last_evaluated_key))
    }
}

#[derive(Deserialize)]
struct QueueEntry {
    queue_sk: PinId,
}

fn pin_item(table: &Table, pin: &Pin, due_at: Option<Timestamp>) -> Result<Item, Error> {
    let mut row = item(&PinRow {
        key: RowKey::pin(&pin.tenant, &pin.id),
        due: due_at.map(|at| table.due_pin(at, &pin.channel_id, &pin.id)),
        queue_pk: queue_pk(&pin.channel_id, pin.state.group()),
        queue_sk: pin.id.to_string(),
        pin: pin.clone(),
    })?;
    strip_nulls(&mut row);
    Ok(row)
}

/// Removes empty values. A write costs by the kilobyte, and most fields of a timeline entry are empty.
fn strip_nulls(map: &mut Item) {
    map.retain(|_, value| !value.is_null());
    for value in map.values_mut() {
        match value {
            AttributeValue::M(inner) => strip_nulls(inner),
            AttributeValue::L(items) => {
                items
                    .iter_mut()
                    .filter_map(|item| match item {
                        AttributeValue::M(inner) => Some(inner),
                        _ => None,
                    })
                    .for_each(strip_nulls);
            }
            _ => {}
        }
    }
}

pub(crate) fn pin_of(found: Item) -> Result<Pin, Error> {
    Ok(row::<PinRow>(found)?.pin)
}
