//! What can go wrong in a use case, told apart by what the caller can do about it.

use domain::{Failure, Invalid, Pause, PinId, WrongState};

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is not JSON, or not of the documented form.
    #[error("{detail}")]
    Malformed {
        /// Stable, for programs.
        code: &'static str,
        /// Where, and what was expected.
        detail: String,
        /// What to send instead.
        fix: &'static str,
    },
    /// The `Content-Type` is none that is taken here.
    #[error("the body is of a kind that is not taken here")]
    UnknownForm,
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The body is larger than the platform carries.
    #[error("the body has {0} bytes")]
    TooLarge(usize),
    /// Nobody is signed in.
    #[error("there is no valid token")]
    Unauthenticated,
    /// Somebody is signed in who may not do this.
    #[error("the token does not allow this")]
    NotAdmin,
    /// There is no such thing, or it is another tenant's: the answer is the same.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The address exists, but not with this method.
    #[error("this address takes {0}")]
    MethodNotAllowed(String),
    /// The integration does not run; the text says why.
    #[error("{0}")]
    IntegrationDisabled(&'static str),
    /// The thing is not in a state in which this can be done.
    #[error("{}", .0.detail)]
    WrongState(WrongState),
    /// The key was used with another body.
    #[error("this Idempotency-Key was used before, with another body")]
    KeyReused,
    /// The account has to be connected again before this works.
    #[error("the account has to be connected again")]
    ReconnectRequired,
    /// The access token has expired, and a new one is on its way.
    #[error("the account's access token is being renewed")]
    TokenRefreshing,
    /// Pinterest counts nothing where this account was connected.
    #[error("Pinterest has no analytics in its Sandbox")]
    NotInSandbox,
    /// Pinterest asked for a break.
    #[error("Pinterest asked for a break until {}", .0.until)]
    Resting(Pause),
    /// Pinterest refused something for good; `pin` was kept as failed.
    #[error("{}", .failure.detail)]
    Refused {
        /// Why, and what to do.
        failure: Failure,
        /// The Pin that was kept, if it was about one.
        pin: Option<PinId>,
        /// The Pins that will be refused for the same.
        others: Vec<PinId>,
    },
    /// Pinterest could not be asked, or refused in a way that the caller can act on.
    #[error(transparent)]
    Pinterest(#[from] pinterest::Error),
    /// Several writers wanted the same rows at once, again and again.
    #[error("too many changes of the same thing at once")]
    Busy,
    /// A call that does many things has had time for some of them.
    #[error("the time of this call was up")]
    TimeIsUp,
    /// The tables cannot be reached, or hold what they should not.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// Tokens or settings cannot be sealed, opened or read.
    #[error(transparent)]
    Vault(#[from] crate::vault::Error),
    /// The media bucket cannot be reached, or refuses.
    #[error(transparent)]
    Media(#[from] crate::media::Error),
    /// An answer that cannot be written as JSON.
    #[error("the answer could not be written")]
    Unanswerable(#[source] serde_json::Error),
    /// A setting is missing.
    #[error(transparent)]
    Setting(#[from] crate::variables::Missing),
    /// A setting is wrong.
    #[error(transparent)]
    WrongSetting(#[from] crate::variables::Wrong),
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Network(#[from] crate::network::Error),
    /// Events could not be handed to the bus.
    #[error("the event bus did not take the events")]
    Bus(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<WrongState> for Error {
    fn from(state: WrongState) -> Self {
        Self::WrongState(state)
    }
}

impl Error {
    /// A refusal of which nothing is kept.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self::Refused { failure, pin: None, others: Vec::new() }
    }
}

/// An error with all its causes, outermost first: what a log line needs.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Transparent wrappers repeat the text of what they wrap.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
