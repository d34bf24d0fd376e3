//! Publishing a Pin: at most once, with faults of Pinterest, and by the file.

mod ai_disclosures;
mod board_check;
pub(crate) mod bulk;
mod idempotency;
pub(crate) mod outcome_unknown;
mod pauses;
mod pinterest_errors;
pub(crate) mod validate;
pub(crate) mod waiting;
