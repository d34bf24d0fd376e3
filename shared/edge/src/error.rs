//! The errors of requests to any operation.

use domain::Invalid;
use http::StatusCode;

use crate::Problem;

/// A request that no handler can answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The body is not JSON, or does not have the documented form.
    #[error("{detail}")]
    Malformed {
        /// Stable, for programs.
        code: &'static str,
        /// Where, and what was expected.
        detail: String,
        /// What to send instead.
        fix: &'static str,
    },
    /// The `Content-Type` is not accepted here.
    #[error("the body is of a kind that is not accepted here")]
    UnsupportedContentType,
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The body is larger than the operation accepts.
    #[error("the body has {bytes} bytes")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max_bytes: usize,
    },
    /// There is no valid token.
    #[error("there is no valid token")]
    Unauthenticated,
    /// The token lacks the claim that names the tenant.
    #[error("the token has no claim {0}, which names the tenant")]
    NoTenant(String),
    /// The operation is for admins.
    #[error("the token does not allow this")]
    NotAdmin,
    /// There is no such thing, or it is another tenant's: the answer is the same.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The address exists, but not with this method.
    #[error("this address takes {0}")]
    MethodNotAllowed(String),
    /// An answer could not be written as JSON.
    #[error("the answer could not be written")]
    Serialize(#[source] serde_json::Error),
}

/// There is no such thing.
#[must_use]
pub fn not_found<E: From<RequestError>>(what: &'static str) -> E {
    RequestError::NotFound(what).into()
}

impl From<&RequestError> for Problem {
    fn from(error: &RequestError) -> Self {
        let detail = error.to_string();
        match error {
            RequestError::Malformed { code, detail, fix } => {
                Self::new(StatusCode::BAD_REQUEST, code, detail, *fix)
            }
            RequestError::UnsupportedContentType => {
                let fix = "Say what the body is: `Content-Type: text/csv` or `application/x-ndjson`.";
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_type", detail, fix)
            }
            RequestError::Invalid(invalid) => {
                let status = match invalid.code {
                    domain::MEDIA_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                Self {
                    field: Some(invalid.field.clone()),
                    ..Self::new(status, invalid.code, detail, &invalid.fix)
                }
            }
            RequestError::TooLarge { max_bytes, .. } => {
                let fix = format!("Send less: at most {} KB.", max_bytes / 1024);
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail, fix)
            }
            RequestError::Unauthenticated => {
                let fix = "Sign in, and send the token as `Authorization: Bearer <token>`.";
                Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail, fix)
                    .with_header("www-authenticate", "Bearer") // RFC 6750, section 3
            }
            RequestError::NoTenant(_) => {
                let fix = "Sign in as a member of a tenant; the operator can add the claim to your tokens.";
                Self::new(StatusCode::FORBIDDEN, "no_tenant", detail, fix)
            }
            RequestError::NotAdmin => {
                let fix = "Sign in as a member of the admin group, or with the admin scope.";
                Self::new(StatusCode::FORBIDDEN, "not_admin", detail, fix)
            }
            RequestError::NotFound(_) => {
                let fix = "Check the address and the id; ids are found in lists.";
                Self::new(StatusCode::NOT_FOUND, "not_found", detail, fix)
            }
            RequestError::MethodNotAllowed(allowed) => {
                let fix = "Use one of those methods.";
                Self {
                    allow: Some(allowed.clone()),
                    ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail, fix)
                }
            }
            RequestError::Serialize(_) => Self::internal(),
        }
    }
}
