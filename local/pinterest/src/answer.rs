//! What an operation answers when it does not refuse.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use serde_json::Value;

use crate::{meter::RateLimit, refusal::Refusal};

/// A whole answer, still as plain data: a fault may yet decide to cut or to hide it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// The seconds to wait, in a refusal that names them.
    reset: Option<u64>,
    headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// 200 and a JSON document.
    pub(crate) fn ok(document: &Value) -> Self {
        Self::json(StatusCode::OK, document)
    }

    /// 201 and the JSON document of what is new.
    pub(crate) fn created(document: &Value) -> Self {
        Self::json(StatusCode::CREATED, document)
    }

    /// 204: done, and nothing to say.
    pub(crate) fn no_content() -> Self {
        Self::of(StatusCode::NO_CONTENT, "", Vec::new())
    }

    /// The XML in which S3 refuses an upload.
    pub(crate) fn xml(status: StatusCode, document: &str) -> Self {
        Self::of(status, "application/xml", document.as_bytes().to_vec())
    }

    /// 200, and a body that only claims to be JSON.
    pub(crate) fn garbage() -> Self {
        Self::of(StatusCode::OK, "application/json", b"<html>upstream is warming up".to_vec())
    }

    fn json(status: StatusCode, document: &Value) -> Self {
        Self::of(status, "application/json", document.to_string().into_bytes())
    }

    fn of(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, body, reset: None, headers: Vec::new() }
    }

    /// Adds what every answer of the API carries: a request id, and the state of the quota.
    pub(crate) fn with_api_headers(mut self, request_id: u64, rate_limit: RateLimit) -> Self {
        let (remaining, reset) = match self.reset {
            Some(reset) => (0, reset),
            None => (rate_limit.remaining, rate_limit.reset),
        };
        self.headers = vec![
            ("x-pinterest-rid", request_id.to_string()),
            ("x-ratelimit-limit", rate_limit.limit.to_string()),
            ("x-ratelimit-remaining", remaining.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ];
        self
    }

    /// The HTTP response, with `body` for its body.
    pub(crate) fn into_response(self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        if !self.content_type.is_empty() {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let reset = match refusal {
            Refusal::RateLimited { reset } => Some(reset),
            _ => None,
        };
        Self { reset, ..Self::json(refusal.status(), &refusal.body()) }
    }
}
