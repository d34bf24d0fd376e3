//! What Pinterest's statuses, codes and texts mean. `ERRORS.md` beside this crate has the table, with where it comes from.

use domain::Refusal;
use jiff::SignedDuration;

/// A code that says nothing about whether the call took effect.
const UNDECIDED: i64 = 2787;

/// Reads a status with Pinterest's code and text. `None` means that the call may have taken effect.
///
/// By status, code and text together, never by code alone: Pinterest repeats the status as code, and uses one code for
/// several things.
pub(crate) fn refusal(
    status: u16,
    code: Option<i64>,
    message: &str,
    retry_after: Option<SignedDuration>,
) -> Option<Refusal> {
    let message = message.to_ascii_lowercase();
    let says = |text: &str| message.contains(text);
    if !(400..500).contains(&status) || status == 408 || code == Some(UNDECIDED) {
        // Code 9 is about the account whatever the status: nothing was made.
        return (code == Some(9) || says("spam")).then_some(Refusal::Spam);
    }
    Some(match (status, code) {
        (_, Some(9)) => Refusal::Spam,
        _ if says("spam") => Refusal::Spam,
        (429, _) | (_, Some(8)) => Refusal::Quota { retry_after },
        (401, Some(2)) => Refusal::TokenDead,
        (401, Some(3)) | (403, Some(29)) => Refusal::Scope,
        _ if says("trial access") => Refusal::Scope,
        (_, Some(40)) => Refusal::BoardGone,
        (404, _) if says("board not found") => Refusal::BoardGone,
        (_, Some(2031)) => Refusal::SectionGone,
        (409, _) => Refusal::Busy,
        (400, Some(1)) if says("fetch the image") || says("reach the url") => Refusal::MediaUnreachable,
        (401, None) => Refusal::TokenDead,
        _ => Refusal::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, code: i64, message: &str) -> Option<Refusal> {
        refusal(status, Some(code), message, None)
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
