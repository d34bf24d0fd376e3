//! Publishing on behalf of a channel: what the functions `publish` and `deliver` share.
//!
//! - [`Sessions`] opens a [`ChannelSession`]: a channel, and the token to use it with, or the reason why there is none.
//! - [`PinPublisher`] drives the delivery protocol of [`domain::delivery`]: it saves each decision, carries it out, and
//!   reports the result. It has no rules.

mod board_check;
mod error;
mod media_fetch;
mod pin_media;
mod publisher;
mod session;
mod settings;
mod video;

pub use error::Error;
pub use media_fetch::{MediaFetch, SeenFile, look_at};
pub use publisher::PinPublisher;
pub use session::{ChannelSession, Sessions};
pub use settings::SettingsReader;

/// The result of using Pinterest for a channel.
pub type Result<T, E = Error> = std::result::Result<T, E>;
