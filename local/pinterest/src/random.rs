//! Randomness, which belongs to the caller of the crate.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Fills a buffer with random bytes.
pub type RandomBytes = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Makes what has to be unpredictable, from the bytes that the caller supplies.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) RandomBytes);

impl Random {
    /// 256 random bits, as text that fits into a URL.
    pub(crate) fn secret(&self, prefix: &str) -> String {
        let mut bytes = [0; 32];
        (self.0)(&mut bytes);
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A number to name one request by.
    pub(crate) fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}
