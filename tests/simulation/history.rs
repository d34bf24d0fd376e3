//! What happened in a run, for whoever has to find out why it broke a rule.

use std::sync::Mutex;

use jiff::Timestamp;

/// A run's lines, if it is one whose history is wanted: writing them down costs more than the run.
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
