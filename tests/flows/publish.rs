//! Publishing a Pin: at most once, with faults of Pinterest, and by the file.

mod ai_disclosures;
mod blocked_links;
mod board_check;
pub(crate) mod bulk;
mod idempotency;
pub(crate) mod outcome_unknown;
mod pauses;
mod pinterest_errors;
mod review;
mod spreadsheets;
pub(crate) mod validate;
pub(crate) mod waiting;
