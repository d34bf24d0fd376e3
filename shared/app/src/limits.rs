//! The limits of tenants: used by requests, shown by `GET /api/v1/limits`, changed by admins.

use std::collections::BTreeMap;

use domain::{Invalid, Limit, LimitReached, Limits, TenantId};
use jiff::Timestamp;
use platform::{Clock, chain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{MainTable, Usage};
use tokio::try_join;

use crate::{
    error::{Error, Result},
    setup::Setup,
};

/// The largest value of a limit, which every JSON reader can represent as a whole number.
const MAX_AMOUNT: u64 = 1_000_000_000_000_000;

/// The longest name of a tenant: a key of DynamoDB has at most 2,048 bytes.
pub(crate) const MAX_TENANT_CHARS: usize = 500;

/// A limit, and how much of it is used.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TenantLimit")]
pub(crate) struct LimitView {
    name: Limit,
    /// How much the tenant may have or use.
    limit: u64,
    /// How much it has or uses.
    used: u64,
    /// The seconds over which use is counted. `null`: the limit counts what exists now.
    window_seconds: Option<u32>,
}

/// All limits of a tenant.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TenantLimits")]
pub(crate) struct LimitsView {
    items: Vec<LimitView>,
}

/// A tenant's own limits. A limit that is left out keeps the default for all tenants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SaveTenantLimitsRequest")]
pub(crate) struct SaveLimits {
    /// The tenant, as in the claim of its users' tokens.
    #[schemars(length(min = 1, max = MAX_TENANT_CHARS))]
    tenant: String,
    /// The limits that differ from the defaults.
    #[serde(deserialize_with = "edge::object")]
    limits: OwnLimits,
}

/// The limits of one tenant that differ from those of all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OwnLimits")]
struct OwnLimits {
    /// Connected accounts.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    channels: Option<u64>,
    /// Pins that are scheduled, being sent, or waiting.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    open_pins: Option<u64>,
    /// Pins that are accepted in a minute.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    pins_per_minute: Option<u64>,
    /// Connections that are started in a minute.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    starts_per_minute: Option<u64>,
    /// Calls to Pinterest for boards and analytics in a minute.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    pinterest_calls_per_minute: Option<u64>,
    /// The same in a day.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    pinterest_calls_per_day: Option<u64>,
    /// Bytes that are offered for upload in a day.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    upload_bytes_per_day: Option<u64>,
    /// Approximate bytes in the bucket.
    #[serde(default)]
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    upload_bytes: Option<u64>,
}

impl SaveLimits {
    /// The tenant, and its limits.
    pub(crate) fn read(self) -> Result<(TenantId, Limits), Invalid> {
        if self.tenant.is_empty() {
            let fix = "Name the tenant, as the claim of its users does.";
            return Err(Invalid::new("tenant", "missing_field", "is empty", fix));
        }
        if self.tenant.chars().count() > MAX_TENANT_CHARS {
            let detail = format!("has more than {MAX_TENANT_CHARS} characters");
            return Err(Invalid::new("tenant", "too_long", detail, "No tenant has such a name: check it."));
        }
        let own = self.limits;
        let given = [
            (Limit::Channels, own.channels),
            (Limit::OpenPins, own.open_pins),
            (Limit::PinsPerMinute, own.pins_per_minute),
            (Limit::StartsPerMinute, own.starts_per_minute),
            (Limit::PinterestCallsPerMinute, own.pinterest_calls_per_minute),
            (Limit::PinterestCallsPerDay, own.pinterest_calls_per_day),
            (Limit::UploadBytesPerDay, own.upload_bytes_per_day),
            (Limit::UploadBytes, own.upload_bytes),
        ];
        let mut amounts = BTreeMap::new();
        for (limit, amount) in given {
            let Some(amount) = amount else { continue };
            if !(1..=MAX_AMOUNT).contains(&amount) {
                let field = format!("limits.{}", limit.name());
                let detail = format!("is not a number from 1 to {MAX_AMOUNT}");
                return Err(Invalid::new(
                    field,
                    "invalid_limit",
                    detail,
                    "Leave it out for the usual limit.",
                ));
            }
            amounts.insert(limit, amount);
        }
        Ok((TenantId(self.tenant), Limits::new(amounts)))
    }
}

/// Counts the use of limits.
#[derive(Debug)]
pub(crate) struct TenantLimits {
    main: MainTable,
    limits: Limits,
    clock: Clock,
}

impl TenantLimits {
    pub(crate) fn new(main: MainTable, setup: &Setup) -> Self {
        Self { main, limits: setup.tenant_limits(), clock: setup.clock.clone() }
    }

    /// Uses units of limits, all or none. If they cannot be counted, the request is accepted.
    pub(crate) async fn use_units(&self, tenant: &TenantId, units: &[(Limit, u64)]) -> Result<()> {
        match self.main.use_limits(tenant, units, &self.limits, self.clock.now()).await {
            Ok(used) => used.map_err(Error::LimitReached),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the use of a limit could not be counted");
                Ok(())
            }
        }
    }

    /// Counts Pins before they are accepted.
    pub(crate) async fn use_pins(&self, tenant: &TenantId, pins: usize) -> Result<()> {
        let pins = pins as u64;
        self.use_units(tenant, &[(Limit::PinsPerMinute, pins), (Limit::OpenPins, pins)]).await
    }

    /// Counts calls to Pinterest that a request causes.
    pub(crate) async fn use_pinterest_calls(&self, tenant: &TenantId, calls: usize) -> Result<()> {
        let calls = calls as u64;
        let units = [(Limit::PinterestCallsPerMinute, calls), (Limit::PinterestCallsPerDay, calls)];
        self.use_units(tenant, &units).await
    }

    /// Counts the bytes of a file before it is stored.
    pub(crate) async fn use_upload(&self, tenant: &TenantId, bytes: u64) -> Result<()> {
        let units = [(Limit::UploadBytesPerDay, bytes), (Limit::UploadBytes, bytes)];
        self.use_units(tenant, &units).await
    }

    /// Fails if the tenant has its maximum number of channels already.
    pub(crate) async fn check_channels(&self, tenant: &TenantId) -> Result<()> {
        let (usage, channels) = try_join!(self.main.stored_usage(tenant), self.main.count_channels(tenant))?;
        let amount = self.limits.with(&usage.own).amount(Limit::Channels);
        if channels < amount {
            return Ok(());
        }
        Err(Error::LimitReached(LimitReached { limit: Limit::Channels, amount, wait: None }))
    }

    /// Returns units of a limit.
    pub(crate) async fn give_back(&self, tenant: &TenantId, limit: Limit, units: u64) -> Result<()> {
        Ok(self.main.give_back(tenant, limit, units, &self.limits).await?)
    }

    /// Sets limits for one tenant.
    pub(crate) async fn save_own(&self, tenant: &TenantId, own: &Limits) -> Result<LimitsView> {
        self.main.save_own_limits(tenant, own, &self.limits, self.clock.now()).await?;
        self.view(tenant).await
    }

    /// All limits, with their current use.
    pub(crate) async fn view(&self, tenant: &TenantId) -> Result<LimitsView> {
        let (usage, now) = (self.main.stored_usage(tenant).await?, self.clock.now());
        let limits = self.limits.with(&usage.own);
        let mut items = Vec::new();
        for limit in Limit::ALL {
            let amount = limits.amount(limit);
            let used = self.used(tenant, &usage, limit, amount, now).await?;
            let window = limit.window().map(|window| window.as_secs());
            let window_seconds = window.and_then(|seconds| u32::try_from(seconds).ok());
            items.push(LimitView { name: limit, limit: amount, used, window_seconds });
        }
        Ok(LimitsView { items })
    }

    async fn used(
        &self,
        tenant: &TenantId,
        usage: &Usage,
        limit: Limit,
        amount: u64,
        now: Timestamp,
    ) -> Result<u64> {
        Ok(match limit {
            Limit::Channels => self.main.count_channels(tenant).await?,
            Limit::OpenPins => self.main.count_open_pins(tenant).await?,
            _ => usage.used(limit, amount, now),
        })
    }
}
