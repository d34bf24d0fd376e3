//! Bytes as text, and the hash by which a row is found without storing the secret that names it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    String::from_utf8(text).unwrap_or_default()
}

/// Base 64 that needs no escaping in a URL (RFC 4648, section 5), without padding.
#[must_use]
pub fn url_base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads [`url_base64`].
#[must_use]
pub fn from_url_base64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(data: impl AsRef<[u8]>) -> String {
    hex(digest(&SHA256, data.as_ref()).as_ref())
}
