//! The embedded DynamoDB, called without a server, and a copy of its rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use dynoxide::{Database, DynoxideError};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{Reply, index::IndexHistory};

pub(crate) const MAIN: &str = "main";
pub(crate) const TOKENS: &str = "tokens";

/// The table and the keys of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) table: String,
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// A write that has taken effect, as plain JSON.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) key: RowKey,
    pub(crate) before: Option<Arc<Value>>,
    pub(crate) after: Option<Arc<Value>>,
}

/// The two tables.
pub(crate) struct Tables {
    database: Database,
    rows: Mutex<BTreeMap<RowKey, Arc<Value>>>,
    /// `due_sk` and table of every row that has a due time.
    due: Mutex<BTreeSet<(String, String)>>,
    history: Mutex<IndexHistory>,
}

impl Tables {
    pub(crate) fn new() -> Self {
        let database = Database::memory().unwrap();
        let tables = loopback_aws::Tables { main: MAIN.to_owned(), tokens: TOKENS.to_owned() };
        tables.create_in(&database).unwrap();
        Self { database, rows: Mutex::default(), due: Mutex::default(), history: Mutex::default() }
    }

    /// Executes a call, and returns its answer and the rows that it has changed.
    pub(crate) fn execute(&self, operation: &str, body: &Value, now: Timestamp) -> (Reply, Vec<Write>) {
        let done = match operation {
            "GetItem" => call(body, |request| self.database.get_item(request)),
            "BatchGetItem" => call(body, |request| self.database.batch_get_item(request)),
            "Query" => call(body, |request| self.database.query(request)),
            "PutItem" => call(body, |request| self.database.put_item(request)),
            "UpdateItem" => call(body, |request| self.database.update_item(request)),
            "DeleteItem" => call(body, |request| self.database.delete_item(request)),
            "TransactWriteItems" => call(body, |request| self.database.transact_write_items(request)),
            other => panic!("the model does not know {other}"),
        };
        match done {
            Ok(answer) => ((200, answer), self.changed(operation, body, now)),
            Err(error) => {
                let body = serde_json::from_str(&error.to_json()).unwrap();
                ((error.status_code(), body), Vec::new())
            }
        }
    }

    fn changed(&self, operation: &str, body: &Value, now: Timestamp) -> Vec<Write> {
        let writes = written(operation, body).into_iter().filter_map(|(key, item)| {
            let after = item.map(plain).or_else(|| self.read(&key)).map(Arc::new);
            let mut rows = self.rows.lock().unwrap();
            let before = match &after {
                Some(after) => rows.insert(key.clone(), after.clone()),
                None => rows.remove(&key),
            };
            self.index(&key, before.as_deref(), after.as_deref(), now);
            (before != after).then_some(Write { key, before, after })
        });
        writes.collect()
    }

    fn index(&self, key: &RowKey, before: Option<&Value>, after: Option<&Value>, now: Timestamp) {
        let due_sk = |row: Option<&Value>| Some((row?["due_sk"].as_str()?.to_owned(), key.table.clone()));
        let mut due = self.due.lock().unwrap();
        if let Some(entry) = due_sk(before) {
            due.remove(&entry);
        }
        due.extend(due_sk(after));
        self.history.lock().unwrap().record(key, before, after, now);
    }

    fn read(&self, key: &RowKey) -> Option<Value> {
        let keys = json!({"pk": {"S": key.pk}, "sk": {"S": key.sk}});
        let body = json!({"TableName": key.table, "Key": keys, "ConsistentRead": true});
        let answer = call(&body, |request| self.database.get_item(request)).unwrap();
        answer.get("Item").map(plain)
    }

    /// A row as it is now.
    pub(crate) fn row(&self, table: &str, pk: &str, sk: &str) -> Option<Arc<Value>> {
        let key = RowKey { table: table.to_owned(), pk: pk.to_owned(), sk: sk.to_owned() };
        self.rows.lock().unwrap().get(&key).cloned()
    }

    /// All rows whose sort key begins with `prefix`.
    pub(crate) fn rows(&self, prefix: &str) -> Vec<Arc<Value>> {
        let rows = self.rows.lock().unwrap();
        rows.iter().filter(|(key, _)| key.sk.starts_with(prefix)).map(|(_, row)| row.clone()).collect()
    }

    /// When the first row of `table` is due.
    pub(crate) fn next_due(&self, table: &str) -> Option<Timestamp> {
        let due = self.due.lock().unwrap();
        let (due_sk, _) = due.iter().find(|(_, of)| of == table)?;
        Timestamp::from_millisecond(due_sk.split('#').next()?.parse().ok()?).ok()
    }

    /// The answer to a query of an index as of `then`.
    pub(crate) fn query_as_of(&self, body: &Value, then: Timestamp) -> Value {
        self.history.lock().unwrap().query(body, then)
    }

    /// Checks that the embedded DynamoDB gives the same answer.
    pub(crate) fn check_query(&self, body: &Value, answer: &Value) {
        let keys = |page: &Value| {
            let items = page["Items"].as_array().unwrap().iter();
            items.map(|item| (item["pk"].clone(), item["sk"].clone())).collect::<Vec<_>>()
        };
        let expected = call(body, |request| self.database.query(request)).unwrap();
        assert_eq!(keys(&expected), keys(answer), "{body}");
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &Value,
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Value, DynoxideError> {
    let request = Q::deserialize(body).unwrap();
    Ok(serde_json::to_value(call(request)?).unwrap())
}

/// The rows that a call writes, and their new content if it is certain. In a transaction it is not: a second
/// transaction with the same token writes nothing, and succeeds.
fn written<'a>(operation: &str, body: &'a Value) -> Vec<(RowKey, Option<&'a Value>)> {
    let key = |call: &Value, key: &Value| RowKey {
        table: call["TableName"].as_str().unwrap().to_owned(),
        pk: key["pk"]["S"].as_str().unwrap().to_owned(),
        sk: key["sk"]["S"].as_str().unwrap().to_owned(),
    };
    match operation {
        "PutItem" => vec![(key(body, &body["Item"]), Some(&body["Item"]))],
        "UpdateItem" | "DeleteItem" => vec![(key(body, &body["Key"]), None)],
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let one = |item: &Value| {
                let (kind, call) = item.as_object()?.iter().next()?;
                Some((key(call, if kind == "Put" { &call["Item"] } else { &call["Key"] }), None))
            };
            items.filter_map(one).collect()
        }
        _ => Vec::new(),
    }
}

/// An item as plain JSON, without the names of its types.
fn plain(item: &Value) -> Value {
    let fields = item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), plain_value(value)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn plain_value(value: &Value) -> Value {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "N" => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        "NULL" => Value::Null,
        "M" => plain(value),
        "L" => value.as_array().unwrap().iter().map(plain_value).collect(),
        _ => value.clone(),
    }
}
