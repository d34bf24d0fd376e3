//! Secrets Manager, EventBridge and DynamoDB behind one gate, told apart by the header `X-Amz-Target`.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::post,
};

use crate::{
    aws_json::{Answer, ErrorResponse, answer, json_response, parse_body},
    dynamodb_api::{self, DynamoDbApi},
    event_bridge::EventBus,
    secrets_manager::SecretsManager,
};

/// The services behind one address.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) dynamodb: Arc<DynamoDbApi>,
    /// Whether writes that come here are reported.
    pub(crate) announces_writes: bool,
    pub(crate) secrets: Arc<SecretsManager>,
    pub(crate) bus: Arc<EventBus>,
}

/// Serves `services` on `POST /`.
pub(crate) fn router(services: Services) -> Router {
    Router::new().route("/", post(handle_request)).with_state(Arc::new(services))
}

/// Passes on only requests for `host`, the address as the `Host` header of our clients has it: `127.0.0.1:port`. A page in
/// a browser can make its own name lead to 127.0.0.1, but it cannot set another name in this header.
pub(crate) async fn require_host(State(host): State<Arc<str>>, request: Request, next: Next) -> Response {
    if request.headers().get(header::HOST).is_some_and(|named| named.as_bytes() == host.as_bytes()) {
        return next.run(request).await;
    }
    let message = "This address is for the local stack only.";
    ErrorResponse::new("AccessDeniedException", message).into_response()
}

async fn handle_request(State(services): State<Arc<Services>>, headers: HeaderMap, body: Bytes) -> Response {
    match dispatch(&services, &headers, &body) {
        Ok(answer) => json_response(StatusCode::OK, answer),
        Err(error) => error.into_response(),
    }
}

fn dispatch(services: &Services, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorResponse> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(operation) = target.strip_prefix(dynamodb_api::TARGET_PREFIX) {
        return services.dynamodb.call(operation, body, services.announces_writes);
    }
    answer(&match target {
        "secretsmanager.GetSecretValue" => services.secrets.get_value(&parse_body(body)?)?,
        "secretsmanager.PutSecretValue" => services.secrets.put_value(parse_body(body)?)?,
        "AWSEvents.PutEvents" => services.bus.put_events(parse_body(body)?)?,
        other => return Err(ErrorResponse::unknown_operation(other)),
    })
}
