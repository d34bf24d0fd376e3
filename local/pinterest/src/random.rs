//! Random values, made of bytes that the caller of the crate supplies.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Fills a buffer with random bytes.
pub type RandomBytes = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Makes unpredictable values from the caller's random bytes.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) RandomBytes);

impl Random {
    /// 256 random bits as URL-safe text, after `prefix`.
    pub(crate) fn secret(&self, prefix: &str) -> String {
        let mut bytes = [0; 32];
        (self.0)(&mut bytes);
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// An id for one request.
    pub(crate) fn request_id(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}
