//! The answer to a call.

use std::io::Write as _;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde_json::Value;

use super::refusal::Refusal;

/// A complete answer as plain data, because a fault may still cut or replace it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// The seconds to wait, if a refusal names them.
    reset: Option<u64>,
    headers: Vec<(&'static str, String)>,
}

/// What the `x-ratelimit-*` headers say. `reset` is in seconds from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) reset: u64,
}

impl Answer {
    /// 200 and a JSON document.
    pub(crate) fn ok(document: &Value) -> Self {
        Self::json(StatusCode::OK, document)
    }

    /// 201 and the JSON document of the new object.
    pub(crate) fn created(document: &Value) -> Self {
        Self::json(StatusCode::CREATED, document)
    }

    /// 204, without a body.
    pub(crate) fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, "", Vec::new())
    }

    /// An XML document, in which S3 refuses an upload.
    pub(crate) fn xml(status: StatusCode, document: &str) -> Self {
        Self::new(status, "application/xml", document.as_bytes().to_vec())
    }

    /// 200, and a body that is not JSON, although its content type says so.
    pub(crate) fn garbage() -> Self {
        Self::new(StatusCode::OK, "application/json", b"<html>upstream is warming up".to_vec())
    }

    fn json(status: StatusCode, document: &Value) -> Self {
        Self::new(status, "application/json", document.to_string().into_bytes())
    }

    fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, body, reset: None, headers: Vec::new() }
    }

    /// Adds the headers of every answer of the API: a request id, and the state of the quota.
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

    /// The same, compressed.
    pub(crate) fn compressed(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory cannot fail.
        if encoder.write_all(&self.body).is_ok()
            && let Ok(body) = encoder.finish()
        {
            self.body = body;
            self.headers.push(("content-encoding", "gzip".to_owned()));
        }
        self
    }

    /// Turns this into an HTTP response with the body `body`.
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

/// Formats a time as Pinterest does: in UTC, but without a time zone.
pub(crate) fn format_date_time(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
