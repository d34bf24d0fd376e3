//! What an index showed at some time in the past: indexes follow their table late.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::tables::Place;

const KEYS: [&str; 4] = ["due_pk", "due_sk", "queue_pk", "queue_sk"];

/// Every row's index keys, each with the time since when.
#[derive(Default)]
pub(crate) struct Past(BTreeMap<Place, Vec<(Timestamp, Keys)>>);

type Keys = [Option<String>; 4];

impl Past {
    pub(crate) fn record(&mut self, place: &Place, row: Option<&Value>, now: Timestamp) {
        let keys = KEYS.map(|key| Some(row?.get(key)?.as_str()?.to_owned()));
        let known = self.0.entry(place.clone()).or_default();
        if known.last().is_none_or(|(_, last)| *last != keys) {
            known.push((now, keys));
        }
    }

    /// Answers a query of an index as of `then`: all on one page.
    pub(crate) fn query(&self, body: &Value, then: Timestamp) -> Value {
        let values = &body["ExpressionAttributeValues"];
        let wanted = |name: &str| values[name]["S"].as_str().map(str::to_owned);
        let (queue, shard, before) = (wanted(":queue"), wanted(":shard"), wanted(":now"));
        let mut items = Vec::new();
        for (place, known) in &self.0 {
            let keys = known.iter().rev().find(|(since, _)| *since <= then).map(|(_, keys)| keys);
            let Some([of_shard, due, of_queue, queued]) = keys else { continue };
            let is_due = shard.is_some() && *of_shard == shard && due.is_some() && *due < before;
            let is_queued = queue.is_some() && *of_queue == queue;
            if body["TableName"] == place.table && (is_due || is_queued) {
                let (name, pk, sk) =
                    if is_due { ("due", of_shard, due) } else { ("queue", of_queue, queued) };
                items.push(json!({
                    "pk": {"S": place.pk}, "sk": {"S": place.sk},
                    format!("{name}_pk"): {"S": pk}, format!("{name}_sk"): {"S": sk},
                }));
            }
        }
        items.sort_by_key(|item| item["due_sk"]["S"].to_string() + &item["queue_sk"]["S"].to_string());
        if let Some(limit) = body["Limit"].as_u64() {
            items.truncate(usize::try_from(limit).unwrap());
        }
        json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
    }
}
