//! The switches: what Pinterest leaves undocumented, and what a test wants to be different.

use serde::{Deserialize, Serialize};

/// How this Pinterest behaves where the real one may behave in more than one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What Pinterest lets the app do.
    pub access_tier: AccessTier,
    /// What becomes of a refresh token once it has been used.
    pub rotation: Rotation,
    /// How a dead refresh token is refused.
    pub dead_refresh_token: DeadRefreshToken,
    /// Whether the app may use the `client_credentials` grant.
    pub client_credentials: bool,
    /// How long a new Pin stays out of the lists (never out of `GET /pins/{pin_id}`).
    pub lag_seconds: u32,
    /// In which order Pins are listed.
    pub pin_order: PinOrder,
    /// How long an uploaded video is `processing`.
    pub processing_seconds: u32,
    /// Whether the processing of every video fails, whatever it is.
    pub processing_fails: bool,
    /// How many calls an app may make; without it, nothing is counted and nothing is refused.
    pub quota: Option<Quota>,
    /// How much each user of the app may write (Pins, boards, videos): the contract's `org_write`, which is 100 calls
    /// a minute with Standard access. Without it, nothing is counted.
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
            processing_seconds: 10,
            processing_fails: false,
            quota: None,
            writes_of_each: None,
        }
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

/// What becomes of a refresh token once it has been used: Pinterest does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It lives until the new access token or the new refresh token is first used.
    OldUntilNewUsed,
    /// It lives so much longer.
    Grace {
        /// Counted from the refresh.
        seconds: u32,
    },
    /// It is dead before the new pair has reached the client.
    DeadAtOnce,
}

/// How a dead refresh token is refused: Pinterest does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadRefreshToken {
    /// 401 code 2, which is also the answer to a wrong App Secret.
    Unauthorized,
    /// 400 code 1.
    BadRequest,
}

/// In which order Pins are listed: Pinterest promises none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinOrder {
    /// What is new comes on the first page.
    NewestFirst,
    /// What is new comes on the last page.
    OldestFirst,
    /// What is new may be anywhere, but always in the same place.
    Shuffled,
}

/// How many calls all users of the app together may make in a window of time, on each host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Calls in one window.
    pub calls: u32,
    /// Length of a window, which begins at a multiple of it since 1970.
    pub seconds: u32,
}
