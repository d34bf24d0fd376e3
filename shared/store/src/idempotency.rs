//! `IDEM`: which Pin an `Idempotency-Key`, or a row of a bulk file, makes.
//!
//! The key is written first, with the id that its Pin will have, and then the Pin, if there is none of that id. Whoever comes
//! with the key later, or at the same moment, makes the Pin of that id, or finds it. So a key never makes two, and a process
//! that dies between the two writes leaves nothing that the same request would not finish. A transaction would say the same, and
//! cost twice as much. A request that is refused gives its key back. Whoever makes the Pin of somebody else's key says so in the
//! row first, and then it is not given back.

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
    /// The Pin that the request makes.
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
    /// Keeps a key for its Pin. `Some`: it was kept before, for this one. `now`: seconds since 1970; keys older than their time
    /// are free again.
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

    /// Takes over a key that was kept for a Pin that is not there. `false`: it was given back meanwhile.
    pub async fn adopt_key(&self, tenant: &TenantId, key: &IdempotencyRecord) -> Result<bool, Error> {
        let row = RowKey::idempotency(tenant, &key.hash);
        let names = values([(":pin", s(key.pin_id.as_str())), (":yes", AttributeValue::Bool(true))]);
        self.table.update_if(&row, "SET adopted = :yes", "pin_id = :pin", names).await
    }

    /// Gives a key back, unless another request makes its Pin now.
    pub async fn release_key(&self, tenant: &TenantId, key: &IdempotencyRecord) -> Result<(), Error> {
        let row = RowKey::idempotency(tenant, &key.hash);
        let condition = "pin_id = :pin AND attribute_not_exists(adopted)";
        self.table.delete_if(&row, condition, values([(":pin", s(key.pin_id.as_str()))])).await
    }

    /// Those of the keys, by their hashes, whose Pin is there. `now`: seconds since 1970.
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
