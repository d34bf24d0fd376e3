//! The format of instants in answers and events: always with milliseconds, so that they sort as texts.

use jiff::Timestamp;
use serde::Serializer;

/// Writes an instant as `2026-12-01T09:00:00.000Z`.
///
/// # Errors
///
/// The serializer's.
pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// The same of an instant that may not be known.
pub mod optional {
    use jiff::Timestamp;
    use serde::Serializer;

    /// Writes an instant, or `null`.
    ///
    /// # Errors
    ///
    /// The serializer's.
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Serializer, Value, from_slice};

    use super::*;

    fn json_of(at: &str) -> Value {
        let mut json = Vec::new();
        serialize(&at.parse().unwrap(), &mut Serializer::new(&mut json)).unwrap();
        from_slice(&json).unwrap()
    }

    #[test]
    fn every_instant_has_milliseconds() {
        assert_eq!(json_of("2026-12-01T09:00:00Z"), "2026-12-01T09:00:00.000Z");
        assert_eq!(json_of("2026-12-01T09:00:00.39Z"), "2026-12-01T09:00:00.390Z");
    }
}
