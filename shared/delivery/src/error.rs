//! Why Pinterest could not be used for a channel.

use domain::{Disabled, Pause, PauseReason};

/// Grouped by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The integration does not run.
    #[error("{}", .0.phrase().text)]
    IntegrationDisabled(Disabled),
    /// The channel was disconnected.
    #[error("there is no such channel")]
    Disconnected,
    /// The account has to be connected again before this works.
    #[error("the account has to be connected again")]
    ReconnectRequired,
    /// The access token has expired, and a new one is on its way.
    #[error("the account's access token is being renewed")]
    TokenRefreshing,
    /// The channel is paused.
    #[error("{} until {}", cause(.pause.reason), .pause.until)]
    Paused {
        /// Why, and until when.
        pause: Pause,
        /// For how many seconds from now.
        seconds: i64,
    },
    /// Pinterest could not be reached, or refused in a way that the caller can act on.
    #[error(transparent)]
    Pinterest(#[from] pinterest::Error),
    /// The tables cannot be reached, or a row cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Tokens cannot be sealed or opened.
    #[error(transparent)]
    Vault(#[from] adapters::vault::Error),
}

fn cause(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Quota | PauseReason::SpamHold => "Pinterest asked for a break",
        PauseReason::PinterestUnavailable => "Pinterest fails for one Pin after the other: the channel rests",
    }
}
