//! Failures on request, for tests.

use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};

use crate::http::{Environment, Operation, Refusal};

/// A failure for the next calls of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The operation whose calls fail; `None` (`"any"` in JSON) for any.
    #[serde(default, deserialize_with = "operation_or_any")]
    pub operation: Option<Operation>,
    /// The host whose calls fail; `None` for both.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How many calls fail.
    #[serde(default = "once")]
    pub times: u32,
}

impl Fault {
    /// A fault for the next call of `operation` (of any operation with `None`), on either host.
    pub fn once(operation: impl Into<Option<Operation>>, kind: FaultKind) -> Self {
        Self { operation: operation.into(), environment: None, kind, times: once() }
    }

    /// The same fault, for `times` calls.
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

/// What goes wrong. With `…Before`, the operation has no effect. With `…After`, it has its effect (a refresh token is
/// rotated, a Pin is published) and only the answer is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// 500, without the effect.
    #[serde(rename = "status_500_before")]
    Status500Before,
    /// 500, with the effect.
    #[serde(rename = "status_500_after")]
    Status500After,
    /// The connection is closed without an answer and without the effect.
    CutBefore,
    /// The connection is closed without an answer, but with the effect.
    CutAfter,
    /// The connection is closed in the middle of the real answer.
    CutInAnswer,
    /// No answer until the client disconnects, and no effect.
    HangBefore,
    /// No answer until the client disconnects, but the effect.
    HangAfter,
    /// 500 with code 2787, without the effect.
    #[serde(rename = "code_2787_before")]
    Code2787Before,
    /// 500 with code 2787, with the effect.
    #[serde(rename = "code_2787_after")]
    Code2787After,
    /// 200 with a body that is not JSON, without the effect.
    GarbageBefore,
    /// 200 with a body that is not JSON, with the effect.
    Garbage,
    /// 429 code 8.
    RateLimited {
        /// The seconds in `x-ratelimit-reset`.
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
    /// 400 code 1: Pinterest could not fetch the image. The next try may succeed.
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

/// What a fault does to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Refuse(Refusal),
    Garbage,
    Cut,
    CutInAnswer,
    Hang,
}

impl FaultKind {
    /// Whether the operation has its effect before the fault occurs.
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

/// The faults that wait for calls, the oldest first.
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

    /// Takes the fault that waits for this call, if any.
    pub(crate) fn take_for(
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

/// `"any"` and a missing operation are `None`.
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
