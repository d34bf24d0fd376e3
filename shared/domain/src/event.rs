//! Events: each is derived from a row before and after a change, so that no event can be lost between a change and its
//! announcement.

mod channel;
mod pin;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use channel::{channel_event, channel_kind};
use pin::{pin_event, pin_kind};

use crate::{
    Account, AiDisclosures, Channel, ChannelId, Environment, Failure, Pin, PinId, PinterestPinId,
    PublicSettings, Reason, ReconnectCause, State, Status, TenantId,
};

/// Something that happened, for the event bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The details. The rows that they come from contain no secret.
    pub detail: EventDetail,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An account was connected, or connected again.
    ChannelConnected,
    /// The owner has to connect the account again.
    ChannelReconnectRequired,
    /// A refresh worked again, after the owner was told to connect the account, or was warned.
    ChannelRecovered,
    /// A user disconnected the channel.
    ChannelDisconnected,
    /// The refresh token is about to expire, and refreshing it has failed so far.
    TokenExpiring,
    /// A Pin was accepted for a later time, moved to another time, or retried.
    PinScheduled,
    /// A Pin waits for another reason than before.
    PinWaiting,
    /// A Pin is at Pinterest.
    PinPublished,
    /// Nobody can tell whether a Pin is at Pinterest: a person has to look.
    PinNeedsReview,
    /// A Pin was given up.
    PinFailed,
    /// A Pin was cancelled.
    PinCancelled,
    /// An admin changed the integration's App ID, status or environment.
    SettingsChanged,
}

impl EventKind {
    /// All kinds of events.
    pub const ALL: [Self; 12] = [
        Self::ChannelConnected,
        Self::ChannelReconnectRequired,
        Self::ChannelRecovered,
        Self::ChannelDisconnected,
        Self::TokenExpiring,
        Self::PinScheduled,
        Self::PinWaiting,
        Self::PinPublished,
        Self::PinNeedsReview,
        Self::PinFailed,
        Self::PinCancelled,
        Self::SettingsChanged,
    ];

    /// The `detail-type` on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChannelConnected => "channel.connected",
            Self::ChannelReconnectRequired => "channel.reconnect_required",
            Self::ChannelRecovered => "channel.recovered",
            Self::ChannelDisconnected => "channel.disconnected",
            Self::TokenExpiring => "token.expiring",
            Self::PinScheduled => "pin.scheduled",
            Self::PinWaiting => "pin.waiting",
            Self::PinPublished => "pin.published",
            Self::PinNeedsReview => "pin.needs_review",
            Self::PinFailed => "pin.failed",
            Self::PinCancelled => "pin.cancelled",
            Self::SettingsChanged => "settings.changed",
        }
    }
}

/// The `detail` of an event on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EventDetail {
    /// Of a channel or of its tokens.
    Channel(ChannelEvent),
    /// Of a Pin.
    Pin(PinEvent),
    /// Of the settings.
    Settings(SettingsEvent),
}

/// The detail of a `channel.…` or `token.…` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelEvent {
    /// The channel and its version. An event that comes again has the same id.
    pub id: String,
    /// The tenant that owns the channel.
    #[schemars(with = "String")]
    pub tenant: TenantId,
    /// The channel.
    pub channel_id: ChannelId,
    /// The host of Pinterest that it was connected at.
    pub environment: Environment,
    /// The Pinterest account.
    pub account: Account,
    /// Why the account has to be connected again.
    pub cause: Option<ReconnectCause>,
    /// The same as a sentence.
    pub detail: Option<&'static str>,
    /// In how many days the refresh token expires, if its owner was warned.
    pub expires_in_days: Option<u8>,
}

/// The detail of a `pin.…` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PinEvent {
    /// The Pin and its version. An event that comes again has the same id.
    pub id: String,
    /// The tenant that owns the Pin.
    #[schemars(with = "String")]
    pub tenant: TenantId,
    /// The Pin.
    pub pin_id: PinId,
    /// The channel that it is published by.
    pub channel_id: ChannelId,
    /// The state of the Pin.
    #[schemars(extend("enum" = State::NAMES))]
    pub state: &'static str,
    /// What the Pin waits for.
    pub reason: Option<Reason>,
    /// When it is tried again, if the time is known.
    #[serde(serialize_with = "crate::instant::optional::serialize")]
    pub retry_at: Option<Timestamp>,
    /// When it is to be published.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub publish_at: Timestamp,
    /// Its disclosures about artificial intelligence.
    pub ai_disclosures: Option<AiDisclosures>,
    /// Its id at Pinterest, when it is published.
    pub pinterest_pin_id: Option<PinterestPinId>,
    /// Its address at Pinterest.
    #[schemars(url)]
    pub pinterest_pin_url: Option<String>,
    /// Why it failed or needs a review, and what to do.
    pub error: Option<Failure>,
}

/// The detail of a `settings.changed` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingsEvent {
    /// The settings and their version. An event that comes again has the same id.
    pub id: String,
    /// The App ID, if one is saved.
    pub app_id: Option<String>,
    /// Whether the integration is switched on.
    pub status: Status,
    /// The host of Pinterest for new connections.
    pub environment: Environment,
}

/// A row from which events are made.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangedRow {
    /// A channel.
    Channel(Box<Channel>),
    /// A Pin.
    Pin(Box<Pin>),
    /// The settings.
    Settings(PublicSettings),
}

/// The event of the change from `old` to `new`, if there is one.
#[must_use]
pub fn from_change(old: Option<&ChangedRow>, new: Option<&ChangedRow>) -> Option<Event> {
    match (old, new) {
        (Some(ChangedRow::Channel(old)), None) => {
            Some(channel_event(EventKind::ChannelDisconnected, old, old.version + 1))
        }
        (old, Some(ChangedRow::Channel(new))) => {
            let old = match old {
                Some(ChangedRow::Channel(old)) => Some(old.as_ref()),
                _ => None,
            };
            channel_kind(old, new).map(|kind| channel_event(kind, new, new.version))
        }
        (old, Some(ChangedRow::Pin(new))) => {
            let old = match old {
                Some(ChangedRow::Pin(old)) => Some(old.as_ref()),
                _ => None,
            };
            pin_kind(old, new).map(|kind| pin_event(kind, new))
        }
        (Some(ChangedRow::Settings(old)), Some(ChangedRow::Settings(new))) if old.has_same_content(new) => {
            None
        }
        (_, Some(ChangedRow::Settings(new))) => Some(Event {
            kind: EventKind::SettingsChanged,
            detail: EventDetail::Settings(SettingsEvent {
                id: format!("settings|{}", new.version),
                app_id: new.app_id.clone(),
                status: new.status,
                environment: new.environment,
            }),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
