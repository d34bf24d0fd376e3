//! The errors of S3, which are XML.

use std::io;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::signature::Refused;

/// An error as S3 answers it.
pub(super) struct S3Error {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl S3Error {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }
}

impl From<Refused> for S3Error {
    fn from(refused: Refused) -> Self {
        Self::new(StatusCode::FORBIDDEN, refused.code, refused.message)
    }
}

impl From<io::Error> for S3Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::new(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
            }
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "The file cannot be read or written.",
            ),
        }
    }
}

impl IntoResponse for S3Error {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let text = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        (status, [(header::CONTENT_TYPE, "application/xml")], text).into_response()
    }
}
