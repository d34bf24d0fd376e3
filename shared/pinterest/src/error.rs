//! The errors of calls, grouped by whether the call took effect.

use domain::{Refusal, ResponseMeta};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was sent: no connection could be made, or a configured address is broken. The call had no
    /// effect, for certain, and may be repeated.
    #[error("Pinterest could not be reached")]
    NotSent(#[source] Fault),
    /// Pinterest refused the call, which certainly had no effect.
    #[error("Pinterest refused{}", describe(.response))]
    Refused {
        /// The kind of the refusal.
        refusal: Refusal,
        /// The details of Pinterest's answer.
        response: ResponseMeta,
    },
    /// Pinterest failed, or its answer was lost or could not be read. The call may have taken effect.
    #[error("Pinterest did not say what became of the call{}", describe(.response))]
    Unknown {
        /// The part of the answer that was received.
        response: ResponseMeta,
        /// Why the rest is missing. `None` if the answer is complete, as with a 5xx.
        source: Option<Fault>,
    },
}

/// The error in the communication with Pinterest.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The connection failed, or the time limit was reached. It never shows the address, which may contain a secret.
    #[error(transparent)]
    Connection(Box<dyn std::error::Error + Send + Sync>),
    /// A configured address: one of [`Addresses`](crate::Addresses), or the one that Pinterest redirects to.
    #[error("a configured address is not an address")]
    Address(#[from] url::ParseError),
    /// The answer is not of the documented form.
    #[error("the answer is not of the documented form")]
    Malformed {
        /// The difference. `None` if the text could contain a token.
        source: Option<serde_json::Error>,
    },
    /// The answer is larger than any that Pinterest documents, and was not read to its end.
    #[error("the answer is too large")]
    TooLarge,
    /// A list returned the same page again, or more pages than any account has.
    #[error("the list does not end")]
    Endless,
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(Box::new(error.without_url()))
    }
}

impl Error {
    /// Whether the answer means that the board does not exist. Pinterest has several such answers.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { refusal, response }
            if *refusal == Refusal::BoardGone || response.http_status == Some(404))
    }

    /// The known details of Pinterest's answer.
    #[must_use]
    pub fn into_response(self) -> ResponseMeta {
        match self {
            Self::NotSent(_) => ResponseMeta::default(),
            Self::Refused { response, .. } | Self::Unknown { response, .. } => response,
        }
    }

    /// Whether an answer came whose form is unknown. An error in a known form is understood, and a 5xx in any form.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Refused { .. } => false,
            Self::Unknown { source: Some(fault), .. } => {
                matches!(fault, Fault::Malformed { .. } | Fault::TooLarge | Fault::Endless)
            }
            Self::Unknown { response, source: None } => {
                let says_nothing = response.message.is_none() && response.pinterest_code.is_none();
                says_nothing && response.http_status.is_some_and(|status| status < 500)
            }
        }
    }

    /// The answer cannot be used, or is incomplete.
    pub(crate) fn unknown(response: ResponseMeta, fault: Fault) -> Self {
        Self::Unknown { response, source: Some(fault) }
    }

    /// An error of the HTTP client before an answer began.
    ///
    /// `is_connect` means that the connector failed: name lookup, connection, TLS handshake or proxy tunnel. The request is
    /// written after that, so no part of it was sent. If a pooled connection never started to write a request, hyper moves
    /// it to a new one, which is no second sending. `is_builder` means that the request could not be built. Any other error
    /// proves nothing: a connection that closes before the answer may have sent the request.
    pub(crate) fn before_answer(error: reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            return Self::NotSent(error.into());
        }
        Self::unknown(ResponseMeta::default(), error.into())
    }
}

fn describe(response: &ResponseMeta) -> String {
    let status = response.http_status.map(|status| format!(" with status {status}"));
    let code = response.pinterest_code.map(|code| format!(", code {code}"));
    let message = response.message.as_ref().map(|message| format!(": {message}"));
    [status, code, message].into_iter().flatten().collect()
}
