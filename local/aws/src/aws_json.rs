//! The protocol that Secrets Manager, EventBridge and DynamoDB share, AWS JSON 1.1: how a body is read and how an
//! error is answered (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>).

use std::{error, iter};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use dynoxide::DynoxideError;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Error, signature::Refused};

/// An error as AWS answers it.
pub(crate) struct ErrorResponse {
    status: StatusCode,
    body: Value,
}

impl ErrorResponse {
    /// A request that AWS would refuse.
    pub(crate) fn new(r#type: &'static str, message: impl Into<String>) -> Self {
        let body = json!({ "__type": r#type, "Message": message.into() });
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// An operation that the product does not call.
    pub(crate) fn unknown_operation(operation: &str) -> Self {
        Self::new("UnknownOperationException", format!("Not served here: {operation}"))
    }
}

impl From<Refused> for ErrorResponse {
    fn from(refused: Refused) -> Self {
        Self::new(refused.code, refused.message)
    }
}

impl From<DynoxideError> for ErrorResponse {
    fn from(error: DynoxideError) -> Self {
        let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, body: serde_json::from_str(&error.to_json()).unwrap_or_default() }
    }
}

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        let causes = iter::successors(Some(&error as &dyn error::Error), |error| error.source());
        let message = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        let body = json!({ "__type": "InternalFailure", "Message": message });
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body }
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        json_response(self.status, self.body.to_string().into_bytes())
    }
}

/// Reads the body of a request. An error does not repeat the body, which may hold a secret.
pub(crate) fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorResponse> {
    serde_json::from_slice(body).map_err(|_| {
        let message = "The body is not of the form that this operation takes.";
        ErrorResponse::new("SerializationException", message)
    })
}

/// The body of an answer.
pub(crate) type Answer = Vec<u8>;

/// Writes an answer.
pub(crate) fn answer(content: &impl Serialize) -> Result<Answer, ErrorResponse> {
    serde_json::to_vec(content).map_err(|error| ErrorResponse::new("InternalFailure", error.to_string()))
}

/// A response with a JSON body.
pub(crate) fn json_response(status: StatusCode, body: Answer) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body).into_response()
}
