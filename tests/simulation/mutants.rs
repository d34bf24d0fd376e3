//! Protocols that are broken on purpose: a simulation that lets one live proves nothing.

use domain::{delivery, refresh};
use serde_json::Value;

use crate::{aws::Reply, lambda::Invocation, world::World};

/// A way to break a protocol.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) deliver: delivery::Decide,
    pub(crate) refresh: refresh::Decide,
    /// Changes a call to a table, or answers it.
    pub(crate) table: fn(&World, &Invocation, &str, &mut Value) -> Option<Reply>,
}
