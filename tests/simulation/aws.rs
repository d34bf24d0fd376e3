//! AWS, as the SDK sees it: an in-process connector to the embedded DynamoDB, with the faults of a network.
//!
//! Nothing here takes real time: the clock is paused, and `sleep` lets it jump.

mod index;
mod tables;

use std::sync::Arc;

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Duration, sleep},
};

pub(crate) use self::tables::{MAIN, TOKENS, Tables, Write};
use crate::{
    env::SimEnv,
    lambda::{CallKind, CallPhase, Invocation},
};

/// An HTTP status and a body.
pub(crate) type Reply = (u16, Value);

/// A fault of a call to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TableFault {
    Throttled,
    Conflict,
    FailedBefore,
    FailedAfter,
    CutBefore,
    CutAfter,
    /// No effect and no answer.
    Lost,
    /// The effect comes after the SDK has already tried again, and there is no answer.
    Late,
}

pub(crate) fn transport(env: &Arc<SimEnv>, invocation: &Invocation) -> SharedHttpConnector {
    SharedHttpConnector::new(Transport(env.clone(), invocation.clone()))
}

struct Transport(Arc<SimEnv>, Invocation);

impl std::fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Transport")
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        HttpConnectorFuture::new(carry(self.0.clone(), self.1.clone(), operation, body))
    }
}

async fn carry(
    env: Arc<SimEnv>,
    invocation: Invocation,
    operation: String,
    mut body: Value,
) -> Result<HttpResponse, ConnectorError> {
    env.count();
    let kind = kind_of(&operation, &body);
    invocation.reach(kind, CallPhase::Before).await;
    if kind == CallKind::SaveTokenPair {
        let frozen = SignedDuration::try_from(invocation.frozen()).unwrap();
        env.invariants.lock().unwrap().saving_pairs(&env, &invocation, frozen);
    }
    let replaced = env.mutant.and_then(|mutant| (mutant.table)(&env, &invocation, &operation, &mut body));
    let fault = random_fault(&env, &operation);
    if fault.is_some() {
        env.invariants.lock().unwrap().note_table_fault(env.now(), &body);
    }
    if operation != "Query" {
        env.note(|| {
            format!(
                "#{} {operation} {kind:?}{}",
                invocation.id(),
                fault.map_or(String::new(), |h| format!(" {h:?}"))
            )
        });
    }

    if operation == "Query" && fault.is_none() && body.get("IndexName").is_some() {
        sleep(Duration::from_millis(env.rng.between(2, 12))).await;
        return respond((200, query_index(&env, &body)));
    }
    let (answer, answered) = oneshot::channel();
    let (server, caller) = (env.clone(), invocation.id());
    tokio::spawn(async move {
        let quick = Duration::from_millis(server.rng.between(1, 6));
        let late = fault == Some(TableFault::Late);
        sleep(if late { Duration::from_secs(server.rng.between(5, 20)) } else { quick }).await;
        let replacement =
            replaced.map(Outcome::ResponseMeta).or_else(|| fault.and_then(|fault| replacement(fault, &body)));
        let outcome = replacement.unwrap_or_else(|| {
            let reply = serve(&server, caller, &operation, &body);
            match fault {
                Some(TableFault::FailedAfter) => Outcome::ResponseMeta(failure()),
                Some(TableFault::CutAfter) => Outcome::Cut,
                Some(TableFault::Late) => Outcome::Silence,
                _ => Outcome::ResponseMeta(reply),
            }
        });
        sleep(quick).await;
        match outcome {
            // The caller may have ended.
            Outcome::ResponseMeta(reply) => drop(answer.send(reply)),
            Outcome::Cut => drop(answer),
            Outcome::Silence => sleep(Duration::from_mins(1)).await,
        }
    });
    invocation.reach(kind, CallPhase::InFlight).await;
    let reply = answered.await.ok();
    invocation.reach(kind, CallPhase::After).await;

    match reply {
        Some(reply) => respond(reply),
        None => Err(ConnectorError::io("the connection was cut".into())),
    }
}

fn respond((status, body): Reply) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
}

/// Answers a query of an index from memory, as of now or as of an earlier time. These queries are most of all calls,
/// and most of them find nothing. In a run with a history, the answer is compared with that of the embedded DynamoDB.
fn query_index(env: &SimEnv, body: &Value) -> Value {
    if env.fault_happens(env.scenario.stale_index_rate) {
        let age = env.rng.log_uniform(Duration::from_millis(10), Duration::from_secs(90));
        return env.tables.query_as_of(body, env.now() - SignedDuration::try_from(age).unwrap());
    }
    let answer = env.tables.query_as_of(body, env.now());
    if env.history.is_wanted() {
        env.tables.check_query(body, &answer);
    }
    answer
}

