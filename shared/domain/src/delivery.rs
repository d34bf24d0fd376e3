//! The protocol of publishing: at most one Pin at Pinterest for each Pin here, and none forgotten.
//!
//! Pinterest has no idempotency key: the same body twice makes two Pins. So a Pin is sent by the one process
//! that wrote [`State::Sending`](crate::State::Sending), and an attempt whose outcome is unknown is never
//! repeated before the board was looked at, completely, late enough for its list to have caught up.
//!
//! Everything here is a decision: what is, what happened and the time go in, what shall be and the next deed
//! come out. Drivers save the first, then do the second.
//!
//! # What each rule is for
//!
//! | rule | without it |
//! |---|---|
//! | `sending` is written, under a fence of its own, before anything is sent | two workers that see one due entry send it twice |
//! | an answer counts for the attempt whose fence it carries | a process that was held up ends an attempt that is not its own |
//! | an outcome that is unknown is looked for, and never repeated before | the Pin whose answer was lost is made again |
//! | only the last of the [`LOOKS`] says that nothing is there, and only if the whole list was read | a list that lags, or breaks off after its first page, hides the Pin that is made again |
//! | a Pin at Pinterest belongs to one Pin here (the row `REMOTE`) | two that look the same are both taken for published, and one is dropped |
//! | a limit, a hold, an outage and a dead token wait; only a refusal of the Pin itself ends it | a Pin fails for what was never its fault |
//! | a video's place at Pinterest is saved before the upload, its upload before the wait | a crash uploads 2 GB again, or a Pin is sent whose video is not there |
//! | what waits has a time at which it is looked at, or a return that wakes it | a Pin is forgotten |
//!
//! `tests/simulation/mutants/deliver.rs` and `mutants/table.rs` take them away one by one and show what breaks;
//! `tests/model/delivery.rs` visits every state that they allow.
//!
//! # The limit
//!
//! A sender looks at the clock right before the first byte of `POST /pins` leaves, and sends nothing if its
//! attempt is older than 5 s. Nobody can look later than that: a process that is stopped between the look and
//! the byte, for longer than the last of the [`LOOKS`], sends after it was concluded that it never did.

use jiff::{SignedDuration, Timestamp};

use crate::{Answer, Attempt, Environment, Pause, Pin, PinterestMediaId, PinterestPinId, Refusal, Scopes};

mod doubt;
mod pauses;
mod protocol;
mod sending;
#[cfg(test)]
mod tests;
mod video;

pub use protocol::decide;
pub use video::{Form, LONGEST_UPLOAD, MediaStatus, Unusable, Uploaded};

/// When the board is looked at, counted from the start of the attempt. Only the last look decides.
///
/// An effect comes at most 35 s after the start (5 s until the send, 30 s for the effect), and a list shows it at
/// most two minutes later. A twin's attempt may take this attempt's Pin for its own, if it begins within the
/// [margin](crate::twin::MARGIN) after that Pin was made; then its own Pin is ours to find, which is listed after
/// as much time again: 35 + 120 + 35 + 120 s.
pub const LOOKS: [SignedDuration; 3] =
    [SignedDuration::from_secs(15), SignedDuration::from_secs(60), SignedDuration::from_secs(320)];

/// What is known of a Pin's channel when its time has come.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Whether it may be sent, and if not, why.
    pub readiness: Readiness,
    /// Nobody can renew the tokens any more: the access token is used until it is refused or expires.
    pub lost: bool,
    /// Which pair of tokens the channel has: a token that was refused is not sent again.
    pub token_version: u64,
    /// What the account's owner granted.
    pub scopes: Scopes,
    /// On which host the channel lives: words depend on it.
    pub environment: Environment,
    /// What would mark a new attempt: random, never used before.
    pub fence: String,
    /// Spreads retries: at least 0, less than 1.
    pub jitter: f64,
    /// Whether this process lives long enough to upload a video.
    pub uploads: bool,
    /// The channel's last pause, over or not: a hold soon after a hold is longer.
    pub last_pause: Option<Pause>,
}

/// Whether a channel can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It was disconnected.
    Gone,
    /// The integration does not run; the text says why.
    SwitchedOff(&'static str),
    /// Its owner has to connect it again.
    ReconnectRequired,
    /// Its access token has expired; a new one is on its way.
    TokenExpired,
    /// Pinterest asked for a break.
    Paused(Pause),
}

/// What happened to a Pin.
#[derive(Clone, Debug)]
pub enum Happened {
    /// Its time has come.
    Due,
    /// Its channel was connected again, or has a new token.
    ChannelBack,
    /// The call of `fence` ended.
    Sent {
        /// Of which attempt.
        fence: String,
        /// How.
        outcome: Outcome,
    },
    /// The board was looked at for the attempt in doubt.
    Looked(Look),
    /// Pinterest was asked for a place for the video.
    Registered(Result<(Form, Answer), Unheard>),
    /// The video was sent there, or should have been.
    Uploaded(Uploaded),
    /// Pinterest was asked how far the video has come.
    Polled(Result<MediaStatus, Unheard>),
}

/// Why a call that may be repeated at will gave nothing.
#[derive(Clone, Debug)]
pub enum Unheard {
    /// Pinterest said no.
    Refused(Refusal, Answer),
    /// Pinterest could not be reached, or the answer made no sense.
    Failed(String),
}

/// How a `POST /pins` ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The Pin is at Pinterest.
    Created(PinterestPinId, Answer),
    /// Certainly no Pin was made.
    Refused(Refusal, Answer),
    /// Certainly nothing was sent.
    NotSent(String),
    /// A timeout, a 5xx, an answer that broke off.
    Unknown(Answer),
}

/// What a look at the board showed.
#[derive(Clone, Debug)]
pub enum Look {
    /// This Pin of the board is ours, and is bound to it.
    Found(PinterestPinId),
    /// The list was read completely, and holds nothing of ours. The look began at `began_at`.
    Nothing {
        /// Before the first page was asked for.
        began_at: Timestamp,
    },
    /// The list could not be read.
    Refused(Refusal, Answer),
    /// Pinterest could not be reached, or the answer made no sense.
    Failed(String),
    /// The board is too large to be read to its end.
    Endless,
}

/// What to do once the Pin is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send it, if less than 5 s have passed since the save began.
    Send(Attempt),
    /// Look at the board for what this attempt may have made.
    Look(Attempt),
    /// Ask Pinterest for a place for the video.
    Register,
    /// Send the video there.
    Upload(Form),
    /// Ask Pinterest how far the video has come.
    Poll(PinterestMediaId),
    /// Nothing now.
    Rest,
}

/// What else changes in the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Also {
    /// Nothing.
    Nothing,
    /// The channel sends nothing until then.
    PauseChannel(Pause),
    /// No channel of this environment sends anything until then.
    PauseApp(Pause),
    /// The channel's tokens are due for a refresh now.
    RefreshToken,
}

/// What shall be, and what to do.
#[derive(Clone, Debug)]
pub struct Decision {
    /// To be saved if it differs from what was read.
    pub pin: Pin,
    /// To be done after the save, by the process that saved.
    pub next: Next,
    /// To be saved with it.
    pub also: Also,
}

/// A decision function: drivers take it as an argument, so that tests can break it.
pub type Decide = fn(&Pin, &Happened, &Conditions, Timestamp) -> Decision;
