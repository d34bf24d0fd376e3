//! AWS, as the SDK sees it: an in-process connector in front of the embedded DynamoDB that meters what passes.

use std::sync::Arc;

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{
    DynoxideError,
    actions::{
        batch_get_item::BatchGetItemRequest,
        get_item::GetItemRequest,
        put_item::PutItemRequest,
        query::QueryRequest,
        transact_write_items::{TransactWriteItem, TransactWriteItemsRequest},
        update_item::UpdateItemRequest,
    },
    types::{ConsumedCapacity, Item},
};
use serde_json::{Value, json};

use crate::{
    env::{MAIN, ScaleEnv},
    meter::Tally,
    units,
};

/// `process`: whose reads of Pins are noted.
pub(crate) fn wire(env: &Arc<ScaleEnv>, process: Option<u64>) -> SharedHttpConnector {
    SharedHttpConnector::new(Wire(env.clone(), process))
}

struct Wire(Arc<ScaleEnv>, Option<u64>);

impl std::fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let env = self.0.clone();
        if let Some(process) = self.1.filter(|_| operation == "BatchGetItem") {
            env.note_read(process, &body);
        }
        HttpConnectorFuture::new(async move {
            if operation == "TransactWriteItems" && env.gather(&body) {
                return Ok(HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from("{}")));
            }
            tokio::time::sleep(env.assumed.call()).await;
            let (status, answer) = serve(&env, &operation, &body);
            Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(answer)))
        })
    }
}

fn serve(env: &ScaleEnv, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let served = match operation {
        "GetSecretValue" => {
            count(env, operation, Tally::default());
            Ok(json!({"SecretString": ""}).to_string().into_bytes())
        }
        "PutEvents" => {
            let body: Value = serde_json::from_slice(body).unwrap();
            let entries = body["Entries"].as_array().unwrap().len();
            count(env, operation, Tally { entries: entries as u64, ..Tally::default() });
            let told: Vec<_> = (0..entries).map(|_| json!({"EventId": "e"})).collect();
            Ok(json!({"FailedEntryCount": 0, "Entries": told}).to_string().into_bytes())
        }
        _ => dynamodb(env, operation, body),
    };
    match served {
        Ok(answer) => (200, answer),
        Err(error) => (error.status_code(), error.to_json().into_bytes()),
    }
}

/// A request as it came, that also asks what it costs.
macro_rules! request {
    ($kind:ident, $body:expr) => {
        $kind {
            return_consumed_capacity: Some("INDEXES".to_owned()),
            ..serde_json::from_slice::<$kind>($body).unwrap()
        }
    };
}

fn dynamodb(env: &ScaleEnv, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
    let database = &env.database;
    let writes = writes(env, operation, body);
    let answer = match operation {
        "Query" => {
            let request = request!(QueryRequest, body);
            let index = request.index_name.clone().map_or(String::new(), |index| format!("/{index}"));
            let what = format!("Query {}{index}", request.table_name);
            let answer = database.query(request)?;
            let read_units = answer.consumed_capacity.as_ref().unwrap().capacity_units;
            let entries = answer.scanned_count as u64;
            count(env, &what, Tally { entries, read_units, ..Tally::default() });
            serde_json::to_vec(&answer)
        }
        "GetItem" => {
            let answer = database.get_item(request!(GetItemRequest, body))?;
            read(env, operation, answer.consumed_capacity.as_slice());
            serde_json::to_vec(&answer)
        }
        "BatchGetItem" => {
            let answer = database.batch_get_item(request!(BatchGetItemRequest, body))?;
            read(env, operation, answer.consumed_capacity.as_deref().unwrap_or_default());
            serde_json::to_vec(&answer)
        }
        "PutItem" => {
            let answer = database.put_item(request!(PutItemRequest, body))?;
            wrote(env, operation, answer.consumed_capacity.as_slice());
            serde_json::to_vec(&answer)
        }
        "UpdateItem" => {
            let answer = database.update_item(request!(UpdateItemRequest, body))?;
            wrote(env, operation, answer.consumed_capacity.as_slice());
            serde_json::to_vec(&answer)
        }
        "TransactWriteItems" => {
            let answer = database.transact_write_items(request!(TransactWriteItemsRequest, body))?;
            wrote(env, operation, answer.consumed_capacity.as_deref().unwrap_or_default());
            serde_json::to_vec(&answer)
        }
        other => panic!("nobody calls {other}"),
    };
    written(env, operation, writes);
    Ok(answer.unwrap())
}

