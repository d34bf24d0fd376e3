//! Repeated requests: what an `Idempotency-Key` stands for, and how a request is answered whose key was used before.

use domain::{Pin, TenantId};
use edge::{ApiRequest, json, not_found};
use jiff::SignedDuration;
use platform::encoding;
use store::IdempotencyRecord;

use super::Publish;
use crate::error::{Error, Result};

/// How long an `Idempotency-Key` is remembered.
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
        // The same content is the same body, however it is spaced, and whether or not it says `null` of what is absent.
        let body = without_nulls(json(request)?);
        Ok(Some(IdempotencyRecord {
            hash: encoding::sha256(given),
            pin_id: self.new_pin_id(now),
            body_hash: encoding::sha256(body.to_string()),
            expires_at: (now + IDEMPOTENCY_KEY_TTL).as_second(),
        }))
    }

    /// The Pin that the first request with this key has created.
    pub(super) async fn repeated(
        &self,
        tenant: &TenantId,
        key: &IdempotencyRecord,
        used: &IdempotencyRecord,
    ) -> Result<Pin> {
        if key.body_hash != used.body_hash {
            return Err(Error::KeyReused);
        }
        let pin = self.main.pin(tenant, &used.pin_id).await?;
        pin.ok_or_else(|| not_found("Pin"))
    }
}

/// The value without fields that are `null`.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            let mut kept = serde_json::Map::new();
            kept.extend(fields.map(|(name, value)| (name, without_nulls(value))));
            kept.into()
        }
        other => other,
    }
}
