#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code, reason = "a test says what it expects by failing")]
#[path = "flows/edge.rs"]
mod edge;
#[path = "flows/stage.rs"]
mod stage;
