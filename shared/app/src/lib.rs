//! The use cases, each one function read from top to bottom, and the adapters they need.
//!
//! A function of the stack is one of the types in [`functions`]: what it holds is what it may touch.

mod client;
mod clock;
pub mod error;
pub mod events;
pub mod functions;
pub mod http;
pub mod media;
mod network;
mod openapi;
mod parameters;
pub mod routes;
mod secrets;
mod setup;
pub mod store;
mod text;
mod variables;
mod vault;
mod vocabulary;
pub mod worker;

pub use client::Wires;
pub use clock::{Clock, Random};
pub use error::{Error, Result};
pub use setup::{Exit, Setup, Stopped, start};
pub use variables::Variables;
pub use vault::{Place, Vault};
