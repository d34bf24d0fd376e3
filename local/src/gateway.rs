//! Plays the role of API Gateway: checks the token, finds the function, and makes an event from the request.

use std::sync::Arc;

use app::{Endpoint, Function};
use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_http::RequestExt as _;
use serde_json::{Map, Value, json};

use edge::{Event, Request, RouteMatch, find};

use crate::{context::Context, problem::problem_response, sign_in::Claims};

/// The largest body that API Gateway accepts.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// Answers a request with the function that API Gateway would call.
pub(crate) async fn answer_request(
    State(context): State<Arc<Context>>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let may_write = !matches!(parts.method, Method::GET | Method::HEAD);
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        let detail = "the body has more than 10 MB";
        return problem_response(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            detail,
            "Send less: at most 6 MB.",
        );
    };
    let claims = header_text(&parts.headers, &header::AUTHORIZATION)
        .and_then(|authorization| context.sign_in.verify(&authorization, context.clock.now()));
    let event = create_event(&parts, &body, claims.as_ref(), &context);
    let Ok(Event(request)) = serde_json::from_value(event) else {
        let detail = "the request could not be read";
        return problem_response(StatusCode::BAD_REQUEST, "invalid_request", detail, "Send plain HTTP/1.1.");
    };
    let function = find_function(&request, &context);
    if function == Function::AdminSave {
        context.run_workers_if_idle().await;
    }
    let answer = context.functions.answer(function, request).await;
    if may_write || answer.status().is_redirection() {
        context.schedule.wake();
    }
    answer.map(|body| match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    })
}

/// The function at an address. For an unknown address, it is `docs`, which has no rights: it answers the error.
fn find_function(request: &Request, context: &Context) -> Function {
    let address = |endpoint: &Endpoint| (endpoint.method, endpoint.path);
    match find(&context.endpoints, address, request.method(), request.raw_http_path()) {
        RouteMatch::Found(endpoint, _) => endpoint.function,
        RouteMatch::OtherMethod(_) | RouteMatch::Nothing => Function::Docs,
    }
}

/// The event of an HTTP API, payload format 2.0, as API Gateway sends it.
fn create_event(parts: &Parts, body: &[u8], claims: Option<&Claims>, context: &Context) -> Value {
    let now = context.clock.now();
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
        "requestId": context.random.hex_id(),
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
        "headers": forward_headers(&parts.headers),
        "requestContext": context,
        "body": STANDARD.encode(body),
        "isBase64Encoded": true,
    })
}

/// The headers as text, repeated ones joined. The token is left out, because its claims are in the event. The
/// `X-Forwarded-…` headers are set here, as API Gateway sets them.
fn forward_headers(headers: &HeaderMap) -> Map<String, Value> {
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
