//! What stands before the stubs: ends TLS, counts, and hands every call on.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::Response,
};

use crate::{Failure, tls::Trust};

/// No call of ours is larger.
const LARGEST: usize = 16 << 20;

/// The calls that came through, of all fronts that share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn add(&self, call: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// Those since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone)]
struct Front {
    to: String,
    client: reqwest::Client,
    calls: Calls,
}

/// Opens a front before the server at `to`, and tells where it is.
pub(crate) async fn open(trust: &Trust, to: &str, calls: &Calls) -> Result<String, Failure> {
    let front = Front { to: to.to_owned(), client: trust.client()?, calls: calls.clone() };
    let listener = trust.listen().await?;
    let origin = listener.origin();
    let router = Router::new().fallback(pass_on).with_state(front);
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(origin)
}

/// Hands a call on, and counts it.
async fn pass_on(State(front): State<Front>, request: Request) -> Response {
    front.calls.add(name(&request));
    front.hand_on(request).await.unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(error.to_string()));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    })
}

/// The operation, for AWS; the path, for others.
fn name(request: &Request) -> String {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    match target.and_then(|target| target.rsplit('.').next()) {
        Some(operation) => operation.to_owned(),
        None => format!("{} {}", request.method(), request.uri().path()),
    }
}

impl Front {
    async fn hand_on(&self, request: Request) -> Result<Response, Failure> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let onward = self.client.request(parts.method, format!("{}{path}", self.to));
        // With the host that was asked for: AWS's calls are signed for it.
        let onward = onward.headers(parts.headers).body(to_bytes(body, LARGEST).await?);

        let answer = onward.send().await?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
            headers.remove(header::TRANSFER_ENCODING);
        }
        Ok(response.body(Body::from(answer.bytes().await?))?)
    }
}
