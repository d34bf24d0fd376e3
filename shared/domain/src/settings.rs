//! The integration's settings: stored by an admin or set in the environment, and the rule which of the two applies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AppSecret, Environment, Phrase, phrases};

/// Whether an admin has switched the integration on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "IntegrationStatus")]
pub enum Status {
    /// It runs.
    Enabled,
    /// Nobody can connect, and nothing is published.
    Disabled,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SettingSource")]
pub enum Source {
    /// An admin saved it.
    Stored,
    /// A variable of the environment.
    Env,
    /// Nowhere: the default applies.
    None,
}

/// Settings of which any may be missing.
#[derive(Clone, Debug, Default)]
pub struct PartialSettings {
    /// Pinterest's App ID.
    pub app_id: Option<String>,
    /// Pinterest's App Secret.
    pub app_secret: Option<AppSecret>,
    /// Whether the integration runs.
    pub status: Option<Status>,
    /// The host of new channels.
    pub environment: Option<Environment>,
}

/// The settings without the secret: the row that all functions may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicSettings {
    /// The App ID that applies.
    pub app_id: Option<String>,
    /// Whether App ID and App Secret are both known.
    pub configured: bool,
    /// Whether it runs.
    pub status: Status,
    /// The host of new channels.
    pub environment: Environment,
    /// Increases with each save.
    pub version: u64,
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

/// The settings that apply, with the source of each.
#[derive(Clone, Debug)]
pub struct ResolvedSettings {
    /// Pinterest's App ID.
    pub app_id: Sourced<Option<String>>,
    /// Pinterest's App Secret.
    pub app_secret: Sourced<Option<AppSecret>>,
    /// Whether the integration runs.
    pub status: Sourced<Status>,
    /// The host of new channels.
    pub environment: Sourced<Environment>,
}

/// An integration that runs.
#[derive(Clone, Debug)]
pub struct ActiveIntegration {
    /// Pinterest's App ID.
    pub app_id: String,
    /// The host of new channels.
    pub environment: Environment,
}

impl ResolvedSettings {
    /// Resolves the settings: a value of the environment applies only if nothing is stored.
    ///
    /// If nothing is stored, the integration runs in the sandbox if the environment has credentials.
    #[must_use]
    pub fn new(stored: PartialSettings, env: PartialSettings) -> Self {
        let app_id = pick(stored.app_id, env.app_id);
        let app_secret = pick(stored.app_secret, env.app_secret);
        let status = match stored.status {
            Some(status) => Sourced { value: status, source: Source::Stored },
            None if app_id.value.is_some() && app_secret.value.is_some() => {
                Sourced { value: Status::Enabled, source: Source::None }
            }
            None => Sourced { value: Status::Disabled, source: Source::None },
        };
        let Sourced { value, source } = pick(stored.environment, env.environment);
        let environment = Sourced { value: value.unwrap_or(Environment::Sandbox), source };
        Self { app_id, app_secret, status, environment }
    }

    /// Whether App ID and App Secret are both known.
    #[must_use]
    pub fn configured(&self) -> bool {
        self.app_id.value.is_some() && self.app_secret.value.is_some()
    }

    /// The settings without the secret.
    #[must_use]
    pub fn public(&self, version: u64) -> PublicSettings {
        PublicSettings {
            app_id: self.app_id.value.clone(),
            configured: self.configured(),
            status: self.status.value,
            environment: self.environment.value,
            version,
        }
    }
}

fn pick<T>(stored: Option<T>, env: Option<T>) -> Sourced<Option<T>> {
    match (stored, env) {
        (Some(value), _) => Sourced { value: Some(value), source: Source::Stored },
        (None, Some(value)) => Sourced { value: Some(value), source: Source::Env },
        (None, None) => Sourced { value: None, source: Source::None },
    }
}

/// Why the integration does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabled {
    /// App ID or App Secret is missing.
    NotConfigured,
    /// An admin has switched it off.
    SwitchedOff,
}

impl Disabled {
    /// The message for people.
    #[must_use]
    pub fn phrase(self) -> Phrase {
        match self {
            Self::NotConfigured => phrases::NOT_CONFIGURED,
            Self::SwitchedOff => phrases::SWITCHED_OFF,
        }
    }
}

impl PublicSettings {
    /// Whether an event about the change from `other` would have no news.
    #[must_use]
    pub(crate) fn has_same_content(&self, other: &Self) -> bool {
        (&self.app_id, self.status, self.environment) == (&other.app_id, other.status, other.environment)
    }

    /// The integration, if it runs.
    ///
    /// # Errors
    ///
    /// Why it does not run.
    pub fn active(&self) -> Result<ActiveIntegration, Disabled> {
        match &self.app_id {
            Some(app_id) if self.configured => match self.status {
                Status::Enabled => {
                    Ok(ActiveIntegration { app_id: app_id.clone(), environment: self.environment })
                }
                Status::Disabled => Err(Disabled::SwitchedOff),
            },
            _ => Err(Disabled::NotConfigured),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> PartialSettings {
        PartialSettings {
            app_id: Some("1".into()),
            app_secret: Some(AppSecret::new("s".into())),
            status: None,
            environment: Some(Environment::Production),
        }
    }

    #[test]
    fn the_environment_counts_only_where_nothing_is_stored() {
        let stored = PartialSettings { app_id: Some("2".into()), ..PartialSettings::default() };
        let resolved = ResolvedSettings::new(stored, env());
        assert_eq!(resolved.app_id, Sourced { value: Some("2".into()), source: Source::Stored });
        assert_eq!(resolved.app_secret.source, Source::Env);
        assert_eq!(resolved.environment, Sourced { value: Environment::Production, source: Source::Env });
        assert!(resolved.public(1).active().is_ok());
    }

    #[test]
    fn empty_settings_say_what_is_missing() {
        let resolved = ResolvedSettings::new(PartialSettings::default(), PartialSettings::default());
        assert_eq!(resolved.environment, Sourced { value: Environment::Sandbox, source: Source::None });
        assert_eq!(resolved.public(0).active().unwrap_err(), Disabled::NotConfigured);
    }

    #[test]
    fn an_admin_can_switch_the_integration_off() {
        let stored = PartialSettings { status: Some(Status::Disabled), ..PartialSettings::default() };
        let resolved = ResolvedSettings::new(stored, env());
        assert_eq!(resolved.public(0).active().unwrap_err(), Disabled::SwitchedOff);
    }
}
