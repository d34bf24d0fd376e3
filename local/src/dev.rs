//! `/dev/…`: what a person or a test at this machine may do, and nobody anywhere else.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use jiff::SignedDuration;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{sign_in::Person, stack::Inner};

/// The clock is not moved further than this at once.
const FURTHEST: i64 = 400 * 24 * 60 * 60;

/// The routes that exist in the local server only.
pub(crate) fn routes() -> Router<Arc<Inner>> {
    Router::new()
        .route("/dev/token", post(token))
        .route("/dev/advance", post(advance))
        .route("/dev/events", get(events))
        .route("/dev/pinterest", get(pinterest))
}

async fn token(State(stack): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    match json::<Person>(&headers, &body) {
        Ok(person) if !person.sub.is_empty() => {
            Json(json!({ "token": stack.sign_in.token(person, stack.clock.now()) })).into_response()
        }
        Ok(_) => problem(StatusCode::UNPROCESSABLE_ENTITY, "missing_field", "sub is empty", "Name somebody."),
        Err(refused) => *refused,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

async fn advance(State(stack): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let seconds = match json::<Advance>(&headers, &body) {
        Ok(Advance { seconds }) => seconds,
        Err(refused) => return *refused,
    };
    if !(0..=FURTHEST).contains(&seconds) {
        let detail = "seconds is not a number from 0 to 34560000 (400 days)";
        return problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_seconds",
            detail,
            "Move in smaller steps.",
        );
    }
    match stack.advance(SignedDuration::from_secs(seconds)).await {
        Ok(now) => Json(json!({ "now": now })).into_response(),
        Err(error) => {
            tracing::error!(%error, "the clock could not be moved");
            let fix = "Read the log of this process.";
            problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the clock could not be moved", fix)
        }
    }
}

async fn events(State(stack): State<Arc<Inner>>) -> Response {
    if let Err(error) = stack.tell().await {
        tracing::error!(%error, "events could not be told");
    }
    Json(json!({ "items": stack.aws.events() })).into_response()
}

/// What the simulated Pinterest takes, for whoever has no app at the real one; `null` if it is not that one.
async fn pinterest(State(stack): State<Arc<Inner>>) -> Response {
    let simulated = stack.pinterest.as_ref().map(|pinterest| {
        json!({
            "url": pinterest.url(),
            "app_id": simulated_pinterest::APP_ID,
            "app_secret": simulated_pinterest::APP_SECRET,
        })
    });
    Json(json!({ "simulated": simulated })).into_response()
}

/// Reads a JSON body. The content type is required: a web page of somebody else's cannot send it unasked.
fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Box<Response>> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        let fix = "Send it with `Content-Type: application/json`.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Box::new(problem(status, "not_json", "the body is not marked as JSON", fix)));
    }
    serde_json::from_slice(body).map_err(|error| {
        let fix = "Send one JSON object of the documented form.";
        Box::new(problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_json", &error.to_string(), fix))
    })
}

/// Lets in only what was sent to this machine by its name: a page that has pointed its own name here is not let
/// in (DNS rebinding).
pub(crate) async fn only_by_our_names(
    State(stack): State<Arc<Inner>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let known = host.is_some_and(|host| {
        let port_is_one = host.as_str() == host.host() || host.port_u16().is_some();
        port_is_one && matches!(host.host(), "127.0.0.1" | "localhost" | "[::1]")
            || host.as_str() == stack.public_host
    });
    if known {
        return next.run(request).await;
    }
    let fix = "Use http://127.0.0.1, or set BASE_URL to the address that you use.";
    problem(StatusCode::FORBIDDEN, "unknown_host", "this server does not go by that name", fix)
}

/// A problem document of the local server's own.
pub(crate) fn problem(status: StatusCode, code: &str, detail: &str, fix: &str) -> Response {
    let document = json!({
        "type": format!("/problems/{code}"),
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
        "fix": fix,
        "request_id": "",
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], document.to_string()).into_response()
}
