//! AWS, as the SDK sees it: an in-process connector in front of the embedded DynamoDB, on which everything
//! happens that happens on a network.
//! Nothing here waits: the clock is paused, and `sleep` lets it jump.

mod index;
mod tables;

use std::sync::Arc;

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
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
    lambda::{Deed, Invocation, Moment},
    world::World,
};

/// An HTTP status and a body.
pub(crate) type Reply = (u16, Value);

/// What may befall a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hiccup {
    Throttled,
    Conflict,
    FailedBefore,
    FailedAfter,
    CutBefore,
    CutAfter,
    /// Neither effect nor answer.
    Lost,
    /// The effect comes when the SDK has tried again already, and no answer.
    Late,
}

pub(crate) fn wire(world: &Arc<World>, invocation: &Invocation) -> SharedHttpClient {
    let wire = SharedHttpConnector::new(Wire(world.clone(), invocation.clone()));
    http_client_fn(move |_, _| wire.clone())
}

struct Wire(Arc<World>, Invocation);

impl std::fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        HttpConnectorFuture::new(carry(self.0.clone(), self.1.clone(), operation, body))
    }
}

async fn carry(
    world: Arc<World>,
    invocation: Invocation,
    operation: String,
    mut body: Value,
) -> Result<HttpResponse, ConnectorError> {
    world.count();
    let deed = deed(&operation, &body);
    invocation.reach(deed, Moment::Before).await;
    if deed == Deed::SavePair {
        let frozen = SignedDuration::try_from(invocation.frozen()).unwrap();
        world.rules.lock().unwrap().saves(&world, &invocation, frozen);
    }
    let tampered = world.mutant.and_then(|mutant| (mutant.table)(&world, &invocation, &operation, &mut body));
    let hiccup = hiccup(&world, &operation);
    if operation != "Query" {
        world.note(|| {
            format!(
                "#{} {operation} {deed:?}{}",
                invocation.id(),
                hiccup.map_or(String::new(), |h| format!(" {h:?}"))
            )
        });
    }

    if operation == "Query" && hiccup.is_none() && body.get("IndexName").is_some() {
        sleep(Duration::from_millis(world.dice.between(2, 12))).await;
        return respond((200, ask_index(&world, &body)));
    }
    let (answer, answered) = oneshot::channel();
    let (server, caller) = (world.clone(), invocation.id());
    tokio::spawn(async move {
        let quick = Duration::from_millis(server.dice.between(1, 6));
        let late = hiccup == Some(Hiccup::Late);
        sleep(if late { Duration::from_secs(server.dice.between(5, 20)) } else { quick }).await;
        let instead =
            tampered.map(Outcome::Answer).or_else(|| hiccup.and_then(|hiccup| instead(hiccup, &body)));
        let outcome = instead.unwrap_or_else(|| {
            let reply = serve(&server, caller, &operation, &body);
            match hiccup {
                Some(Hiccup::FailedAfter) => Outcome::Answer(failure()),
                Some(Hiccup::CutAfter) => Outcome::Cut,
                Some(Hiccup::Late) => Outcome::Silence,
                _ => Outcome::Answer(reply),
            }
        });
        sleep(quick).await;
        match outcome {
            // Nobody may be there any more to hear it.
            Outcome::Answer(reply) => drop(answer.send(reply)),
            Outcome::Cut => drop(answer),
            Outcome::Silence => sleep(Duration::from_mins(1)).await,
        }
    });
    invocation.reach(deed, Moment::Under).await;
    let reply = answered.await.ok();
    invocation.reach(deed, Moment::After).await;

    match reply {
        Some(reply) => respond(reply),
        None => Err(ConnectorError::io("the connection was cut".into())),
    }
}

fn respond((status, body): Reply) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
}

/// Most calls by far ask an index, and most of those find nothing: they are answered from memory, as of now or
/// late. Where a history is written, the embedded DynamoDB is asked too.
fn ask_index(world: &World, body: &Value) -> Value {
    if world.befalls(world.plan.stale) {
        let age = world.dice.span(Duration::from_millis(10), Duration::from_secs(90));
        return world.tables.query_as_of(body, world.now() - SignedDuration::try_from(age).unwrap());
    }
    let told = world.tables.query_as_of(body, world.now());
    if world.history.is_wanted() {
        world.tables.check_query(body, &told);
    }
    told
}

