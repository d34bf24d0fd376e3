//! Secrets Manager, EventBridge and DynamoDB behind one address, told apart by the header `X-Amz-Target`.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::Value;

use crate::{
    aws_json::{ErrorResponse, json_response, parse_body},
    dynamodb_api::{self, DynamoDbApi},
    event_bridge::EventBus,
    secrets_manager::SecretsManager,
};

/// The services behind one address.
pub(crate) struct Services {
    pub(crate) dynamodb: Arc<DynamoDbApi>,
    pub(crate) secrets: SecretsManager,
    pub(crate) bus: Arc<EventBus>,
    /// The address as the `Host` header of our clients has it: `127.0.0.1:port`.
    pub(crate) host: String,
}

/// Serves `services` on `POST /`.
pub(crate) fn router(services: Services) -> Router {
    Router::new().route("/", post(handle_request)).with_state(Arc::new(services))
}

async fn handle_request(State(services): State<Arc<Services>>, headers: HeaderMap, body: Bytes) -> Response {
    match dispatch(&services, &headers, &body) {
        Ok(answer) => json_response(StatusCode::OK, &answer),
        Err(error) => error.into_response(),
    }
}

fn dispatch(services: &Services, headers: &HeaderMap, body: &[u8]) -> Result<Value, ErrorResponse> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A page in a browser can make its own name lead to 127.0.0.1, but it cannot set another name in this header.
    if text("host") != services.host {
        let message = "This address is for the local stack only.";
        return Err(ErrorResponse::new("AccessDeniedException", message));
    }
    let target = text("x-amz-target");
    if let Some(operation) = target.strip_prefix(dynamodb_api::TARGET_PREFIX) {
        return services.dynamodb.call(operation, body);
    }
    match target {
        "secretsmanager.GetSecretValue" => services.secrets.get_value(&parse_body(body)?),
        "secretsmanager.PutSecretValue" => services.secrets.put_value(parse_body(body)?),
        "AWSEvents.PutEvents" => services.bus.put_events(parse_body(body)?),
        other => Err(ErrorResponse::unknown_operation(other)),
    }
}
