//! Broken writes: conditions that are not asked for, and rows that are not written.

use serde_json::{Value, json};

use super::{Mutant, SOUND, Tamper};
use crate::aws::{Reply, TOKENS};

const fn mutant(name: &'static str, table: Tamper) -> Mutant {
    Mutant { name, table, ..SOUND }
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("a lease keeps nobody out", |_, _, operation, body| {
        waive(
            operation,
            body,
            |call| condition(call).contains("lease_until < :now OR lease.id = :mine"),
            |text| text.replace("(attribute_not_exists(lease_until)", "(attribute_exists(pk)"),
        )
    }),
    mutant("a Pin is written over any version", |_, _, operation, body| {
        waive(
            operation,
            body,
            |call| condition(call) == "version = :before" && is_put(call, "PIN#"),
            |text| format!("attribute_exists(pk) OR {text}"),
        )
    }),
    mutant("a Pin is published without being bound", |_, _, _, body| {
        if let Some(items) = body["TransactItems"].as_array_mut() {
            items.retain(|item| !is_put(&item["Put"], "REMOTE"));
        }
        None
    }),
    mutant("a dead channel's row is not told", |_, _, _, body| {
        if let Some(items) = body["TransactItems"].as_array_mut()
            && items.iter().any(|item| item["Update"]["TableName"] == TOKENS)
        {
            items.retain(|item| item["Update"]["TableName"] == TOKENS);
        }
        None
    }),
];

/// Every write in a call.
fn calls_mut<'a>(operation: &str, body: &'a mut Value) -> Vec<&'a mut Value> {
    match operation {
        "PutItem" | "UpdateItem" => vec![body],
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array_mut().unwrap();
            items.iter_mut().filter_map(|item| item.as_object_mut()?.values_mut().next()).collect()
        }
        _ => Vec::new(),
    }
}

/// Changes the condition of the writes that `concerns`.
fn waive(
    operation: &str,
    body: &mut Value,
    concerns: impl Fn(&Value) -> bool,
    change: impl Fn(&str) -> String,
) -> Option<Reply> {
    for call in calls_mut(operation, body).into_iter().filter(|call| concerns(call)) {
        call["ConditionExpression"] = json!(change(condition(call)));
    }
    None
}

fn condition(call: &Value) -> &str {
    call["ConditionExpression"].as_str().unwrap_or_default()
}

fn is_put(call: &Value, prefix: &str) -> bool {
    call["Item"]["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with(prefix))
}
