//! Repeated requests: what an `Idempotency-Key` covers, and the answer to a request whose key was used before.

use domain::{Pin, TenantId};
use edge::{ApiRequest, json};
use jiff::SignedDuration;
use platform::{chain, encoding};
use store::IdempotencyRecord;

use super::Publish;
use crate::error::{Error, Result};

/// How long an `Idempotency-Key` is stored.
const IDEMPOTENCY_KEY_TTL: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Publish {
    /// The caller's key, bound to this body and to the id of the Pin that it would create.
    pub(super) fn idempotency_key(&self, request: &ApiRequest) -> Result<Option<IdempotencyRecord>> {
        let Some(given) = request.header("idempotency-key") else {
            return Ok(None);
        };
        let given = given.unwrap_or_default();
        if !(1..=255).contains(&given.len()) || !given.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            let detail = "is not 1 to 255 visible ASCII characters";
            let fix = "Send a key such as a UUID, or none.";
            return Err(
                domain::Invalid::new("Idempotency-Key", "invalid_idempotency_key", detail, fix).into()
            );
        }
        let now = self.clock.now();
        // Bodies with the same content are equal: spaces do not matter, and `null` counts as absent.
        let body = without_nulls(json(request)?);
        Ok(Some(IdempotencyRecord {
            hash: encoding::sha256(given),
            pin_id: self.new_pin_id(now),
            body_hash: encoding::sha256(body.to_string()),
            expires_at: (now + IDEMPOTENCY_KEY_TTL).as_second(),
        }))
    }

    /// Stores the key with the id of the Pin that this request would create. `Some`: the key was stored before, for that Pin.
    pub(super) async fn claim(
        &self,
        tenant: &TenantId,
        key: Option<&IdempotencyRecord>,
    ) -> Result<Option<IdempotencyRecord>> {
        let Some(key) = key else { return Ok(None) };
        Ok(self.main.claim_key(tenant, key, self.clock.now().as_second()).await?)
    }

    /// Deletes the key of a request that was refused. If that fails, the key stays bound to the body.
    pub(super) async fn release(&self, tenant: &TenantId, key: &IdempotencyRecord) {
        if let Err(error) = self.main.release_key(tenant, key).await {
            tracing::warn!(error = %chain(&error), "the key of a refused request could not be deleted");
        }
    }

    /// The Pin of a key that was used before. `None`: the request that stored the key has not created the Pin yet, or never
    /// will.
    pub(super) async fn repeated(
        &self,
        tenant: &TenantId,
        key: &IdempotencyRecord,
        used: &IdempotencyRecord,
    ) -> Result<Option<Pin>> {
        if key.body_hash != used.body_hash {
            return Err(Error::KeyReused);
        }
        Ok(self.main.pin(tenant, &used.pin_id).await?)
    }
}

/// The value without fields that are `null`.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            let mut present = serde_json::Map::new();
            present.extend(fields.map(|(name, value)| (name, without_nulls(value))));
            present.into()
        }
        other => other,
    }
}
