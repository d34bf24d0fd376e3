//! The protocol of publishing: at most one Pin at Pinterest for each Pin here, and none is forgotten.
//!
//! Pinterest has no idempotency key: the same body sent twice creates two Pins. So a Pin is sent only by the process that
//! wrote [`State::Sending`](crate::State::Sending). An attempt with an unknown outcome is never repeated before a check of
//! the board: of the whole list, and late enough for the list to be up to date. It is repeated if nothing on the board can
//! be the Pin. If something may be the Pin and the check cannot decide, a person decides
//! ([`State::NeedsReview`](crate::State::NeedsReview)).
//!
//! Everything here is a pure decision: from the Pin, an input and the time, it computes the Pin to be saved and the next
//! action. A driver saves the Pin first, and then carries out the action.
//!
//! # The purpose of each rule
//!
//! | rule | without it |
//! |---|---|
//! | `sending` is written, with a new fencing token, before anything is sent | two workers that read the same due entry send it twice |
//! | an answer counts only for the attempt with its fencing token | a delayed process ends the attempt of another process |
//! | after an unknown outcome the board is checked before the Pin is sent again | a Pin whose answer was lost is created again |
//! | a Pin on the board that resembles ours is not repeated ([`crate::matching`]) | a Pin whose title Pinterest has rewritten is created again and again |
//! | attempts that create nothing are repeated later and later | an outage creates a storm of calls, and uses up the day's limit |
//! | only the last of the [`BOARD_CHECK_DELAYS`] decides that nothing is there, and only if the whole list was read | a list that lags, or ends after its first page, hides the Pin, which is created again |
//! | a Pin at Pinterest belongs to one Pin here (the row `REMOTE`) | two equal Pins both count as published, and one is lost |
//! | during a limit, a hold, an outage or with an invalid token a Pin waits; only a refusal of the Pin itself ends it | a Pin fails for a reason that is not its fault |
//! | a blocked link ends its Pin and pauses nothing else | one bad page stops all Pins of an account |
//! | the registration of a video is saved before the upload, and the upload before the wait | after a crash 2 GB are uploaded again, or a Pin is sent without its video |
//! | a Pin that waits has a due time, or is resumed when its channel is connected again | a Pin is forgotten |
//!
//! `tests/simulation/mutants/deliver.rs` and `mutants/table.rs` remove the rules one by one and show what breaks;
//! `tests/model/delivery.rs` visits every state that they allow.
//!
//! # The limit
//!
//! A process reads the clock right before it sends the first byte of `POST /pins`, and sends nothing if its attempt is
//! older than 5 s. It cannot read the clock later than that. If a process is stopped between the reading and the byte for
//! longer than the last of the [`BOARD_CHECK_DELAYS`], it sends a Pin that others have taken for not sent.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Attempt, BlockedLinks, Disabled, Environment, Pause, Pin, PinterestMediaId, PinterestPinId, Refusal,
    ResponseMeta, Scopes, matching::Match,
};

mod blocked_links;
mod outcome_unknown;
mod pauses;
mod protocol;
mod sending;
#[cfg(test)]
mod tests;
mod video;

pub use outcome_unknown::MAX_CANDIDATES;
pub use protocol::decide;
pub use video::{MAX_UPLOAD_TIME, MediaStatus, Unusable, UploadForm, Uploaded};

/// When the board is checked, counted from the start of the attempt. Only the last check decides.
///
/// A Pin is created at most 35 s after the start of its attempt (5 s until the send, 30 s for the effect), and a list
/// shows it at most two minutes later. An equal Pin's attempt may take this attempt's Pin for its own, if it begins within
/// the [clock skew](crate::matching::CLOCK_SKEW) after that Pin was created. Then its own Pin is left for this attempt to
/// find, which is listed after as much time again: 35 + 120 + 35 + 120 s.
pub const BOARD_CHECK_DELAYS: [SignedDuration; 3] =
    [SignedDuration::from_secs(15), SignedDuration::from_secs(60), SignedDuration::from_secs(320)];

/// The data of a Pin's channel for a decision.
#[derive(Clone, Debug)]
pub struct Context {
    /// Whether a Pin may be sent, and if not, why.
    pub readiness: Readiness,
    /// The refresh token is invalid. The access token is used until it is refused or expires.
    pub refresh_impossible: bool,
    /// The version of the channel's tokens: a token that was refused is not sent again.
    pub token_version: u64,
    /// The scopes that the account's owner granted.
    pub scopes: Scopes,
    /// The channel's host: some texts depend on it.
    pub environment: Environment,
    /// The fencing token of a new attempt: random, never used before.
    pub fencing_token: String,
    /// Spreads retries: at least 0, less than 1.
    pub jitter: f64,
    /// Whether this process lives long enough to upload a video.
    pub uploads: bool,
    /// The channel's last pause, even if it is over: a hold soon after another hold is longer.
    pub last_pause: Option<Pause>,
    /// The hosts that Pinterest blocks links to.
    pub blocked_links: BlockedLinks,
}

