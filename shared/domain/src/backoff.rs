//! How long to wait before the next try.

use jiff::SignedDuration;

/// Doubles from `first` to `most` with each of `times` failures in a row (1 is the first), and takes between half and all
/// of it by `jitter` (0 to 1), so that calls that failed together are not repeated together.
#[must_use]
pub fn backoff(first: SignedDuration, most: SignedDuration, times: u32, jitter: f64) -> SignedDuration {
    let doublings = times.saturating_sub(1).min(20);
    let full = first.checked_mul(1 << doublings).unwrap_or(most).min(most);
    whole_millis(full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0)))
}

/// In whole milliseconds, as all times here are.
pub(crate) fn whole_millis(wait: SignedDuration) -> SignedDuration {
    i64::try_from(wait.as_millis()).map_or(wait, SignedDuration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_maximum() {
        let (first, max) = (SignedDuration::from_secs(10), SignedDuration::from_mins(5));
        let waits: Vec<_> = (1..=7).map(|times| backoff(first, max, times, 1.0).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoff(first, max, u32::MAX, 0.0).as_secs(), 150);
        assert_eq!(backoff(first, max, 1, 0.123_456_789).subsec_nanos() % 1_000_000, 0);
    }
}
