//! Problem documents (RFC 9457), each with what to do next.

use domain::{Failure, Params, PinId};
use http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::json;

use crate::{body::response, codes};

/// A problem, as the caller sees it.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable and `snake_case`, for programs.
    pub code: String,
    /// What happened, for people.
    pub detail: String,
    /// What to do next.
    pub fix: String,
    /// Which value is wrong.
    pub field: Option<String>,
    /// The values in the sentences, by name.
    pub params: Params,
    /// The Pin that was stored as failed.
    pub(crate) pin: Option<PinId>,
    /// Other Pins that will fail for the same reason.
    pub(crate) others: Vec<PinId>,
    pub(crate) retry_after_seconds: Option<i64>,
    pub(crate) allow: Option<String>,
    /// Further headers of the answer.
    pub(crate) headers: Vec<(&'static str, HeaderValue)>,
}

impl Problem {
    /// A problem without further fields.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        debug_assert!(codes::is_listed(code), "{code} is missing in the list of codes");
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            fix: fix.into(),
            params: Params::new(),
            retry_after_seconds: None,
            pin: None,
            others: Vec::new(),
            field: None,
            allow: None,
            headers: Vec::new(),
        }
    }

    /// An error of the stack. It shows no internals.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "an internal error occurred; nothing is known to be half done";
        let fix = "Try again; if it goes on, give the request_id to the operator.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail, fix)
    }

    /// A refusal for good.
    #[must_use]
    pub fn refused(failure: &Failure) -> Self {
        let Failure { code, detail, fix, params } = failure;
        Self { params: params.clone(), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail, fix) }
    }

    /// The same problem, with the stored Pin and the Pins that will have the same problem.
    #[must_use]
    pub fn about_pins(self, pin: Option<PinId>, others: Vec<PinId>) -> Self {
        Self { pin, others, ..self }
    }

    /// The same problem, which may be over after this many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// The same problem, with values that its sentences contain.
    #[must_use]
    pub fn with_params<const N: usize>(mut self, params: [(&str, String); N]) -> Self {
        self.params.extend(params.map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// The same problem, with a header of its answer.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).map(|value| (name, value)));
        self
    }

    /// Whether the problem is temporary: a retry may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// The document. `type` names the problem, below the API's address.
    pub(crate) fn into_response(self, base_url: &str, request_id: &str) -> Response<Body> {
        let mut document = json!({
            "type": format!("{base_url}/problems/{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "fix": self.fix,
            "request_id": request_id,
        });
        if let Some(pin) = &self.pin {
            document["pin_id"] = json!(pin);
        }
        if !self.others.is_empty() {
            document["pin_ids"] = json!(self.others);
        }
        if !self.params.is_empty() {
            document["params"] = json!(self.params);
        }
        if let Some(field) = &self.field {
            document["field"] = json!(field);
        }
        let mut answer = response(self.status, "application/problem+json", document.to_string());
        if let Some(allow) = self.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            answer.headers_mut().insert(header::ALLOW, allow); // RFC 9110, section 15.5.6
        }
        for (name, value) in self.headers {
            answer.headers_mut().insert(name, value);
        }
        if let Some(seconds) = self.retry_after_seconds {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
