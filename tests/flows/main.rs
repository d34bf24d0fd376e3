//! Whole flows over real HTTP: the local stack, its embedded DynamoDB and the simulated Pinterest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test says what it expects by failing"
)]

mod access;
mod addresses;
mod admin;
mod boards;
mod connect;
mod contract;
mod doubt;
mod edge;
mod lists;
mod once;
mod refresh;
mod refusals;
mod restart;
mod samples;
mod secrets;
mod stage;
mod trips;
mod waiting;
