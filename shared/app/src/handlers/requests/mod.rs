//! The requests about Pins, and their checks.

mod ai_disclosures;
mod change_pin;
mod media;
mod new_pin;
mod optional;
mod publish_at;

pub use change_pin::ChangePin;
pub(super) use media::InlineImage;
pub use new_pin::NewPin;
pub(super) use new_pin::ValidPin;
