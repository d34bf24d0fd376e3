//! Codes: values.

use super::{Code, code};

#[rustfmt::skip] // one line for each part of an entry
pub(super) const CODES: &[Code] = &[
    code(
        "too_long",
        "A text is too long.",
        "Shorten it.",
        "title has 120 characters, and Pinterest takes at most 100",
    ),
    code(
        "pin_too_large",
        "The texts and addresses of the Pin weigh more than 32 KB together.",
        "Shorten texts and addresses.",
        "has 33921 bytes with all its texts, and at most 32768 are allowed",
    ),
    code(
        "control_character",
        "A text has a control character other than a line break or a tab.",
        "Remove the character.",
        "title has a control character",
    ),
    code(
        "invalid_url",
        "An address is not an absolute `http` or `https` address.",
        "Write it with its scheme and its host: `https://example.com/a.jpg`.",
        "link is not an absolute http or https address",
    ),
    code(
        "invalid_color",
        "A colour is not written as `#RRGGBB`.",
        "Write it with six hexadecimal digits: `#A1B2C3`.",
        "dominant_color is not a colour",
    ),
    code(
        "invalid_ai_disclosure",
        "`ai_disclosures` holds a word that is none of Pinterest's disclosures.",
        "Use `AI_MODIFIED`, `SYNTHETIC_PERFORMER` or both, or leave it out.",
        "ai_disclosures.values holds a word that is none of Pinterest's disclosures",
    ),
    code(
        "invalid_id",
        "An id is not of the form that ids of its kind have.",
        "Use the id as an earlier answer gave it.",
        "channel_id is not an id of ours: those begin with `ch_`",
    ),
    code(
        "invalid_limit",
        "`limit` is not a number in its range.",
        "Use a number in the range that the API reference gives, or leave it out.",
        "limit is not a number from 1 to 200",
    ),
    code(
        "invalid_cursor",
        "`cursor` leads to no page.",
        "Use `next` of the page before.",
        "cursor leads to no page",
    ),
    code(
        "invalid_state",
        "`state` is not the state of a Pin.",
        "Use one of the states that the API reference lists.",
        "state has an unknown value: 'done'",
    ),
    code(
        "invalid_sort",
        "`sort_by` is not one of Pinterest's metrics for that.",
        "Use one of the metrics that the API reference lists.",
        "sort_by has an unknown value: 'LIKES'",
    ),
    code(
        "invalid_metric",
        "`metrics` has a name that is not a metric here.",
        "Use any of the metrics that the API reference lists, separated by commas.",
        "metrics holds an unknown value: 'LIKES'",
    ),
    code(
        "invalid_date",
        "A day is not written as YYYY-MM-DD, or a time not with an offset or `Z`.",
        "Write a date as YYYY-MM-DD, where days are those of UTC, or a time as 2026-12-01T09:00:00Z.",
        "from is not a date",
    ),
    code(
        "date_in_future",
        "A day is in the future.",
        "Ask about days up to today.",
        "to is in the future: in UTC it is 2026-12-01",
    ),
    code(
        "date_too_old",
        "A day is longer ago than Pinterest's numbers go back.",
        "Ask about the last 89 days.",
        "from is more than 89 days ago, and Pinterest looks back no further",
    ),
    code(
        "dates_reversed",
        "`from` is after `to`.",
        "Give the earlier date as `from`.",
        "from is 2026-12-01, which is after `to`, 2026-11-01",
    ),
    code(
        "invalid_app_id",
        "The App ID is not a number.",
        "Copy the App ID from developers.pinterest.com, My apps: it is a number.",
        "app_id is not an App ID: those are decimal digits",
    ),
    code(
        "invalid_app_secret",
        "The App Secret has white space or control characters, or is too long.",
        "Copy the App Secret Key from developers.pinterest.com, My apps, without anything around it.",
        "app_secret holds white space or control characters, or is too long",
    ),
    code(
        "return_to_not_allowed",
        "`return_to` is neither a path nor an address on an allowed origin.",
        "Use a path that begins with one slash, or an origin of ALLOWED_RETURN_ORIGINS.",
        "return_to is not an allowed address",
    ),
    code(
        "invalid_duration",
        "`publish_within` is not a duration between one minute and a year.",
        "Write it as ISO 8601 does, in weeks, days, hours and minutes: `P7D` or `PT12H`.",
        "publish_within is not a duration between one minute and a year",
    ),
    code(
        "invalid_publish_at",
        "`publish_at` is not a time.",
        "Write it as `2026-12-01T09:00:00Z`, or with the clock of a time zone.",
        "publish_at is not a date and a time",
    ),
    code(
        "ambiguous_date",
        "A spreadsheet has rewritten a date, so that its day and its month cannot be told apart.",
        "Format the column as text, and write times as 2026-12-07 18:00.",
        "publish_at is a date as a spreadsheet shows it, which does not tell the day from the month for certain",
    ),
    code(
        "publish_at_past",
        "`publish_at` is in the past.",
        "Give a time that is still to come, or leave publish_at out to publish now.",
        "publish_at lies in the past",
    ),
    code(
        "publish_at_too_far",
        "`publish_at` is more than a year ahead.",
        "Give an earlier time.",
        "publish_at lies more than a year ahead",
    ),
    code(
        "unknown_time_zone",
        "`time_zone` is not in the IANA database.",
        "Use a name such as `Europe/Istanbul`.",
        "publish_at.time_zone is not a time zone",
    ),
    code(
        "invalid_local_time",
        "`local` is not a date and a time without an offset.",
        "Write it as `2026-12-01T09:00`.",
        "publish_at.local is not a date and a time",
    ),
    code(
        "local_time_skipped",
        "The clocks of the zone skip this time.",
        "Use the next time that exists, which the answer names.",
        "publish_at.local does not exist in Europe/Berlin: clocks are set forward",
    ),
    code(
        "no_board",
        "The request names no board, and the channel has no default board.",
        "Name a board, or choose the channel's default board.",
        "board_id is missing, and the channel has no default board",
    ),
    code(
        "ambiguous_board",
        "Several boards, or sections of a board, have the name.",
        "Name the board by its id.",
        "pinterest board is the name of several boards: 1234567890 and 2345678901",
    ),
    code(
        "no_rows",
        "The file has no rows.",
        "Send one row for each Pin.",
        "body has no rows",
    ),
    code(
        "too_many_rows",
        "The file has more than 1,000 rows.",
        "Send the file in parts.",
        "body has more than 1000 rows",
    ),
];
