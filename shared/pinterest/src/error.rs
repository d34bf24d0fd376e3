//! What went wrong with a call, told apart by whether it took effect.

use domain::{Refusal, ResponseMeta};

/// Why a call did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was sent: no connection could be made, or a configured address is broken. The call had no
    /// effect, for certain, and may be repeated.
    #[error("Pinterest could not be reached")]
    NotSent(#[source] Fault),
    /// Pinterest understood and said no. The call had no effect, for certain.
    #[error("Pinterest refused{}", describe(.response))]
    Refused {
        /// What can be done about it.
        refusal: Refusal,
        /// How Pinterest said it.
        response: ResponseMeta,
    },
    /// Pinterest failed, or its answer never came or made no sense. The call may have taken effect.
    #[error("Pinterest did not say what became of the call{}", describe(.response))]
    Unknown {
        /// As much of the answer as came.
        response: ResponseMeta,
        /// What became of the rest. `None` if it came whole, as with a 5xx.
        source: Option<Fault>,
    },
}

/// What broke between Pinterest and us.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The connection, or the time allowed for the call. Never shows the address, which can hold a secret.
    #[error(transparent)]
    Connection(Box<dyn std::error::Error + Send + Sync>),
    /// A configured address: one of [`Addresses`](crate::Addresses), or the one that Pinterest redirects to.
    #[error("a configured address is not an address")]
    Address(#[from] url::ParseError),
    /// The answer is not of the documented form.
    #[error("the answer is not of the documented form")]
    Malformed {
        /// Where it differs. `None` where saying so could quote a token.
        source: Option<serde_json::Error>,
    },
    /// The answer is larger than any that Pinterest documents, and was not read to its end.
    #[error("the answer is too large")]
    TooLarge,
    /// A list gave the same page again, or more pages than any account fills.
    #[error("the list does not end")]
    Endless,
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(Box::new(error.without_url()))
    }
}

impl Error {
    /// Whether Pinterest says that there is no such board. It says so in several ways.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { refusal, response }
            if *refusal == Refusal::BoardGone || response.http_status == Some(404))
    }

    /// What is known of Pinterest's answer.
    #[must_use]
    pub fn into_response(self) -> ResponseMeta {
        match self {
            Self::NotSent(_) => ResponseMeta::default(),
            Self::Refused { response, .. } | Self::Unknown { response, .. } => response,
        }
    }

    /// Whether an answer came, and its form is not known. What says in a known form that something went wrong is read, and a
    /// 5xx says so in any form.
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

    /// The answer is of no use, or only a part of it came.
    pub(crate) fn unknown(response: ResponseMeta, fault: Fault) -> Self {
        Self::Unknown { response, source: Some(fault) }
    }

    /// What the HTTP client could not do before an answer began.
    ///
    /// `is_connect` holds for what its connector did: finding the host, connecting, shaking hands for TLS, or
    /// asking a proxy for a tunnel. The request is written after that, so none of it can have left; a request
    /// that a pooled connection never began to write is moved to a new one by hyper, which is no second
    /// sending. `is_builder` holds for a request that could not be put together. Everything else proves
    /// nothing: a connection that closes before the answer may have carried the request.
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
