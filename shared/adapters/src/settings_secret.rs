//! The settings secret: App ID, App Secret, status and environment, under the option keys that other tools use.

use std::{sync::Arc, time::Duration};

use domain::{AppSecret, Environment, PartialSettings, ResolvedSettings, Status};
use jiff::Timestamp;
use platform::{Clock, MissingVariable, Variables};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::{SecretsManager, secrets};

/// The age at which the settings in memory are read again: switching off works within a minute.
const MAX_AGE: Duration = Duration::from_mins(1);

/// The settings secret could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Secrets Manager did not answer, or the function may not use the secret.
    #[error("Secrets Manager could not be asked for the settings")]
    Unreachable(#[source] secrets::Error),
    /// The secret is not the JSON object that this product writes.
    #[error("the settings secret is not a JSON object")]
    Malformed,
}

/// What the secret holds, before its values are checked.
#[derive(Clone, Debug, Default)]
struct StoredSettings {
    app_id: Option<String>,
    app_secret: Option<AppSecret>,
    status: Option<String>,
    environment: Option<String>,
}

impl StoredSettings {
    /// Reads the secret's JSON leniently, for people edit secrets by hand: they write an App ID as the number
    /// that it looks like, and one field twice. What is no text is not there.
    fn parse(json: &str) -> Result<Self, Error> {
        let mut fields: Map<String, Value> = serde_json::from_str(json).map_err(|_| Error::Malformed)?;
        let mut text = |name: &str| match fields.remove(name)? {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Ok(Self {
            app_id: text("pinterest_app-id"),
            app_secret: text("pinterest_app-secret").map(AppSecret::new),
            status: text("pinterest_integration_status"),
            environment: text("pinterest_environment"),
        })
    }
}

/// Reads and writes the settings secret, with the environment's values where nothing is stored.
#[derive(Debug)]
pub struct SettingsSecret {
    secrets: SecretsManager,
    name: String,
    env: PartialSettings,
    clock: Clock,
    cached: Mutex<Option<(Timestamp, Arc<ResolvedSettings>)>>,
}

impl SettingsSecret {
    pub fn new(
        secrets: SecretsManager,
        variables: &Variables,
        clock: Clock,
    ) -> Result<Self, MissingVariable> {
        let name = variables.required("SETTINGS_SECRET", "the name of the settings secret")?.to_owned();
        Ok(Self { secrets, name, env: from_env(variables), clock, cached: Mutex::new(None) })
    }

    /// The settings that apply, at most a minute old.
    pub async fn resolved(&self) -> Result<Arc<ResolvedSettings>, Error> {
        let now = self.clock.now();
        let mut cached = self.cached.lock().await;
        if let Some((read_at, resolved)) = cached.as_ref()
            && now.duration_since(*read_at).unsigned_abs() < MAX_AGE
        {
            return Ok(resolved.clone());
        }
        let resolved = Arc::new(ResolvedSettings::new(self.stored().await?, self.env.clone()));
        *cached = Some((now, resolved.clone()));
        Ok(resolved)
    }

    /// What is stored right now, without the environment.
    pub async fn stored(&self) -> Result<PartialSettings, Error> {
        let json = match self.secrets.read(&self.name).await {
            Ok(text) => text.unwrap_or_default(),
            // Made by the stack, and never filled.
            Err(secrets::Error::NotFound) => String::new(),
            Err(error) => return Err(Error::Unreachable(error)),
        };
        if json.trim().is_empty() {
            return Ok(PartialSettings::default());
        }
        Ok(StoredSettings::parse(&json)?.into())
    }

    /// Replaces what is stored, and returns the settings that apply from now on.
    pub async fn save(&self, values: PartialSettings) -> Result<Arc<ResolvedSettings>, Error> {
        self.secrets.write(&self.name, &to_json(&values)).await.map_err(Error::Unreachable)?;
        let resolved = Arc::new(ResolvedSettings::new(values, self.env.clone()));
        *self.cached.lock().await = Some((self.clock.now(), resolved.clone()));
        Ok(resolved)
    }

    /// What the environment gives.
    #[must_use]
    pub fn env(&self) -> &PartialSettings {
        &self.env
    }
}

/// The environment's values: used only where nothing is stored.
#[must_use]
pub fn from_env(variables: &Variables) -> PartialSettings {
    StoredSettings {
        app_id: variables.get("PINTEREST_APP_ID").map(str::to_owned),
        app_secret: variables.get("PINTEREST_APP_SECRET").map(|secret| AppSecret::new(secret.to_owned())),
        status: None,
        environment: variables.get("PINTEREST_ENVIRONMENT").map(str::to_owned),
    }
    .into()
}

impl From<StoredSettings> for PartialSettings {
    fn from(stored: StoredSettings) -> Self {
        Self {
            app_id: stored.app_id.filter(|id| !id.is_empty()),
            app_secret: stored.app_secret.filter(|secret| !secret.expose().is_empty()),
            status: match stored.status.as_deref() {
                Some("enabled") => Some(Status::Enabled),
                Some("disabled") => Some(Status::Disabled),
                _ => None,
            },
            environment: match stored.environment.as_deref() {
                Some("sandbox") => Some(Environment::Sandbox),
                Some("production") => Some(Environment::Production),
                _ => None,
            },
        }
    }
}

fn to_json(values: &PartialSettings) -> String {
    let status = values.status.map(|status| match status {
        Status::Enabled => "enabled",
        Status::Disabled => "disabled",
    });
    let environment = values.environment.map(|environment| environment.to_string());
    serde_json::json!({
        "pinterest_app-id": values.app_id.as_deref().unwrap_or_default(),
        "pinterest_app-secret": values.app_secret.as_ref().map(AppSecret::expose).unwrap_or_default(),
        "pinterest_integration_status": status.unwrap_or_default(),
        "pinterest_environment": environment.unwrap_or_default(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_under_the_known_option_keys() {
        let values = PartialSettings {
            app_id: Some("123".into()),
            app_secret: Some(AppSecret::new("s3cret".into())),
            status: Some(Status::Disabled),
            environment: Some(Environment::Production),
        };
        let json: serde_json::Value = serde_json::from_str(&to_json(&values)).unwrap();
        assert_eq!(json["pinterest_app-id"], "123");
        assert_eq!(json["pinterest_app-secret"], "s3cret");
        assert_eq!(json["pinterest_integration_status"], "disabled");
        assert_eq!(json["pinterest_environment"], "production");

        let stored = StoredSettings::parse(&json.to_string()).unwrap();
        assert_eq!(PartialSettings::from(stored).status, Some(Status::Disabled));
    }

    #[test]
    fn what_people_write_by_hand_is_read() {
        let read = |json| StoredSettings::parse(json).map(PartialSettings::from);
        let number = read(r#"{"pinterest_app-id":1234567,"pinterest_environment":null}"#).unwrap();
        assert_eq!((number.app_id.as_deref(), number.environment), (Some("1234567"), None));
        let twice = read(r#"{"pinterest_app-id":"1","pinterest_app-id":" 2\n","comment":["mine"]}"#).unwrap();
        assert_eq!(twice.app_id.as_deref(), Some("2"));
        assert!(read("[]").is_err() && read("{").is_err());
    }
}
