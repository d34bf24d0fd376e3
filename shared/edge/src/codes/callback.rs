//! Codes: after `#error=`, when the browser comes back from Pinterest.

use super::{Code, code};

#[rustfmt::skip] // one line for each part of an entry
pub(super) const CODES: &[Code] = &[
    code(
        "access_denied",
        "The owner of the account did not allow the connection.",
        "Start again, and press Allow on Pinterest's page.",
        "https://app.example.com/#error=access_denied",
    ),
    code(
        "state_invalid",
        "The flow is unknown, was used with another code, or is older than ten minutes.",
        "Start again.",
        "https://app.example.com/#error=state_invalid",
    ),
    code(
        "code_refused",
        "Pinterest refused the redirect URI, the App ID, the App Secret or the code.",
        "Let an admin compare the redirect URI with the one that is registered at Pinterest, and test the credentials.",
        "https://app.example.com/#error=code_refused",
    ),
    code(
        "account_refused",
        "Pinterest issued tokens, but refuses to return their account.",
        "Check at Pinterest that the account and the app are active, and start again.",
        "https://app.example.com/#error=account_refused",
    ),
];
