//! Failures on request.

use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{environment::Environment, operation::Operation, refusal::Refusal};

/// A failure that is to strike the next calls of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which calls it strikes: those of one operation, or of any (`"any"` in JSON).
    #[serde(default, deserialize_with = "operation_or_any")]
    pub operation: Option<Operation>,
    /// On which host; on both if none is named.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How many calls it strikes.
    #[serde(default = "once")]
    pub times: u32,
}

impl Fault {
    /// Strikes the next call of `operation` (`None`: of any), on either host.
    pub fn once(operation: impl Into<Option<Operation>>, kind: FaultKind) -> Self {
        Self { operation: operation.into(), environment: None, kind, times: once() }
    }

    /// The same fault, for as many calls.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same fault, on one host only.
    #[must_use]
    pub fn on(self, environment: Environment) -> Self {
        Self { environment: Some(environment), ..self }
    }
}

/// What goes wrong. `…Before` leaves no effect behind; `…After` means that the operation was done,
/// a refresh token rotated or a Pin published, and only the answer is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// 500, nothing done.
    #[serde(rename = "status_500_before")]
    Status500Before,
    /// 500, but done.
    #[serde(rename = "status_500_after")]
    Status500After,
    /// The connection is closed without an answer, nothing done.
    CutBefore,
    /// The connection is closed without an answer, but done.
    CutAfter,
    /// The connection is closed in the middle of the true answer.
    CutInAnswer,
    /// No answer until the client goes away, nothing done.
    HangBefore,
    /// No answer until the client goes away, but done.
    HangAfter,
    /// 500 with code 2787, nothing done.
    #[serde(rename = "code_2787_before")]
    Code2787Before,
    /// 500 with code 2787, but done.
    #[serde(rename = "code_2787_after")]
    Code2787After,
    /// 200 with a body that is not JSON, nothing done.
    GarbageBefore,
    /// 200 with a body that is not JSON, but done.
    Garbage,
    /// 429 code 8.
    RateLimited {
        /// The seconds that `x-ratelimit-reset` asks to wait.
        #[serde(default = "one_minute")]
        reset: u64,
    },
    /// 429 with "spam" in the message.
    Spam,
    /// 403 code 9.
    SpamBlock,
    /// 401 code 2.
    Unauthorized,
    /// 401 code 3.
    Scope,
    /// 400 code 1, as when an image could not be fetched; the next try may succeed.
    ImageNotFetched,
    /// Any other refusal.
    Refused {
        /// The HTTP status, 400 to 599.
        status: u16,
        /// Pinterest's code.
        code: i64,
        /// Pinterest's message.
        #[serde(default)]
        message: String,
    },
}

/// What a fault makes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Refuse(Refusal),
    Garbage,
    Cut,
    CutInAnswer,
    Hang,
}

impl FaultKind {
    /// Whether the operation is done before the fault strikes.
    pub(crate) fn strikes_after(&self) -> bool {
        matches!(
            self,
            Self::Status500After
                | Self::CutAfter
                | Self::CutInAnswer
                | Self::HangAfter
                | Self::Code2787After
                | Self::Garbage
        )
    }

    pub(crate) fn effect(&self) -> Effect {
        Effect::Refuse(match self {
            Self::CutBefore | Self::CutAfter => return Effect::Cut,
            Self::CutInAnswer => return Effect::CutInAnswer,
            Self::HangBefore | Self::HangAfter => return Effect::Hang,
            Self::Garbage | Self::GarbageBefore => return Effect::Garbage,
            Self::Status500Before | Self::Status500After => Refusal::Internal,
            Self::Code2787Before | Self::Code2787After => Refusal::SomethingWentWrong,
            Self::RateLimited { reset } => Refusal::RateLimited { reset: *reset },
            Self::Spam => Refusal::Spam,
            Self::SpamBlock => Refusal::SpamBlock,
            Self::Unauthorized => Refusal::NotAuthenticated,
            Self::Scope => Refusal::MissingScope,
            Self::ImageNotFetched => Refusal::ImageNotFetched,
            Self::Refused { status, code, message } => Refusal::Custom {
                status: StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                code: *code,
                message: message.clone(),
            },
        })
    }
}

/// The faults still to strike, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn pending(&self) -> &[Fault] {
        &self.0
    }

    /// Takes what strikes this call, if anything does.
    pub(crate) fn strike(
        &mut self,
        environment: Option<Environment>,
        operation: Operation,
    ) -> Option<FaultKind> {
        self.0.retain(|fault| fault.times > 0);
        let fault = self.0.iter_mut().find(|fault| {
            fault.operation.is_none_or(|only| only == operation)
                && (fault.environment.is_none() || fault.environment == environment)
        })?;
        fault.times -= 1;
        let kind = fault.kind.clone();
        self.0.retain(|fault| fault.times > 0);
        Some(kind)
    }
}

fn once() -> u32 {
    1
}

fn one_minute() -> u64 {
    60
}

/// `"any"` is `None`, as a missing operation is.
fn operation_or_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Operation>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Any {
        Any,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OperationOrAny {
        Any(Any),
        Only(Operation),
    }

    Ok(match OperationOrAny::deserialize(deserializer)? {
        OperationOrAny::Any(Any::Any) => None,
        OperationOrAny::Only(operation) => Some(operation),
    })
}
