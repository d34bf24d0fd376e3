//! What the product means: types whose constructors are the rules, and the two protocols as pure decisions.
//!
//! Nothing here does input or output, reads a clock or rolls dice: time and randomness are arguments.

mod answer;
mod backoff;
mod channel;
pub mod delivery;
mod draft;
pub mod event;
mod file;
mod id;
mod invalid;
mod local_time;
mod media;
mod pin;
pub mod refresh;
mod secret;
mod settings;
pub mod twin;
pub mod words;

pub use answer::{Answer, Refusal};
pub use backoff::backoff;
pub use channel::{
    Account, Cause, Channel, Connection, DefaultBoard, Environment, NewConnection, Pause, PauseReason, Scopes,
};
pub use draft::{AltText, Color, Description, Draft, Text, Title, WebAddress};
pub use file::{FileType, MEDIA_TOO_LARGE, NewFile};
pub use id::{
    BoardId, ChannelId, Entropy, MediaId, PinId, PinterestMediaId, PinterestPinId, PinterestUserId,
    SectionId, TenantId, UserId,
};
pub use invalid::Invalid;
pub use local_time::{LocalTime, Occurrence};
pub use media::{Cover, File, Media, Slide, Slides};
pub use pin::{
    Attempt, Class, Entry, Failure, Pin, PinEdit, PinRequest, Reason, Setback, State, Timeline, Video,
    VideoStage, WrongState,
};
pub use secret::{
    AccessToken, AppSecret, AuthorizationCode, FormField, RefreshToken, SignedUrl, State as OAuthState,
    Ticket, TokenPair,
};
pub use settings::{Effective, Enabled, Source, Status, Stored, Values};
