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
    /// `variables` apply until somebody saves settings.
    #[must_use]
    pub fn new(main: MainTable, variables: &Variables) -> Self {
        let env = settings_secret::from_env(variables);
        // Only three functions have the secret. The others assume that both exist if there is an App ID.
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

    /// The integration, if it runs, from a row that was read already.
    pub fn resolve(&self, stored: Option<&PublicSettings>) -> Result<ActiveIntegration, Disabled> {
        stored.unwrap_or(&self.from_env).active()
    }
}
