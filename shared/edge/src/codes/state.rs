//! Codes: the state of Pinwright's data.

use super::{Code, code};

#[rustfmt::skip] // one line for each part of an entry
pub(super) const CODES: &[Code] = &[
    code(
        "integration_disabled",
        "The integration is switched off, or its credentials are missing.",
        "An admin enters the credentials or switches the integration on in its settings.",
        "Pinterest integration disabled",
    ),
    code(
        "reconnect_required",
        "The owner has to connect the account again.",
        "Connect the account again, then repeat the request.",
        "the account has to be connected again",
    ),
    code(
        "wrong_state",
        "The thing is not in a state in which this can be done.",
        "Read it again, and do what its state allows.",
        "the Pin is published, so it cannot be cancelled",
    ),
    code(
        "pinterest_pin_taken",
        "The Pin at Pinterest belongs to another of your Pins.",
        "Look which of your Pins it is, and resolve this one as another, or send it again.",
        "that Pin at Pinterest is another Pin of yours already",
    ),
    code(
        "duplicate",
        "The same Pin was published on the board, or is going to be, within 30 days.",
        "Publish it all the same if that is wanted, or change its text or picture.",
        "the same was published on this board, or is going to be, within 30 days",
    ),
    code(
        "pin_cancelled",
        "A row of a file was sent before, and its Pin was cancelled. The same row makes no other.",
        "Change the row, its title or its time for instance, and send the file again.",
        "the Pin of this row was cancelled, and this file makes no other",
    ),
    code(
        "pin_failed",
        "A row of a file was sent before, and its Pin has failed. The same row makes no other.",
        "Read the Pin's `error`, and retry it by POST /api/v1/pins/{id}/retry; or change the row.",
        "the Pin of this row has failed, and this file makes no other",
    ),
    code(
        "ai_disclosure_suggested",
        "A file says that a model made it, or a part of it. Nothing is wrong.",
        "Disclose it with `ai_disclosures`, if it is true.",
        "the uploaded files are there; one says that a model made it (trainedAlgorithmicMedia)",
    ),
    code(
        "too_late",
        "The Pin could not be published in time.",
        "Read its timeline for what it waited for, and retry if it still makes sense.",
        "the Pin could not be published in time",
    ),
    code(
        "perhaps_published",
        "The Pin may be on the board: something there resembles it, and Pinterest's answer was lost.",
        "Look at the candidates at Pinterest, and resolve the Pin: as one of them, or by sending it again.",
        "the Pin may be on the board: Pinterest gave no clear answer, and the board shows a Pin that resembles it",
    ),
    code(
        "outcome_unknown",
        "The Pin may or may not be on the board.",
        "Look at the board at Pinterest, and resolve the Pin: as the one that is there, or by sending it again.",
        "the Pin may or may not be on the board: Pinterest gave no clear answer, and the board could not be read",
    ),
];
