//! The operations of the API, one resource each.

pub(crate) mod account;
mod addresses;
pub(crate) mod analytics;
pub(crate) mod boards;
pub(crate) mod fetch;
mod listing;
mod lookup;
pub(crate) mod media;
mod new_pin;
pub(crate) mod pictures;
pub(crate) mod pins;
pub(crate) mod upload;
