//! The domain of the product: types whose constructors check the rules, and the two protocols as pure decisions.
//!
//! Nothing here does input or output, reads a clock or uses randomness: time and randomness are arguments.

#![warn(missing_docs)]

mod ai_disclosures;
mod backoff;
mod blocked_links;
mod channel;
pub mod delivery;
mod digital_source;
mod draft;
pub mod event;
pub mod failures;
mod file;
mod file_type;
mod id;
pub mod instant;
mod invalid;
mod limits;
mod local_time;
pub mod matching;
mod media;
mod message;
mod movie;
pub mod phrases;
mod pin;
pub mod refresh;
mod response;
mod secret;
mod settings;

pub use ai_disclosures::{AiDisclosure, AiDisclosures, DisclosurePolicy, UnknownPolicy};
pub use backoff::backoff;
pub use blocked_links::BlockedLinks;
pub use channel::{
    Account, Channel, ChannelRecord, Connection, DefaultBoard, Environment, NewConnection, Pause,
    PauseReason, ReconnectCause, Scopes,
};
pub use digital_source::DigitalSource;
pub use draft::{AltText, Color, Description, Draft, Text, Title, WebAddress};
pub use file::{MAX_IMAGE_BYTES, MAX_VIDEO_BYTES, MEDIA_TOO_LARGE, NewFile};
pub use file_type::{FileType, OtherFile, WrongFile};
pub use id::{
    BoardId, ChannelId, IdBytes, MediaId, PinId, PinterestMediaId, PinterestPinId, PinterestUserId,
    SectionId, TenantId, UserId,
};
pub use invalid::Invalid;
pub use limits::{Bucket, Limit, LimitReached, Limits};
pub use local_time::{LocalTime, Occurrence};
pub use media::{Cover, File, Media, MediaFile, Slide, Slides};
pub use message::{Message, Params, Phrase};
pub use movie::{MovieScan, NextLook};
pub use pin::{
    Attempt, Failure, Pin, PinEdit, PinGroup, PinRecord, PinRequest, Reason, RetryCounter, State, Timeline,
    TimelineEntry, Video, VideoStage, WrongState,
};
pub use response::{Refusal, ResponseMeta};
pub use secret::{
    AccessToken, AppSecret, AuthorizationCode, FormField, RefreshKeyShare, RefreshToken, SealedPair,
    SealedText, SignedUrl, State as OAuthState, Ticket, TokenPair,
};
pub use settings::{
    ActiveIntegration, Disabled, PartialSettings, PublicSettings, ResolvedSettings, Source, Sourced, Status,
};
