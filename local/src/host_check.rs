//! Refuses requests that were sent to this machine under a foreign name.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use crate::{context::Context, problem::problem_response};

/// Passes on only requests whose `Host` is this machine or the host of `BASE_URL`. So a web page whose own name was pointed
/// to this machine cannot use the API (DNS rebinding). Routes under `/dev/`, which only people on this machine may use, are
/// refused for the host of `BASE_URL`, which may be the public end of a tunnel.
pub(crate) async fn require_known_host(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let is_known = host.is_some_and(|host| {
        let has_valid_port = host.as_str() == host.host() || host.port_u16().is_some();
        let is_this_machine = has_valid_port && matches!(host.host(), "127.0.0.1" | "localhost" | "[::1]");
        let is_public = host.as_str() == context.public_host;
        is_this_machine || is_public && !request.uri().path().starts_with("/dev/")
    });
    if is_known {
        return next.run(request).await;
    }
    let fix = "Use http://127.0.0.1, or set BASE_URL to the address that you use.";
    problem_response(StatusCode::FORBIDDEN, "unknown_host", "this server does not have that name", fix)
}
