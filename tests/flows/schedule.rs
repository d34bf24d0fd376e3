//! Pins with a time of their own.

mod due_time;
mod edit;
pub(crate) mod load;
pub(crate) mod workers;
