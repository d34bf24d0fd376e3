//! Time and randomness. Every use case takes them as arguments, so that a test, or a person at `/dev/advance`, can set
//! them.

use std::{fmt, sync::Arc};

use domain::IdBytes;
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// A custom clock.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time, in whole milliseconds: this is precise enough, and keeps rows and answers shorter.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let exact = (self.0)();
        Timestamp::from_millisecond(exact.as_millisecond()).unwrap_or(exact)
    }
}

/// Gives random bytes.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Random {
    /// The operating system's.
    #[must_use]
    pub fn system() -> Self {
        let source = SystemRandom::new();
        Self::new(move |bytes| {
            // The kernel refuses only before it has collected entropy at boot; then waiting is right.
            while source.fill(bytes).is_err() {}
        })
    }

    /// A custom source.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        (self.0)(bytes);
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// The random part of an id.
    #[must_use]
    pub fn id_bytes(&self) -> IdBytes {
        self.bytes()
    }

    /// 128 random bits, which identify an attempt or a lease.
    #[must_use]
    pub fn hex_id(&self) -> String {
        crate::encoding::hex(&self.bytes::<16>())
    }

    /// 256 random bits as a secret that fits into a URL.
    #[must_use]
    pub fn secret(&self) -> String {
        crate::encoding::url_base64(&self.bytes::<32>())
    }

    /// At least 0, less than 1: spreads retries.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        f64::from(u32::from_be_bytes(self.bytes())) / (f64::from(u32::MAX) + 1.0)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Random")
    }
}
