//! What an operator relies on: restarts, upgrades, secrecy, and the number of round trips.

mod data_folder;
mod event_bus;
mod frozen_connections;
mod limits;
pub(crate) mod restart;
mod round_trips;
mod secrets;
pub(crate) mod upgrade;
