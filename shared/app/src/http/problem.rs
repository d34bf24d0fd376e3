//! The one place where errors become answers: RFC 9457 problem documents, each with what to do next.

use domain::{MEDIA_TOO_LARGE, PauseReason, PinId, Refusal, WrongState, words};
use http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::json;

use crate::error::Error;

/// What a caller is told.
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
    retry_after_seconds: Option<i64>,
    pin: Option<PinId>,
    others: Vec<PinId>,
    allow: Option<String>,
}

fn problem(status: StatusCode, code: &str, detail: impl Into<String>, fix: impl Into<String>) -> Problem {
    debug_assert!(super::codes::is_listed(code), "{code} is missing in the list of codes");
    Problem {
        status,
        code: code.to_owned(),
        detail: detail.into(),
        fix: fix.into(),
        retry_after_seconds: None,
        pin: None,
        others: Vec::new(),
        field: None,
        allow: None,
    }
}

const AGAIN: &str = "Try again; if it goes on, give the request_id to whoever runs this.";

impl Problem {
    /// What `error` means to the caller. From 500 on nothing from inside is told.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Malformed { code, detail, fix } => problem(StatusCode::BAD_REQUEST, code, detail, *fix),
            Error::UnknownForm => {
                let fix = "Say what the body is: `Content-Type: text/csv` or `application/x-ndjson`.";
                problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_type", text, fix)
            }
            Error::Invalid(invalid) => {
                let status = match invalid.code {
                    MEDIA_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                Self {
                    field: Some(invalid.field.clone()),
                    ..problem(status, invalid.code, text, &invalid.fix)
                }
            }
            Error::TooLarge(_) => {
                let fix = "Send less: at most 6 MB.";
                problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", text, fix)
            }
            Error::Unauthenticated => {
                let fix = "Sign in, and send the token as `Authorization: Bearer <token>`.";
                problem(StatusCode::UNAUTHORIZED, "unauthenticated", text, fix)
            }
            Error::NotAdmin => {
                let fix = "Sign in as a member of the admin group, or with the admin scope.";
                problem(StatusCode::FORBIDDEN, "not_admin", text, fix)
            }
            Error::NotFound(_) => {
                let fix = "Check the address and the id; ids are found in lists.";
                problem(StatusCode::NOT_FOUND, "not_found", text, fix)
            }
            Error::MethodNotAllowed(allowed) => {
                let fix = "Use one of those methods.";
                let problem = problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text, fix);
                Self { allow: Some(allowed.clone()), ..problem }
            }
            Error::IntegrationDisabled(why) => {
                let fix = if *why == words::NOT_CONFIGURED {
                    "An admin enters App ID and App Secret in the integration's settings, or the operator sets \
                     PINTEREST_APP_ID and PINTEREST_APP_SECRET."
                } else {
                    "An admin switches the integration on in its settings."
                };
                problem(StatusCode::CONFLICT, "integration_disabled", *why, fix)
            }
            Error::WrongState(WrongState { detail, fix }) => {
                problem(StatusCode::CONFLICT, "wrong_state", detail, *fix)
            }
            Error::KeyReused => {
                let fix = "Use a new key for a new request, or send the first request's body again.";
                problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", text, fix)
            }
            Error::ReconnectRequired => {
                let fix = "Connect the account again, then repeat the request.";
                problem(StatusCode::CONFLICT, "reconnect_required", text, fix)
            }
            Error::TokenRefreshing => Self {
                retry_after_seconds: Some(60),
                ..problem(StatusCode::SERVICE_UNAVAILABLE, "token_refresh", text, "Try again in a minute.")
            },
            Error::NotInSandbox => {
                let fix = "Connect the account in the production environment: Trial access is enough to read numbers.";
                problem(StatusCode::CONFLICT, "analytics_not_in_sandbox", text, fix)
            }
            Error::Resting(pause) => {
                let code = match pause.reason {
                    PauseReason::Quota => "pinterest_rate_limited",
                    PauseReason::SpamHold => "spam_hold",
                };
                problem(StatusCode::TOO_MANY_REQUESTS, code, text, "Try again after that time.")
            }
            Error::Refused { failure, pin, others } => Self {
                pin: pin.clone(),
                others: others.clone(),
                ..problem(StatusCode::UNPROCESSABLE_ENTITY, &failure.code, &failure.detail, &failure.fix)
            },
            Error::Pinterest(error) => of_pinterest(error),
            Error::Busy | Error::Store(crate::store::Error::Contended) => Self {
                retry_after_seconds: Some(1),
                ..problem(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many changes at once", "Try again.")
            },
            Error::TimeIsUp => {
                let fix = "Send the file again: rows that are done are not done twice.";
                problem(StatusCode::SERVICE_UNAVAILABLE, "not_done", text, fix)
            }
            Error::Store(_)
            | Error::Vault(_)
            | Error::Media(_)
            | Error::Unanswerable(_)
            | Error::Setting(_)
            | Error::WrongSetting(_)
            | Error::Network(_)
            | Error::Bus(_) => {
                let detail = "something went wrong inside; nothing is known to be half done";
                problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail, AGAIN)
            }
        }
    }

    /// Whether it may be gone the next time without anybody's doing.
    pub(crate) fn passes(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// The document. `type` names the problem, below the API's address.
    pub(super) fn answer(&self, base_url: &str, request_id: &str) -> Response<Body> {
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
        if let Some(field) = &self.field {
            document["field"] = json!(field);
        }
        let mut answer = super::answer(self.status, "application/problem+json", document.to_string());
        if let Some(allow) = self.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            answer.headers_mut().insert(header::ALLOW, allow); // RFC 9110, section 15.5.6
        }
        if let Some(seconds) = self.retry_after_seconds {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// What Pinterest's answer to a reading call means to our caller.
fn of_pinterest(error: &pinterest::Error) -> Problem {
    use pinterest::Error as P;
    match error {
        P::Refused { refusal, answer } => match refusal {
            Refusal::TokenDead => Problem::of(&Error::TokenRefreshing),
            Refusal::Scope => {
                let failure = words::invalid_scope(domain::Environment::Sandbox);
                problem(StatusCode::UNPROCESSABLE_ENTITY, &failure.code, failure.detail, failure.fix)
            }
            Refusal::Quota { retry_after } => Problem {
                retry_after_seconds: Some(retry_after.map_or(60, |wait| wait.as_secs().max(1))),
                ..problem(
                    StatusCode::TOO_MANY_REQUESTS,
                    "pinterest_rate_limited",
                    words::RATE_LIMIT,
                    "Try again after the time in Retry-After.",
                )
            },
            Refusal::Spam => problem(
                StatusCode::TOO_MANY_REQUESTS,
                "spam_hold",
                "Pinterest has blocked this account for a while to combat spam",
                "Wait some hours, and vary what is published.",
            ),
            Refusal::BoardGone => {
                let failure = words::board_gone();
                problem(StatusCode::UNPROCESSABLE_ENTITY, &failure.code, failure.detail, failure.fix)
            }
            Refusal::SectionGone | Refusal::MediaUnreachable | Refusal::Busy | Refusal::Other => {
                let message = answer.message.clone().unwrap_or_else(|| "no reason given".to_owned());
                let detail = format!("Pinterest refused: {message}");
                let fix = "Change what Pinterest objects to, and try again.";
                problem(StatusCode::UNPROCESSABLE_ENTITY, "refused_by_pinterest", detail, fix)
            }
        },
        _ => problem(
            StatusCode::BAD_GATEWAY,
            "pinterest_unreachable",
            "Pinterest did not answer, or not in a way that makes sense",
            "Try again later; Pinterest's status page tells whether it is down.",
        ),
    }
}
