//! `SETTINGS` and `WORKER`: the settings without the secret, and the heartbeats of the workers.

use std::sync::{Arc, Mutex, PoisonError};

use domain::PublicSettings;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    MainTable,
    keys::RowKey,
    table::{Error, Item, item, row, s, values},
};

/// How old the settings in memory may be: switching off works within a minute.
const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// The settings as they were read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache(Arc<Mutex<Option<Read>>>);

/// What was read, and when.
#[derive(Debug)]
struct Read {
    at: Timestamp,
    stored: Option<PublicSettings>,
}

impl Cache {
    /// What was read less than a minute ago.
    fn get(&self, now: Timestamp) -> Result<Option<PublicSettings>, CacheMiss> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = kept.as_ref().filter(|read| now.duration_since(read.at).abs() < MAX_AGE);
        read.map(|read| read.stored.clone()).ok_or(CacheMiss)
    }

    pub(crate) fn insert(&self, now: Timestamp, stored: Option<PublicSettings>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Read { at: now, stored });
    }
}

/// Nothing was read, or too long ago.
struct CacheMiss;

#[derive(Serialize, Deserialize)]
struct SettingsRow {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    settings: PublicSettings,
}

#[derive(Deserialize)]
struct FirstTenants {
    #[serde(default)]
    first_tenant_claim: Option<String>,
}

/// When the workers ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// The last tick of `deliver`.
    pub delivered_at: Option<Timestamp>,
    /// The last tick of `refresh`.
    pub refreshed_at: Option<Timestamp>,
    /// The last daily check.
    #[serde(rename = "rolled_at")]
    pub daily_check_at: Option<Timestamp>,
    /// The oldest Pin or channel that was still due after the last tick of `deliver`.
    pub deliver_oldest_at: Option<Timestamp>,
    /// The oldest token that was still due after the last tick of `refresh`.
    pub refresh_oldest_at: Option<Timestamp>,
    /// The App Secret (its fingerprint) of the last refresh, and its time.
    #[serde(rename = "proven")]
    pub verified_secret: Option<VerifiedSecret>,
}

/// An App Secret that Pinterest accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedSecret {
    /// Distinguishes two secrets without revealing them.
    pub fingerprint: String,
    /// When.
    pub at: Timestamp,
}

/// The heartbeat of one worker.
#[derive(Clone, Debug)]
pub enum Heartbeat {
    /// `deliver` ended a tick; what was still due then, if anything.
    Deliver(Option<Timestamp>),
    /// `refresh` ended a tick; what was still due then, and which App Secret Pinterest accepted.
    Refresh(Option<Timestamp>, Option<VerifiedSecret>),
    /// The daily check ended.
    DailyCheck,
}

impl MainTable {
    /// Reads in one round trip what every request needs: the settings, and the claim of the stack's first tenants.
    pub async fn prepare(&self, now: Timestamp) -> Result<Option<PublicSettings>, Error> {
        let keys = [(&self.table, RowKey::settings()), (&self.table, RowKey::worker())];
        let mut found = self.table.batch(&keys).await?;
        let settings = found.remove(&RowKey::settings()).map(settings_of).transpose()?;
        self.settings.insert(now, settings.clone());
        let worker = found.remove(&RowKey::worker()).map(row::<FirstTenants>).transpose()?;
        // Two tasks that read it at the same time get the same value: it does not change.
        drop(self.first_tenant_claim.set(worker.and_then(|worker| worker.first_tenant_claim)));
        Ok(settings)
    }

    /// The claim that named this stack's first tenants, as the workers have stored it. It is read once. If a new stack has
    /// not stored it yet, it will be the claim in this process's environment.
    pub async fn first_tenant_claim(&self, now: Timestamp) -> Result<Option<&str>, Error> {
        if self.first_tenant_claim.get().is_none() {
            self.prepare(now).await?;
        }
        Ok(self.first_tenant_claim.get().and_then(Option::as_deref))
    }

    /// The settings, at most a minute old. `None`: nobody has saved any.
    pub async fn settings(&self, now: Timestamp) -> Result<Option<PublicSettings>, Error> {
        if let Ok(known) = self.settings.get(now) {
            return Ok(known);
        }
        self.prepare(now).await
    }

    /// Writes the settings without the secret.
    pub async fn save_settings(&self, settings: &PublicSettings, now: Timestamp) -> Result<(), Error> {
        let new = item(&SettingsRow { key: RowKey::settings(), settings: settings.clone() })?;
        self.table.put(new).await?;
        self.settings.insert(now, Some(settings.clone()));
        Ok(())
    }

    /// The settings and the workers' heartbeats, in one round trip.
    pub async fn settings_and_worker(&self) -> Result<(Option<PublicSettings>, WorkerStatus), Error> {
        let keys = [(&self.table, RowKey::settings()), (&self.table, RowKey::worker())];
        let mut found = self.table.batch(&keys).await?;
        let settings = found.remove(&RowKey::settings()).map(settings_of).transpose()?;
        let worker = found.remove(&RowKey::worker()).map(row).transpose()?.unwrap_or_default();
        Ok((settings, worker))
    }

    /// The workers' heartbeats.
    pub async fn worker_status(&self) -> Result<WorkerStatus, Error> {
        Ok(self.table.get(&RowKey::worker()).await?.map(row).transpose()?.unwrap_or_default())
    }

    /// Writes a heartbeat. It also stores the claim that names tenants, unless one is stored already.
    pub async fn record_heartbeat(
        &self,
        heartbeat: &Heartbeat,
        tenant_claim: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (expression, mut names) = heartbeat.change(now)?;
        names.insert(":claim".to_owned(), s(tenant_claim));
        let claim = "first_tenant_claim = if_not_exists(first_tenant_claim, :claim)";
        let update = self.table.client.update_item().table_name(&self.table.name);
        let update = update
            .set_key(Some(item(&RowKey::worker())?))
            .update_expression(format!("{expression}, {claim}"))
            .set_expression_attribute_values(Some(names));
        update.send().await.map_err(Error::aws("UpdateItem"))?;
        Ok(())
    }
}

impl Heartbeat {
    /// The change of the row, and the values that it names.
    pub(crate) fn change(&self, now: Timestamp) -> Result<(&'static str, Item), Error> {
        let oldest = |time: &Option<Timestamp>| serde_dynamo::to_attribute_value(time);
        let (expression, mut names) = match self {
            Self::Deliver(due) => {
                ("SET delivered_at = :at, deliver_oldest_at = :oldest", values([(":oldest", oldest(due)?)]))
            }
            Self::Refresh(due, None) => {
                ("SET refreshed_at = :at, refresh_oldest_at = :oldest", values([(":oldest", oldest(due)?)]))
            }
            Self::Refresh(due, proven) => (
                "SET refreshed_at = :at, refresh_oldest_at = :oldest, proven = :proven",
                values([(":oldest", oldest(due)?), (":proven", serde_dynamo::to_attribute_value(proven)?)]),
            ),
            Self::DailyCheck => ("SET rolled_at = :at", values([])),
        };
        names.insert(":at".to_owned(), s(now.to_string()));
        Ok((expression, names))
    }
}

pub(crate) fn settings_of(found: Item) -> Result<PublicSettings, Error> {
    Ok(row::<SettingsRow>(found)?.settings)
}
