//! The errors, grouped by what the caller can do about them.

use crate::{
    client::MAX_REDIRECTS,
    resolve::{NotPublic, UnknownName},
};

/// Why a file was not fetched, or not to its end. It never shows the address, which may contain a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This address is forbidden: the caller must give another one.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The host was not found, could not be connected to, or did not answer. Another try may succeed.
    #[error("the host could not be reached")]
    Unreachable(#[source] Fault),
    /// The host did not return the file.
    #[error("the host answered with status {status}")]
    Refused {
        /// The status of its answer: mostly above 399, but a 204, for example, is no file either.
        status: u16,
    },
    /// The file is larger than the caller accepts.
    #[error("the file is larger than {max_bytes} bytes")]
    TooLarge {
        /// The maximum of the caller.
        max_bytes: u64,
    },
    /// The file stopped before its end. Another try may succeed, from the beginning.
    #[error("the file broke off")]
    Cut(#[source] Fault),
}

/// Why an address is forbidden, with a text for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Neither `https` nor, for an allowed host, `http`.
    #[error("only https addresses are fetched")]
    Scheme,
    /// `https://user:password@host`.
    #[error("addresses with a user name or a password are not fetched")]
    Credentials,
    /// An address that is not public, or a name that has one. The text does not reveal which one.
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
    /// Too many redirects, perhaps in a circle.
    #[error("the host redirects more than {MAX_REDIRECTS} times")]
    Redirects,
}

/// The error in the connection to the host.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The name does not exist, or could not be looked up.
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
    /// The error for the user who gave the address, without the messages of the libraries, which are its
    /// [source](std::error::Error::source).
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Unreachable(fault) | Self::Cut(fault) => format!("{self}: {fault}"),
            other => other.to_string(),
        }
    }

    /// An error of the HTTP client before an answer began.
    pub(crate) fn before_answer(error: reqwest::Error) -> Self {
        if came_of::<NotPublic>(&error) {
            return Forbidden::Host.into();
        }
        if came_of::<UnknownName>(&error) {
            return Self::Unreachable(Fault::UnknownName);
        }
        // All other parts of a request are ours, or were parsed as an address before.
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
