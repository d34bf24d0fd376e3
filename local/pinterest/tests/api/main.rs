//! The simulated Pinterest, asked as a client would ask it: over HTTP.

// Clippy knows tests by their attribute; the helpers beside them may fail as loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod analytics;
mod boards;
mod control;
mod faults;
mod harness;
mod listing;
mod media;
mod oauth;
mod pins;
mod strict;