fn count(env: &ScaleEnv, what: &str, tally: Tally) {
    env.meter.lock().unwrap().count(what.to_owned(), Tally { calls: 1, ..tally });
}

/// One call, even where it is about two tables: the second one counts as none.
fn per_table(env: &ScaleEnv, operation: &str, used: &[ConsumedCapacity], tally: impl Fn(f64) -> Tally) {
    let mut used: Vec<_> = used.iter().map(|used| (&used.table_name, used.capacity_units)).collect();
    used.sort_by_key(|(table, _)| *table);
    for (position, (table, units)) in used.into_iter().enumerate() {
        let tally = Tally { calls: u64::from(position == 0), ..tally(units) };
        env.meter.lock().unwrap().count(format!("{operation} {table}"), tally);
    }
}

fn read(env: &ScaleEnv, operation: &str, used: &[ConsumedCapacity]) {
    per_table(env, operation, used, |read_units| Tally { read_units, ..Tally::default() });
}

fn wrote(env: &ScaleEnv, operation: &str, used: &[ConsumedCapacity]) {
    per_table(env, operation, used, |write_units| Tally { write_units, ..Tally::default() });
}

/// A row that is about to be written, as it is.
struct Write {
    table: String,
    key: Item,
    before: Option<Item>,
}

/// What a call is about to write, if anybody wants to know.
fn writes(env: &ScaleEnv, operation: &str, body: &[u8]) -> Vec<Write> {
    let is_wanted = env.audited || env.changes.lock().unwrap().is_some();
    if !is_wanted || !["PutItem", "UpdateItem", "TransactWriteItems"].contains(&operation) {
        return Vec::new();
    }
    let mut body: Value = serde_json::from_slice(body).unwrap();
    let keys: Vec<(String, Item)> = if operation == "TransactWriteItems" {
        let items: Vec<TransactWriteItem> = serde_json::from_value(body["TransactItems"].take()).unwrap();
        let key = |item: TransactWriteItem| match (item.put, item.update) {
            (Some(put), _) => (put.table_name, put.item),
            (_, Some(update)) => (update.table_name, update.key),
            _ => panic!("neither a put nor an update"),
        };
        items.into_iter().map(key).collect()
    } else {
        let key = if operation == "PutItem" { "Item" } else { "Key" };
        let key = serde_json::from_value(body[key].take()).unwrap();
        vec![(body["TableName"].as_str().unwrap().to_owned(), key)]
    };
    let write = |(table, mut key): (String, Item)| {
        key.retain(|name, _| name == "pk" || name == "sk");
        let before = row(env, &table, &key);
        Write { table, key, before }
    };
    keys.into_iter().map(write).collect()
}

fn row(env: &ScaleEnv, table: &str, key: &Item) -> Option<Item> {
    let get = GetItemRequest { table_name: table.to_owned(), key: key.clone(), ..GetItemRequest::default() };
    env.database.get_item(get).unwrap().item
}

/// Notes what has changed, and reckons it again.
fn written(env: &ScaleEnv, operation: &str, writes: Vec<Write>) {
    for Write { table, key, before } in writes {
        let after = row(env, &table, &key);
        if env.audited {
            let transaction = operation == "TransactWriteItems";
            #[expect(clippy::cast_precision_loss, reason = "a few units")]
            let write_units = units::of_write(before.as_ref(), after.as_ref(), transaction) as f64;
            let tally = Tally { write_units, ..Tally::default() };
            env.meter.lock().unwrap().count(format!("reckoned {operation} {table}"), tally);
        }
        if table != MAIN || env.changes.lock().unwrap().is_none() {
            continue;
        }
        let bytes =
            |row: &Option<Item>| row.as_ref().map_or(0, |row| i64::try_from(units::size(row)).unwrap());
        *env.grown.lock().unwrap() += bytes(&after) - bytes(&before);
        // The filter of the function's trigger.
        let is_told = json!(key)["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("TENANT#"));
        if is_told && let Some(changes) = env.changes.lock().unwrap().as_mut() {
            let number = changes.len().to_string();
            changes.push(json!({
                "eventID": number, "eventName": "MODIFY", "awsRegion": "us-east-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_790_000_000, "SequenceNumber": number, "SizeBytes": 1,
                    "Keys": key, "OldImage": before.unwrap_or_default(), "NewImage": after.unwrap_or_default(),
                },
            }));
        }
    }
}
