//! Whole flows over real HTTP: the local stack, its embedded DynamoDB and the simulated Pinterest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test says what it expects by failing"
)]
#![allow(
    clippy::duration_suboptimal_units,
    clippy::items_after_statements,
    clippy::match_bool,
    clippy::needless_pass_by_value,
    clippy::similar_names,
    clippy::single_match_else,
    clippy::too_many_lines,
    clippy::verbose_bit_mask,
    reason = "tests read as stories: what is needed stands where it is needed, and tables are long"
)]

mod access;
mod addresses;
mod admin;
mod analytics;
mod boards;
mod bulk;
mod carousel;
mod changed;
mod connect;
mod console;
mod contract;
mod counted;
mod credentials;
mod crowd;
mod doubt;
mod edge;
mod errors;
mod files;
mod folder;
mod keys;
mod line;
mod lists;
mod looking;
mod moved;
mod once;
mod parameters;
mod pauses;
mod reconnect;
mod refresh;
mod refusals;
mod restart;
mod samples;
mod scheduled;
mod schemas;
mod secrets;
mod stage;
mod stale;
mod story;
mod tokens;
mod trips;
mod upgrade;
mod uploads;
mod validate;
mod video;
mod waiting;
mod window;
