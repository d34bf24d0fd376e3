//! The whole stack in one process on one machine: the very handlers that run on Lambda, behind the same routes,
//! on an embedded DynamoDB, with a simulated Pinterest. No account, no container, no internet.
//!
//! | module | holds |
//! |---|---|
//! | [`stack`] | the start and the end of it all |
//! | `settings` | the variables that the functions see |
//! | [`Functions`] | the functions, built of the same parts as on Lambda |
//! | `gateway` | what API Gateway does: signs in, makes an event of a request |
//! | `schedule` | what EventBridge and the stream do: wakes the workers, feeds `events` |
//! | `clock` | a clock that can be moved |
//! | `sign_in` | tokens for development |
//! | `dev`, `home` | `/dev/…` and the page at `/` |

mod clock;
mod dev;
mod folder;
mod functions;
mod gateway;
mod home;
mod schedule;
mod settings;
mod sign_in;
pub mod stack;

pub use functions::Functions;
pub use sign_in::Person;
pub use stack::{Data, Error, Options, Pinterest, Stack};
