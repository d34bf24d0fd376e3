//! Ids of accounts, boards, Pins and videos.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A decimal id, which the API writes as a string. Ids grow, so a greater one is a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Id(pub(crate) u64);

impl Id {
    /// Reads the id of a path or a body. A number that is too large for an id becomes one that nothing has.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_decimal.then(|| Self(text.parse().unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