fn hiccup(world: &World, operation: &str) -> Option<Hiccup> {
    if !world.befalls(world.plan.hiccups) {
        return None;
    }
    let any = [
        Hiccup::Throttled,
        Hiccup::FailedBefore,
        Hiccup::FailedAfter,
        Hiccup::CutBefore,
        Hiccup::CutAfter,
        Hiccup::Lost,
        Hiccup::Late,
    ];
    let writes = ["PutItem", "UpdateItem", "TransactWriteItems"].contains(&operation);
    Some(if writes && world.dice.happens(0.3) { Hiccup::Conflict } else { world.dice.one_of(&any) })
}

/// What the caller gets to hear.
enum Outcome {
    Answer(Reply),
    /// The connection is closed.
    Cut,
    /// Nothing, until the caller gives up.
    Silence,
}

/// What is heard instead of an effect.
fn instead(hiccup: Hiccup, body: &Value) -> Option<Outcome> {
    match hiccup {
        Hiccup::Throttled => Some(Outcome::Answer(error("ProvisionedThroughputExceededException"))),
        Hiccup::FailedBefore => Some(Outcome::Answer(failure())),
        Hiccup::CutBefore => Some(Outcome::Cut),
        Hiccup::Lost => Some(Outcome::Silence),
        Hiccup::Conflict => Some(Outcome::Answer(match body["TransactItems"].as_array() {
            None => error("TransactionConflictException"),
            Some(items) => cancelled(items.len(), 0, "TransactionConflict"),
        })),
        Hiccup::FailedAfter | Hiccup::CutAfter | Hiccup::Late => None,
    }
}

/// DynamoDB's refusal of a whole transaction for one of its items.
pub(crate) fn cancelled(items: usize, position: usize, code: &str) -> Reply {
    let (status, mut answer) = error("TransactionCanceledException");
    let code = |at| if at == position { code } else { "None" };
    answer["CancellationReasons"] = (0..items).map(|at| json!({"Code": code(at)})).collect();
    (status, answer)
}

/// A refusal of DynamoDB's.
pub(crate) fn error(name: &str) -> Reply {
    (400, json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "so it befell"}))
}

fn failure() -> Reply {
    let name = "com.amazonaws.dynamodb.v20120810#InternalServerError";
    (500, json!({"__type": name, "message": "so it befell"}))
}

fn serve(world: &World, caller: u64, operation: &str, body: &Value) -> Reply {
    if operation == "GetSecretValue" {
        return (200, json!({"SecretString": ""})); // the environment has App ID and App Secret
    }
    let (reply, writes) = world.tables.execute(operation, body, world.now());
    for write in &writes {
        world.rules.lock().unwrap().wrote(world, caller, write);
    }
    if !writes.is_empty() {
        world.stirred.notify_waiters();
    }
    reply
}

/// What a call to a table is for.
fn deed(operation: &str, body: &Value) -> Deed {
    let of_pin = |item: &Value| match item["state"]["S"].as_str() {
        Some("sending") => Deed::Begin,
        Some("published") => Deed::Publish,
        Some(_) => Deed::Pin,
        None => Deed::Other,
    };
    let of_update = |update: &Value| {
        let of_tokens = update["TableName"] == TOKENS;
        let saves = update["UpdateExpression"].as_str().is_some_and(|text| text.contains("#pair = "));
        match (of_tokens, saves) {
            (true, true)
                if update["ConditionExpression"].as_str().is_some_and(|text| !text.contains("mine")) =>
            {
                Deed::SavePair
            }
            (true, _) => Deed::Tokens,
            (false, _) => Deed::Other,
        }
    };
    match operation {
        "PutItem" => of_pin(&body["Item"]),
        "UpdateItem" => of_update(body),
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let deeds = items.map(|item| match (item.get("Put"), item.get("Update")) {
                (Some(put), _) => of_pin(&put["Item"]),
                (_, Some(update)) => of_update(update),
                _ => Deed::Other,
            });
            deeds.into_iter().find(|deed| *deed != Deed::Other).unwrap_or(Deed::Other)
        }
        _ => Deed::Other,
    }
}
