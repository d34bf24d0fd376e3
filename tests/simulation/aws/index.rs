//! The indexes, as they are and as they were: an index follows its table late.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::tables::Place;

/// The keys of each index, and what its queries call its partition.
const INDEXES: [(&str, &str, &str, &str); 2] =
    [("due", "due_pk", "due_sk", ":shard"), ("queue", "queue_pk", "queue_sk", ":queue")];

/// For how long an index can be asked for what it was: no query is answered with anything older.
pub(super) const MEMORY: SignedDuration = SignedDuration::from_mins(2);

/// What is in the indexes, and what was within [`MEMORY`].
#[derive(Default)]
pub(crate) struct Past(HashMap<Partition, Vec<Entry>>);

/// Table, index, and the value of the partition key.
type Partition = (String, &'static str, String);

struct Entry {
    place: Place,
    sort_key: String,
    from: Timestamp,
    to: Option<Timestamp>,
}

impl Past {
    pub(crate) fn record(
        &mut self,
        place: &Place,
        before: Option<&Value>,
        after: Option<&Value>,
        now: Timestamp,
    ) {
        for (index, pk, sk, _) in INDEXES {
            let keys = |row: Option<&Value>| {
                Some((row?.get(pk)?.as_str()?.to_owned(), row?.get(sk)?.as_str()?.to_owned()))
            };
            let (before, after) = (keys(before), keys(after));
            if before == after {
                continue;
            }
            if let Some((partition, _)) = before {
                let entries = self.0.entry((place.table.clone(), index, partition)).or_default();
                let open = entries.iter_mut().rev().find(|entry| entry.place == *place && entry.to.is_none());
                open.unwrap().to = Some(now);
                entries.retain(|entry| entry.to.is_none_or(|to| now - MEMORY < to));
            }
            if let Some((partition, sort_key)) = after {
                let entries = self.0.entry((place.table.clone(), index, partition)).or_default();
                entries.push(Entry { place: place.clone(), sort_key, from: now, to: None });
            }
        }
    }

    /// Answers a query of an index as of `then`: all on one page.
    pub(crate) fn query(&self, body: &Value, then: Timestamp) -> Value {
        let name = body["IndexName"].as_str().unwrap();
        let values = &body["ExpressionAttributeValues"];
        let (index, pk, sk, wanted) = INDEXES.into_iter().find(|(index, ..)| *index == name).unwrap();
        let partition = values[wanted]["S"].as_str().unwrap();
        let (before, from) = (values[":now"]["S"].as_str(), &values[":from"]["S"]);
        let oldest = values[":oldest"]["S"].as_str().or(from.as_str());
        let key = (body["TableName"].as_str().unwrap().to_owned(), index, partition.to_owned());
        let entries = self.0.get(&key).into_iter().flatten();
        let mut found: Vec<_> = entries
            .filter(|entry| entry.from <= then && entry.to.is_none_or(|to| then < to))
            .filter(|entry| before.is_none_or(|before| entry.sort_key.as_str() <= before))
            .filter(|entry| oldest.is_none_or(|oldest| oldest <= entry.sort_key.as_str()))
            .collect();
        found.sort_by_key(|entry| &entry.sort_key);
        if body["ScanIndexForward"] == json!(false) {
            found.reverse();
        }
        if let Some(limit) = body["Limit"].as_u64() {
            found.truncate(usize::try_from(limit).unwrap());
        }
        let items = found.into_iter().map(|entry| {
            json!({
                "pk": {"S": entry.place.pk}, "sk": {"S": entry.place.sk},
                pk: {"S": partition}, sk: {"S": entry.sort_key},
            })
        });
        let items: Vec<_> = items.collect();
        json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
    }
}
