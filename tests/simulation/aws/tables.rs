//! The embedded DynamoDB, called without a server, and what its rows are and were.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use dynoxide::{Database, DynoxideError};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{Reply, index::Past};

pub(crate) const MAIN: &str = "main";
pub(crate) const TOKENS: &str = "tokens";

/// Where a row is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) table: String,
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// A write that has taken effect, as plain JSON.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) place: Place,
    pub(crate) before: Option<Arc<Value>>,
    pub(crate) after: Option<Arc<Value>>,
}

/// Both tables.
pub(crate) struct Tables {
    database: Database,
    rows: Mutex<BTreeMap<Place, Arc<Value>>>,
    /// `due_sk` and table of everything that is due at some time.
    due: Mutex<BTreeSet<(String, String)>>,
    past: Mutex<Past>,
}

impl Tables {
    pub(crate) fn new() -> Self {
        let database = Database::memory().unwrap();
        let tables = loopback_aws::Tables { main: MAIN.to_owned(), tokens: TOKENS.to_owned() };
        tables.create_in(&database).unwrap();
        Self { database, rows: Mutex::default(), due: Mutex::default(), past: Mutex::default() }
    }

    /// Does what is asked, and says what changed.
    pub(crate) fn execute(&self, operation: &str, body: &Value, now: Timestamp) -> (Reply, Vec<Write>) {
        let done = match operation {
            "GetItem" => call(body, |request| self.database.get_item(request)),
            "BatchGetItem" => call(body, |request| self.database.batch_get_item(request)),
            "Query" => call(body, |request| self.database.query(request)),
            "PutItem" => call(body, |request| self.database.put_item(request)),
            "UpdateItem" => call(body, |request| self.database.update_item(request)),
            "DeleteItem" => call(body, |request| self.database.delete_item(request)),
            "TransactWriteItems" => call(body, |request| self.database.transact_write_items(request)),
            other => panic!("nobody calls {other}"),
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
        let writes = written(operation, body).into_iter().filter_map(|(place, item)| {
            let after = item.map(plain).or_else(|| self.read(&place)).map(Arc::new);
            let mut rows = self.rows.lock().unwrap();
            let before = match &after {
                Some(after) => rows.insert(place.clone(), after.clone()),
                None => rows.remove(&place),
            };
            self.index(&place, before.as_deref(), after.as_deref(), now);
            (before != after).then_some(Write { place, before, after })
        });
        writes.collect()
    }

    fn index(&self, place: &Place, before: Option<&Value>, after: Option<&Value>, now: Timestamp) {
        let due_sk = |row: Option<&Value>| Some((row?["due_sk"].as_str()?.to_owned(), place.table.clone()));
        let mut due = self.due.lock().unwrap();
        if let Some(entry) = due_sk(before) {
            due.remove(&entry);
        }
        due.extend(due_sk(after));
        self.past.lock().unwrap().record(place, before, after, now);
    }

    fn read(&self, place: &Place) -> Option<Value> {
        let key = json!({"pk": {"S": place.pk}, "sk": {"S": place.sk}});
        let body = json!({"TableName": place.table, "Key": key, "ConsistentRead": true});
        let answer = call(&body, |request| self.database.get_item(request)).unwrap();
        answer.get("Item").map(plain)
    }

    /// A row as it is.
    pub(crate) fn row(&self, table: &str, pk: &str, sk: &str) -> Option<Arc<Value>> {
        let place = Place { table: table.to_owned(), pk: pk.to_owned(), sk: sk.to_owned() };
        self.rows.lock().unwrap().get(&place).cloned()
    }

    /// All rows whose sort key begins with `prefix`.
    pub(crate) fn rows(&self, prefix: &str) -> Vec<Arc<Value>> {
        let rows = self.rows.lock().unwrap();
        rows.iter().filter(|(place, _)| place.sk.starts_with(prefix)).map(|(_, row)| row.clone()).collect()
    }

    /// When something of `table` is due first.
    pub(crate) fn next_due(&self, table: &str) -> Option<Timestamp> {
        let due = self.due.lock().unwrap();
        let (due_sk, _) = due.iter().find(|(_, of)| of == table)?;
        Timestamp::from_millisecond(due_sk.split('#').next()?.parse().ok()?).ok()
    }

    /// What a query of an index gives that has not heard of anything after `then`.
    pub(crate) fn query_as_of(&self, body: &Value, then: Timestamp) -> Value {
        self.past.lock().unwrap().query(body, then)
    }

    /// The embedded DynamoDB says the same of its index as our memory of it.
    pub(crate) fn check_query(&self, body: &Value, told: &Value) {
        let keys = |answer: &Value| {
            let items = answer["Items"].as_array().unwrap().iter();
            items.map(|item| (item["pk"].clone(), item["sk"].clone())).collect::<Vec<_>>()
        };
        let is = call(body, |request| self.database.query(request)).unwrap();
        assert_eq!(keys(&is), keys(told), "{body}");
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &Value,
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Value, DynoxideError> {
    let request = Q::deserialize(body).unwrap();
    Ok(serde_json::to_value(call(request)?).unwrap())
}

/// Which rows a call writes, if it does what it says, and with what if that is certain. It is not for a
/// transaction: the second of one token does nothing, and is told that all is well.
fn written<'a>(operation: &str, body: &'a Value) -> Vec<(Place, Option<&'a Value>)> {
    let place = |call: &Value, key: &Value| Place {
        table: call["TableName"].as_str().unwrap().to_owned(),
        pk: key["pk"]["S"].as_str().unwrap().to_owned(),
        sk: key["sk"]["S"].as_str().unwrap().to_owned(),
    };
    match operation {
        "PutItem" => vec![(place(body, &body["Item"]), Some(&body["Item"]))],
        "UpdateItem" | "DeleteItem" => vec![(place(body, &body["Key"]), None)],
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let one = |item: &Value| {
                let (kind, call) = item.as_object()?.iter().next()?;
                Some((place(call, if kind == "Put" { &call["Item"] } else { &call["Key"] }), None))
            };
            items.filter_map(one).collect()
        }
        _ => Vec::new(),
    }
}

/// An item without the names of its types.
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
