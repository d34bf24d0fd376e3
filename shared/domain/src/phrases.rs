//! The messages of a Pin's timeline. Some must not change, because people search for them.
//!
//! `docs/errors.md` lists all of them for translators.

use crate::Phrase;

/// Declares the phrases, and the list of all of them.
macro_rules! phrases {
    ($($name:ident = $reason:literal, $text:expr;)*) => {
        $(
            #[doc = concat!("The phrase `", $reason, "`.")]
            pub const $name: Phrase = Phrase { reason: $reason, text: $text };
        )*

        /// All phrases.
        pub const ALL: &[Phrase] = &[$($name),*];
    };
}

phrases! {
    // Actions of users.
    ACCEPTED = "accepted", "";
    EDITED = "edited", "";
    RESCHEDULED = "rescheduled", "to be published at {publish_at}";
    MOVED = "moved", "from board {from_board_id} to board {to_board_id}";
    AI_DISCLOSURE_SET = "ai_disclosure_set", "AI_MODIFIED was added: a file says that a model made it ({digital_source})";
    AI_DISCLOSURE_SUGGESTED =
        "ai_disclosure_suggested", "a file says that a model made it ({digital_source}): disclose AI_MODIFIED";
    RETRIED = "retried", "by request";
    RESOLVED_AS = "resolved", "somebody has found it at Pinterest as {pinterest_pin_id}";
    RESOLVED_RESEND = "resent", "somebody has seen that it is not at Pinterest";
    CANCELLED = "cancelled", "by request";
    CHANNEL_DISCONNECTED = "channel_disconnected", "the channel was disconnected";
    NOT_CONFIGURED = "not_configured", "Pinterest integration disabled: app id/secret not configured";
    SWITCHED_OFF = "switched_off", "Pinterest integration disabled";

    // Sending.
    ATTEMPT = "attempt", "attempt {number}";
    NOT_SENT = "not_sent", "{detail}";
    CREATED = "created", "created as {pinterest_pin_id}";
    ANSWER_LOST = "answer_lost", "Pinterest's answer did not come, so the Pin may exist";
    ANSWER_UNREADABLE =
        "answer_unreadable", "Pinterest answered in an unknown form, so the Pin may exist";
    PINTEREST_FAILED = "pinterest_failed", "Pinterest reported an error of its own, so the Pin may exist";
    PINTEREST_FAILED_BECAUSE =
        "pinterest_failed", "Pinterest reported an error of its own, so the Pin may exist ({message})";
    PROCESS_ENDED = "process_ended", "the process that was sending it ended without a result";

    // Waiting for Pinterest.
    RATE_LIMITED = "rate_limited", "Pinterest's rate limit is used up";
    SPAM_HOLD = "spam_hold", "the account is paused after a spam block";
    TAKEN_FOR_SPAM = "taken_for_spam", "Pinterest took it for spam: the account is paused";
    TAKEN_FOR_SPAM_BECAUSE = "taken_for_spam", "Pinterest took it for spam: the account is paused ({message})";
    MEDIA_UNREACHABLE = "media_unreachable", "{message}";
    BOARD_BUSY = "board_busy", "another change of the same board was under way";
    PINTEREST_BUSY = "pinterest_busy", "Pinterest was busy";
    PINTEREST_FAILS = "pinterest_fails", "Pinterest fails to create Pins: the next attempt comes later";
    PINTEREST_UNREACHABLE = "pinterest_unreachable", "{detail}";

    // Waiting for tokens.
    TOKEN_REFRESH = "token_refresh", "the access token is being renewed";
    RECONNECT_REQUIRED = "reconnect_required", "the account has to be connected again";
    BOARD_NEEDS_RECONNECT =
        "board_needs_reconnect", "the board can be read when the account is connected again";

    // Board checks after an unknown outcome.
    NOT_ON_BOARD_YET = "not_on_board_yet", "not on the board yet";
    NOT_ON_BOARD = "not_on_board", "not on the board: the attempt created nothing";
    FOUND_REWRITTEN = "found_rewritten", "found on the board as {pinterest_pin_id}, with a text that Pinterest has changed";
    FOUND_ON_BOARD = "found_on_board", "found on the board as {pinterest_pin_id}";
    BOARD_UNREADABLE = "board_unreadable", "the board could not be read: {detail}";
    BOARD_LIST_REFUSED = "board_list_refused", "Pinterest refused to list the board";

    // Videos.
    UPLOAD_QUEUED = "upload_queued", "the video is uploaded to Pinterest with the next tick";
    UPLOADING = "uploading", "to Pinterest, as media {pinterest_media_id}";
    UPLOAD_INTERRUPTED =
        "upload_interrupted", "the process that was uploading the video ended without a result";
    UPLOAD_FAILED = "upload_failed", "{detail}";
    VIDEO_PROCESSING = "video_processing", "Pinterest has the video, and is processing it";
    VIDEO_LOST = "video_lost", "Pinterest does not know the video any more";
    VIDEO_READY = "video_ready", "";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_reason_is_the_same_sentence_with_more_or_fewer_values() {
        for (number, phrase) in ALL.iter().enumerate() {
            for other in &ALL[number + 1..] {
                let same = phrase.reason == other.reason;
                assert!(!same || other.text.starts_with(phrase.text), "{} means two things", phrase.reason);
            }
        }
    }
}