/// Whether a channel can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It was disconnected.
    Disconnected,
    /// The integration does not run.
    SwitchedOff(Disabled),
    /// Its owner has to connect it again.
    ReconnectRequired,
    /// Its access token has expired; a new one is on its way.
    TokenExpired,
    /// Pinterest demanded a pause.
    Paused(Pause),
}

impl Readiness {
    /// Whether it can read from Pinterest. If Pinterest fails to create Pins, it may still list them.
    pub(crate) fn can_read(self) -> bool {
        match self {
            Self::Ready => true,
            Self::Paused(pause) => !pause.reason.stops_reading(),
            Self::Disconnected | Self::SwitchedOff(_) | Self::ReconnectRequired | Self::TokenExpired => false,
        }
    }
}

/// An input of the protocol: what has happened to a Pin.
#[derive(Clone, Debug)]
pub enum Input {
    /// Its time has come.
    Due,
    /// Its channel was connected again, or has a new token.
    ChannelReconnected,
    /// A send has ended.
    Sent {
        /// The attempt that was sent.
        fencing_token: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// The board was checked for the attempt whose outcome is unknown.
    BoardChecked(BoardCheck),
    /// The video was registered at Pinterest.
    Registered(Result<(UploadForm, ResponseMeta), CallError>),
    /// The upload of the video has ended.
    Uploaded(Uploaded),
    /// Pinterest was asked for the status of the video.
    Polled(Result<MediaStatus, CallError>),
}

/// Why a call without side effects has failed.
#[derive(Clone, Debug)]
pub enum CallError {
    /// Pinterest refused the call.
    Refused(Refusal, ResponseMeta),
    /// Pinterest could not be reached, or its answer could not be read.
    Failed(String),
}

/// How a `POST /pins` ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The Pin is at Pinterest.
    Created(PinterestPinId, ResponseMeta),
    /// Certainly no Pin was created.
    Refused(Refusal, ResponseMeta),
    /// Certainly nothing was sent.
    NotSent(String),
    /// A timeout, a 5xx, an incomplete answer.
    Unknown(ResponseMeta),
}

/// The result of a board check.
#[derive(Clone, Debug)]
pub enum BoardCheck {
    /// This Pin of the board is the one.
    Found(PinterestPinId),
    /// The whole list was read, and nothing in it can be the Pin.
    Nothing {
        /// The time before the first page was requested.
        began_at: Timestamp,
    },
    /// The whole list was read. Some Pins in it may be this one, and none is equal.
    Possible {
        /// The time before the first page was requested.
        began_at: Timestamp,
        /// Those that no other Pin of ours owns, the oldest first.
        matches: Vec<Match>,
    },
    /// The list could not be read.
    Refused(Refusal, ResponseMeta),
    /// Pinterest could not be reached, or its answer could not be read.
    Failed(String),
    /// The board is too large to be read to its end.
    Endless,
}

/// What the driver does after it has saved the Pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send it, if less than 5 s have passed since the save began.
    Send(Attempt),
    /// Check the board for the Pin of this attempt.
    CheckBoard(Attempt),
    /// Register the video at Pinterest.
    Register,
    /// Upload the video.
    Upload(UploadForm),
    /// Ask Pinterest for the status of the video.
    Poll(PinterestMediaId),
    /// Nothing now.
    Rest,
}

/// The side effect that is saved with the Pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SideEffect {
    /// Nothing.
    Nothing,
    /// Pause the channel.
    PauseChannel(Pause),
    /// Pause all channels of the environment.
    PauseApp(Pause),
    /// Refresh the channel's tokens now.
    RefreshToken,
    /// Record for the channel that Pinterest blocked the Pin's link.
    CountBlockedLink,
    /// Remove the record of the host of the Pin's link.
    ForgetBlockedLink,
}

/// A decision: the Pin to be saved, and the next action.
#[derive(Clone, Debug)]
pub struct Transition {
    /// To be saved, if it differs from the Pin that was read.
    pub pin: Pin,
    /// To be carried out after the save, by the process that saved.
    pub action: Action,
    /// To be saved with the Pin.
    pub side_effect: SideEffect,
}

/// A decision function: drivers take it as an argument, so that tests can break it.
pub type Decide = fn(&Pin, &Input, &Context, Timestamp) -> Transition;
