//! The meanings of Pinterest's answers, grouped by what can be done about them.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The details of Pinterest's answer: stored for the timeline, and for questions to Pinterest's support.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseMeta {
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// Pinterest's own code, which is often just the status again.
    pub pinterest_code: Option<i64>,
    /// `x-pinterest-rid`.
    pub request_id: Option<String>,
    /// Pinterest's message.
    pub message: Option<String>,
    /// An answer came, but its form is unknown.
    #[serde(skip)]
    pub unreadable: bool,
    /// It was the last call that a rate limit allows for this many seconds.
    #[serde(skip)]
    pub spent_for_seconds: Option<u32>,
}

/// A 4xx with Pinterest's JSON error body: the call had no effect, for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 code 2: the access token no longer works. Only a refresh helps.
    TokenDead,
    /// The token endpoint: a refresh token, or a code, that no longer works.
    GrantDead,
    /// 401 code 3, or "Trial" in the message: a scope is missing, or the app may not do this yet. Refreshing never helps.
    Scope,
    /// 403 code 29 without a word about the reason: the scope, the app, or the board.
    NotPermitted,
    /// 429 or code 8: too many calls.
    Quota {
        /// When to try again, if Pinterest returned it.
        retry_after: Option<SignedDuration>,
    },
    /// Code 9, or "spam" in the message: the account has to pause.
    Spam,
    /// "We blocked this link" in the message, with any code: about the page that the Pin leads to, not the account.
    LinkBlocked,
    /// 404 code 40: the board is gone.
    BoardGone,
    /// Code 2031: the section is gone.
    SectionGone,
    /// Pinterest could not fetch the image just now; a second try often works.
    MediaUnreachable,
    /// 409: somebody else is writing to the same board.
    Busy,
    /// Anything else: the same call will be refused again.
    Other,
}
