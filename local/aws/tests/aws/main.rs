//! The local AWS as its clients meet it: over HTTP, and again after a restart.

// Clippy's own exception is for the test functions, not for what they share.
#![allow(clippy::unwrap_used)]

mod dynamodb;
mod events;
mod folder;
mod harness;
mod secrets;
mod stream;
