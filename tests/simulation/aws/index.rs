//! The indexes as they are and as they were. In DynamoDB an index can be older than its table.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::tables::RowKey;

/// Each index with its keys and the name that its queries give to the partition.
const INDEXES: [(&str, &str, &str, &str); 2] =
    [("due", "due_pk", "due_sk", ":partition"), ("queue", "queue_pk", "queue_sk", ":queue")];

/// How old the answer to a query can be.
pub(super) const RETENTION: SignedDuration = SignedDuration::from_mins(2);

/// What the indexes hold, and what they held within the last [`RETENTION`].
#[derive(Default)]
pub(crate) struct IndexHistory(HashMap<Partition, Vec<Entry>>);

/// Table, index, and the value of the partition key.
type Partition = (String, &'static str, String);

struct Entry {
    key: RowKey,
    sort_key: String,
    from: Timestamp,
    to: Option<Timestamp>,
}

impl IndexHistory {
    pub(crate) fn record(
        &mut self,
        key: &RowKey,
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
                let entries = self.0.entry((key.table.clone(), index, partition)).or_default();
                let open = entries.iter_mut().rev().find(|entry| entry.key == *key && entry.to.is_none());
                open.unwrap().to = Some(now);
                entries.retain(|entry| entry.to.is_none_or(|to| now - RETENTION < to));
            }
            if let Some((partition, sort_key)) = after {
                let entries = self.0.entry((key.table.clone(), index, partition)).or_default();
                entries.push(Entry { key: key.clone(), sort_key, from: now, to: None });
            }
        }
    }

    /// Answers a query of an index as of `then`, on one page.
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
                "pk": {"S": entry.key.pk}, "sk": {"S": entry.key.sk},
                pk: {"S": partition}, sk: {"S": entry.sort_key},
            })
        });
        let items: Vec<_> = items.collect();
        json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
    }
}
