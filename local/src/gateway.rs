//! What API Gateway does for the functions: checks the token, finds the function, makes an event of the request.

use std::sync::Arc;

use app::{
    http::{Event, Request},
    routes::{self, Found, Function},
};
use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_http::RequestExt as _;
use serde_json::{Map, Value, json};

use crate::{dev::problem, sign_in::Claims, stack::Inner};

/// API Gateway takes no larger body.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// Answers every request that is not for a person at this machine.
pub(crate) async fn answer(State(stack): State<Arc<Inner>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let writes = !matches!(parts.method, Method::GET | Method::HEAD);
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let detail = "the body has more than 10 MB";
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail, "Send less: at most 6 MB.");
    };
    let claims = header_text(&parts.headers, &header::AUTHORIZATION)
        .and_then(|authorization| stack.sign_in.claims(&authorization, stack.clock.now()));
    let event = event(&parts, &body, claims.as_ref(), &stack);
    let Ok(Event(request)) = serde_json::from_value(event) else {
        let detail = "the request could not be read";
        return problem(StatusCode::BAD_REQUEST, "invalid_request", detail, "Send plain HTTP/1.1.");
    };
    let function = function(&request);
    if function == Function::AdminSave {
        stack.show_alive().await;
    }
    let answer = stack.functions.answer(function, request).await;
    if writes || answer.status().is_redirection() {
        stack.schedule.wake();
    }
    answer.map(|body| match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    })
}

/// The function behind an address. What no function has is answered by one that has nothing to lose.
fn function(request: &Request) -> Function {
    match routes::find(request.method(), request.raw_http_path()) {
        Found::Route(route, _) => route.function,
        Found::OtherMethod(_) | Found::Nothing => Function::Docs,
    }
}

/// The event of an HTTP API, payload format 2.0, as API Gateway sends it.
fn event(parts: &Parts, body: &[u8], claims: Option<&Claims>, stack: &Inner) -> Value {
    let now = stack.clock.now();
    let path = parts.uri.path();
    let mut context = json!({
        "accountId": loopback_aws::ACCOUNT,
        "apiId": "local",
        "domainName": header_text(&parts.headers, &header::HOST),
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": header_text(&parts.headers, &header::USER_AGENT),
        },
        "requestId": stack.random.mark(),
        "routeKey": "$default",
        "stage": "$default",
        "time": now.to_string(),
        "timeEpoch": now.as_millisecond(),
    });
    if let Some(claims) = claims {
        context["authorizer"] = json!({ "jwt": { "claims": {
            "sub": claims.sub,
            "tenant": claims.tenant,
            "scope": claims.scope,
            "exp": claims.exp.to_string(),
        }, "scopes": null } });
    }
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers(&parts.headers),
        "requestContext": context,
        "body": STANDARD.encode(body),
        "isBase64Encoded": true,
    })
}

/// Headers as text, repeated ones joined. The token stays behind: its claims have been read. What a proxy would
/// say comes from us, as API Gateway says it itself.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let names = headers
        .keys()
        .filter(|name| **name != header::AUTHORIZATION && !name.as_str().starts_with("x-forwarded-"));
    let mut all: Map<String, Value> =
        names.filter_map(|name| Some((name.to_string(), header_text(headers, name)?.into()))).collect();
    all.insert("x-forwarded-for".to_owned(), "127.0.0.1".into());
    all.insert("x-forwarded-proto".to_owned(), "http".into());
    all
}

fn header_text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let all: Vec<_> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!all.is_empty()).then(|| all.join(","))
}
