//! Keeps the readable rows of a list, if this version cannot read some of them.

use std::future;

use domain::Pin;
use futures_util::{Stream, StreamExt as _};
use platform::chain;

/// The Pins that can be read. The others are logged, and are left to a version that can read them.
pub(super) fn readable(
    pins: impl Stream<Item = Result<Pin, store::Error>>,
) -> impl Stream<Item = Result<Pin, store::Error>> {
    pins.filter(|pin| {
        if let Err(error @ store::Error::Row(_)) = pin {
            tracing::error!(error = %chain(error), "a Pin cannot be read, and is left out");
            return future::ready(false);
        }
        future::ready(true)
    })
}
