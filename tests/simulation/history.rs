//! What happened in a run. It shows why an invariant was violated.

use std::sync::Mutex;

use jiff::Timestamp;

/// The lines of a run's history. They are written only if they are wanted, because they cost more than the run.
#[derive(Default)]
pub(crate) struct History {
    wanted: bool,
    lines: Mutex<Vec<String>>,
}

impl History {
    pub(crate) fn new(wanted: bool) -> Self {
        Self { wanted, lines: Mutex::default() }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(crate) fn note(&self, now: Timestamp, line: impl FnOnce() -> String) {
        if self.wanted {
            self.lines.lock().unwrap().push(format!("{now:.3} {}", line()));
        }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}
