//! Lambda's side of a function: hands out events and takes answers, on loopback.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::Failure;

/// Longer than anything takes, under callgrind too.
const PATIENCE: Duration = Duration::from_mins(2);

/// When a function asked last, and how often it has.
type Polls = Option<(Instant, usize)>;

/// The Runtime API of one function.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    /// For `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: String,
    events: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<Answered>,
    polls: watch::Receiver<Polls>,
    server: JoinHandle<std::io::Result<()>>,
}

/// What a function said to an event, and when.
type Answered = (Instant, Result<Value, String>);

struct Shared {
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    answers: mpsc::UnboundedSender<Answered>,
    polls: watch::Sender<Polls>,
}

impl RuntimeApi {
    /// Serves, with no event yet.
    pub(crate) async fn open() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (events, waiting) = mpsc::unbounded_channel();
        let (said, answers) = mpsc::unbounded_channel();
        let (polled, polls) = watch::channel(None);
        let shared = Shared { events: Mutex::new(waiting), answers: said, polls: polled };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(failed_to_start))
            .with_state(Arc::new(shared));
        let server = tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self { address, events, answers, polls, server })
    }

    /// When the function asked for its first event: its start is over.
    pub(crate) async fn started(&mut self) -> Result<Instant, Failure> {
        self.asked(1).await
    }

    /// When the function asked for an event the `times`th time: it has nothing to do but wait.
    pub(crate) async fn asked(&mut self, times: usize) -> Result<Instant, Failure> {
        let asked = self.polls.wait_for(|polls| polls.is_some_and(|(_, count)| count >= times));
        let asked = timeout(PATIENCE, asked).await.map_err(|_| "the function does not ask for events")??;
        Ok(asked.ok_or("the function did not ask")?.0)
    }

    /// Hands out an event.
    pub(crate) fn send(&self, event: &Value) -> Result<(), Failure> {
        Ok(self.events.send(event.to_string())?)
    }

    /// The next answer, and when it came.
    pub(crate) async fn answer(&mut self) -> Result<(Instant, Value), Failure> {
        let answered =
            timeout(PATIENCE, self.answers.recv()).await.map_err(|_| "the function does not answer")?;
        let (at, answer) = answered.ok_or("the Runtime API is closed")?;
        Ok((at, answer?))
    }

    /// Hands out an event and waits for the answer.
    pub(crate) async fn invoke(&mut self, event: &Value) -> Result<Value, Failure> {
        self.send(event)?;
        Ok(self.answer().await?.1)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let now = Instant::now();
    shared.polls.send_modify(|polls| *polls = Some((now, polls.map_or(1, |(_, count)| count + 1))));
    let Some(event) = shared.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = Timestamp::now() + SignedDuration::from_mins(5);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419".to_owned(),
        ),
    ];
    (headers, Body::from(event)).into_response()
}

async fn answer(State(shared): State<Arc<Shared>>, Path(_id): Path<String>, body: Bytes) -> StatusCode {
    shared.say(serde_json::from_slice(&body).map_err(|error| error.to_string()))
}

async fn failed(State(shared): State<Arc<Shared>>, Path(_id): Path<String>, body: String) -> StatusCode {
    shared.say(Err(body))
}

async fn failed_to_start(State(shared): State<Arc<Shared>>, body: String) -> StatusCode {
    shared.say(Err(body))
}

impl Shared {
    fn say(&self, answer: Result<Value, String>) -> StatusCode {
        let said = self.answers.send((Instant::now(), answer));
        if said.is_ok() { StatusCode::ACCEPTED } else { StatusCode::GONE }
    }
}
