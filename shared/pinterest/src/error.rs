//! What went wrong with a call, told apart by whether it took effect.

use domain::{Answer, Refusal};

/// Why a call did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was sent: no connection could be made, or a configured address is broken. The call had no
    /// effect, for certain, and may be repeated.
    #[error("Pinterest could not be reached")]
    NotSent(#[source] Fault),
    /// Pinterest understood and said no. The call had no effect, for certain.
    #[error("Pinterest refused{}", in_words(.answer))]
    Refused {
        /// What can be done about it.
        refusal: Refusal,
        /// How Pinterest said it.
        answer: Answer,
    },
    /// Pinterest failed, or its answer never came or made no sense. The call may have taken effect.
    #[error("Pinterest did not say what became of the call{}", in_words(.answer))]
    Unknown {
        /// As much of the answer as came.
        answer: Answer,
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
    /// The answer is of no use, or only a part of it came.
    pub(crate) fn unknown(answer: Answer, fault: Fault) -> Self {
        let source = Some(fault);
        Self::Unknown { answer, source }
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
        Self::unknown(Answer::default(), error.into())
    }
}

/// An error with all its causes, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn in_words(answer: &Answer) -> String {
    let status = answer.http_status.map(|status| format!(" with status {status}"));
    let code = answer.pinterest_code.map(|code| format!(", code {code}"));
    let message = answer.message.as_ref().map(|message| format!(": {message}"));
    [status, code, message].into_iter().flatten().collect()
}
