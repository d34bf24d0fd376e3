//! Secrets Manager: `GetSecretValue` and `PutSecretValue`, one file per secret.

use crate::{
    ACCOUNT, Clock, Error, REGION,
    folder::{self, Folder},
    wire::Fault,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const FIRST_VERSION: &str = "00000000-0000-4000-8000-000000000000";

/// The secrets that exist. None of the types here has a `Debug` that could print one.
pub(crate) struct SecretsManager {
    folder: Option<Arc<Folder>>,
    now: Clock,
    secrets: Mutex<BTreeMap<String, Secret>>,
}

/// The versions that have a staging label; AWS removes the others at its leisure, we at once.
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
    /// Reads the secrets called in `names` from `folder`; one that is not there gets the value beside
    /// its name, and none when that is empty.
    pub(crate) fn open(
        folder: Option<&Arc<Folder>>,
        names: BTreeMap<String, String>,
        now: &Clock,
    ) -> Result<Self, Error> {
        if let Some(folder) = folder {
            folder::make_folder(&folder.file("secrets"))?;
        }
        let opened = Self { folder: folder.cloned(), now: Arc::clone(now), secrets: Mutex::default() };
        for (name, value) in names {
            let mut secret = opened.stored(&name)?;
            if secret.current.is_none() && !value.is_empty() {
                secret.current = Some(Version { id: FIRST_VERSION.to_owned(), created: now(), value });
                opened.store(&name, &secret)?;
            }
            opened.secrets().insert(name, secret);
        }
        Ok(opened)
    }

    /// The value that a version has: the current one, unless the request says which.
    pub(crate) fn get(&self, request: &GetSecretValue) -> Result<Value, Fault> {
        let secrets = self.secrets();
        let (name, secret) = find(&secrets, &request.secret_id)?;
        let stage = match (&request.version_stage, &request.version_id) {
            (None, None) => Some(CURRENT),
            (stage, _) => stage.as_deref(),
        };
        let Some((label, version)) = secret.labelled().find(|(label, version)| {
            stage.is_none_or(|stage| stage == *label)
                && request.version_id.as_ref().is_none_or(|id| *id == version.id)
        }) else {
            let wanted = match &request.version_id {
                Some(id) => format!("VersionId: {id}"),
                None => format!("staging label: {}", stage.unwrap_or(CURRENT)),
            };
            return Err(Fault::new(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for {wanted}"),
            ));
        };
        Ok(json!({
            "ARN": arn(name),
            "Name": name,
            "VersionId": version.id,
            "SecretString": version.value,
            "VersionStages": [label],
            "CreatedDate": version.created.as_duration().as_secs_f64(),
        }))
    }

    /// Makes a value the current one, once per token.
    pub(crate) fn put(&self, request: PutSecretValue) -> Result<Value, Fault> {
        let mut secrets = self.secrets();
        let (name, secret) = find(&secrets, &request.secret_id)?;
        let Some(value) = request.secret_string else {
            return Err(Fault::new(
                "InvalidRequestException",
                "You must provide either SecretString or SecretBinary.",
            ));
        };
        let id = request.client_request_token;
        if !(32..=64).contains(&id.len()) {
            return Err(Fault::new(
                "InvalidParameterException",
                "ClientRequestToken must be 32-64 characters long.",
            ));
        }
        if let Some((label, version)) = secret.labelled().find(|(_, version)| version.id == id) {
            if version.value == value {
                return Ok(written(name, &id, label));
            }
            return Err(Fault::new(
                "ResourceExistsException",
                "A version with this ClientRequestToken already exists, with another value.",
            ));
        }

        let name = name.to_owned();
        let replaced = Secret {
            previous: secret.current.clone(),
            current: Some(Version { id: id.clone(), created: (self.now)(), value }),
        };
        self.store(&name, &replaced)?;
        let answer = written(&name, &id, CURRENT);
        secrets.insert(name, replaced);
        Ok(answer)
    }

    fn stored(&self, name: &str) -> Result<Secret, Error> {
        let Some(folder) = &self.folder else {
            return Ok(Secret::default());
        };
        let file = file_name(name);
        let Some(content) = folder.read(&file)? else {
            return Ok(Secret::default());
        };
        serde_json::from_slice(&content).map_err(|_| Error::Damaged { path: folder.file(&file) })
    }

    fn store(&self, name: &str, secret: &Secret) -> Result<(), Error> {
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
    fn labelled(&self) -> impl Iterator<Item = (&'static str, &Version)> {
        let current = self.current.iter().map(|version| (CURRENT, version));
        current.chain(self.previous.iter().map(|version| (PREVIOUS, version)))
    }
}

fn find<'a>(secrets: &'a BTreeMap<String, Secret>, id: &str) -> Result<(&'a str, &'a Secret), Fault> {
    secrets
        .iter()
        .find(|(name, _)| *name == id || arn(name) == id)
        .map(|(name, secret)| (name.as_str(), secret))
        .ok_or_else(|| {
            Fault::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        })
}

fn written(name: &str, version: &str, label: &str) -> Value {
    json!({ "ARN": arn(name), "Name": name, "VersionId": version, "VersionStages": [label] })
}

/// AWS ends each ARN in six characters of its own making; ours are always the same, so that an ARN
/// holds from one start to the next.
fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-Local1")
}

/// Each name has a file name of its own, and none leads out of the folder.
fn file_name(name: &str) -> String {
    let escaped = name.replace('%', "%25").replace('/', "%2F");
    format!("secrets/{escaped}.json")
}
