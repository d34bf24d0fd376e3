//! The metadata of a file from its host, and its first bytes.

use bytes::Bytes;
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName},
};

/// [RFC 6838, section 4.2](https://www.rfc-editor.org/rfc/rfc6838#section-4.2) allows 127 letters on each side
/// of the slash.
const MAX_TYPE_CHARS: usize = 127 + 1 + 127;

/// The metadata of a file from its host. They may be wrong, or forged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Its media type, in lower case and without parameters: `video/mp4`.
    pub content_type: Option<String>,
    /// Its size.
    pub bytes: Option<u64>,
    /// Whether the host has sent the requested part, and not the file from its beginning.
    pub is_part: bool,
    /// Some bytes of the file itself.
    pub content: Bytes,
}

impl FileInfo {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, content: Bytes) -> Self {
        let is_part = status != StatusCode::OK;
        let bytes = if is_part { whole_size(headers) } else { size(headers) };
        Self { content_type: content_type(headers), bytes, is_part, content }
    }
}

pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let essence = text(headers, CONTENT_TYPE)?.split(';').next()?.trim();
    (!essence.is_empty() && essence.len() <= MAX_TYPE_CHARS).then(|| essence.to_ascii_lowercase())
}

/// Whether the file ends before the requested part, according to the host.
pub(crate) fn is_past_end(answer: &Response) -> bool {
    whole_size(answer.headers()).is_some()
}

/// The size of the whole file, which is sent with a part of it: `bytes 0-0/1234`.
fn whole_size(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, CONTENT_RANGE)?.strip_prefix("bytes ")?;
    number(range.split_once('/')?.1)
}

fn size(headers: &HeaderMap) -> Option<u64> {
    number(text(headers, CONTENT_LENGTH)?)
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_info(status: StatusCode, name: HeaderName, value: &str) -> FileInfo {
        FileInfo::new(status, &HeaderMap::from_iter([(name, value.parse().unwrap())]), Bytes::new())
    }

    #[test]
    fn only_a_number_is_a_size() {
        for (value, bytes) in
            [("0", Some(0)), ("18446744073709551615", Some(u64::MAX)), ("18446744073709551616", None)]
        {
            assert_eq!(file_info(StatusCode::OK, CONTENT_LENGTH, value).bytes, bytes, "{value}");
        }
        for value in ["", "-1", "+1", "0x10", "1.5", "1, 1"] {
            assert_eq!(file_info(StatusCode::OK, CONTENT_LENGTH, value).bytes, None, "{value}");
        }
    }

    #[test]
    fn the_size_of_a_part_is_not_that_of_the_file() {
        for (value, bytes) in [
            ("bytes 0-0/7", Some(7)),
            ("bytes 0-0/*", None),
            ("bytes */7", Some(7)),
            ("items 0-0/7", None),
            ("7", None),
        ] {
            assert_eq!(file_info(StatusCode::PARTIAL_CONTENT, CONTENT_RANGE, value).bytes, bytes, "{value}");
        }
        assert_eq!(file_info(StatusCode::PARTIAL_CONTENT, CONTENT_LENGTH, "1").bytes, None);
    }

    #[test]
    fn a_type_is_kept_in_its_plain_form() {
        let long = "a".repeat(MAX_TYPE_CHARS + 1);
        for (value, content_type) in [
            ("Video/MP4", Some("video/mp4")),
            (" image/png ; a=\"b;c\"", Some("image/png")),
            (";a=b", None),
            (&long, None),
        ] {
            assert_eq!(
                file_info(StatusCode::OK, CONTENT_TYPE, value).content_type.as_deref(),
                content_type,
                "{value}"
            );
        }
    }
}
