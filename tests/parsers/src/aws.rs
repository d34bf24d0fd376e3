//! AWS within this process: the embedded DynamoDB, two secrets and a bus, and no socket in between.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

/// What is in the account besides the tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// The text of the settings secret.
    pub(crate) settings: String,
    /// The text of the secret with the key ring.
    pub(crate) ring: String,
    /// What was put on the bus.
    pub(crate) told: Vec<Value>,
    /// Whether anything was asked to be written.
    pub(crate) written: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Aws {
    pub(crate) account: Arc<Mutex<Account>>,
    database: DatabaseHandle,
}

/// A [`Database`], which has no `Debug` of its own.
#[derive(Clone)]
struct DatabaseHandle(Database);

impl std::fmt::Debug for DatabaseHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Database")
    }
}

impl Aws {
    pub(crate) fn new(database: Database) -> Self {
        Self { account: Arc::default(), database: DatabaseHandle(database) }
    }

    pub(crate) fn wire(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn answer(&self, target: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let operation = target.split('.').next_back().unwrap_or_default();
        let mut account = self.account.lock().unwrap();
        let of_secret = |name: &str| String::from_utf8_lossy(body).contains(name);
        account.written |= !matches!(operation, "GetItem" | "Query" | "BatchGetItem" | "GetSecretValue");
        match operation {
            "GetSecretValue" => {
                let text = if of_secret("settings") { &account.settings } else { &account.ring };
                Ok(json!({ "Name": "secret", "SecretString": text }).to_string())
            }
            "PutSecretValue" => {
                let put: Value = serde_json::from_slice(body).unwrap();
                put["SecretString"].as_str().unwrap().clone_into(&mut account.settings);
                Ok("{}".to_owned())
            }
            "PutEvents" => {
                let put: Value = serde_json::from_slice(body).unwrap();
                let entries = put["Entries"].as_array().unwrap();
                account.told.extend(entries.iter().cloned());
                let ids: Vec<_> = entries.iter().map(|_| json!({ "EventId": "e" })).collect();
                Ok(json!({ "FailedEntryCount": 0, "Entries": ids }).to_string())
            }
            _ => self.dynamodb(operation, body),
        }
    }

    fn dynamodb(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        /// Reads the request, calls, and writes the answer.
        macro_rules! call {
            ($method:ident) => {{
                let request = serde_json::from_slice(body).unwrap();
                serde_json::to_string(&self.database.0.$method(request)?).unwrap()
            }};
        }
        Ok(match operation {
            "GetItem" => call!(get_item),
            "PutItem" => call!(put_item),
            "UpdateItem" => call!(update_item),
            "DeleteItem" => call!(delete_item),
            "Query" => call!(query),
            "BatchGetItem" => call!(batch_get_item),
            "TransactWriteItems" => call!(transact_write_items),
            other => panic!("no function calls {other}"),
        })
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let (status, text) = match self.answer(target, body) {
            Ok(text) => (200, text),
            Err(error) => (error.status_code(), error.to_json()),
        };
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(text))))
    }
}
