//! A channel: a Pinterest account that a tenant has connected.

use std::{fmt, ops::Deref};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BlockedLinks, BoardId, ChannelId, PinterestUserId, TenantId};

/// One of Pinterest's two hosts. Each has its own tokens, boards and Pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PinterestEnvironment")]
pub enum Environment {
    /// `api-sandbox.pinterest.com`: Pins are seen by their maker only. All that Trial access may publish to.
    Sandbox,
    /// `api.pinterest.com`: the real Pinterest.
    Production,
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        })
    }
}

/// What an account lets us do, as Pinterest names it (`pins:write`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// The scopes that we request by default. `boards:write` is in the contract of `POST /pins`.
    pub const REQUIRED: [&str; 5] =
        ["boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"];

    /// Reads a list that is separated by spaces (as Pinterest answers) or commas (as Pinterest asks).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
    }

    /// The default set.
    #[must_use]
    pub fn required() -> Self {
        Self(Self::REQUIRED.map(str::to_owned).to_vec())
    }

    /// Those that publishing needs and this set lacks.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        Self::REQUIRED
            .iter()
            .filter(|required| !self.contains(required))
            .map(|&scope| scope.to_owned())
            .collect()
    }

    /// As the authorize page takes it.
    #[must_use]
    pub fn comma_separated(&self) -> String {
        self.0.join(",")
    }

    /// Each of them.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether this one was granted.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|granted| granted == scope)
    }
}

/// A Pinterest account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PinterestAccount")]
pub struct Account {
    /// Stays the same when the account is connected again.
    pub pinterest_user_id: PinterestUserId,
    /// As of the last connection: users can change it.
    pub username: String,
}

/// The board of a channel's Pins that name no board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefaultBoard {
    /// The board.
    pub pinterest_board_id: BoardId,
    /// Its name when it was chosen.
    pub name: String,
}

/// Whether a channel's tokens work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", content = "cause", rename_all = "snake_case")]
pub enum Connection {
    /// They work, or a temporary fault prevents a check.
    Connected,
    /// They do not work, and only the account's owner can change that.
    ReconnectRequired(ReconnectCause),
}

/// Why an account has to be connected again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ReconnectCause")]
pub enum ReconnectCause {
    /// Pinterest refuses the refresh token, and App ID and App Secret are known to belong together.
    RefreshTokenRejected,
    /// Pinterest refuses the access token too, but the App Secret could not be ruled out.
    TokenRefused,
    /// The refresh token's 60 days passed without Pinterest being reachable.
    RefreshTokenExpired,
}

impl ReconnectCause {
    /// What happened, and what the owner can do.
    #[must_use]
    pub fn advice(self) -> String {
        format!("{}: connect the account again", self.detail())
    }

    /// What happened, for people.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::RefreshTokenRejected => {
                "Pinterest no longer accepts this account's tokens: its owner removed the app, or changed the password or username, or the App ID is not the one they were made for"
            }
            Self::TokenRefused => {
                "Pinterest refuses this account's tokens; a wrong App Secret could not be ruled out"
            }
            Self::RefreshTokenExpired => "the refresh token expired before Pinterest could be reached",
        }
    }
}

/// Why a channel sends nothing for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// Pinterest's rate limit.
    Quota,
    /// Pinterest took our Pins for spam. Sending more makes it worse.
    SpamHold,
    /// Pinterest has failed for several Pins in a row.
    PinterestUnavailable,
}

impl PauseReason {
    /// Whether reading from Pinterest is not allowed either.
    #[must_use]
    pub fn stops_reading(self) -> bool {
        self != Self::PinterestUnavailable
    }
}

/// Until when a channel, or the whole app, sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// The instant from which sending is allowed again. The table compares it as text.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub until: Timestamp,
    /// How many holds came in a row: each is longer than the one before.
    #[serde(default)]
    pub step: u8,
    /// How many outcomes in a row were unknown: the more, the longer the pause of the channel.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// Everything that is stored of a channel, except for its tokens. A [`Channel`] is read like its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// The id that the API uses.
    pub id: ChannelId,
    /// The tenant that owns the channel. Only its users see it: the tenant is a part of the row's key.
    pub tenant: TenantId,
    /// The host that the account was connected at.
    pub environment: Environment,
    /// The Pinterest account.
    pub account: Account,
    /// The scopes that the owner granted.
    pub scopes: Scopes,
    /// The board of Pins that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_board: Option<DefaultBoard>,
    /// The same as in the tokens' row: both change in one transaction.
    pub connection: Connection,
    /// When the account was connected last.
    pub connected_at: Timestamp,
    /// The pause until which nothing is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// The hosts that Pinterest has blocked links to.
    #[serde(default, skip_serializing_if = "BlockedLinks::is_empty")]
    pub blocked_links: BlockedLinks,
    /// The last warning: this many days until the refresh token dies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiring_in_days: Option<u8>,
    /// Increases with each write. It is part of the ids of events.
    pub version: u64,
}

/// A connected Pinterest account.
///
/// It can be read like its [`ChannelRecord`], and is created by [`Channel::connect`]. The store changes single attributes of
/// a stored channel: its default board, its connection, its pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Channel(ChannelRecord);

impl Deref for Channel {
    type Target = ChannelRecord;

    fn deref(&self) -> &ChannelRecord {
        &self.0
    }
}

/// The result of a finished OAuth flow.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// The tenant that connected it.
    pub tenant: TenantId,
    /// The host that it was connected at.
    pub environment: Environment,
    /// The account.
    pub account: Account,
    /// What its owner granted.
    pub scopes: Scopes,
}

impl Channel {
    /// The channel of an account that was connected just now. An account that is connected again keeps its id, and with it
    /// its Pins, its default board and its pause; `new_id` is for an account that is not a channel yet.
    #[must_use]
    pub fn connect(
        before: Option<&Self>,
        new_id: ChannelId,
        connection: NewConnection,
        now: Timestamp,
    ) -> Self {
        Self(ChannelRecord {
            id: before.map_or(new_id, |before| before.id.clone()),
            tenant: connection.tenant,
            environment: connection.environment,
            account: connection.account,
            scopes: connection.scopes,
            default_board: before.and_then(|before| before.default_board.clone()),
            connection: Connection::Connected,
            connected_at: now,
            pause: before.and_then(|before| before.pause),
            blocked_links: before.map(|before| before.blocked_links.clone()).unwrap_or_default(),
            expiring_in_days: None,
            version: before.map_or(1, |before| before.version + 1),
        })
    }

    /// The channel of a record that was stored.
    #[must_use]
    pub fn restore(record: ChannelRecord) -> Self {
        Self(record)
    }

    /// A copy of what is stored.
    #[must_use]
    pub fn record(&self) -> ChannelRecord {
        self.0.clone()
    }

    /// The channel with another default board.
    #[must_use]
    pub fn with_default_board(mut self, board: Option<DefaultBoard>) -> Self {
        self.0.default_board = board;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_with_spaces_and_with_commas() {
        assert_eq!(Scopes::parse("pins:read pins:write"), Scopes::parse("pins:read,pins:write"));
    }

    #[test]
    fn a_scope_that_was_not_granted_is_named() {
        let granted = Scopes::parse("boards:read pins:read pins:write user_accounts:read ads:read");
        assert_eq!(granted.missing(), ["boards:write"]);
        assert!(Scopes::required().missing().is_empty());
    }
}