fn random_fault(env: &SimEnv, operation: &str) -> Option<TableFault> {
    if !env.fault_happens(env.scenario.table_fault_rate) {
        return None;
    }
    let faults = [
        TableFault::Throttled,
        TableFault::FailedBefore,
        TableFault::FailedAfter,
        TableFault::CutBefore,
        TableFault::CutAfter,
        TableFault::Lost,
        TableFault::Late,
    ];
    let writes = ["PutItem", "UpdateItem", "TransactWriteItems"].contains(&operation);
    Some(if writes && env.rng.chance(0.3) { TableFault::Conflict } else { env.rng.choose(&faults) })
}

/// What the caller receives.
enum Outcome {
    ResponseMeta(Reply),
    /// The connection is closed.
    Cut,
    /// Nothing, until the caller stops waiting.
    Silence,
}

/// What the caller receives when a fault prevents the effect.
fn replacement(fault: TableFault, body: &Value) -> Option<Outcome> {
    match fault {
        TableFault::Throttled => Some(Outcome::ResponseMeta(error("ProvisionedThroughputExceededException"))),
        TableFault::FailedBefore => Some(Outcome::ResponseMeta(failure())),
        TableFault::CutBefore => Some(Outcome::Cut),
        TableFault::Lost => Some(Outcome::Silence),
        TableFault::Conflict => Some(Outcome::ResponseMeta(match body["TransactItems"].as_array() {
            None => error("TransactionConflictException"),
            Some(items) => cancelled(items.len(), 0, "TransactionConflict"),
        })),
        TableFault::FailedAfter | TableFault::CutAfter | TableFault::Late => None,
    }
}

/// DynamoDB's answer when one item of a transaction makes the whole transaction fail.
pub(crate) fn cancelled(items: usize, position: usize, code: &str) -> Reply {
    let (status, mut answer) = error("TransactionCanceledException");
    let code = |at| if at == position { code } else { "None" };
    answer["CancellationReasons"] = (0..items).map(|at| json!({"Code": code(at)})).collect();
    (status, answer)
}

/// An error of DynamoDB.
pub(crate) fn error(name: &str) -> Reply {
    (400, json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "injected fault"}))
}

fn failure() -> Reply {
    let name = "com.amazonaws.dynamodb.v20120810#InternalServerError";
    (500, json!({"__type": name, "message": "injected fault"}))
}

fn serve(env: &SimEnv, caller: u64, operation: &str, body: &Value) -> Reply {
    if operation == "GetSecretValue" {
        return (200, json!({"SecretString": ""})); // the environment has App ID and App Secret
    }
    let (reply, writes) = env.tables.execute(operation, body, env.now());
    for write in &writes {
        env.invariants.lock().unwrap().row_written(env, caller, write);
    }
    if !writes.is_empty() {
        env.work_added.notify_waiters();
    }
    reply
}

/// What a call to a table is for.
fn kind_of(operation: &str, body: &Value) -> CallKind {
    let of_pin = |item: &Value| match item["state"]["S"].as_str() {
        Some("sending") => CallKind::WriteSending,
        Some("published") => CallKind::WritePublished,
        Some(_) => CallKind::OtherPinWrite,
        None => CallKind::Other,
    };
    let of_update = |update: &Value| {
        let of_tokens = update["TableName"] == TOKENS;
        let saves = update["UpdateExpression"].as_str().is_some_and(|text| text.contains("#pair = "));
        match (of_tokens, saves) {
            (true, true)
                if update["ConditionExpression"].as_str().is_some_and(|text| !text.contains("mine")) =>
            {
                CallKind::SaveTokenPair
            }
            (true, _) => CallKind::OtherTokenWrite,
            (false, _) => CallKind::Other,
        }
    };
    match operation {
        "PutItem" => of_pin(&body["Item"]),
        "UpdateItem" => of_update(body),
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let kinds = items.map(|item| match (item.get("Put"), item.get("Update")) {
                (Some(put), _) => of_pin(&put["Item"]),
                (_, Some(update)) => of_update(update),
                _ => CallKind::Other,
            });
            kinds.into_iter().find(|kind| *kind != CallKind::Other).unwrap_or(CallKind::Other)
        }
        _ => CallKind::Other,
    }
}
