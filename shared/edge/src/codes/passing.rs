//! Codes: temporary problems.

use super::{Code, code};

#[rustfmt::skip] // one line for each part of an entry
pub(super) const CODES: &[Code] = &[
    code(
        "token_refresh",
        "The access token is being renewed.",
        "Try again in a minute.",
        "the account's access token is being renewed",
    ),
    code(
        "busy",
        "Too many changes of the same thing at once.",
        "Try again.",
        "too many changes at once",
    ),
    code(
        "not_done",
        "The time of the call was up before this row.",
        "Send the file again: rows that are done are not done twice.",
        "the time of this call was up",
    ),
    code(
        "internal",
        "A fault of the stack.",
        "Try again; if it goes on, give the request_id to the operator.",
        "an internal error occurred; nothing is known to be half done",
    ),
];
