//! The HTTP API: who may do what, the contract, and how bad requests are answered.

mod access;
mod addresses;
mod console;
pub(crate) mod contract;
mod contract_flow;
mod contract_schemas;
mod error_codes;
mod event_samples;
mod invalid_bodies;
mod invalid_pins;
mod lists;
mod parameters;
mod parser_words;
mod pinterest_contract;
mod tenants;
