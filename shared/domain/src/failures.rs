//! The failures of Pins, and of requests that were refused for good. Some texts must not change, because people search for
//! them.

use jiff::Timestamp;

use crate::{Environment, Failure, WrongFile, delivery::Unusable};

/// Pinterest's code for a missing scope or access tier, in the words that people search for.
pub const INVALID_SCOPE: &str = "403 invalid scope";
/// What to do about a blocked link (<https://help.pinterest.com/en/article/blocked-links-and-websites>).
const LINK_FIX: &str = "Link to the page itself, without a shortener or a redirect; claim the website at Pinterest, or ask \
                        Pinterest's support to review it. Then retry, or publish a Pin with another link.";
/// A Pin names a board that is gone.
pub const BOARD_INVALID: &str = "board_id is invalid";

/// Pinterest refuses because of a scope or the tier. The text names both causes, because the answer does not distinguish
/// them.
#[must_use]
pub fn invalid_scope(environment: Environment) -> Failure {
    let host = match environment {
        Environment::Sandbox => "",
        Environment::Production => " or use the Sandbox environment",
    };
    Failure::new(
        "invalid_scope",
        INVALID_SCOPE,
        format!(
            "Either the app is on Trial access: apply for Standard at developers.pinterest.com{host}; \
             or the channel was connected without boards:write: reconnect it and grant everything."
        ),
    )
}

/// A secret board needs more than publishing does.
#[must_use]
pub fn secret_board() -> Failure {
    Failure::new(
        "invalid_scope",
        INVALID_SCOPE,
        "Add boards:write_secret to PINTEREST_SCOPES and reconnect the channel, or make the board public.",
    )
}

/// The channel was connected without a scope that analytics need.
#[must_use]
pub fn missing_scope(scope: &str) -> Failure {
    Failure::new(
        "invalid_scope",
        INVALID_SCOPE,
        format!(
            "The channel was connected without {scope}: check that PINTEREST_SCOPES has it, reconnect the channel \
             and grant everything."
        ),
    )
    .with("scope", scope)
}

/// Pinterest refuses analytics because of a scope or the tier, although all needed scopes were granted.
#[must_use]
pub fn analytics_scope() -> Failure {
    Failure::new(
        "invalid_scope",
        INVALID_SCOPE,
        "Either Pinterest has not approved the app yet: see its page at developers.pinterest.com; or the owner has \
         revoked a scope: reconnect the channel and grant everything.",
    )
}

/// Pinterest returns no analytics for the account. It does not give the reason.
#[must_use]
pub fn no_analytics(message: &str) -> Failure {
    Failure::new(
        "analytics_not_available",
        format!("Pinterest does not return analytics to this account: {message}"),
        "Make it a business account in Pinterest's settings (it costs nothing), and check that the Pin is still its own.",
    )
    .with("message", message)
}

/// The Pin was deleted at Pinterest.
#[must_use]
pub fn pin_gone() -> Failure {
    Failure::new(
        "pinterest_pin_gone",
        "the Pin is not at Pinterest any more, and has no analytics",
        "Publish it as a new Pin if it should be there.",
    )
}

/// The Pin's board is gone, or belongs to another account.
#[must_use]
pub fn board_gone() -> Failure {
    Failure::new(
        "board_id_invalid",
        BOARD_INVALID,
        "Re-select the default board in the channel's settings, or name another board, and retry.",
    )
}

/// The Pin's section is gone, or belongs to another board.
#[must_use]
pub fn section_gone() -> Failure {
    Failure::new(
        "board_section_id_invalid",
        "board_section_id is invalid",
        "Choose a section that the board has, or leave the section out, and retry.",
    )
}

/// `last_words`: Pinterest's last message, if there was one.
pub(crate) fn too_late(last_words: Option<&str>) -> Failure {
    let detail = "the Pin could not be published in time";
    let fix = "Read its timeline for what it waited for, and retry if it still makes sense.";
    match last_words {
        Some(words) => Failure::new("too_late", format!("{detail}; Pinterest's last message: {words}"), fix)
            .with("message", words),
        None => Failure::new("too_late", detail, fix),
    }
}

