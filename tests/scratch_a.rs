#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code,
    reason = "a test says what it expects by failing"
)]
#[path = "flows/access.rs"]
mod access;
#[path = "flows/admin.rs"]
mod admin;
#[path = "flows/boards.rs"]
mod boards;
#[path = "flows/contract.rs"]
mod contract;
#[path = "flows/edge.rs"]
mod edge;
#[path = "flows/stage.rs"]
mod stage;
