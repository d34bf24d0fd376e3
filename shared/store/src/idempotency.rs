//! `IDEM`: which Pin an `Idempotency-Key`, or a row of a bulk file, creates.
//!
//! The key is written first, with the id of its future Pin. Then the Pin is written, unless a Pin with that id exists. A later or
//! concurrent request with the same key creates the Pin with that id, or finds it. So a key never creates two Pins, and if a
//! process dies between the two writes, the same request finishes the work. A transaction guarantees the same and costs twice
//! as much.
//!
//! The key of a refused request is deleted. A request that creates the Pin of another request's key marks the row first
//! (`adopted`): such a key is not deleted.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{PinId, TenantId};
use serde::{Deserialize, Serialize};

use crate::{
    MainTable,
    keys::RowKey,
    table::{Error, Item, item, n, row, s, values},
};

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// SHA-256 of the key.
    #[serde(skip)]
    pub hash: String,
    /// The Pin that the request creates.
    pub pin_id: PinId,
    /// SHA-256 of the body of the request.
    pub body_hash: String,
    /// Seconds since 1970. Checked here too, because DynamoDB removes rows late.
    pub expires_at: i64,
}

#[derive(Serialize)]
struct IdempotencyRow<'a> {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    record: &'a IdempotencyRecord,
}

impl IdempotencyRecord {
    pub(crate) fn to_item(&self, tenant: &TenantId) -> Result<Item, Error> {
        item(&IdempotencyRow { key: RowKey::idempotency(tenant, &self.hash), record: self })
    }
}

impl MainTable {
    /// Stores a key with the id of its Pin. `Some`: the key was stored before, for this Pin. `now`: seconds since 1970; an
    /// expired key is free again.
    pub async fn claim_key(
        &self,
        tenant: &TenantId,
        key: &IdempotencyRecord,
        now: i64,
    ) -> Result<Option<IdempotencyRecord>, Error> {
        let new = key.to_item(tenant)?;
        let free = "attribute_not_exists(pk) OR expires_at < :now";
        match self.table.put_if(new, free, values([(":now", n(now))])).await? {
            Ok(()) => Ok(None),
            Err(there) => Ok(Some(row(there.unwrap_or_default())?)),
        }
    }

    /// Marks a key whose Pin another request has not created yet. `false`: the key was deleted in the meantime.
    pub async fn adopt_key(&self, tenant: &TenantId, key: &IdempotencyRecord) -> Result<bool, Error> {
        let row = RowKey::idempotency(tenant, &key.hash);
        let names = values([(":pin", s(key.pin_id.as_str())), (":yes", AttributeValue::Bool(true))]);
        self.table.update_if(&row, "SET adopted = :yes", "pin_id = :pin", names).await
    }

    /// Deletes a key, unless another request creates its Pin now.
    pub async fn release_key(&self, tenant: &TenantId, key: &IdempotencyRecord) -> Result<(), Error> {
        let row = RowKey::idempotency(tenant, &key.hash);
        let condition = "pin_id = :pin AND attribute_not_exists(adopted)";
        self.table.delete_if(&row, condition, values([(":pin", s(key.pin_id.as_str()))])).await
    }

    /// The Pins of those keys whose Pin exists, by the hash of the key. `now`: seconds since 1970.
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
        let mut used = HashMap::<String, PinId>::new();
        for (hash, (_, key)) in distinct.into_iter().zip(&keys) {
            let record = found.remove(key).map(row::<IdempotencyRecord>).transpose()?;
            let valid = record.filter(|record| record.expires_at > now);
            used.extend(valid.map(|record| ((*hash).to_owned(), record.pin_id)));
        }
        let there = self.pins_by_id(tenant, used.values()).await?;
        used.retain(|_, pin| there.contains_key(pin));
        Ok(used)
    }
}
