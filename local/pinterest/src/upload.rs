//! The form upload of a video, which is S3's and not Pinterest's: no bearer token, XML for errors,
//! and `file` as the last field.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
    },
};
use futures::TryStreamExt as _;
use jiff::Timestamp;

use crate::{
    answer::Answer,
    environment::Environment,
    media::{PARAMETERS, fingerprint},
    state::{Id, Received, State, Upload},
};

/// Why S3 refuses a form.
struct Refused(StatusCode, &'static str, &'static str);

const NOT_A_FORM: Refused = Refused(
    StatusCode::BAD_REQUEST,
    "MalformedPOSTRequest",
    "The body is not well-formed multipart/form-data.",
);
const NO_LENGTH: Refused = Refused(
    StatusCode::LENGTH_REQUIRED,
    "MissingContentLength",
    "You must provide the Content-Length header.",
);
const TWO_CREDENTIALS: Refused =
    Refused(StatusCode::BAD_REQUEST, "InvalidArgument", "Only one auth mechanism allowed.");
const NO_FILE: Refused =
    Refused(StatusCode::BAD_REQUEST, "InvalidArgument", "POST requires exactly one file upload per request.");
const PARAMETER_MISSING: Refused = Refused(
    StatusCode::FORBIDDEN,
    "AccessDenied",
    "Invalid according to Policy: a parameter is missing, or comes after the file.",
);
const PARAMETER_CHANGED: Refused = Refused(
    StatusCode::FORBIDDEN,
    "SignatureDoesNotMatch",
    "The parameters are not those that were given for this upload.",
);

/// As much of a form as is kept: its fields, and how its file begins.
const FRONT: usize = 64 * 1024;

/// Reads a form to its end, and keeps its front.
pub(crate) async fn front(body: Body) -> Result<Vec<u8>, axum::Error> {
    let mut front = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.try_next().await? {
        front.extend_from_slice(&piece[..piece.len().min(FRONT - front.len())]);
    }
    Ok(front)
}

/// Takes a form: 204, or S3's XML.
pub(crate) fn receive(state: &mut State, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
    match accept(state, headers, body, now) {
        Ok(()) => Answer::no_content(),
        Err(Refused(status, code, message)) => Answer::xml(
            status,
            &format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}\
                 </Message></Error>"
            ),
        ),
    }
}

fn accept(state: &mut State, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Refused> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(TWO_CREDENTIALS);
    }
    if !headers.contains_key(CONTENT_LENGTH) {
        return Err(NO_LENGTH);
    }
    let form = boundary(headers).and_then(|boundary| Form::parse(body, boundary)).ok_or(NOT_A_FORM)?;
    let file = form.file.ok_or(NO_FILE)?;
    if PARAMETERS.iter().any(|name| !form.fields.contains_key(*name)) {
        return Err(PARAMETER_MISSING);
    }

    let key = form.fields.get("key").map_or("", String::as_str);
    let upload = find(state, key).ok_or(PARAMETER_CHANGED)?;
    if fingerprint(&form.fields) != upload.parameters {
        return Err(PARAMETER_CHANGED);
    }
    upload.received = Some(Received { at: now, is_video: is_video(file) });
    Ok(())
}

/// The upload whose media id the key ends in.
fn find<'a>(state: &'a mut State, key: &str) -> Option<&'a mut Upload> {
    let id = key.rsplit(':').next().and_then(Id::parse)?;
    let environment = Environment::ALL
        .into_iter()
        .find(|environment| state.world(*environment).uploads.iter().any(|upload| upload.id == id))?;
    state.world_mut(environment).uploads.iter_mut().find(|upload| upload.id == id)
}

/// MP4, M4V and MOV are chains of boxes, whose first has one of these names.
fn is_video(file: &[u8]) -> bool {
    let name = file.get(4..8).unwrap_or_default();
    [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"].iter().any(|known| name == *known)
}

fn boundary(headers: &HeaderMap) -> Option<&str> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (_, boundary) = content_type.strip_prefix("multipart/form-data")?.split_once("boundary=")?;
    Some(boundary.split(';').next()?.trim().trim_matches('"'))
}

/// The parameters before the file, and what follows the headers of the file. What comes after the
/// file is ignored, as S3 does.
struct Form<'a> {
    fields: BTreeMap<String, String>,
    file: Option<&'a [u8]>,
}

impl<'a> Form<'a> {
    fn parse(body: &'a [u8], boundary: &str) -> Option<Self> {
        let delimiter = format!("\r\n--{boundary}");
        let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..])?;
        let mut fields = BTreeMap::new();
        while let Some(part) = rest.strip_prefix(b"\r\n") {
            let (headers, content) = split_at(part, b"\r\n\r\n")?;
            let name = field_name(headers)?;
            if name == "file" {
                return Some(Self { fields, file: Some(content) });
            }
            let (value, after) = split_at(content, delimiter.as_bytes())?;
            if PARAMETERS.contains(&name) {
                fields.insert(name.to_owned(), String::from_utf8(value.to_vec()).ok()?);
            }
            rest = after;
        }
        Some(Self { fields, file: None })
    }
}

fn field_name(headers: &[u8]) -> Option<&str> {
    let disposition = std::str::from_utf8(headers)
        .ok()?
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let name = disposition.split(';').find_map(|part| part.trim().strip_prefix("name="))?;
    Some(name.trim_matches('"'))
}

/// What comes before the first `separator`, and what comes after it.
fn split_at<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_parameter_after_the_file_is_as_good_as_missing() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"policy\"\r\n\r\np\r\n--b--\r\n";

        let form = Form::parse(body, "b").unwrap();

        assert_eq!(form.fields.into_iter().collect::<Vec<_>>(), [("key".to_owned(), "k".to_owned())]);
        assert!(form.file.unwrap().starts_with(b"bytes"));
    }
}
