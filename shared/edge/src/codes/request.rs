//! Codes: the request as a whole.

use super::{Code, code};

#[rustfmt::skip] // one line for each part of an entry
pub(super) const CODES: &[Code] = &[
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
        "Sign in as a member of a tenant; the operator can add the claim to your tokens.",
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
        "The `Content-Type` of the body is not accepted here.",
        "Say what the body is: `Content-Type: text/csv` or `application/x-ndjson`.",
        "the body is of a kind that is not accepted here",
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
        "The body has an unknown field, or the file an unknown column.",
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
        "column title is repeated, perhaps under another name",
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
];
