//! The parsers of outside input, with inputs of proptest's making, and with those that once went wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test says what it expects by failing"
)]

mod cases;
mod properties;
