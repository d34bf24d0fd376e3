//! The calls of DynamoDB that the product makes, and those with which people look at the tables.

use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Notify;

use crate::aws_json::{Answer, ErrorResponse, answer, parse_body};

/// What precedes an operation's name in the header `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// The tables, and a notice for those who wait for a write.
pub(crate) struct DynamoDbApi {
    database: Database,
    write_notice: Notify,
}

impl DynamoDbApi {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, write_notice: Notify::new() }
    }

    /// Carries out `operation` with the request in `body`. `announced`: a write is reported to [`Self::wait_for_write`].
    pub(crate) fn call(
        &self,
        operation: &str,
        body: &[u8],
        announced: bool,
    ) -> Result<Answer, ErrorResponse> {
        let database = &self.database;
        let result = match operation {
            "BatchGetItem" => return call_database(body, |request| database.batch_get_item(request)),
            "DescribeTable" => return call_database(body, |request| database.describe_table(request)),
            "DescribeTimeToLive" => {
                return call_database(body, |request| database.describe_time_to_live(request));
            }
            "GetItem" => return call_database(body, |request| database.get_item(request)),
            "Query" => return call_database(body, |request| database.query(request)),
            "Scan" => return call_database(body, |request| database.scan(request)),
            "DeleteItem" => call_database(body, |request| database.delete_item(request)),
            "PutItem" => call_database(body, |request| database.put_item(request)),
            "TransactWriteItems" => call_database(body, |request| database.transact_write_items(request)),
            "UpdateItem" => call_database(body, |request| database.update_item(request)),
            other => return Err(ErrorResponse::unknown_operation(other)),
        };
        if announced {
            self.write_notice.notify_one();
        }
        result
    }

    /// Waits until something may have been written since the last call.
    pub(crate) async fn wait_for_write(&self) {
        self.write_notice.notified().await;
    }
}

fn call_database<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Answer, ErrorResponse> {
    answer(&call(parse_body(body)?)?)
}
