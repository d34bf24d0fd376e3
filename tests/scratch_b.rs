#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code,
    reason = "a test says what it expects by failing"
)]
#[path = "flows/doubt.rs"]
mod doubt;
#[path = "flows/once.rs"]
mod once;
#[path = "flows/refresh.rs"]
mod refresh;
#[path = "flows/restart.rs"]
mod restart;
#[path = "flows/stage.rs"]
mod stage;
#[path = "flows/waiting.rs"]
mod waiting;
