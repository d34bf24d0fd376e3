//! What Pinterest's answers mean, told apart by what can be done about them.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How Pinterest refused: kept for the timeline, and for the person who asks Pinterest's support.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// Pinterest's own code, which is often just the status again.
    pub pinterest_code: Option<i64>,
    /// `x-pinterest-rid`.
    pub request_id: Option<String>,
    /// Pinterest's words.
    pub message: Option<String>,
    /// It was the last call that a rate limit allows for so many seconds.
    #[serde(skip)]
    pub spent_for_seconds: Option<u32>,
}

/// A 4xx with Pinterest's JSON error body: the call had no effect, for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 code 2: the access token no longer works. Only a refresh helps.
    TokenDead,
    /// 401 code 3 or 403 code 29: a scope is missing, or the app may not do this yet. Refreshing never helps.
    Scope,
    /// 429 or code 8: too many calls.
    Quota {
        /// Pinterest says when to try again.
        retry_after: Option<SignedDuration>,
    },
    /// Code 9, or "spam" in the words: the account has to rest.
    Spam,
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

/// Codes that say nothing about whether the call took effect.
const UNDECIDED: i64 = 2787;

impl Refusal {
    /// Reads a status with Pinterest's code and words. `None` means that the call may have taken effect.
    ///
    /// By status, code and words together, never by code alone: Pinterest repeats the status as code, and
    /// uses one code for several things.
    #[must_use]
    pub fn of(
        status: u16,
        code: Option<i64>,
        message: &str,
        retry_after: Option<SignedDuration>,
    ) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        let says = |words: &str| message.contains(words);
        if !(400..500).contains(&status) || status == 408 || code == Some(UNDECIDED) {
            // Code 9 is about the account whatever the status: nothing was made.
            return (code == Some(9) || says("spam")).then_some(Self::Spam);
        }
        Some(match (status, code) {
            (_, Some(9)) => Self::Spam,
            _ if says("spam") => Self::Spam,
            (429, _) | (_, Some(8)) => Self::Quota { retry_after },
            (401, Some(2)) => Self::TokenDead,
            (401, Some(3)) | (403, Some(29)) => Self::Scope,
            _ if says("trial access") => Self::Scope,
            (_, Some(40)) => Self::BoardGone,
            (404, _) if says("board not found") => Self::BoardGone,
            (_, Some(2031)) => Self::SectionGone,
            (409, _) => Self::Busy,
            (400, Some(1)) if says("fetch the image") || says("reach the url") => Self::MediaUnreachable,
            (401, None) => Self::TokenDead,
            _ => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, code: i64, message: &str) -> Option<Refusal> {
        Refusal::of(status, Some(code), message, None)
    }

    #[test]
    fn a_dead_token_and_a_missing_scope_are_told_apart() {
        assert_eq!(meaning(401, 2, "Authentication failed."), Some(Refusal::TokenDead));
        assert_eq!(meaning(401, 3, "…permissions…"), Some(Refusal::Scope));
        assert_eq!(meaning(403, 29, "Apps with Trial access may not create Pins"), Some(Refusal::Scope));
        assert_eq!(meaning(400, 29, "Apps with Trial access may not create Pins"), Some(Refusal::Scope));
    }

    #[test]
    fn spam_is_a_hold_at_any_status_and_not_a_quota() {
        assert_eq!(meaning(429, 8, "blocked as spam"), Some(Refusal::Spam));
        assert_eq!(meaning(403, 9, "a block in place"), Some(Refusal::Spam));
        assert_eq!(meaning(500, 9, "a block in place"), Some(Refusal::Spam));
        assert_eq!(meaning(429, 8, "exceeded a rate limit"), Some(Refusal::Quota { retry_after: None }));
    }

    #[test]
    fn what_may_have_taken_effect_is_no_refusal() {
        assert_eq!(meaning(500, 0, "oops"), None);
        assert_eq!(meaning(503, 4197, "ramped down"), None);
        assert_eq!(meaning(408, 0, "timeout"), None);
        assert_eq!(meaning(400, 2787, "Something went wrong on our end"), None);
        assert_eq!(meaning(302, 0, ""), None);
    }

    #[test]
    fn boards_and_sections_that_are_gone_are_named() {
        assert_eq!(meaning(404, 40, "Board not found."), Some(Refusal::BoardGone));
        assert_eq!(meaning(404, 404, "Board not found."), Some(Refusal::BoardGone));
        assert_eq!(meaning(404, 2031, "section"), Some(Refusal::SectionGone));
        assert_eq!(meaning(404, 50, "Pin not found."), Some(Refusal::Other));
    }
}
