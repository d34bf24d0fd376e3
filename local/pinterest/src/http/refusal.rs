//! Every error that Pinterest returns, with its body.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::operation::Operation;

/// A refusal: an HTTP status, and a body with `code` and `message`. One code has several meanings (1 is any invalid
/// request, 29 is the access tier or a permission), so each meaning is a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request breaks the contract.
    Invalid(Cow<'static, str>),
    /// The parameters of a request for analytics break the contract.
    Analytics(Cow<'static, str>),
    /// The address of an image does not answer.
    ImageNotFetched,
    /// The file at the address of an image, or its data, is not an image.
    ImageBroken,
    ImageTooSmall,
    /// The sandbox takes no video Pins.
    NoVideoInSandbox,
    /// The destination of a Pin does not answer.
    LinkNotReached,
    /// No token, an invalid one, one of the other environment, or a wrong App ID or App Secret.
    NotAuthenticated,
    /// The token lacks a scope.
    MissingScope,
    /// The app may not do this at all yet.
    ConsumerTypeNotSupported,
    /// `redirect_uri` is not the one of the authorization request.
    RedirectMismatch,
    /// An app with Trial access may create Pins in the sandbox only.
    TrialAccess,
    /// This caller may not use the object or the feature.
    NotPermitted,
    /// The refresh token is invalid, and the policy requires 400 for that.
    DeadRefreshToken,
    BoardName,
    SectionName,
    BoardNotFound,
    PinNotFound,
    /// The same, with the code that analytics use.
    AnalyticsPinNotFound,
    SectionNotFound,
    MediaNotFound,
    NoSuchPath,
    MethodNotAllowed,
    /// Too many calls. The quota is free again in `reset` seconds.
    RateLimited {
        reset: u64,
    },
    /// The account looks like a spammer: not a quota, though the status is the same.
    Spam,
    /// The same, with a status and code of its own.
    SpamBlock,
    /// Pinterest failed and does not say whether the effect happened.
    SomethingWentWrong,
    /// Pinterest failed with a general error.
    Internal,
    /// The state could not be saved. This is a failure of the simulation, which Pinterest does not have.
    StateNotSaved(String),
    /// The answer does not match the description. This is a failure of the simulation, too.
    BrokenContract(String),
    /// The refusal that a fault defines.
    Custom {
        status: StatusCode,
        code: i64,
        message: String,
    },
}

impl Refusal {
    /// The request breaks the contract; `message` says how.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(message.into())
    }

    /// The request breaks the contract of `operation`, which may have a code of its own for that.
    pub(crate) fn outside_contract(operation: Operation, fault: String) -> Self {
        match operation {
            Operation::AccountAnalytics | Operation::TopPins | Operation::PinAnalytics => {
                Self::Analytics(fault.into())
            }
            Operation::CreateSection => Self::SectionName,
            _ => Self::Invalid(fault.into()),
        }
    }

    /// The answer of `operation` that we were about to give breaks the contract.
    pub(crate) fn broken_contract(operation: Operation, fault: &str) -> Self {
        Self::BrokenContract(format!("{operation:?}: {fault}"))
    }

    /// The HTTP status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.parts().0
    }

    /// Pinterest's error body.
    pub(crate) fn body(&self) -> Value {
        let (_, code, message) = self.parts();
        json!({ "code": code, "message": message })
    }

    fn parts(&self) -> (StatusCode, i64, Cow<'static, str>) {
        let (status, code, message) = match self {
            Self::Invalid(message) => return (StatusCode::BAD_REQUEST, 1, message.clone()),
            Self::Analytics(message) => return (StatusCode::BAD_REQUEST, 400, message.clone()),
            Self::StateNotSaved(cause) => {
                let message = format!("The simulated Pinterest could not save its state: {cause}");
                return (StatusCode::INTERNAL_SERVER_ERROR, 500, message.into());
            }
            Self::BrokenContract(fault) => {
                let message = format!("The simulated Pinterest's answer breaks the contract: {fault}");
                return (StatusCode::INTERNAL_SERVER_ERROR, 500, message.into());
            }
            Self::Custom { status, code, message } => return (*status, *code, message.clone().into()),
            Self::ImageNotFetched => (400, 1, "Sorry, we could not fetch the image."),
            Self::ImageTooSmall => {
                (403, 233, "Sorry, this image is too small. Please choose a larger image.")
            }
            Self::ImageBroken => (403, 235, "Sorry, this image is broken. Please choose another image."),
            Self::NoVideoInSandbox => (400, 1, "Video Pins cannot be created in the sandbox."),
            Self::LinkNotReached => (400, 1, "Sorry, we are unable to reach the URL."),
            Self::DeadRefreshToken => (400, 1, "The refresh token is invalid or expired."),
            Self::NotAuthenticated => (401, 2, "Authentication failed."),
            Self::MissingScope => (
                401,
                3,
                "Your token does not have sufficient permissions to perform this operation. Please ensure \
                 your token is authorized with the correct set of scopes.",
            ),
            Self::ConsumerTypeNotSupported => (401, 3, "Your application consumer type is not supported."),
            Self::MethodNotAllowed => (405, 5, "Method not allowed."),
            Self::RedirectMismatch => (
                400,
                7,
                "You are not permitted to access that resource: the redirect_uri does not match the one of \
                 the authorization request.",
            ),
            Self::RateLimited { .. } => (
                429,
                8,
                "This request exceeded a rate limit. This can happen if the client exceeds one of the \
                 published rate limits or if multiple write operations are applied to an object within a \
                 short time window.",
            ),
            Self::Spam => {
                (429, 429, "Your account was flagged as spam. Please wait before you create more Pins.")
            }
            Self::SpamBlock => (
                403,
                9,
                "Sorry! You have hit a block we have in place to combat spam (Pins). Please try again later.",
            ),
            Self::TrialAccess => (
                403,
                29,
                "Apps with Trial access may not create Pins in production https://api.pinterest.com - use \
                 API Sandbox https://api-sandbox.pinterest.com instead.",
            ),
            Self::NotPermitted => (403, 29, "You are not permitted to access that resource."),
            Self::BoardNotFound => (404, 40, "Board not found."),
            Self::PinNotFound => (404, 50, "Pin not found."),
            Self::AnalyticsPinNotFound => (404, 404, "Pin not found."),
            Self::NoSuchPath => (404, 404, "There is no such path."),
            Self::MediaNotFound => (404, 404, "Media upload not found"),
            Self::SectionNotFound => (404, 2031, "Board section not found."),
            Self::BoardName => (400, 400, "The board name is invalid or duplicated."),
            Self::SectionName => (400, 400, "Invalid board section parameters."),
            Self::SomethingWentWrong => {
                (500, 2787, "Sorry! Something went wrong on our end. Please try again.")
            }
            Self::Internal => (500, 500, "Internal server error."),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, code, message.into())
    }
}
