//! The functions of the stack, and the contract of the API.
//!
//! A function is one of the types in [`handlers`]: it may use only its fields. [`operations`] declares the operations of
//! the functions; requests are routed by these declarations, and the contract is generated from them.

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
