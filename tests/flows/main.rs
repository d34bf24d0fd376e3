//! Whole flows over real HTTP: the local stack, its embedded DynamoDB and the simulated Pinterest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test says what it expects by failing"
)]
#![allow(
    clippy::duration_suboptimal_units,
    clippy::items_after_statements,
    clippy::match_bool,
    clippy::needless_pass_by_value,
    clippy::similar_names,
    clippy::single_match_else,
    clippy::too_many_lines,
    clippy::verbose_bit_mask,
    reason = "tests read as stories: what is needed stands where it is needed, and tables are long"
)]

mod api;
mod channels;
mod connect;
mod harness;
mod media;
mod operations;
mod publish;
mod refresh;
mod schedule;
