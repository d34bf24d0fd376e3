//! Secrets Manager: `GetSecretValue` and `PutSecretValue`, one file per secret.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    ACCOUNT, Clock, Error, REGION,
    aws_json::ErrorResponse,
    folder::{self, Folder},
};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const FIRST_VERSION: &str = "00000000-0000-4000-8000-000000000000";

/// The secrets. No type here has a `Debug` that could print one.
pub(crate) struct SecretsManager {
    folder: Option<Arc<Folder>>,
    now: Clock,
    secrets: Mutex<BTreeMap<String, Secret>>,
}

/// The versions that have a staging label. AWS removes the others at some time, we at once.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Secret {
    current: Option<Version>,
    previous: Option<Version>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Version {
    id: String,
    created: Timestamp,
    value: String,
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct GetSecretValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PutSecretValue {
    secret_id: String,
    client_request_token: String,
    secret_string: Option<String>,
}

impl SecretsManager {
    /// Reads the secrets in `names` from `folder`. One that is not there gets the value beside its name, or no value if
    /// that is empty.
    pub(crate) fn open(
        folder: Option<&Arc<Folder>>,
        names: BTreeMap<String, String>,
        now: &Clock,
    ) -> Result<Self, Error> {
        if let Some(folder) = folder {
            folder::create_folder(&folder.file("secrets"))?;
        }
        let manager = Self { folder: folder.cloned(), now: Arc::clone(now), secrets: Mutex::default() };
        for (name, value) in names {
            let mut secret = manager.read_secret(&name)?;
            if secret.current.is_none() && !value.is_empty() {
                secret.current = Some(Version { id: FIRST_VERSION.to_owned(), created: now(), value });
                manager.write_secret(&name, &secret)?;
            }
            manager.secrets().insert(name, secret);
        }
        Ok(manager)
    }

    /// The value of the current version, or of the version that the request names.
    pub(crate) fn get_value(&self, request: &GetSecretValue) -> Result<Value, ErrorResponse> {
        let secrets = self.secrets();
        let (name, secret) = find_secret(&secrets, &request.secret_id)?;
        let stage = match (&request.version_stage, &request.version_id) {
            (None, None) => Some(CURRENT),
            (stage, _) => stage.as_deref(),
        };
        let Some((label, version)) = secret.labels_and_versions().find(|(label, version)| {
            stage.is_none_or(|stage| stage == *label)
                && request.version_id.as_ref().is_none_or(|id| *id == version.id)
        }) else {
            let version = match &request.version_id {
                Some(id) => format!("VersionId: {id}"),
                None => format!("staging label: {}", stage.unwrap_or(CURRENT)),
            };
            return Err(ErrorResponse::new(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for {version}"),
            ));
        };
        Ok(json!({
            "ARN": secret_arn(name),
            "Name": name,
            "VersionId": version.id,
            "SecretString": version.value,
            "VersionStages": [label],
            "CreatedDate": version.created.as_duration().as_secs_f64(),
        }))
    }

    /// Makes a value the current one, once for each `ClientRequestToken`.
    pub(crate) fn put_value(&self, request: PutSecretValue) -> Result<Value, ErrorResponse> {
        let mut secrets = self.secrets();
        let (name, secret) = find_secret(&secrets, &request.secret_id)?;
        let Some(value) = request.secret_string else {
            return Err(ErrorResponse::new(
                "InvalidRequestException",
                "You must provide either SecretString or SecretBinary.",
            ));
        };
        let id = request.client_request_token;
        if !(32..=64).contains(&id.len()) {
            return Err(ErrorResponse::new(
                "InvalidParameterException",
                "ClientRequestToken must be 32-64 characters long.",
            ));
        }
        if let Some((label, version)) = secret.labels_and_versions().find(|(_, version)| version.id == id) {
            if version.value == value {
                return Ok(put_answer(name, &id, label));
            }
            return Err(ErrorResponse::new(
                "ResourceExistsException",
                "A version with this ClientRequestToken already exists, with another value.",
            ));
        }

        let name = name.to_owned();
        let changed = Secret {
            previous: secret.current.clone(),
            current: Some(Version { id: id.clone(), created: (self.now)(), value }),
        };
        self.write_secret(&name, &changed)?;
        let answer = put_answer(&name, &id, CURRENT);
        secrets.insert(name, changed);
        Ok(answer)
    }

    fn read_secret(&self, name: &str) -> Result<Secret, Error> {
        let Some(folder) = &self.folder else {
            return Ok(Secret::default());
        };
        let file = file_name(name);
        let Some(content) = folder.read(&file)? else {
            return Ok(Secret::default());
        };
        serde_json::from_slice(&content).map_err(|_| Error::Damaged { path: folder.file(&file) })
    }

    fn write_secret(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        match &self.folder {
            Some(folder) => folder.replace(&file_name(name), json!(secret).to_string().as_bytes()),
            None => Ok(()),
        }
    }

    fn secrets(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secret {
    fn labels_and_versions(&self) -> impl Iterator<Item = (&'static str, &Version)> {
        let current = self.current.iter().map(|version| (CURRENT, version));
        current.chain(self.previous.iter().map(|version| (PREVIOUS, version)))
    }
}

fn find_secret<'a>(
    secrets: &'a BTreeMap<String, Secret>,
    id: &str,
) -> Result<(&'a str, &'a Secret), ErrorResponse> {
    secrets
        .iter()
        .find(|(name, _)| *name == id || secret_arn(name) == id)
        .map(|(name, secret)| (name.as_str(), secret))
        .ok_or_else(|| {
            ErrorResponse::new(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret.",
            )
        })
}

fn put_answer(name: &str, version: &str, label: &str) -> Value {
    json!({ "ARN": secret_arn(name), "Name": name, "VersionId": version, "VersionStages": [label] })
}

/// AWS ends each ARN with six random characters. Ours are always the same, so that an ARN is still right after a
/// restart.
fn secret_arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-Local1")
}

/// Each name has its own file name, and none leads out of the folder.
fn file_name(name: &str) -> String {
    let escaped = name.replace('%', "%25").replace('/', "%2F");
    format!("secrets/{escaped}.json")
}
