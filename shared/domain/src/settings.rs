//! The integration's settings: what an admin stored, what the environment gives, and what counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AppSecret, Environment};

/// Whether an admin lets the integration run.
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
    /// Nowhere: the default counts.
    None,
}

/// Four values, any of which may be missing.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// Pinterest's App ID.
    pub app_id: Option<String>,
    /// Pinterest's App Secret.
    pub app_secret: Option<AppSecret>,
    /// Whether it shall run.
    pub status: Option<Status>,
    /// Which host new channels live on.
    pub environment: Option<Environment>,
}

/// The settings without the secret, as everyone but the secret's readers sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The App ID that counts.
    pub app_id: Option<String>,
    /// Whether App ID and App Secret are both known.
    pub configured: bool,
    /// Whether it runs.
    pub status: Status,
    /// Which host new channels live on.
    pub environment: Environment,
    /// Rises with each save.
    pub version: u64,
}

/// What counts, and where each value comes from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Pinterest's App ID.
    pub app_id: (Option<String>, Source),
    /// Pinterest's App Secret.
    pub app_secret: (Option<AppSecret>, Source),
    /// Whether it runs.
    pub status: (Status, Source),
    /// Which host new channels live on.
    pub environment: (Environment, Source),
}

/// An integration that runs, in one environment.
#[derive(Clone, Debug)]
pub struct Enabled {
    /// Pinterest's App ID.
    pub app_id: String,
    /// Which host new channels live on.
    pub environment: Environment,
}

impl Effective {
    /// The environment's value counts only where nothing is stored.
    ///
    /// With nothing stored, the integration runs if the environment gives credentials, in the sandbox.
    #[must_use]
    pub fn of(stored: Values, env: Values) -> Self {
        let app_id = pick(stored.app_id, env.app_id);
        let app_secret = pick(stored.app_secret, env.app_secret);
        let status = match stored.status {
            Some(status) => (status, Source::Stored),
            None if app_id.0.is_some() && app_secret.0.is_some() => (Status::Enabled, Source::None),
            None => (Status::Disabled, Source::None),
        };
        let environment = match pick(stored.environment, env.environment) {
            (Some(environment), source) => (environment, source),
            (None, source) => (Environment::Sandbox, source),
        };
        Self { app_id, app_secret, status, environment }
    }

    /// Whether App ID and App Secret are both known.
    #[must_use]
    pub fn configured(&self) -> bool {
        self.app_id.0.is_some() && self.app_secret.0.is_some()
    }

    /// What everyone may know.
    #[must_use]
    pub fn shown(&self, version: u64) -> Stored {
        Stored {
            app_id: self.app_id.0.clone(),
            configured: self.configured(),
            status: self.status.0,
            environment: self.environment.0,
            version,
        }
    }
}

fn pick<T>(stored: Option<T>, env: Option<T>) -> (Option<T>, Source) {
    match (stored, env) {
        (Some(value), _) => (Some(value), Source::Stored),
        (None, Some(value)) => (Some(value), Source::Env),
        (None, None) => (None, Source::None),
    }
}

impl Stored {
    /// Whether only the version differs, or what nobody is told.
    #[must_use]
    pub(crate) fn tells_the_same_as(&self, other: &Self) -> bool {
        (&self.app_id, self.status, self.environment) == (&other.app_id, other.status, other.environment)
    }

    /// The integration if it runs, or the sentence that says why it does not.
    pub fn enabled(&self) -> Result<Enabled, &'static str> {
        match &self.app_id {
            Some(app_id) if self.configured => match self.status {
                Status::Enabled => Ok(Enabled { app_id: app_id.clone(), environment: self.environment }),
                Status::Disabled => Err(crate::words::SWITCHED_OFF),
            },
            _ => Err(crate::words::NOT_CONFIGURED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Values {
        Values {
            app_id: Some("1".into()),
            app_secret: Some(AppSecret::new("s".into())),
            status: None,
            environment: Some(Environment::Production),
        }
    }

    #[test]
    fn the_environment_counts_only_where_nothing_is_stored() {
        let stored = Values { app_id: Some("2".into()), ..Values::default() };
        let effective = Effective::of(stored, env());
        assert_eq!(effective.app_id, (Some("2".into()), Source::Stored));
        assert_eq!(effective.app_secret.1, Source::Env);
        assert_eq!(effective.environment, (Environment::Production, Source::Env));
        assert!(effective.shown(1).enabled().is_ok());
    }

    #[test]
    fn with_nothing_anywhere_it_says_what_is_missing() {
        let effective = Effective::of(Values::default(), Values::default());
        assert_eq!(effective.environment, (Environment::Sandbox, Source::None));
        assert_eq!(effective.shown(0).enabled().unwrap_err(), crate::words::NOT_CONFIGURED);
    }

    #[test]
    fn an_admin_can_switch_it_off() {
        let stored = Values { status: Some(Status::Disabled), ..Values::default() };
        let effective = Effective::of(stored, env());
        assert_eq!(effective.shown(0).enabled().unwrap_err(), crate::words::SWITCHED_OFF);
    }
}
