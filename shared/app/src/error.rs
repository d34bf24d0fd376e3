//! The errors of use cases, grouped by what the caller can do about them.

use domain::{Failure, Invalid, LimitReached, PinId, WrongState};
use edge::RequestError;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is invalid in any state.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The operation is not possible in the current state.
    #[error("{}", .0.detail)]
    WrongState(WrongState),
    /// The key was used with another body.
    #[error("this Idempotency-Key was used before, with another body")]
    KeyReused,
    /// The Pin at Pinterest belongs to another Pin of ours.
    #[error("that Pin at Pinterest is another Pin of yours already")]
    PinterestPinTaken,
    /// Pinterest has no analytics in the environment of this account.
    #[error("Pinterest has no analytics in its Sandbox")]
    NotInSandbox,
    /// Pinterest refused something for good; `pin` was stored as failed.
    #[error("{}", .failure.detail)]
    Refused {
        /// Why, and what to do.
        failure: Box<Failure>,
        /// The Pin that was stored, if it was about one.
        pin: Option<PinId>,
        /// The Pins that will be refused for the same reason.
        others: Vec<PinId>,
    },
    /// Pinterest could not be used for the channel.
    #[error(transparent)]
    Delivery(#[from] delivery::Error),
    /// The tenant has used up one of its limits.
    #[error("the tenant's limit {}, which is {}, is reached", .0.limit.name(), .0.amount)]
    LimitReached(LimitReached),
    /// Several writers changed the same rows at once, again and again.
    #[error("too many changes of the same thing at once")]
    Busy,
    /// The time of a call with many steps was up before all of them were done.
    #[error("the time of this call was up")]
    DeadlineExceeded,
    /// The tables cannot be reached, or a row cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Tokens cannot be sealed or opened.
    #[error(transparent)]
    Vault(#[from] adapters::vault::Error),
    /// The settings secret cannot be read or written.
    #[error(transparent)]
    SettingsSecret(#[from] adapters::settings_secret::Error),
    /// The media bucket cannot be reached, or refuses.
    #[error(transparent)]
    MediaBucket(#[from] adapters::media_bucket::Error),
    /// Events could not be put on the bus.
    #[error(transparent)]
    EventBus(#[from] adapters::event_bus::Error),
    /// A variable is missing.
    #[error(transparent)]
    MissingVariable(#[from] platform::MissingVariable),
    /// A variable has a value that cannot be used.
    #[error(transparent)]
    InvalidVariable(#[from] platform::InvalidVariable),
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Network(#[from] platform::network::Error),
}

impl From<WrongState> for Error {
    fn from(state: WrongState) -> Self {
        Self::WrongState(state)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        RequestError::Invalid(invalid).into()
    }
}

impl From<pinterest::Error> for Error {
    fn from(error: pinterest::Error) -> Self {
        delivery::Error::Pinterest(error).into()
    }
}

impl Error {
    /// A refusal for which nothing is stored.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self::Refused { failure: failure.into(), pin: None, others: Vec::new() }
    }
}
