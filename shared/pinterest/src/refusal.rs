//! The meaning of Pinterest's statuses, codes and messages. `ERRORS.md` in this crate has the table, with its sources.

use domain::Refusal;
use jiff::SignedDuration;

/// A code that does not show if the call took effect.
const UNDECIDED: i64 = 2787;

/// Reads a status with Pinterest's code and text. `None` means that the call may have taken effect.
///
/// Status, code and text count together, never the code alone: Pinterest repeats the status as code, and uses one code for
/// several meanings. If the text is clear, it decides alone. An error body may come with a status of success: then only
/// known errors are refusals.
pub(crate) fn refusal(
    status: u16,
    code: Option<i64>,
    message: &str,
    retry_after: Option<SignedDuration>,
) -> Option<Refusal> {
    let message = message.to_ascii_lowercase();
    let says = |text: &str| message.contains(text);
    // A blocked call had no effect, with any status and code.
    if blocks_link(&message) {
        return Some(Refusal::LinkBlocked);
    }
    if code == Some(9) || blocks_account(&message) {
        return Some(Refusal::Spam);
    }
    let is_success = (200..300).contains(&status);
    if !is_success && !(400..500).contains(&status)
        || status == 408
        || code == Some(UNDECIDED)
        || passes(&message)
    {
        return None;
    }
    let is = |wanted: u16| status == wanted || is_success;
    Some(match code {
        _ if status == 429 || code == Some(8) => Refusal::Quota { retry_after },
        Some(2) if is(401) => Refusal::TokenDead,
        Some(3) if is(401) => Refusal::Scope,
        Some(29) if says("trial") => Refusal::Scope,
        _ if says("trial access") || says("consumer type") => Refusal::Scope,
        Some(29) if is(403) => Refusal::NotPermitted,
        Some(283) => Refusal::GrantDead,
        Some(1) if says("refresh token") => Refusal::GrantDead,
        _ if says("invalid_grant") => Refusal::GrantDead,
        Some(40) => Refusal::BoardGone,
        _ if status == 404 && says("board not found") => Refusal::BoardGone,
        Some(2031) => Refusal::SectionGone,
        _ if status == 409 => Refusal::Busy,
        Some(1) if is(400) && (says("fetch the image") || says("reach the url")) => Refusal::MediaUnreachable,
        None if status == 401 => Refusal::TokenDead,
        _ if is_success => return None,
        _ => Refusal::Other,
    })
}

/// A temporary fault of Pinterest. It comes with any status, and with codes that have other meanings.
fn passes(message: &str) -> bool {
    ["something went wrong on our end", "temporarily unavailable"].iter().any(|words| message.contains(words))
}

/// "You have hit a block we have in place to combat spam", "We've had to block actions", or spam of any kind.
fn blocks_account(message: &str) -> bool {
    ["spam", "hit a block", "block actions"].iter().any(|words| message.contains(words))
}

/// "We blocked this link because it may lead to spam", "We've blocked this description because it contains a link that may
/// lead to inappropriate content": one page is meant, while the account is fine.
fn blocks_link(message: &str) -> bool {
    let names_account =
        ["hit a block", "block actions", "account"].iter().any(|words| message.contains(words));
    let blocks = ["blocked", "spam"].iter().any(|words| message.contains(words));
    let names_link = ["link", "url", "website", "domain"].iter().any(|words| message.contains(words));
    blocks && names_link && !names_account
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
        for status in [403, 400, 200] {
            let trial = "Apps with Trial access may not create Pins";
            assert_eq!(meaning(status, 29, trial), Some(Refusal::Scope));
            let unapproved = "Your application consumer type is not supported.";
            assert_eq!(meaning(status, 3, unapproved), Some(Refusal::Scope));
        }
        assert_eq!(meaning(403, 29, "You are not permitted"), Some(Refusal::NotPermitted));
    }

    #[test]
    fn spam_is_a_hold_at_any_status_and_not_a_quota() {
        assert_eq!(meaning(429, 8, "blocked as spam"), Some(Refusal::Spam));
        assert_eq!(meaning(403, 9, "a block in place"), Some(Refusal::Spam));
        assert_eq!(meaning(500, 9, "a block in place"), Some(Refusal::Spam));
        assert_eq!(meaning(429, 8, "exceeded a rate limit"), Some(Refusal::Quota { retry_after: None }));
    }

    #[test]
    fn a_blocked_link_is_not_a_blocked_account_whatever_the_status_and_the_code() {
        for (status, code) in [(429, 9), (429, 8), (403, 9), (400, 1), (403, 403), (500, 500)] {
            for link in [
                "Sorry! We blocked this link because it may lead to spam.",
                "We've blocked this description because it contains a link that may lead to inappropriate content.",
                "This domain has been blocked.",
            ] {
                assert_eq!(meaning(status, code, link), Some(Refusal::LinkBlocked), "{status} {code} {link}");
            }
            for account in [
                "Sorry! You've hit a block (Pins) we have in place to combat spam. Please try again later!",
                "You have hit a block (links) we have in place to combat spam.",
                "We've had to block actions from your area because of suspicious activity.",
                "Your account may lead people to spam by its links.",
                "Your Pins look like spam.",
            ] {
                assert_eq!(meaning(status, code, account), Some(Refusal::Spam), "{status} {code} {account}");
            }
        }
    }

    #[test]
    fn an_answer_that_may_have_had_an_effect_is_no_refusal() {
        assert_eq!(meaning(500, 0, "oops"), None);
        assert_eq!(meaning(503, 4197, "ramped down"), None);
        assert_eq!(meaning(408, 0, "timeout"), None);
        assert_eq!(meaning(400, 2787, "Something"), None);
        for (status, code) in [(400, 12), (404, 404), (403, 403), (401, 2), (429, 8), (200, 29)] {
            assert_eq!(
                meaning(status, code, "Sorry! Something went wrong on our end."),
                None,
                "{status} {code}"
            );
            assert_eq!(meaning(status, code, "Temporarily unavailable."), None, "{status} {code}");
        }
        assert_eq!(meaning(200, 1, "something else"), None, "a success that says something unknown");
        assert_eq!(meaning(302, 0, ""), None);
    }

    #[test]
    fn a_dead_grant_has_words_or_codes_of_its_own() {
        assert_eq!(meaning(400, 1, "The refresh token is invalid or expired."), Some(Refusal::GrantDead));
        assert_eq!(meaning(400, 283, ""), Some(Refusal::GrantDead));
        assert_eq!(refusal(400, None, "invalid_grant", None), Some(Refusal::GrantDead));
        assert_eq!(meaning(400, 1, "grant_type"), Some(Refusal::Other));
        assert_eq!(meaning(404, 404, "Not found"), Some(Refusal::Other));
    }

    #[test]
    fn boards_and_sections_that_are_gone_are_named() {
        assert_eq!(meaning(404, 40, "Board not found."), Some(Refusal::BoardGone));
        assert_eq!(meaning(404, 404, "Board not found."), Some(Refusal::BoardGone));
        assert_eq!(meaning(404, 2031, "section"), Some(Refusal::SectionGone));
        assert_eq!(meaning(404, 50, "Pin not found."), Some(Refusal::Other));
    }
}
