//! `PIN`, `IDEM` and `REMOTE`: Pins, the keys they were asked for with, and what they own at Pinterest.

use std::collections::{BTreeSet, HashMap};

use domain::{ChannelId, Class, Environment, Pin, PinId, PinterestPinId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    MainTable,
    connect::put,
    keys::{DueKey, Key as RowKey, PIN, of_tenant, queue},
    table::{Error, Item, Table, Written, item, n, row, s, values},
};

/// How many rows a question reads at least that leaves some out.
const ROWS: usize = 200;
/// How many questions a page is worth: what they cost, and how long they take, does not grow with the table.
const QUERIES: usize = 10;

#[derive(Serialize, Deserialize)]
struct PinRow {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    due: Option<DueKey>,
    queue_pk: String,
    queue_sk: String,
    #[serde(flatten)]
    pin: Pin,
}

/// What an `Idempotency-Key` was used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// SHA-256 of the key.
    #[serde(skip)]
    pub hash: String,
    /// The Pin it made.
    pub pin_id: PinId,
    /// SHA-256 of the body it came with.
    pub body_hash: String,
    /// Seconds since 1970. Checked by us too: DynamoDB removes late.
    pub expires_at: i64,
}

#[derive(Serialize)]
struct KeyRow<'a> {
    #[serde(flatten)]
    row: RowKey,
    #[serde(flatten)]
    key: &'a Key,
}

#[derive(Serialize, Deserialize)]
struct RemoteRow {
    #[serde(flatten)]
    key: RowKey,
    pin_id: PinId,
}

/// How a write of a Pin ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is written.
    Done,
    /// The key was used before, for this.
    Used(Key),
    /// Somebody else has changed the Pin since it was read.
    Stale,
    /// The Pinterest Pin belongs to another Pin of ours.
    Taken,
}

impl MainTable {
    /// Writes a new Pin, and the key it was asked for with. `now`: keys older than their time are free again.
    pub async fn create_pin(&self, pin: &Pin, key: Option<&Key>, now: i64) -> Result<Put, Error> {
        let new = pin_item(&self.table, pin)?;
        let Some(key) = key else {
            return Ok(match self.table.put_if(new, "attribute_not_exists(pk)", values([])).await? {
                Ok(()) => Put::Done,
                Err(_) => Put::Stale,
            });
        };
        let key_item = item(&KeyRow { row: RowKey::idempotency(&pin.tenant, &key.hash), key })?;
        let free = "attribute_not_exists(pk) OR expires_at < :now";
        let written = self
            .table
            .transact(vec![
                put(&self.table, key_item, free, values([(":now", n(now))]))?,
                put(&self.table, new, "attribute_not_exists(pk)", values([]))?,
            ])
            .await?;
        match written {
            Written::All => Ok(Put::Done),
            Written::Refused(reasons) => {
                let there = reasons.into_iter().find(|(position, _)| *position == 0);
                let Some((_, Some(there))) = there else {
                    return Ok(Put::Stale);
                };
                Ok(Put::Used(row(there)?))
            }
        }
    }

    /// Which of these keys, by their hashes, have made a Pin that they still stand for. `now`: seconds since 1970.
    pub async fn used_keys(
        &self,
        tenant: &TenantId,
        hashes: &[&str],
        now: i64,
    ) -> Result<HashMap<String, PinId>, Error> {
        let distinct: BTreeSet<_> = hashes.iter().collect();
        let keys: Vec<_> =
            distinct.iter().map(|hash| (&self.table, RowKey::idempotency(tenant, hash))).collect();
        let mut found = self.table.batch(&keys).await?;
        let mut used = HashMap::new();
        for (hash, (_, key)) in distinct.into_iter().zip(&keys) {
            let known = found.remove(key).map(row::<Key>).transpose()?;
            used.extend(known.filter(|key| key.expires_at > now).map(|key| ((*hash).to_owned(), key.pin_id)));
        }
        Ok(used)
    }

    /// Writes a Pin over the version before it.
    pub async fn save_pin(&self, pin: &Pin) -> Result<Put, Error> {
        let before = values([(":before", n(pin.version - 1))]);
        Ok(match self.table.put_if(pin_item(&self.table, pin)?, "version = :before", before).await? {
            Ok(()) => Put::Done,
            Err(_) => Put::Stale,
        })
    }

    /// Writes a published Pin over the version before it, and binds `remote` to it: each Pinterest Pin belongs
    /// to one Pin of ours.
    pub async fn save_published(
        &self,
        pin: &Pin,
        environment: Environment,
        remote: &PinterestPinId,
    ) -> Result<Put, Error> {
        let before = values([(":before", n(pin.version - 1))]);
        let key = RowKey::remote(environment, remote);
        let owner = item(&RemoteRow { key, pin_id: pin.id.clone() })?;
        let ours = "attribute_not_exists(pk) OR pin_id = :pin";
        let written = self
            .table
            .transact(vec![
                put(&self.table, pin_item(&self.table, pin)?, "version = :before", before)?,
                put(&self.table, owner, ours, values([(":pin", s(pin.id.as_str()))]))?,
            ])
            .await?;
        Ok(match written {
            Written::All => Put::Done,
            Written::Refused(reasons) if reasons.iter().any(|(position, _)| *position == 1) => Put::Taken,
            Written::Refused(_) => Put::Stale,
        })
    }

    /// Whether a Pinterest Pin belongs to a Pin of ours other than `pin`.
    pub async fn is_taken(
        &self,
        environment: Environment,
        remote: &PinterestPinId,
        pin: &PinId,
    ) -> Result<bool, Error> {
        let found = self.table.get(&RowKey::remote(environment, remote)).await?;
        let owner = found.map(row::<RemoteRow>).transpose()?;
        Ok(owner.is_some_and(|owner| owner.pin_id != *pin))
    }

