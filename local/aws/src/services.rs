//! Secrets Manager, EventBridge and DynamoDB behind one address, distinguished by the header `X-Amz-Target`.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::post,
};
use jiff::Timestamp;

use crate::{
    aws_json::{Answer, ErrorResponse, answer, json_response, parse_body},
    dynamodb_api::{self, DynamoDbApi},
    event_bridge::EventBus,
    secrets_manager::SecretsManager,
    signature::AccessKey,
};

/// The services behind one address.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) dynamodb: Arc<DynamoDbApi>,
    /// Whether writes that come here are reported.
    pub(crate) announces_writes: bool,
    pub(crate) secrets: Arc<SecretsManager>,
    pub(crate) bus: Arc<EventBus>,
    pub(crate) key: AccessKey,
}

/// Serves `services` on `POST /`.
pub(crate) fn router(services: Services) -> Router {
    Router::new().route("/", post(handle_request)).with_state(Arc::new(services))
}

/// Passes on only requests for a loopback address. A page in a browser can make its own name lead to 127.0.0.1, but it
/// cannot set another name in this header.
pub(crate) async fn require_loopback_host(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    if host.is_some_and(|host| matches!(host.host(), "127.0.0.1" | "localhost")) {
        return next.run(request).await;
    }
    let message = "This address is for the local stack only.";
    ErrorResponse::new("AccessDeniedException", message).into_response()
}

async fn handle_request(
    State(services): State<Arc<Services>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match dispatch(&services, &uri, &headers, &body) {
        Ok(answer) => json_response(StatusCode::OK, answer),
        Err(error) => error.into_response(),
    }
}

fn dispatch(
    services: &Services,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, ErrorResponse> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let service = match target.split('.').next() {
        Some("secretsmanager") => "secretsmanager",
        Some("AWSEvents") => "events",
        _ => "dynamodb",
    };
    // By the computer's clock, which the SDK signs by, and not by the local one.
    services.key.check_headers(service, uri, headers, body, Timestamp::now())?;
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
