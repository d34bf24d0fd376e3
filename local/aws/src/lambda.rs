//! Lambda: asynchronous invocations, which are kept in memory until the local stack takes them. Lambda guarantees no more:
//! an event may be lost.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::post,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use crate::{aws_json::ErrorResponse, signature::AccessKey};

/// The events that wait for a function to be run with them.
#[derive(Debug, Default)]
pub(crate) struct Invocations {
    events: Mutex<VecDeque<Value>>,
    added: Notify,
}

impl Invocations {
    fn add(&self, event: Value) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        self.added.notify_one();
    }

    /// Waits for the next event, and takes it.
    pub(crate) async fn next(&self) -> Value {
        loop {
            let event = self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match event {
                Some(event) => return event,
                None => self.added.notified().await,
            }
        }
    }
}

/// Serves asynchronous `Invoke`.
pub(crate) fn router(invocations: Arc<Invocations>, key: AccessKey) -> Router {
    let path = "/2015-03-31/functions/{function}/invocations";
    Router::new().route(path, post(invoke)).with_state((invocations, key))
}

async fn invoke(
    State((invocations, key)): State<(Arc<Invocations>, AccessKey)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refused) = key.check_headers("lambda", &uri, &headers, &body, Timestamp::now()) {
        return ErrorResponse::from(refused).into_response();
    }
    let kind = headers.get("x-amz-invocation-type").and_then(|kind| kind.to_str().ok());
    match (kind, serde_json::from_slice(&body)) {
        (Some("Event"), Ok(event)) => {
            invocations.add(event);
            StatusCode::ACCEPTED.into_response()
        }
        (Some("Event"), Err(_)) => {
            ErrorResponse::new("InvalidRequestContentException", "The event is not JSON.").into_response()
        }
        _ => ErrorResponse::unknown_operation("a synchronous Invoke").into_response(),
    }
}
