//! Reads and restores everything that a stack stores.

use jiff::Timestamp;
use local::Data;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::signed_headers;

use crate::harness::{TestApp, answer};

pub(crate) const MAIN: &str = "pinwright-main";
pub(crate) const TOKENS: &str = "pinwright-tokens";
const SETTINGS_SECRET: &str = "pinwright/settings";
/// The address of the API and its frontend, independent of the port of a test.
pub(crate) const BASE_URL: &str = "https://api.example.com";

/// Everything that a stack stores at one moment.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    /// A description for readers of the file.
    pub(crate) about: String,
    /// When it was read.
    pub(crate) now: Timestamp,
    /// `TOKEN_KEYS`, the key ring that seals its tokens.
    pub(crate) keys: String,
    /// The settings secret.
    pub(crate) settings: String,
    /// All rows of the main table, as DynamoDB writes them in JSON.
    pub(crate) main: Vec<Value>,
    /// All rows of the tokens table.
    pub(crate) tokens: Vec<Value>,
    /// Secrets that only callers have, because the stack stores them sealed or as digests.
    pub(crate) under_way: UnderWay,
    /// The state of Pinterest, with the digests of the tokens.
    pub(crate) pinterest: Value,
}

/// What callers may use later.
#[derive(Serialize, Deserialize)]
pub(crate) struct UnderWay {
    /// The body of the Pin that was requested with a key.
    pub(crate) once: Value,
    /// A ticket that was claimed.
    pub(crate) claimed: String,
    /// A ticket that was not claimed.
    pub(crate) ticket: String,
    /// The callback that a browser was about to call after a consent.
    pub(crate) callback: String,
}

impl Stored {
    /// The rows of both tables as plain JSON.
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.main.iter().chain(&self.tokens).map(plain_row).collect()
    }
}

/// A stack whose clock shows `now` and whose folder holds this state of Pinterest, if there is one.
pub(crate) async fn stack(now: Timestamp, keys: &str, pinterest: Option<&Value>) -> (TestApp, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    // The folder stores how far the stack's clock is ahead of the machine, or behind it.
    let offset = now.as_millisecond() - Timestamp::now().as_millisecond();
    std::fs::write(folder.path().join("clock"), offset.to_string()).unwrap();
    if let Some(pinterest) = pinterest {
        std::fs::write(folder.path().join("pinterest.json"), pinterest.to_string()).unwrap();
    }
    let data = Data::Folder(folder.path().to_owned());
    (TestApp::start_with(data, [("TOKEN_KEYS", keys), ("BASE_URL", BASE_URL)]).await, folder)
}

/// A new stack of the current code with everything in `stored`, at the time at which it was read.
pub(crate) async fn restore(stored: &Stored) -> (TestApp, TempDir) {
    let (app, folder) = stack(stored.now, &stored.keys, Some(&stored.pinterest)).await;
    for (table, rows) in [(MAIN, &stored.main), (TOKENS, &stored.tokens)] {
        assert!(all(&app, table).await.is_empty());
        for row in rows {
            dynamodb(&app, "PutItem", json!({ "TableName": table, "Item": row })).await;
        }
    }
    let token = "00000000-0000-4000-8000-000000000001";
    let value =
        json!({ "SecretId": SETTINGS_SECRET, "ClientRequestToken": token, "SecretString": stored.settings });
    aws(&app, app.stack.aws().url(), "secretsmanager.PutSecretValue", value).await;
    (app, folder)
}

/// Everything that `app` has stored in its tables and in the settings secret.
pub(crate) async fn read(app: &TestApp) -> (Vec<Value>, Vec<Value>, String) {
    let secret = json!({ "SecretId": SETTINGS_SECRET });
    let secret = aws(app, app.stack.aws().url(), "secretsmanager.GetSecretValue", secret).await;
    let settings = secret["SecretString"].as_str().unwrap().to_owned();
    (all(app, MAIN).await, all(app, TOKENS).await, settings)
}

/// All rows of a table.
pub(crate) async fn all(app: &TestApp, table: &str) -> Vec<Value> {
    let mut scan = dynamodb(app, "Scan", json!({ "TableName": table, "ConsistentRead": true })).await;
    assert!(scan["LastEvaluatedKey"].is_null(), "there is another page");
    scan["Items"].take().as_array_mut().map(std::mem::take).unwrap()
}

async fn dynamodb(app: &TestApp, operation: &str, body: Value) -> Value {
    aws(app, app.stack.aws().dynamodb_url(), &format!("DynamoDB_20120810.{operation}"), body).await
}

/// One call of a JSON protocol of AWS.
pub(crate) async fn aws(app: &TestApp, url: &str, target: &str, body: Value) -> Value {
    let body = body.to_string();
    let headers = signed_headers(app.stack.aws().secret_key(), url, target, &body);
    answer(app.client.post(url).headers(headers).body(body)).await.expect(200)
}

/// A row of DynamoDB as plain JSON.
pub(crate) fn plain_row(row: &Value) -> Value {
    row.as_object().unwrap().iter().map(|(name, value)| (name.clone(), plain_value(value))).collect()
}

fn plain_value(typed: &Value) -> Value {
    let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "M" => plain_row(value),
        "L" => value.as_array().unwrap().iter().map(plain_value).collect(),
        "N" => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}
