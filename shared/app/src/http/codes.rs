//! Every code of a problem. The contract lists them, and a test compares the list with the code that makes problems.

/// The codes with what each of them means, sorted by where they come from.
pub(crate) const CODES: &[(&str, &str)] = &[
    // The request as a whole.
    ("invalid_json", "The body is not JSON."),
    ("invalid_csv", "The body is not CSV, or a row has another number of fields than the first line."),
    ("unauthenticated", "There is no valid token."),
    ("not_admin", "The token does not allow this: it is for admins."),
    ("not_found", "There is no such thing, or it belongs to another tenant."),
    ("method_not_allowed", "The address exists, but not with this method."),
    ("body_too_large", "The body is larger than 6 MB."),
    ("unsupported_content_type", "The `Content-Type` of the body is not taken here."),
    ("unknown_parameter", "The operation has no such query parameter."),
    ("repeated_parameter", "A query parameter is given twice."),
    ("unknown_field", "The body has a field, or the file a column, that is not known."),
    ("missing_field", "A field that is needed is missing or empty."),
    ("repeated_field", "A column is given twice, or two columns say the same in different ways."),
    ("invalid_type", "A value is of another type than the contract says."),
    ("invalid_idempotency_key", "The `Idempotency-Key` is not 1 to 255 visible ASCII characters."),
    ("idempotency_key_reused", "The `Idempotency-Key` was used before, with another body."),
    // Values.
    ("too_long", "A text is too long."),
    ("control_character", "A text has a control character other than a line break or a tab."),
    ("invalid_url", "An address is not an absolute `http` or `https` address."),
    ("invalid_color", "A colour is not written as `#RRGGBB`."),
    ("invalid_id", "An id is not of the form that ids of its kind have."),
    ("invalid_limit", "`limit` is not a number in its range."),
    ("invalid_cursor", "`cursor` leads to no page."),
    ("invalid_state", "`state` is not the state of a Pin."),
    ("invalid_sort", "`sort_by` is not one of Pinterest's metrics for that."),
    ("invalid_metric", "`metrics` has a name that is not a metric here."),
    ("invalid_date", "A day is not written as YYYY-MM-DD."),
    ("date_in_future", "A day is in the future."),
    ("date_too_old", "A day is longer ago than Pinterest's numbers go back."),
    ("dates_reversed", "`from` is after `to`."),
    ("invalid_app_id", "The App ID is not a number."),
    ("invalid_app_secret", "The App Secret has white space or control characters, or is too long."),
    ("return_to_not_allowed", "`return_to` is neither a path nor an address on an allowed origin."),
    ("invalid_duration", "`publish_within` is not a duration between one minute and a year."),
    ("publish_at_past", "`publish_at` is in the past."),
    ("publish_at_too_far", "`publish_at` is more than a year ahead."),
    ("unknown_time_zone", "`time_zone` is not in the IANA database."),
    ("invalid_local_time", "`local` is not a date and a time without an offset."),
    ("local_time_skipped", "The clocks of the zone skip this time."),
    ("no_board", "The request names no board, and the channel has no default board."),
    ("no_rows", "The file has no rows."),
    ("too_many_rows", "The file has more than 1,000 rows."),
    // Media.
    ("not_one_source", "A file has no source, or more than one."),
    ("carousel_size", "A carousel has fewer than 2 or more than 5 images."),
    ("invalid_base64", "The image is not base 64."),
    ("unsupported_media_type", "A file is of a kind that Pinterest does not take."),
    ("empty_media", "The size of the file is 0."),
    ("media_too_large", "A file is larger than is taken."),
    ("upload_first", "An image cannot come within this request: upload it first."),
    ("media_unreachable", "A file could not be fetched."),
    ("media_unsupported", "What is at an address is not a file of the kind that is needed."),
    ("media_forbidden", "An address is not public, and its host is not on the list of allowed hosts."),
    ("media_gone", "A file that was uploaded is not there any more."),
    ("video_upload_failed", "A video did not reach Pinterest."),
    ("video_failed", "Pinterest could not use a video."),
    // The state of things here.
    ("integration_disabled", "The integration is switched off, or its credentials are missing."),
    ("reconnect_required", "The owner has to connect the account again."),
    ("wrong_state", "The thing is not in a state in which this can be done."),
    ("duplicate", "The same Pin was published on the board, or is going to be, within 30 days."),
    ("too_late", "The Pin could not be published in time."),
    ("outcome_unknown", "The Pin may or may not be on the board."),
    // What Pinterest says.
    ("invalid_scope", "The app's access tier or what the owner granted does not allow this."),
    ("board_id_invalid", "The board does not exist any more, or belongs to another account."),
    ("board_section_id_invalid", "The board has no such section."),
    ("refused_by_pinterest", "Pinterest refused the request, and says why."),
    ("token_refused", "Pinterest refuses the account's tokens although they are new."),
    ("analytics_not_in_sandbox", "Pinterest has no analytics in its Sandbox."),
    ("analytics_not_available", "Pinterest does not show these numbers to this account."),
    ("pinterest_pin_gone", "The Pin is not at Pinterest any more."),
    ("pinterest_rate_limited", "Pinterest's rate limit is used up."),
    ("spam_hold", "Pinterest has blocked the account for a while to combat spam."),
    ("pinterest_unreachable", "Pinterest did not answer, or not in a form that is known."),
    // What passes.
    ("token_refresh", "The access token is being renewed."),
    ("busy", "Too many changes of the same thing at once."),
    ("not_done", "The time of the call was up before this row."),
    ("internal", "A fault of the stack."),
];

