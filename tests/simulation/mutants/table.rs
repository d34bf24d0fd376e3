//! Broken writes: conditions that are removed, and rows that are not written.

use serde_json::{Value, json};

use super::{FaultProfile, Mutant, SOUND, TableMutation};
use crate::{
    aws::{Reply, TOKENS, cancelled, error},
    env::SimEnv,
    lambda::Invocation,
};

const fn of_pins(name: &'static str, table: TableMutation) -> Mutant {
    Mutant { name, table, ..SOUND }
}

const fn of_tokens(name: &'static str, table: TableMutation) -> Mutant {
    Mutant { name, profile: FaultProfile::Tokens, table, ..SOUND }
}

pub(super) const MUTANTS: &[Mutant] = &[
    of_tokens("a lease keeps nobody out", |_, _, operation, body| {
        change_condition(
            operation,
            body,
            |call| condition(call).contains("lease_until < :now OR lease.id = :mine"),
            |text| text.replace("(attribute_not_exists(lease_until)", "(attribute_exists(pk)"),
        )
    }),
    of_tokens("a lease is given back by whoever comes", |_, _, operation, body| {
        change_condition(
            operation,
            body,
            |call| condition(call) == "version = :before AND lease.id = :mine",
            |text| text.replace("lease.id = :mine", "(attribute_exists(pk) OR lease.id = :mine)"),
        )
    }),
    of_tokens("a new pair is saved over any version", |_, _, operation, body| {
        change_condition(operation, body, saves_pair, |text| format!("attribute_exists(pk) OR ({text})"))
    }),
    of_tokens("a new pair is saved by the lease's holder only", |env, invocation, operation, body| {
        let save = calls(operation, body).into_iter().find(|call| saves_pair(call))?;
        let pk = save["Key"]["pk"]["S"].as_str()?;
        let lease = env.tables.row(TOKENS, pk, "TOKEN")?["lease"]["id"].as_str().map(str::to_owned);
        let held =
            lease.is_some_and(|lease| env.invariants.lock().unwrap().holds_lease(invocation.id(), &lease));
        (!held).then(|| refused(body))
    }),
    of_tokens("the previous pair is dropped", |_, _, operation, body| {
        for call in calls_mut(operation, body).into_iter().filter(|call| saves_pair(call)) {
            call["ExpressionAttributeValues"][":previous"] = json!({"NULL": true});
        }
        None
    }),
    of_tokens("a pair that came too late is thrown away", |_, _, _, body| {
        (body["UpdateExpression"] == "SET spare = :pair").then(|| (200, json!({})))
    }),
    of_pins("a Pin is written over any version", |_, _, operation, body| {
        change_condition(
            operation,
            body,
            |call| condition(call) == "version = :before" && is_put(call, "PIN#"),
            |text| format!("attribute_exists(pk) OR {text}"),
        )
    }),
    of_pins("a Pin at Pinterest may belong to several of ours", |_, _, operation, body| {
        if operation == "GetItem" && body["Key"]["sk"]["S"] == "REMOTE" {
            return Some((200, json!({})));
        }
        change_condition(
            operation,
            body,
            |call| is_put(call, "REMOTE"),
            |text| format!("attribute_exists(pk) OR {text}"),
        )
    }),
    of_pins("a Pin is published without being bound", |_, _, operation, body| {
        if operation == "PutItem" && is_put(body, "REMOTE") {
            return Some((200, json!({})));
        }
        if let Some(items) = body["TransactItems"].as_array_mut() {
            items.retain(|item| !is_put(&item["Put"], "REMOTE"));
        }
        None
    }),
    of_pins("a key makes a Pin each time", |_, _, operation, body| {
        change_condition(
            operation,
            body,
            |call| is_put(call, "IDEM"),
            |text| format!("attribute_exists(pk) OR {text}"),
        )
    }),
    of_pins("a key names another Pin than its request makes", |_, _, operation, body| {
        if operation == "PutItem" && is_put(body, "IDEM") {
            let id = &mut body["Item"]["pin_id"]["S"];
            let other = id.as_str().map(|id| id[..29].to_owned() + if id.ends_with('0') { "1" } else { "0" });
            *id = json!(other);
        }
        None
    }),
    of_pins("a Pin is written where there is one already", |_, _, operation, body| {
        change_condition(
            operation,
            body,
            |call| condition(call) == "attribute_not_exists(pk)" && is_put(call, "PIN#"),
            |text| format!("attribute_exists(pk) OR {text}"),
        )
    }),
    of_pins("two workers have one partition", |_, _, operation, body| no_fence(operation, body, "lease_")),
    of_tokens("two workers have one partition of tokens", |_, _, operation, body| {
        no_fence(operation, body, "token_lease_")
    }),
    of_tokens("a partition of tokens that nobody takes", |_, _, operation, body| {
        if operation == "Query" && body["TableName"] == TOKENS {
            let partition = &mut body["ExpressionAttributeValues"][":partition"]["S"];
            *partition = if *partition == "1" { json!("none") } else { partition.take() };
        }
        None
    }),
    of_pins("a partition that nobody takes", |_, _, operation, body| {
        let values = &mut body["ExpressionAttributeValues"];
        if operation == "Query" && values[":partition"]["S"] == "1" {
            values[":partition"]["S"] = json!("none");
        }
        None
    }),
    of_pins("a lease ends before its worker does", |_, _, _, body| {
        if let Some(until) = body.pointer_mut("/ExpressionAttributeValues/:lease/M/until/N") {
            *until = json!("0");
        }
        None
    }),
    of_tokens("the row of a lost channel is not updated", |_, _, _, body| {
        if let Some(items) = body["TransactItems"].as_array_mut()
            && items.iter().any(|item| item["Update"]["TableName"] == TOKENS)
        {
            items.retain(|item| item["Update"]["TableName"] == TOKENS);
        }
        None
    }),
];

/// Not broken, but rare without this: many saves of a late pair meet a conflict with another write.
pub(super) fn late_pairs_meet_conflicts(
    env: &SimEnv,
    _: &Invocation,
    _: &str,
    body: &mut Value,
) -> Option<Reply> {
    let saves_spare = body["UpdateExpression"] == "SET spare = :pair";
    (saves_spare && env.rng.chance(0.4)).then(|| error("TransactionConflictException"))
}

/// A lease of partitions keeps nobody out. `lease`: how its attributes begin.
fn no_fence(operation: &str, body: &mut Value, lease: &str) -> Option<Reply> {
    let begins = format!("(attribute_not_exists({lease}");
    change_condition(
        operation,
        body,
        |call| condition(call).contains(&begins) && condition(call).contains("#until"),
        |text| text.replace(&begins, &format!("(attribute_exists(pk) OR attribute_not_exists({lease}")),
    )
}

/// Every write in a call.
fn calls<'a>(operation: &str, body: &'a Value) -> Vec<&'a Value> {
    match operation {
        "PutItem" | "UpdateItem" => vec![body],
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().unwrap();
            items.iter().filter_map(|item| item.as_object()?.values().next()).collect()
        }
        _ => Vec::new(),
    }
}

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

/// Changes the condition of those writes for which `concerns` is true.
fn change_condition(
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

fn saves_pair(call: &Value) -> bool {
    let text = call["UpdateExpression"].as_str().unwrap_or_default();
    call["TableName"] == TOKENS && text.contains("#pair = ") && !condition(call).contains("mine")
}

fn refused(body: &Value) -> Reply {
    match body["TransactItems"].as_array() {
        Some(items) => cancelled(items.len(), 0, "ConditionalCheckFailed"),
        None => error("ConditionalCheckFailedException"),
    }
}
