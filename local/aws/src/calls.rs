//! The calls of DynamoDB that the product makes, for processes beside the local stack: it gets to hear of their writes.

use crate::wire::Fault;
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What precedes an operation's name in the header `X-Amz-Target`.
pub(crate) const TARGET: &str = "DynamoDB_20120810.";

/// The tables, as another process sees them.
pub(crate) struct Calls {
    database: Database,
    written: Notify,
}

impl Calls {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, written: Notify::new() }
    }

    /// Does what is asked.
    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Result<Value, Fault> {
        let database = &self.database;
        match operation {
            "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
            "GetItem" => call(body, |request| database.get_item(request)),
            "Query" => call(body, |request| database.query(request)),
            "DeleteItem" => self.write(call(body, |request| database.delete_item(request))),
            "PutItem" => self.write(call(body, |request| database.put_item(request))),
            "TransactWriteItems" => self.write(call(body, |request| database.transact_write_items(request))),
            "UpdateItem" => self.write(call(body, |request| database.update_item(request))),
            other => Err(Fault::unknown(other)),
        }
    }

    fn write(&self, done: Result<Value, Fault>) -> Result<Value, Fault> {
        self.written.notify_one();
        done
    }

    /// Ready when something may have been written since this was ready before.
    pub(crate) async fn written(&self) {
        self.written.notified().await;
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Value, Fault> {
    let answer = call(crate::wire::read(body)?).map_err(|error| Fault::of(&error))?;
    Ok(json!(answer))
}
