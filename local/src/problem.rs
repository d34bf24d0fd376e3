//! Problem documents (RFC 9457) of the local server itself.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

/// A response with a problem document.
pub(crate) fn problem_response(status: StatusCode, code: &str, detail: &str, fix: &str) -> Response {
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
