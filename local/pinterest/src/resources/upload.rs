//! The form upload of a video, which is a part of S3 and not of Pinterest: it has no bearer token, its errors are XML,
//! and `file` is its last field.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
    },
};
use futures::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};

use super::media::{UPLOAD_PARAMETERS, digest_parameters};
use crate::{
    http::{Answer, Environment, Id},
    state::{ReceivedFile, State, Upload},
};

/// Why S3 refuses a form.
struct FormError(StatusCode, &'static str, &'static str);

const NOT_A_FORM: FormError = FormError(
    StatusCode::BAD_REQUEST,
    "MalformedPOSTRequest",
    "The body is not well-formed multipart/form-data.",
);
const NO_LENGTH: FormError = FormError(
    StatusCode::LENGTH_REQUIRED,
    "MissingContentLength",
    "You must provide the Content-Length header.",
);
const TWO_CREDENTIALS: FormError =
    FormError(StatusCode::BAD_REQUEST, "InvalidArgument", "Only one auth mechanism allowed.");
const NO_FILE: FormError = FormError(
    StatusCode::BAD_REQUEST,
    "InvalidArgument",
    "POST requires exactly one file upload per request.",
);
const PARAMETER_MISSING: FormError = FormError(
    StatusCode::FORBIDDEN,
    "AccessDenied",
    "Invalid according to Policy: a parameter is missing, or comes after the file.",
);
const PARAMETER_CHANGED: FormError = FormError(
    StatusCode::FORBIDDEN,
    "SignatureDoesNotMatch",
    "The parameters are not those that were given for this upload.",
);

const EXPIRED: FormError =
    FormError(StatusCode::FORBIDDEN, "AccessDenied", "Invalid according to Policy: Policy expired.");
const USED: FormError = FormError(
    StatusCode::FORBIDDEN,
    "AccessDenied",
    "Invalid according to Policy: the form was used before.",
);
const TOO_LARGE: FormError = FormError(
    StatusCode::BAD_REQUEST,
    "EntityTooLarge",
    "Your proposed upload exceeds the maximum allowed size.",
);

/// How long a form is valid. Pinterest does not document it; AWS's own forms are valid for an hour.
const FORM_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// The largest form: a video of 2 GB, and its fields.
const MAX_FORM_BYTES: u64 = (2 << 30) + (1 << 20);

/// The part of a form that is read: its fields, and the beginning of its file.
const MAX_FRONT_BYTES: usize = 64 * 1024;

/// Reads a form to its end, and returns its first part. One that is too large is not read.
pub(crate) async fn read_front(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, axum::Error> {
    let mut front = Vec::new();
    if length(headers).is_some_and(|length| length > MAX_FORM_BYTES) {
        return Ok(front);
    }
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.try_next().await? {
        front.extend_from_slice(&piece[..piece.len().min(MAX_FRONT_BYTES - front.len())]);
    }
    Ok(front)
}

/// Receives a form: 204, or an error as XML.
pub(crate) fn receive_form(state: &mut State, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
    match accept_form(state, headers, body, now) {
        Ok(()) => Answer::no_content(),
        Err(FormError(status, code, message)) => Answer::xml(
            status,
            &format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}\
                 </Message></Error>"
            ),
        ),
    }
}

fn accept_form(state: &mut State, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), FormError> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(TWO_CREDENTIALS);
    }
    if length(headers).ok_or(NO_LENGTH)? > MAX_FORM_BYTES {
        return Err(TOO_LARGE);
    }
    let form = find_boundary(headers).and_then(|boundary| Form::parse(body, boundary)).ok_or(NOT_A_FORM)?;
    let file = form.file.ok_or(NO_FILE)?;
    if UPLOAD_PARAMETERS.iter().any(|name| !form.fields.contains_key(*name)) {
        return Err(PARAMETER_MISSING);
    }

    let key = form.fields.get("key").map_or("", String::as_str);
    let upload = find_upload(state, key).ok_or(PARAMETER_CHANGED)?;
    if digest_parameters(&form.fields) != upload.parameters {
        return Err(PARAMETER_CHANGED);
    }
    if upload.received.is_some() {
        return Err(USED);
    }
    if now.duration_since(upload.registered_at) > FORM_LIFE {
        return Err(EXPIRED);
    }
    upload.received = Some(ReceivedFile { at: now, is_video: is_video(file) });
    Ok(())
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The upload whose media id is at the end of the key.
fn find_upload<'a>(state: &'a mut State, key: &str) -> Option<&'a mut Upload> {
    let id = key.rsplit(':').next().and_then(Id::parse)?;
    let environment = Environment::ALL
        .into_iter()
        .find(|environment| state.host(*environment).uploads.iter().any(|upload| upload.id == id))?;
    state.host_mut(environment).uploads.iter_mut().find(|upload| upload.id == id)
}

/// Whether `file` begins like an MP4, M4V or MOV file: with a box that has one of these names.
fn is_video(file: &[u8]) -> bool {
    let name = file.get(4..8).unwrap_or_default();
    [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"].iter().any(|box_name| name == *box_name)
}

fn find_boundary(headers: &HeaderMap) -> Option<&str> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (_, boundary) = content_type.strip_prefix("multipart/form-data")?.split_once("boundary=")?;
    Some(boundary.split(';').next()?.trim().trim_matches('"'))
}

/// The parameters before the file, and the content of the file. Fields after the file are ignored, as in S3.
struct Form<'a> {
    fields: BTreeMap<String, String>,
    file: Option<&'a [u8]>,
}

impl<'a> Form<'a> {
    fn parse(body: &'a [u8], boundary: &str) -> Option<Self> {
        let delimiter = format!("\r\n--{boundary}");
        let mut remaining = body.strip_prefix(&delimiter.as_bytes()[2..])?;
        let mut fields = BTreeMap::new();
        while let Some(part) = remaining.strip_prefix(b"\r\n") {
            let (headers, content) = split_once(part, b"\r\n\r\n")?;
            let name = parse_field_name(headers)?;
            if name == "file" {
                return Some(Self { fields, file: Some(content) });
            }
            let (value, after) = split_once(content, delimiter.as_bytes())?;
            if UPLOAD_PARAMETERS.contains(&name) {
                fields.insert(name.to_owned(), String::from_utf8(value.to_vec()).ok()?);
            }
            remaining = after;
        }
        Some(Self { fields, file: None })
    }
}

fn parse_field_name(headers: &[u8]) -> Option<&str> {
    let disposition = std::str::from_utf8(headers)
        .ok()?
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let name = disposition.split(';').find_map(|part| part.trim().strip_prefix("name="))?;
    Some(name.trim_matches('"'))
}

/// The bytes before the first `separator`, and the bytes after it.
fn split_once<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_parameter_after_the_file_counts_as_missing() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"policy\"\r\n\r\np\r\n--b--\r\n";

        let form = Form::parse(body, "b").unwrap();

        assert_eq!(form.fields.into_iter().collect::<Vec<_>>(), [("key".to_owned(), "k".to_owned())]);
        assert!(form.file.unwrap().starts_with(b"bytes"));
    }
}
