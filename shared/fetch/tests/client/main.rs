//! What the client fetches, what it refuses, and that nobody hears of what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod bodies;
mod flow;
mod harness;
mod names;
mod peek;
mod redirects;
mod silence;
mod tricks;
