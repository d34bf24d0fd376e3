//! All that a stack has stored, out of it and into it.

use jiff::Timestamp;
use local::Data;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Stage, answer};

pub(super) const MAIN: &str = "pinwright-main";
pub(crate) const TOKENS: &str = "pinwright-tokens";
const SETTINGS_SECRET: &str = "pinwright/settings";
/// Where the API and its frontend are, whatever port a test has.
pub(super) const BASE_URL: &str = "https://api.example.com";

/// A stack's memory at a moment.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    /// What this is.
    pub(super) about: String,
    /// When it was read.
    pub(super) now: Timestamp,
    /// `TOKEN_KEYS`, which its tokens are sealed with.
    pub(super) keys: String,
    /// The settings secret.
    pub(super) settings: String,
    /// All rows of the main table, as DynamoDB writes them in JSON.
    pub(super) main: Vec<Value>,
    /// All rows of the tokens table.
    pub(super) tokens: Vec<Value>,
    /// What people held that is not stored in the clear.
    pub(super) under_way: UnderWay,
    /// What Pinterest knew: the digests of those tokens among other things.
    pub(super) pinterest: Value,
}

/// What people may come back with.
#[derive(Serialize, Deserialize)]
pub(super) struct UnderWay {
    /// The body of the Pin that was asked for with a key.
    pub(super) once: Value,
    /// A ticket that was claimed.
    pub(super) claimed: String,
    /// A ticket that was not.
    pub(super) ticket: String,
    /// Where a browser was about to go after its owner had said yes.
    pub(super) callback: String,
}

impl Stored {
    /// The rows of both tables as plain JSON.
    pub(super) fn rows(&self) -> Vec<Value> {
        self.main.iter().chain(&self.tokens).map(plain_row).collect()
    }
}

/// A stack whose folder holds what Pinterest knew at `now`, if anything, and whose clock says `now`.
pub(super) async fn stack(now: Timestamp, keys: &str, pinterest: Option<&Value>) -> (Stage, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    // The clock in the folder is how far the stack is ahead of the machine, or behind it.
    let ahead = now.as_millisecond() - Timestamp::now().as_millisecond();
    std::fs::write(folder.path().join("clock"), ahead.to_string()).unwrap();
    if let Some(pinterest) = pinterest {
        std::fs::write(folder.path().join("pinterest.json"), pinterest.to_string()).unwrap();
    }
    let data = Data::Folder(folder.path().to_owned());
    (Stage::open(data, [("TOKEN_KEYS", keys), ("BASE_URL", BASE_URL)]).await, folder)
}

/// A new stack of today's code with everything that `stored` holds, at the moment that it was read.
pub(super) async fn restore(stored: &Stored) -> (Stage, TempDir) {
    let (stage, folder) = stack(stored.now, &stored.keys, Some(&stored.pinterest)).await;
    for (table, rows) in [(MAIN, &stored.main), (TOKENS, &stored.tokens)] {
        assert!(all(&stage, table).await.is_empty());
        for row in rows {
            dynamodb(&stage, "PutItem", json!({ "TableName": table, "Item": row })).await;
        }
    }
    let token = "00000000-0000-4000-8000-000000000001";
    let value =
        json!({ "SecretId": SETTINGS_SECRET, "ClientRequestToken": token, "SecretString": stored.settings });
    aws(&stage, stage.stack.aws().url(), "secretsmanager.PutSecretValue", value).await;
    (stage, folder)
}

/// Everything that `stage` has stored in its tables and in the settings secret.
pub(super) async fn read(stage: &Stage) -> (Vec<Value>, Vec<Value>, String) {
    let secret = json!({ "SecretId": SETTINGS_SECRET });
    let secret = aws(stage, stage.stack.aws().url(), "secretsmanager.GetSecretValue", secret).await;
    let settings = secret["SecretString"].as_str().unwrap().to_owned();
    (all(stage, MAIN).await, all(stage, TOKENS).await, settings)
}

/// All rows of a table.
pub(crate) async fn all(stage: &Stage, table: &str) -> Vec<Value> {
    let mut found = dynamodb(stage, "Scan", json!({ "TableName": table, "ConsistentRead": true })).await;
    assert!(found["LastEvaluatedKey"].is_null(), "there is another page");
    found["Items"].take().as_array_mut().map(std::mem::take).unwrap()
}

async fn dynamodb(stage: &Stage, operation: &str, body: Value) -> Value {
    aws(stage, stage.stack.aws().dynamodb_url(), &format!("DynamoDB_20120810.{operation}"), body).await
}

/// One call of a JSON protocol of AWS.
pub(crate) async fn aws(stage: &Stage, url: &str, target: &str, body: Value) -> Value {
    let signed = "AWS4-HMAC-SHA256 Credential=local/20261201/us-east-1/any/aws4_request, SignedHeaders=host, \
                  Signature=none";
    let request = stage.client.post(url).header("x-amz-target", target).header("authorization", signed);
    let request = request.header("x-amz-date", "20261201T090000Z").body(body.to_string());
    answer(request.header("content-type", "application/x-amz-json-1.0")).await.expect(200)
}

/// A row of DynamoDB's as plain JSON.
pub(crate) fn plain_row(row: &Value) -> Value {
    row.as_object().unwrap().iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

fn plain(typed: &Value) -> Value {
    let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "M" => plain_row(value),
        "L" => value.as_array().unwrap().iter().map(plain).collect(),
        "N" => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}
