//! `IDEM`: which Pin an `Idempotency-Key`, or a row of a bulk file, has created.

use std::collections::{BTreeSet, HashMap};

use domain::{PinId, TenantId};
use serde::{Deserialize, Serialize};

use crate::{
    MainTable,
    keys::RowKey,
    table::{Error, Item, item, row},
};

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// SHA-256 of the key.
    #[serde(skip)]
    pub hash: String,
    /// The Pin that the request created.
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
    /// Those of the keys, by their hashes, that have created a Pin, with the Pin. `now`: seconds since 1970.
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
            let record = found.remove(key).map(row::<IdempotencyRecord>).transpose()?;
            let valid = record.filter(|record| record.expires_at > now);
            used.extend(valid.map(|record| ((*hash).to_owned(), record.pin_id)));
        }
        Ok(used)
    }
}
