//! Settings for behaviour that Pinterest does not document, or that a test changes.

use serde::{Deserialize, Serialize};

use super::listing::Listing;

/// How this Pinterest behaves where the real one may behave in several ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, in JSON too")]
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
    /// Whether the sandbox accepts video Pins, contrary to Pinterest's documents.
    pub sandbox_videos: bool,
    /// How the addresses of images are treated.
    pub image_addresses: ImageAddresses,
    /// Whether the consent page redirects to addresses that are not registered.
    pub any_redirect_uri: bool,
    /// What the token endpoint answers.
    pub token_answer: TokenAnswer,
    /// Whether answers are compressed, although the request does not allow it.
    pub compressed: bool,
    /// Whether the limits of Pinterest's documents hold: 1,000 calls a day for an app with Trial access; otherwise, for
    /// each user and minute, 1,000 calls that read, 100 that write and 60 for analytics.
    pub documented_limits: bool,
    /// How many calls the app may make on each host, in place of the documented limits of the app.
    pub quota: Option<Quota>,
    /// How many calls that write (Pins, boards, videos) each user of the app may make, in place of the documented limit.
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
            sandbox_videos: false,
            image_addresses: ImageAddresses::Judged,
            any_redirect_uri: false,
            token_answer: TokenAnswer::default(),
            compressed: false,
            documented_limits: true,
            quota: None,
            writes_of_each: None,
        }
    }
}

impl Policy {
    /// Whether answers are those of the official description.
    pub(crate) fn keeps_contract(&self) -> bool {
        self.listing == Listing::default() && self.rotation != Rotation::None
    }

    /// How many calls the whole app may make, on both hosts together.
    pub(crate) fn app_quota(&self) -> Option<Quota> {
        let is_trial = self.documented_limits && self.access_tier == AccessTier::Trial;
        is_trial.then_some(Quota { calls: 1000, seconds: 24 * 60 * 60 })
    }

    /// How many calls of a category each user may make.
    pub(crate) fn user_quota(&self, category: &str) -> Option<Quota> {
        let is_standard = self.documented_limits && self.access_tier == AccessTier::Standard;
        let calls = match category {
            "org_write" if self.writes_of_each.is_some() => return self.writes_of_each,
            "org_read" => 1000,
            "org_write" => 100,
            "org_analytics" => 60,
            _ => return None,
        };
        is_standard.then_some(Quota { calls, seconds: 60 })
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
    /// It stays valid, and the answer has no other.
    None,
}

/// How the address of an image is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageAddresses {
    /// Refused, if the address itself shows that Pinterest would find no image there: on this machine, in a private
    /// network, under a reserved name, or a file of another kind. Every image at `unreachable.example`, `small.example` and
    /// `broken.example` has the fault in its name.
    Judged,
    /// Every web address is accepted without a check.
    Trusted,
    /// The image is fetched, also from this machine, and refused if there is none.
    Fetched,
}

/// What the token endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenAnswer {
    /// 201 in place of 200.
    pub is_created: bool,
    /// Whether it returns the granted scopes.
    pub has_scope: bool,
}

impl Default for TokenAnswer {
    fn default() -> Self {
        Self { is_created: false, has_scope: true }
    }
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

/// The order of Pins in lists. Pinterest guarantees none.
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
