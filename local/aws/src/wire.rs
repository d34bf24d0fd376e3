//! The wire that Secrets Manager, EventBridge and DynamoDB share: JSON over one address, told apart by
//! the header `X-Amz-Target` (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>).

use crate::{
    Error,
    calls::{self, Calls},
    event_bridge::EventBus,
    secrets_manager::SecretsManager,
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use dynoxide::DynoxideError;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{error, iter, sync::Arc};

/// The services behind one address.
pub(crate) struct Services {
    pub(crate) dynamodb: Arc<Calls>,
    pub(crate) secrets: SecretsManager,
    pub(crate) bus: Arc<EventBus>,
    /// The address as a client of ours writes it: `127.0.0.1:port`.
    pub(crate) host: String,
}

/// An error as AWS answers it.
pub(crate) struct Fault {
    status: StatusCode,
    body: Value,
}

impl Fault {
    /// A request that AWS would refuse.
    pub(crate) fn new(r#type: &'static str, message: impl Into<String>) -> Self {
        let body = json!({ "__type": r#type, "Message": message.into() });
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// An operation that the product does not ask for.
    pub(crate) fn unknown(operation: &str) -> Self {
        Self::new("UnknownOperationException", format!("Not served here: {operation}"))
    }

    /// As DynamoDB says it.
    pub(crate) fn of(error: &DynoxideError) -> Self {
        let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, body: serde_json::from_str(&error.to_json()).unwrap_or_default() }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let causes = iter::successors(Some(&error as &dyn error::Error), |error| error.source());
        let message = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        let body = json!({ "__type": "InternalFailure", "Message": message });
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body }
    }
}

/// Serves `services` on `POST /`.
pub(crate) fn router(services: Services) -> Router {
    Router::new().route("/", post(answer)).with_state(Arc::new(services))
}

async fn answer(State(services): State<Arc<Services>>, headers: HeaderMap, body: Bytes) -> Response {
    let (status, body) = match dispatch(&services, &headers, &body) {
        Ok(answer) => (StatusCode::OK, answer),
        Err(fault) => (fault.status, fault.body),
    };
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}

fn dispatch(services: &Services, headers: &HeaderMap, body: &[u8]) -> Result<Value, Fault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A page in a browser can make its own name lead to 127.0.0.1, but it cannot write another name here.
    if text("host") != services.host {
        return Err(Fault::new("AccessDeniedException", "This address is for the local stack only."));
    }
    let target = text("x-amz-target");
    if let Some(operation) = target.strip_prefix(calls::TARGET) {
        return services.dynamodb.answer(operation, body);
    }
    match target {
        "secretsmanager.GetSecretValue" => services.secrets.get(&read(body)?),
        "secretsmanager.PutSecretValue" => services.secrets.put(read(body)?),
        "AWSEvents.PutEvents" => services.bus.put(read(body)?),
        other => Err(Fault::unknown(other)),
    }
}

/// What is wrong with a body is not repeated: it may hold a secret.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|_| {
        Fault::new("SerializationException", "The body is not of the form that this operation takes.")
    })
}
