//! How much memory a part of a run needs: what was asked of the system, without the pages of files that it keeps.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// A look is taken at every so many calls, in the middle of the work.
const CALLS: u64 = 32;

/// The most that was seen, in kilobytes.
#[derive(Default)]
pub(crate) struct Memory {
    most: AtomicU64,
    calls: AtomicU64,
}

impl Memory {
    /// Forgets what was, and says what is.
    pub(crate) fn begin(&self) -> f64 {
        self.most.store(0, Relaxed);
        self.look();
        self.peak()
    }

    pub(crate) fn look(&self) {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        self.most.fetch_max(line.trim().trim_end_matches(" kB").parse().unwrap(), Relaxed);
    }

    pub(crate) fn look_now_and_then(&self) {
        if self.calls.fetch_add(1, Relaxed).is_multiple_of(CALLS) {
            self.look();
        }
    }

    /// The most that was seen, in megabytes.
    #[expect(clippy::cast_precision_loss, reason = "nobody has that much memory")]
    pub(crate) fn peak(&self) -> f64 {
        self.most.load(Relaxed) as f64 / 1024.0
    }
}

/// How much more memory the second half of a work may need than the first, in megabytes, and still be flat: what an
/// allocator keeps differs by that much.
pub(crate) const FLAT: f64 = 4.0;

/// The two halves of a work, of which the second is to need no more than the first.
///
/// What was there before the work says little: an allocator may just have given much of it back.
pub(crate) struct Halves<'a> {
    memory: &'a Memory,
    left: usize,
    first: f64,
}

impl<'a> Halves<'a> {
    /// Before a work of so many steps.
    pub(crate) fn begin(memory: &'a Memory, steps: usize) -> Self {
        memory.begin();
        Self { memory, left: steps / 2, first: 0.0 }
    }

    /// After each step.
    pub(crate) fn step(&mut self) {
        self.memory.look();
        self.left = self.left.wrapping_sub(1);
        if self.left == 0 {
            self.first = self.memory.peak();
            self.memory.begin();
        }
    }

    /// The most that was seen, and how much more of it the second half saw than the first.
    pub(crate) fn end(self) -> (f64, f64) {
        let second = self.memory.peak();
        (self.first.max(second), (second - self.first).max(0.0))
    }
}
