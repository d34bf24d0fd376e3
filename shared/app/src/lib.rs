//! The functions of the stack, and the contract of the API.
//!
//! A function is one of the types in [`handlers`]: what it holds is what it may use. [`operations`] declares what functions
//! can be asked for; requests are routed by these declarations, and the contract is made of them.

mod contract;
pub mod error;
pub mod handlers;
mod limits;
mod openapi;
pub mod operations;
mod parameters;
mod problems;
mod setup;
mod vocabulary;

pub use error::{Error, Result};
pub use operations::{Endpoint, Function, endpoints};
pub use setup::{Setup, log_limits, start};
