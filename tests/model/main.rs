//! The two protocols under an exhaustive checker: every order of events with two workers, one crash, one lost
//! answer and one lagging list, closed to the end.
//!
//! What is checked are the decision functions themselves. Around them stands a model of their drivers, of the
//! tables and of Pinterest: each await of a driver is a step of its own, and between any two steps anything
//! else may happen, and time may pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test says what it expects by failing"
)]

mod closed;
mod delivery;
mod refresh;
