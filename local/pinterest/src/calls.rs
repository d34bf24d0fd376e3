//! What was asked of the API, for tests that count.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::{environment::Environment, operation::Operation};

/// How many calls are remembered: a local stack may run for days.
const REMEMBERED: usize = 10_000;

/// One call, without anything that a client must keep secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Counts all calls since the start, from 1.
    pub sequence: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// The host that was asked; the upload of a video belongs to none.
    pub environment: Option<Environment>,
    /// What was asked for, if there is such an operation.
    pub operation: Option<Operation>,
    /// The HTTP method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The status of the answer; none while there is no answer, and for a call that never got one.
    pub status: Option<u16>,
}

/// The newest calls, in their order.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    made: VecDeque<Call>,
    last: u64,
}

impl Calls {
    /// Notes the arrival of `call`, and gives it its number.
    pub(crate) fn arrived(&mut self, call: Call) -> u64 {
        self.last += 1;
        self.made.push_back(Call { sequence: self.last, ..call });
        if self.made.len() > REMEMBERED {
            self.made.pop_front();
        }
        self.last
    }

    /// Notes the status that the call of this number was answered with.
    pub(crate) fn answered(&mut self, sequence: u64, status: u16) {
        if let Some(call) = self.made.iter_mut().rev().find(|call| call.sequence == sequence) {
            call.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.made.iter().cloned().collect()
    }
}
