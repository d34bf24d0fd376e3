//! The calls of the API, for tests that count them.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::http::{Environment, Operation};

/// How many calls are kept, because a local stack may run for days.
const MAX_RECENT_CALLS: usize = 10_000;

/// One call, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The number of the call since the start, from 1.
    pub sequence: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// The host that was called; none for the upload of a video.
    pub environment: Option<Environment>,
    /// The operation, if there is one at this path.
    pub operation: Option<Operation>,
    /// The HTTP method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The status of the answer; none if there is no answer yet, or there never was one.
    pub status: Option<u16>,
}

/// The newest calls, in their order.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    recent: VecDeque<Call>,
    last: u64,
}

impl Calls {
    /// Records the arrival of `call`, and returns its number.
    pub(crate) fn record_arrival(&mut self, call: Call) -> u64 {
        self.last += 1;
        self.recent.push_back(Call { sequence: self.last, ..call });
        if self.recent.len() > MAX_RECENT_CALLS {
            self.recent.pop_front();
        }
        self.last
    }

    /// Records the status of the answer to the call with this number.
    pub(crate) fn record_status(&mut self, sequence: u64, status: u16) {
        if let Some(call) = self.recent.iter_mut().rev().find(|call| call.sequence == sequence) {
            call.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.recent.iter().cloned().collect()
    }
}
