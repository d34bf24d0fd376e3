//! `SETTINGS` and `WORKER`: what everyone may know of the settings, and whether the workers run.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Stored;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    MainTable,
    keys::Key,
    table::{Error, Item, item, row, s, values},
};

/// How old the settings in memory may be: switching off works within a minute.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// The settings as they were read last.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Option<Read>>>);

/// What was read, and when.
#[derive(Debug)]
struct Read {
    at: Timestamp,
    stored: Option<Stored>,
}

impl Memory {
    /// What was read less than a minute ago.
    fn recall(&self, now: Timestamp) -> Result<Option<Stored>, Forgotten> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = kept.as_ref().filter(|read| now.duration_since(read.at).abs() < FRESH);
        read.map(|read| read.stored.clone()).ok_or(Forgotten)
    }

    pub(super) fn keep(&self, now: Timestamp, stored: Option<Stored>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Read { at: now, stored });
    }
}

/// Nothing was read, or too long ago.
struct Forgotten;

#[derive(Serialize, Deserialize)]
struct SettingsRow {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    settings: Stored,
}

/// When the workers ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// The last tick of `deliver`.
    pub delivered_at: Option<Timestamp>,
    /// The last tick of `refresh`.
    pub refreshed_at: Option<Timestamp>,
    /// The last roll-call.
    pub rolled_at: Option<Timestamp>,
    /// The oldest Pin or channel that was still due after the last tick of `deliver`.
    pub deliver_oldest_at: Option<Timestamp>,
    /// The oldest token that was still due after the last tick of `refresh`.
    pub refresh_oldest_at: Option<Timestamp>,
    /// With which App Secret (by fingerprint) a channel was refreshed last, and when.
    pub proven: Option<Proven>,
}

/// An App Secret that Pinterest accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// Tells two secrets apart without revealing either.
    pub fingerprint: String,
    /// When.
    pub at: Timestamp,
}

/// One worker's sign of life.
#[derive(Clone, Debug)]
pub enum Heartbeat {
    /// `deliver` ended a tick; what was still due then, if anything.
    Delivered(Option<Timestamp>),
    /// `refresh` ended a tick; what was still due then, and which App Secret it saw work.
    Refreshed(Option<Timestamp>, Option<Proven>),
    /// The daily roll-call ended.
    Rolled,
}

impl MainTable {
    /// The settings, at most a minute old. `None`: nobody has saved any.
    pub async fn settings(&self, now: Timestamp) -> Result<Option<Stored>, Error> {
        if let Ok(known) = self.settings.recall(now) {
            return Ok(known);
        }
        let stored = self.fresh_settings().await?;
        self.settings.keep(now, stored.clone());
        Ok(stored)
    }

    /// The settings as they are right now.
    pub async fn fresh_settings(&self) -> Result<Option<Stored>, Error> {
        self.table.get(&Key::settings()).await?.map(settings_of).transpose()
    }

    /// Writes what everyone may know.
    pub async fn save_settings(&self, settings: &Stored, now: Timestamp) -> Result<(), Error> {
        let new = item(&SettingsRow { key: Key::settings(), settings: settings.clone() })?;
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(new));
        put.send().await.map_err(Error::aws("PutItem"))?;
        self.settings.keep(now, Some(settings.clone()));
        Ok(())
    }

    /// The settings and the workers' signs of life, in one round trip.
    pub async fn settings_and_worker(&self) -> Result<(Option<Stored>, Worker), Error> {
        let keys = [(&self.table, Key::settings()), (&self.table, Key::worker())];
        let mut found = self.table.batch(&keys).await?;
        let settings = found.remove(&Key::settings()).map(settings_of).transpose()?;
        let worker = found.remove(&Key::worker()).map(row).transpose()?.unwrap_or_default();
        Ok((settings, worker))
    }

    /// The workers' signs of life.
    pub async fn worker(&self) -> Result<Worker, Error> {
        Ok(self.table.get(&Key::worker()).await?.map(row).transpose()?.unwrap_or_default())
    }

    /// Leaves a sign of life.
    pub async fn beat(&self, heartbeat: &Heartbeat, now: Timestamp) -> Result<(), Error> {
        let at = s(now.to_string());
        let oldest = |time: &Option<Timestamp>| serde_dynamo::to_attribute_value(time);
        let (expression, names) = match heartbeat {
            Heartbeat::Delivered(due) => {
                ("SET delivered_at = :at, deliver_oldest_at = :oldest", values([(":oldest", oldest(due)?)]))
            }
            Heartbeat::Refreshed(due, None) => {
                ("SET refreshed_at = :at, refresh_oldest_at = :oldest", values([(":oldest", oldest(due)?)]))
            }
            Heartbeat::Refreshed(due, proven) => (
                "SET refreshed_at = :at, refresh_oldest_at = :oldest, proven = :proven",
                values([(":oldest", oldest(due)?), (":proven", serde_dynamo::to_attribute_value(proven)?)]),
            ),
            Heartbeat::Rolled => ("SET rolled_at = :at", values([])),
        };
        let update = self.table.client.update_item().table_name(&self.table.name);
        let update = update.set_key(Some(item(&Key::worker())?)).update_expression(expression);
        let update =
            update.set_expression_attribute_values(Some(names)).expression_attribute_values(":at", at);
        update.send().await.map_err(Error::aws("UpdateItem"))?;
        Ok(())
    }
}

pub(super) fn settings_of(found: Item) -> Result<Stored, Error> {
    Ok(row::<SettingsRow>(found)?.settings)
}
