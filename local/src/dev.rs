//! `/dev/…`: routes for people and tests on this machine. They do not exist in a deployed context.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use jiff::SignedDuration;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{context::Context, problem::problem_response, sign_in::Person};

/// How far one request may move the clock.
const MAX_ADVANCE_SECONDS: i64 = 400 * 24 * 60 * 60;

/// The routes that only the local server has.
pub(crate) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/dev/token", post(create_token))
        .route("/dev/advance", post(advance_clock))
        .route("/dev/events", get(list_events))
        .route("/dev/pinterest", get(show_pinterest))
}

async fn create_token(State(context): State<Arc<Context>>, headers: HeaderMap, body: Bytes) -> Response {
    match parse_json::<Person>(&headers, &body) {
        Ok(person) if !person.sub.is_empty() => {
            Json(json!({ "token": context.sign_in.issue_token(person, context.clock.now()) })).into_response()
        }
        Ok(_) => problem_response(
            StatusCode::UNPROCESSABLE_ENTITY,
            "missing_field",
            "sub is empty",
            "Send the id of a person as `sub`.",
        ),
        Err(response) => *response,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

async fn advance_clock(State(context): State<Arc<Context>>, headers: HeaderMap, body: Bytes) -> Response {
    let seconds = match parse_json::<Advance>(&headers, &body) {
        Ok(Advance { seconds }) => seconds,
        Err(response) => return *response,
    };
    if !(0..=MAX_ADVANCE_SECONDS).contains(&seconds) {
        let detail = "seconds is not a number from 0 to 34560000 (400 days)";
        return problem_response(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_seconds",
            detail,
            "Move in smaller steps.",
        );
    }
    match context.advance(SignedDuration::from_secs(seconds)).await {
        Ok(now) => Json(json!({ "now": now })).into_response(),
        Err(error) => {
            tracing::error!(%error, "the clock could not be moved");
            let fix = "Read the log of this process.";
            problem_response(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the clock could not be moved",
                fix,
            )
        }
    }
}

async fn list_events(State(context): State<Arc<Context>>) -> Response {
    if let Err(error) = context.publish_events().await {
        tracing::error!(%error, "events could not be published");
    }
    Json(json!({ "items": context.aws.events() })).into_response()
}

/// The address and the credentials of the simulated Pinterest; `null` if the stack uses another one.
async fn show_pinterest(State(context): State<Arc<Context>>) -> Response {
    let simulated = context.pinterest.as_ref().map(|pinterest| {
        json!({
            "url": pinterest.url(),
            "app_id": simulated_pinterest::APP_ID,
            "app_secret": simulated_pinterest::APP_SECRET,
        })
    });
    Json(json!({ "simulated": simulated })).into_response()
}

/// Reads a JSON body. The content type is required, because a foreign web page cannot send it without our consent
/// (CORS).
fn parse_json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Box<Response>> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/json") {
        let fix = "Send it with `Content-Type: application/json`.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Box::new(problem_response(status, "not_json", "the body is not marked as JSON", fix)));
    }
    serde_json::from_slice(body).map_err(|error| {
        let fix = "Send one JSON object of the documented form.";
        Box::new(problem_response(StatusCode::UNPROCESSABLE_ENTITY, "invalid_json", &error.to_string(), fix))
    })
}
