//! Every code of a problem: what it means, and what to do. The contract and `docs/errors.md` list them, and a test compares
//! the list with the code that makes problems.

/// The code of a problem. It keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable, in `snake_case`.
    pub code: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// A `detail` with this code.
    pub example: &'static str,
}

/// Whether the list has `code`.
#[must_use]
pub fn is_listed(code: &str) -> bool {
    find(code).is_some()
}

/// The entry of `code`.
#[must_use]
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|listed| listed.code == code)
}

const fn code(code: &'static str, meaning: &'static str, fix: &'static str, example: &'static str) -> Code {
    Code { code, meaning, fix, example }
}

/// All codes, sorted by where they come from.
#[rustfmt::skip] // one line for each part of an entry
pub const CODES: &[Code] = &[
    // The request as a whole.
    code(
        "invalid_json",
        "The body is not JSON.",
        "Send one JSON object in UTF-8.",
        "the body is not JSON: something is wrong in line 1, at column 20",
    ),
    code(
        "invalid_csv",
        "The file is not CSV in UTF-8 or UTF-16, or a row has other cells than the first line.",
        "Save it as CSV in UTF-8, and put texts that have commas or line breaks in quotation marks.",
        "the row has 9 cells, and the first line 8",
    ),
    code(
        "unauthenticated",
        "There is no valid token.",
        "Sign in, and send the token as `Authorization: Bearer <token>`.",
        "there is no valid token",
    ),
    code(
        "no_tenant",
        "The token does not say which tenant its bearer belongs to.",
        "Sign in as a member of a tenant; whoever runs this can add the claim to your tokens.",
        "the token has no claim custom:tenant, which names the tenant",
    ),
    code(
        "not_admin",
        "The token does not allow this: it is for admins.",
        "Sign in as a member of the admin group, or with the admin scope.",
        "the token does not allow this",
    ),
    code(
        "not_found",
        "There is no such thing, or it belongs to another tenant.",
        "Check the address and the id; ids are found in lists.",
        "there is no such Pin",
    ),
    code(
        "method_not_allowed",
        "The address exists, but not with this method.",
        "Use one of the methods in `Allow`.",
        "this address takes GET, POST",
    ),
    code(
        "body_too_large",
        "The body is larger than 6 MB.",
        "Send less: at most 6 MB. Larger files are uploaded to the stack's bucket.",
        "the body has 7340032 bytes",
    ),
    code(
        "unsupported_content_type",
        "The `Content-Type` of the body is not taken here.",
        "Say what the body is: `Content-Type: text/csv` or `application/x-ndjson`.",
        "the body is of a kind that is not taken here",
    ),
    code(
        "unknown_parameter",
        "The operation has no such query parameter.",
        "Remove it, or write it as the API reference does.",
        "dryRun is not a query parameter of this operation",
    ),
    code(
        "repeated_parameter",
        "A query parameter is given twice.",
        "Give it once.",
        "state is given twice",
    ),
    code(
        "unknown_field",
        "The body has a field, or the file a column, that is not known.",
        "Remove it, or write it as the API reference does.",
        "tittle is not a field that is known here",
    ),
    code(
        "too_many_values",
        "The JSON object holds more values than any request needs.",
        "Send only the fields of the API reference.",
        "holds more than 1000 values",
    ),
    code(
        "missing_field",
        "A field that is needed is missing or empty.",
        "Add the field.",
        "media is missing",
    ),
    code(
        "repeated_field",
        "A column is given twice, or two columns say the same in different ways.",
        "Keep one of them.",
        "column title is there twice, perhaps under another name",
    ),
    code(
        "invalid_type",
        "A value is of another type than the contract says.",
        "Send the value in the form that the API reference shows.",
        "title is a number, and not text",
    ),
    code(
        "invalid_idempotency_key",
        "The `Idempotency-Key` is not 1 to 255 visible ASCII characters.",
        "Send a key such as a UUID, or none.",
        "Idempotency-Key is not 1 to 255 visible ASCII characters",
    ),
    code(
        "idempotency_key_reused",
        "The `Idempotency-Key` was used before, with another body.",
        "Use a new key for a new request, or send the first request's body again.",
        "this Idempotency-Key was used before, with another body",
    ),
    // Values.
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
        "weighs 33921 bytes with all its texts, and at most 32768 are kept",
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
        "state has a value that is not known: 'done'",
    ),
    code(
        "invalid_sort",
        "`sort_by` is not one of Pinterest's metrics for that.",
        "Use one of the metrics that the API reference lists.",
        "sort_by has a value that is not known: 'LIKES'",
    ),
    code(
        "invalid_metric",
        "`metrics` has a name that is not a metric here.",
        "Use any of the metrics that the API reference lists, separated by commas.",
        "metrics holds a value that is not known: 'LIKES'",
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
    // Media.
    code(
        "not_one_resolution",
        "A Pin is resolved as a Pin at Pinterest or by sending it again, not both and not neither.",
        "Send `is` with an id at Pinterest, or `resend` with `true`.",
        "is says nothing, or stands beside `resend`",
    ),
    code(
        "not_one_source",
        "A file has no source, or more than one.",
        "Give one of `url`, `media_id` or `base64`.",
        "media says nothing, or too much",
    ),
    code(
        "carousel_size",
        "A carousel has fewer than 2 or more than 5 images.",
        "Give 2 to 5 images, or publish one image as `\"kind\":\"image\"`.",
        "media.items has 6 images, and a carousel has 2 to 5",
    ),
    code(
        "invalid_base64",
        "The image is not base 64.",
        "Encode it by RFC 4648, section 4: padded, without line breaks and without `data:` in front.",
        "media.base64 is not base 64",
    ),
    code(
        "unsupported_media_type",
        "A file is of a kind that Pinterest does not take.",
        "Send a JPEG, PNG, WebP, GIF, BMP or TIFF image, or an MP4, MOV or M4V video.",
        "media.media_id names a file that is a HEIC image, as phones take them, and not an image",
    ),
    code(
        "invalid_thumbnail",
        "The thumbnail of a row is neither a moment of its video nor an address, or the file is an image.",
        "Write the moment as `0:03`, give the address of an image, or leave it empty.",
        "thumbnail is neither a moment of the video nor an address",
    ),
    code(
        "empty_media",
        "The size of the file is 0.",
        "Send the size of the file, to the byte.",
        "bytes is 0: there is nothing to upload",
    ),
    code(
        "media_too_large",
        "A file is larger than is taken.",
        "Make it smaller: 20 MB for an image, 2 GB for a video, 4 MB for an image within a request.",
        "bytes is 30000000: Pinterest takes at most 20 MB of an image",
    ),
    code(
        "upload_first",
        "An image cannot come within this request.",
        "Upload it by POST /api/v1/media, and name its media_id.",
        "media.base64 cannot come with a change",
    ),
    code(
        "media_unreachable",
        "A file could not be fetched.",
        "Check that the address opens without a login, and from the public internet.",
        "the host answered with status 404",
    ),
    code(
        "media_unsupported",
        "What is at an address is not a file of the kind that is needed.",
        "Check that the address leads to the file itself and not to a page.",
        "the file is a web page, and not an image",
    ),
    code(
        "video_unfinished",
        "A video has no index (`moov`): it was taken before it was finished, or is cut off.",
        "Export the video again, to its end, and use the whole file.",
        "the file has no index (`moov`): it was taken before it was finished, or is cut off",
    ),
    code(
        "media_forbidden",
        "An address is not public, and its host is not on the list of allowed hosts.",
        "Give a public https address, upload the video, or have its host added to PINWRIGHT_FETCH_ALLOW.",
        "the host is not on the public internet",
    ),
    code(
        "media_gone",
        "A file that was uploaded is not there any more.",
        "Upload it again, and publish it as a new Pin.",
        "the file that was uploaded is not there any more",
    ),
    code(
        "video_upload_failed",
        "A video did not reach Pinterest.",
        "Check that its address opens without a login and quickly enough, and retry.",
        "the video did not reach Pinterest: the host fell silent",
    ),
    code(
        "video_failed",
        "Pinterest could not use a video.",
        "Check that it is H.264 or H.265 with AAC sound, 4 seconds to 15 minutes long, and retry.",
        "Pinterest could not use the video, and does not say why",
    ),
    // The state of things here.
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
    // What Pinterest says.
    code(
        "no_video_in_sandbox",
        "By Pinterest's documents, its Sandbox takes no video Pins.",
        "Try an image there. For videos, set Environment to Production and connect the account again.",
        "by Pinterest's documents, its Sandbox takes no video Pins",
    ),
    code(
        "invalid_scope",
        "The app's access tier or what the owner granted does not allow this.",
        "Apply for Standard access at developers.pinterest.com, or reconnect the channel and grant everything.",
        "403 invalid scope",
    ),
    code(
        "board_id_invalid",
        "The board does not exist any more, or belongs to another account.",
        "Re-select the default board in the channel's settings, or name another board, and retry.",
        "board_id is invalid",
    ),
    code(
        "board_section_id_invalid",
        "The board has no such section.",
        "Choose a section that the board has, or leave the section out, and retry.",
        "board_section_id is invalid",
    ),
    code(
        "refused_by_pinterest",
        "Pinterest refused the request, and says why.",
        "Change what Pinterest objects to, and publish it as a new Pin.",
        "Pinterest refused: Invalid link",
    ),
    code(
        "link_blocked",
        "Pinterest blocks the link of the Pin; `params.host` names where it leads. Other Pins go on.",
        "Link to the page itself, without a shortener or a redirect; claim the website at Pinterest, or ask Pinterest's support to review it.",
        "Pinterest blocks the link to shop.example in this Pin: Sorry! We blocked this link because it may lead to spam.",
    ),
    code(
        "token_refused",
        "Pinterest refuses the account's tokens although they are new.",
        "Check at Pinterest that the account and the app are active, reconnect the channel, and retry.",
        "Pinterest keeps refusing this account's tokens although they are new",
    ),
    code(
        "analytics_not_in_sandbox",
        "Pinterest has no analytics in its Sandbox.",
        "Connect the account in the production environment: Trial access is enough to read numbers.",
        "Pinterest has no analytics in its Sandbox",
    ),
    code(
        "analytics_not_available",
        "Pinterest does not show these numbers to this account.",
        "Make it a business account in Pinterest's settings, and check that the Pin is still its own.",
        "Pinterest does not show these numbers to this account: not a business account",
    ),
    code(
        "pinterest_pin_gone",
        "The Pin is not at Pinterest any more.",
        "Publish it as a new Pin if it should be there.",
        "the Pin is not at Pinterest any more, and its numbers went with it",
    ),
    code(
        "limit_reached",
        "The tenant has used up one of its limits; `GET /api/v1/limits` shows all of them.",
        "Try again after the time in `Retry-After`, or ask whoever runs this for more.",
        "the tenant's limit pins_per_minute, which is 2000, is reached",
    ),
    code(
        "unknown_channels",
        "The file names many channels that do not exist.",
        "Use the ids that `GET /api/v1/channels` lists.",
        "names more than 20 channels that do not exist",
    ),
    code(
        "pinterest_rate_limited",
        "Pinterest's rate limit is used up.",
        "Try again after the time in Retry-After.",
        "Pinterest's rate limit is used up",
    ),
    code(
        "spam_hold",
        "Pinterest has blocked the account for a while to combat spam.",
        "Wait some hours, and vary what is published.",
        "Pinterest has blocked this account for a while to combat spam",
    ),
    code(
        "pinterest_unreachable",
        "Pinterest did not answer, or answered that something went wrong there.",
        "Try again later; Pinterest's status page tells whether it is down.",
        "Pinterest did not answer",
    ),
    code(
        "pinterest_unreadable",
        "Pinterest answered in a form that is not known.",
        "Try again later; if it goes on, report it to whoever runs this: the log says more.",
        "Pinterest answered in a form that is not known",
    ),
    // After `#error=`, when the browser comes back from Pinterest.
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
        "Pinterest gave tokens, and refuses to say whose account they are for.",
        "Check at Pinterest that the account and the app are active, and start again.",
        "https://app.example.com/#error=account_refused",
    ),

    // What passes.
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
        "Try again; if it goes on, give the request_id to whoever runs this.",
        "something went wrong inside; nothing is known to be half done",
    ),
];
