//! The settings for functions that may not read the secret.

use adapters::settings_secret;
use domain::{ActiveIntegration, AppSecret, Disabled, PartialSettings, PublicSettings, ResolvedSettings};
use jiff::Timestamp;
use platform::Variables;
use store::MainTable;

use crate::{Error, Result};

/// Reads the settings without the secret: the row, or the App ID of the environment.
#[derive(Clone, Debug)]
pub struct SettingsReader {
    main: MainTable,
    from_env: PublicSettings,
}

impl SettingsReader {
    /// `variables` apply to a stack whose settings nobody has saved yet.
    #[must_use]
    pub fn new(main: MainTable, variables: &Variables) -> Self {
        let env = settings_secret::from_env(variables);
        // Only three functions get the secret. In the others, an App ID stands for both.
        let app_secret = env.app_id.is_some().then(|| AppSecret::new(String::new()));
        let from_env =
            ResolvedSettings::new(PartialSettings::default(), PartialSettings { app_secret, ..env })
                .public(0);
        Self { main, from_env }
    }

    /// The integration, if it runs.
    pub async fn active(&self, now: Timestamp) -> Result<ActiveIntegration> {
        let stored = self.main.settings(now).await?;
        self.resolve(stored.as_ref()).map_err(Error::IntegrationDisabled)
    }

    /// The integration, if it runs, by a row that was read already.
    pub fn resolve(&self, stored: Option<&PublicSettings>) -> Result<ActiveIntegration, Disabled> {
        stored.unwrap_or(&self.from_env).active()
    }
}
