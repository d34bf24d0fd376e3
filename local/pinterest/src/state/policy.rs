//! Settings for behaviour that Pinterest does not document, or that a test changes.

use serde::{Deserialize, Serialize};

use super::listing::Listing;

/// How this Pinterest behaves where the real one may behave in several ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What the app may do.
    pub access_tier: AccessTier,
    /// What happens to a refresh token after its use.
    pub rotation: Rotation,
    /// The error for an invalid refresh token.
    pub dead_refresh_token: DeadRefreshToken,
    /// Whether the app may use the `client_credentials` grant.
    pub client_credentials: bool,
    /// How long it takes until a new Pin is listed. `GET /pins/{pin_id}` shows it at once.
    pub lag_seconds: u32,
    /// The order of Pins in lists.
    pub pin_order: PinOrder,
    /// How Pins are shown when they are read again.
    pub listing: Listing,
    /// How long an uploaded video is `processing`.
    pub processing_seconds: u32,
    /// Whether the processing of every video fails.
    pub processing_fails: bool,
    /// How many calls the app may make. Without it, there is no limit.
    pub quota: Option<Quota>,
    /// How many calls that write (Pins, boards, videos) each user of the app may make: the contract's `org_write`, which
    /// is 100 calls a minute with Standard access. Without it, there is no limit.
    pub writes_of_each: Option<Quota>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access_tier: AccessTier::Standard,
            rotation: Rotation::OldUntilNewUsed,
            dead_refresh_token: DeadRefreshToken::Unauthorized,
            client_credentials: true,
            lag_seconds: 0,
            pin_order: PinOrder::NewestFirst,
            listing: Listing::default(),
            processing_seconds: 10,
            processing_fails: false,
            quota: None,
            writes_of_each: None,
        }
    }
}

impl Policy {
    /// Whether answers are those of the official description.
    pub(crate) fn keeps_contract(&self) -> bool {
        self.listing == Listing::default()
    }
}

/// How far Pinterest has approved the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTier {
    /// Tokens are issued, but every call with one is 401 code 3.
    Pending,
    /// Everything but new Pins in production, which are 403 code 29.
    Trial,
    /// Everything.
    Standard,
}

/// What happens to a refresh token after its use. Pinterest does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays valid until the new access token or the new refresh token is used for the first time.
    OldUntilNewUsed,
    /// It stays valid for some time.
    Grace {
        /// The time after the refresh.
        seconds: u32,
    },
    /// It is invalid before the client gets the new pair.
    DeadAtOnce,
}

/// The error for an invalid refresh token. Pinterest does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadRefreshToken {
    /// 401 code 2, which is also the answer to a wrong App Secret.
    Unauthorized,
    /// 400 code 1.
    BadRequest,
}

/// The order of Pins in lists. Pinterest promises none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinOrder {
    /// New Pins are on the first page.
    NewestFirst,
    /// New Pins are on the last page.
    OldestFirst,
    /// A Pin may be anywhere, but always in the same place.
    Shuffled,
}

/// How many calls may be made in a window of time, on each host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Calls in one window.
    pub calls: u32,
    /// Length of a window, which begins at a multiple of it since 1970.
    pub seconds: u32,
}