/// Pinterest blocks the link of the Pin. `hosts`: where its links lead.
pub(crate) fn link_blocked(hosts: &[String], message: Option<&str>) -> Failure {
    let host = hosts.join(", ");
    let link = if hosts.is_empty() { "an address".to_owned() } else { format!("the link to {host}") };
    let detail = format!("Pinterest blocks {link} in this Pin");
    match message {
        Some(message) => {
            Failure::new("link_blocked", format!("{detail}: {message}"), LINK_FIX).with("message", message)
        }
        None => Failure::new("link_blocked", detail, LINK_FIX),
    }
    .with("host", &host)
}

/// Pinterest has blocked several links to `host` in a row.
#[must_use]
pub fn host_rests(host: &str, until: Timestamp) -> Failure {
    let detail =
        format!("Pinterest has blocked several links to {host} in a row, so none is sent before {until}");
    Failure::new("link_blocked", detail, LINK_FIX).with("host", host).with("until", &until.to_string())
}

pub(crate) fn token_refused() -> Failure {
    Failure::new(
        "token_refused",
        "Pinterest keeps refusing this account's tokens although they are new",
        "Check at Pinterest that the account and the app are active, reconnect the channel, and retry.",
    )
}

pub(crate) fn media_unreachable(message: &str, uploaded: bool) -> Failure {
    let fix = if uploaded {
        "Uploaded files are kept for a limited time: upload it again, and publish it as a new Pin."
    } else {
        "Check that the addresses of the image and of the link open without a login, the image with an image's \
         Content-Type, and retry."
    };
    Failure::new("media_unreachable", message, fix).with("message", message)
}

pub(crate) fn video_unusable(why: &Unusable) -> Failure {
    match why {
        Unusable::Forbidden(detail) => Failure::new(
            "media_forbidden",
            detail,
            "Give a public https address, upload the video, or have its host added to PINWRIGHT_FETCH_ALLOW.",
        ),
        Unusable::TooLarge => Failure::new(
            "media_too_large",
            "the video has more than 2 GB",
            "Make it smaller, and publish it as a new Pin.",
        ),
        Unusable::Gone => Failure::new(
            "media_gone",
            "the file that was uploaded is not there any more",
            "Upload it again, and publish it as a new Pin.",
        ),
        Unusable::NoVideo(WrongFile { detail, fix }) => {
            Failure::new("media_unsupported", format!("the file {detail}"), *fix).with("detail", detail)
        }
        Unusable::Unfinished => {
            let WrongFile { detail, fix } = WrongFile::unfinished();
            Failure::new("video_unfinished", format!("the file {detail}"), fix)
        }
    }
}

pub(crate) fn upload_failed(detail: &str) -> Failure {
    Failure::new(
        "video_upload_failed",
        format!("the video did not reach Pinterest: {detail}"),
        "Check that its address opens without a login and quickly enough, and retry.",
    )
    .with("detail", detail)
}

pub(crate) fn video_failed() -> Failure {
    Failure::new(
        "video_failed",
        "Pinterest could not use the video, and does not say why",
        "Check that it is H.264 or H.265 with AAC sound, 4 seconds to 15 minutes long, and retry.",
    )
}

/// The outcome of an attempt cannot be found out. `has_candidates`: the board shows Pins that may be this one.
#[must_use]
pub fn needs_review(has_candidates: bool) -> Failure {
    if has_candidates {
        Failure::new(
            "perhaps_published",
            "the Pin may be on the board: Pinterest gave no clear answer, and the board shows a Pin that resembles it",
            "Look at the candidates at Pinterest, and resolve the Pin: as one of them, or by sending it again.",
        )
    } else {
        Failure::new(
            "outcome_unknown",
            "the Pin may or may not be on the board: Pinterest gave no clear answer, and the board could not be read",
            "Look at the board at Pinterest, and resolve the Pin: as the one that is there, or by sending it again.",
        )
    }
}

pub(crate) fn refused(message: &str) -> Failure {
    let detail = if message.is_empty() { "Pinterest refused the Pin" } else { message };
    Failure::new(
        "refused_by_pinterest",
        detail,
        "Change what Pinterest objects to, and publish it as a new Pin.",
    )
    .with("message", message)
}
