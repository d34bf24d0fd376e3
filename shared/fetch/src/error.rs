//! What went wrong, told apart by what the caller can do.

use crate::{
    client::MAX_REDIRECTS,
    resolve::{NotPublic, UnknownName},
};

/// Why something was not fetched, or not to its end. Never shows the address, which can hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody may fetch this: another address has to be given.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The host was not found, not connected to, or did not answer. Another try may succeed.
    #[error("the host could not be reached")]
    Unreachable(#[source] Fault),
    /// The host answered something else than the file.
    #[error("the host answered with status {status}")]
    Refused {
        /// The status of its answer: above 399 in general, but a 204, for one, is no file either.
        status: u16,
    },
    /// The file is larger than the caller takes.
    #[error("the file is larger than {max_bytes} bytes")]
    TooLarge {
        /// What the caller takes.
        max_bytes: u64,
    },
    /// The file stopped before its end. Another try may succeed, from the beginning.
    #[error("the file broke off")]
    Cut(#[source] Fault),
}

/// Why an address is not fetched, in words for whoever gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Neither `https` nor, for an allowed host, `http`.
    #[error("only https addresses are fetched")]
    Scheme,
    /// `https://user:password@host`.
    #[error("addresses with a user name or a password are not fetched")]
    Credentials,
    /// An address that is not public, or a name that has one. Which one is nobody's business.
    #[error("the host is not on the public internet")]
    Host,
    /// A port other than 443.
    #[error("only port 443 is fetched from")]
    Port,
    /// Longer than any request can carry.
    #[error("the address is too long")]
    TooLong,
    /// The host redirects to what cannot be read as an address.
    #[error("the host redirects to something that is not an address")]
    Location,
    /// One redirect after the other, perhaps in a circle.
    #[error("the host redirects more than {MAX_REDIRECTS} times")]
    Redirects,
}

/// What broke between the host and us.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is no such name, or nobody answers for it.
    #[error("the name of the host could not be looked up")]
    UnknownName,
    /// The connection, TLS, or the form of the answer.
    #[error("the connection failed, or its certificate is not valid")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not one byte came for [`SILENCE_TIMEOUT`](crate::SILENCE_TIMEOUT).
    #[error("the host fell silent")]
    Silent,
    /// The time limit of the whole was over.
    #[error("the time was up")]
    Timeout,
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(Box::new(error.without_url()))
    }
}

impl Error {
    /// What went wrong, for whoever gave the address: without the words of the libraries below, which are its
    /// [source](std::error::Error::source).
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Unreachable(fault) | Self::Cut(fault) => format!("{self}: {fault}"),
            other => other.to_string(),
        }
    }

    /// What the HTTP client could not do before an answer began.
    pub(crate) fn before_answer(error: reqwest::Error) -> Self {
        if came_of::<NotPublic>(&error) {
            return Forbidden::Host.into();
        }
        if came_of::<UnknownName>(&error) {
            return Self::Unreachable(Fault::UnknownName);
        }
        // All else that a request is made of is ours, or was read as an address before.
        if error.is_builder() {
            return Forbidden::TooLong.into();
        }
        Self::Unreachable(error.into())
    }
}

/// Whether `error` comes of an error `E` of our own resolver.
fn came_of<E: std::error::Error + 'static>(error: &reqwest::Error) -> bool {
    let first: &dyn std::error::Error = error;
    std::iter::successors(Some(first), |error| error.source()).any(<dyn std::error::Error>::is::<E>)
}
