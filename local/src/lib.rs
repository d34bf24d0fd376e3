//! The whole stack in one process on one machine: the same handlers and routes as on Lambda, with an embedded DynamoDB
//! and a simulated Pinterest. It needs no account, no container and no internet.
//!
//! | module | holds |
//! |---|---|
//! | [`stack`] | the start and the stop of the stack |
//! | `context` | what requests and workers share |
//! | `settings` | the variables that the functions see |
//! | [`Functions`] | the functions, built from the same parts as on Lambda |
//! | `gateway` | plays the role of API Gateway: checks the token, makes an event from a request |
//! | `schedule` | plays the role of EventBridge and the stream: runs the workers, passes changes to `events` |
//! | `clock` | a clock that can be moved |
//! | `sign_in` | development tokens |
//! | `host_check` | the protection against DNS rebinding |
//! | `dev`, `home` | `/dev/…` and the page at `/` |

mod clock;
mod context;
mod dev;
mod error;
mod folder;
mod functions;
mod gateway;
mod home;
mod host_check;
mod problem;
mod schedule;
mod settings;
mod sign_in;
pub mod stack;

pub use error::Error;
pub use functions::Functions;
pub use sign_in::Person;
pub use stack::{Data, Options, Pinterest, Stack};
