//! How many inputs a parser took: generators that never get past the first check find nothing.

use std::{cell::RefCell, collections::BTreeMap};

thread_local! {
    static SEEN: RefCell<BTreeMap<&'static str, Share>> = const { RefCell::new(BTreeMap::new()) };
}

/// Of so many inputs, so many were taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    /// Inputs that a parser took.
    pub accepted: u32,
    /// Inputs in all.
    pub of: u32,
}

pub(crate) fn count(parser: &'static str, accepted: bool) {
    SEEN.with_borrow_mut(|seen| {
        let share = seen.entry(parser).or_default();
        share.of += 1;
        share.accepted += u32::from(accepted);
    });
}

/// What was counted on this thread since the last call.
#[must_use]
pub fn take() -> BTreeMap<&'static str, Share> {
    SEEN.take()
}
