//! The functions of the stack: each type holds what that function may touch, and nothing else.
//!
//! Read one from its `answer` or `tick` down: that is the whole job.

mod accounts;
mod admin_save;
mod analytics;
mod channels;
mod console;
mod deliver;
mod docs;
mod oauth_callback;
mod oauth_start;
mod pins;
mod publish;
mod refresh;
mod sending;

pub use admin_save::{AdminSave, CredentialsTest, SaveSettings, SettingsView};
pub(crate) use analytics::TOP_PINS;
pub use analytics::{Analytics, ChannelAnalyticsView, PinAnalyticsView, PinMetricsView, TopPinsView};
pub use channels::{BoardView, ChangeChannel, ChannelView, Channels, Claim, CreateBoard, Disconnected};
pub use console::Console;
pub use deliver::Deliver;
pub use docs::{Docs, HealthView};
pub use oauth_callback::OauthCallback;
pub use oauth_start::{OauthStart, StartOAuth, Started};
pub(crate) use pins::PAGE;
pub use pins::{MovePins, MovedPins, PinView, Pins};
pub use publish::{BulkView, ChangePin, NewPin, NewUpload, Publish, UploadView, Validated};
pub use refresh::{Refresh, Tick};
pub use sending::Sender;

use domain::{Effective, Enabled, Stored, Values};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Variables,
    error::{Error, Result},
    secrets,
    store::MainTable,
};

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// What the page holds: fewer than were asked for, or none, where few of many are wanted. Only `next` tells the end.
    pub items: Vec<T>,
    /// Where the next page begins: the `cursor` of the next request. `null`: this is the last.
    pub next: Option<String>,
}

/// Says for how long the oldest row has been due that a tick leaves to the next: an alarm of the stack counts it.
fn warn_of_age(oldest: Option<Timestamp>, now: Timestamp) {
    if let Some(oldest) = oldest {
        let oldest_due_age_s = now.duration_since(oldest).as_secs();
        tracing::warn!(oldest_due_age_s, "work that is due is left to the next tick");
    }
}

/// The settings as functions see them that cannot read the secret: the row, or the environment's App ID.
#[derive(Clone, Debug)]
pub struct PublicSettings {
    main: MainTable,
    from_env: Stored,
}

impl PublicSettings {
    /// Of `main`, with the environment's values for a stack whose settings nobody has saved yet.
    #[must_use]
    pub fn new(main: MainTable, variables: &Variables) -> Self {
        let env = secrets::from_env(variables);
        // Only three functions are given the secret: here an App ID speaks for both.
        let app_secret = env.app_id.is_some().then(|| domain::AppSecret::new(String::new()));
        let from_env = Effective::of(Values::default(), Values { app_secret, ..env }).shown(0);
        Self { main, from_env }
    }

    /// The integration if it runs.
    pub async fn enabled(&self, now: Timestamp) -> Result<Enabled> {
        let stored = self.main.settings(now).await?;
        self.of(stored.as_ref()).map_err(Error::IntegrationDisabled)
    }

    /// The integration if it runs, by a row that was read already.
    pub fn of(&self, stored: Option<&Stored>) -> Result<Enabled, &'static str> {
        stored.unwrap_or(&self.from_env).enabled()
    }
}
