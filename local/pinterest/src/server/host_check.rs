//! Refuses requests that were sent to this machine under a foreign name.

use axum::{
    extract::Request,
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// Passes on only requests whose `Host` is this machine, so that a web page whose own name was pointed to it gets no
/// answer (DNS rebinding).
pub(super) async fn require_loopback_name(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    if host.is_some_and(|host| matches!(host.host(), "127.0.0.1" | "localhost" | "[::1]")) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "This address is for this machine only.").into_response()
}