/// Whether the contract lists `code`.
pub(crate) fn is_listed(code: &str) -> bool {
    CODES.iter().any(|(listed, _)| *listed == code)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The text of every source file below `folder`, without its tests.
    fn sources(folder: &Path, all: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("tests") {
                    sources(&path, all);
                }
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("http/codes.rs") {
                let text = fs::read_to_string(&path).unwrap();
                all.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
            }
        }
    }

    /// The argument at `wanted` of each call that begins with `call`, if it is a plain text.
    fn arguments<'a>(text: &'a str, call: &str, wanted: usize) -> Vec<&'a str> {
        let argument = |rest: &'a str| {
            let (mut depth, mut quoted, mut position, mut begin) = (0, false, 0, 0);
            for (at, letter) in rest.char_indices() {
                match letter {
                    '"' => quoted = !quoted,
                    _ if quoted => {}
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' if depth > 0 => depth -= 1,
                    ',' | ')' if depth == 0 => {
                        if position == wanted {
                            return rest[begin..at].trim().strip_prefix('"')?.strip_suffix('"');
                        }
                        (position, begin) = (position + 1, at + 1);
                    }
                    _ => {}
                }
            }
            None
        };
        text.split(call).skip(1).filter_map(argument).collect()
    }

    #[test]
    fn every_code_of_the_code_is_listed_and_every_code_of_the_list_is_made() {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut texts = Vec::new();
        for part in ["domain", "app"] {
            sources(&shared.join(part).join("src"), &mut texts);
        }
        let mut made = BTreeSet::new();
        for text in &texts {
            for (call, argument) in [
                ("Invalid::new(", 1),
                ("Failure::new(", 0),
                ("Check::wrong(", 1),
                (" problem(", 1),
                ("..problem(", 1),
            ] {
                made.extend(arguments(text, call, argument));
            }
        }
        assert!(made.len() > 40, "{made:?}");
        for code in &made {
            assert!(is_listed(code), "{code} is not in the list of codes");
        }
        for (number, (code, _)) in CODES.iter().enumerate() {
            assert!(!CODES[..number].iter().any(|(other, _)| other == code), "{code} is listed twice");
            let written = format!("\"{code}\"");
            assert!(texts.iter().any(|text| text.contains(&written)), "nothing makes {code}");
        }
    }
}
