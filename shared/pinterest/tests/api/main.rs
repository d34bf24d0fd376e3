//! What is sent to Pinterest, and what is made of each answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod account;
mod analytics;
mod boards;
mod connection;
mod credentials;
mod harness;
mod pins;
mod refusals;
mod tokens;