    /// Which of the tenant's Pins own these Pins of Pinterest's.
    ///
    /// An account may be a channel of two tenants, and what one of them published is a stranger's to the other: a Pin
    /// that the tenant does not have owns nothing here.
    pub async fn owners(
        &self,
        tenant: &TenantId,
        environment: Environment,
        remotes: &BTreeSet<PinterestPinId>,
    ) -> Result<HashMap<PinterestPinId, PinId>, Error> {
        let mut owners = HashMap::new();
        if remotes.is_empty() {
            return Ok(owners);
        }
        let key = |remote| RowKey::remote(environment, remote);
        let keys: Vec<_> = remotes.iter().map(|remote| (&self.table, key(remote))).collect();
        let mut found = self.table.batch(&keys).await?;
        for remote in remotes {
            if let Some(owner) = found.remove(&key(remote)) {
                owners.insert(remote.clone(), row::<RemoteRow>(owner)?.pin_id);
            }
        }
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

    /// A page of the tenant's Pins, newest first, and the last id that was looked at if there may be more: where few
    /// are wanted of many, a page is not full, or even empty, and the next one goes on.
    pub async fn pins(
        &self,
        tenant: &TenantId,
        wanted: &Wanted<'_>,
        after: Option<&PinId>,
    ) -> Result<(Vec<Pin>, Option<PinId>), Error> {
        let mut last = after.cloned();
        let mut all = Vec::new();
        let rows = if wanted.is_all() { wanted.limit } else { wanted.limit.max(ROWS) };
        for _ in 0..QUERIES {
            let query = self.table.client.query().table_name(&self.table.name);
            let query = query
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(i32::try_from(rows).unwrap_or(i32::MAX))
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", s(of_tenant(tenant)))
                .expression_attribute_values(":prefix", s(PIN));
            let start = last.as_ref().map(|id| item(&RowKey::pin(tenant, id)));
            let page = query
                .set_exclusive_start_key(start.transpose()?)
                .send()
                .await
                .map_err(Error::aws("Query"))?;
            let more = page.last_evaluated_key.is_some();
            for found in page.items.unwrap_or_default() {
                let pin = pin_of(found)?;
                last = Some(pin.id.clone());
                if wanted.includes(&pin) {
                    all.push(pin);
                    if all.len() == wanted.limit {
                        return Ok((all, last));
                    }
                }
            }
            if !more {
                return Ok((all, None));
            }
        }
        Ok((all, last))
    }

    /// A channel's Pins of a class, as they are right now, in the order in which they are published.
    pub async fn pins_of(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        class: Class,
    ) -> Result<Vec<Pin>, Error> {
        let mut pins = self.recent_pins(tenant, channel, class, Timestamp::UNIX_EPOCH, usize::MAX).await?;
        pins.sort_by(|a, b| (a.publish_at, &a.id).cmp(&(b.publish_at, &b.id)));
        Ok(pins)
    }

    /// At most `limit` of a channel's Pins of a class that were asked for since then, newest first.
    pub async fn recent_pins(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        class: Class,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Pin>, Error> {
        // Ids sort by time: this one is older than all of that instant.
        let oldest = PinId::new(since, [0; 10]);
        let mut pins = Vec::new();
        let mut start = None;
        loop {
            let query = self.table.client.query().table_name(&self.table.name).index_name("queue");
            let query = query
                .scan_index_forward(false)
                .key_condition_expression("queue_pk = :queue AND queue_sk >= :oldest")
                .expression_attribute_values(":queue", s(queue(channel, class)))
                .expression_attribute_values(":oldest", s(oldest.as_str()))
                .set_limit(i32::try_from(limit).ok());
            let page = query.set_exclusive_start_key(start).send().await.map_err(Error::aws("Query"))?;
            let ids = page.items.unwrap_or_default().into_iter().map(row::<QueueEntry>);
            let ids = ids.collect::<Result<Vec<_>, _>>()?;
            let keys: Vec<_> =
                ids.iter().map(|id| (&self.table, RowKey::pin(tenant, &id.queue_sk))).collect();
            let mut found = self.table.batch(&keys).await?;
            for (_, key) in &keys {
                pins.extend(found.remove(key).map(pin_of).transpose()?);
            }
            start = page.last_evaluated_key;
            if start.is_none() || pins.len() >= limit {
                break;
            }
        }
        pins.retain(|pin| pin.state.class() == class); // the index may be behind
        Ok(pins)
    }
}

/// Which Pins a list is to hold.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Those of one channel.
    pub channel: Option<&'a ChannelId>,
    /// Those in a state, by the word that callers see.
    pub state: Option<&'a str>,
    /// At most this many.
    pub limit: usize,
}

impl Wanted<'_> {
    fn is_all(&self) -> bool {
        self.channel.is_none() && self.state.is_none()
    }

    fn includes(&self, pin: &Pin) -> bool {
        self.channel.is_none_or(|channel| pin.channel_id == *channel)
            && self.state.is_none_or(|state| pin.state.name() == state)
    }
}

#[derive(Deserialize)]
struct QueueEntry {
    queue_sk: PinId,
}

fn pin_item(table: &Table, pin: &Pin) -> Result<Item, Error> {
    item(&PinRow {
        key: RowKey::pin(&pin.tenant, &pin.id),
        due: pin.due_at().map(|at| table.due_key(at, pin.id.as_str())),
        queue_pk: queue(&pin.channel_id, pin.state.class()),
        queue_sk: pin.id.to_string(),
        pin: pin.clone(),
    })
}

fn pin_of(found: Item) -> Result<Pin, Error> {
    Ok(row::<PinRow>(found)?.pin)
}
