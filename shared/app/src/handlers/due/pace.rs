//! The pace at which turns start.

use std::num::NonZeroU32;

use tokio::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// A pace that all workers keep together without communication: each partition has an equal share of it, and only the worker
/// that leases the partition uses its share.
///
/// Unused time is made up for by a small burst: at most the turns of one second, and at most as many as there are lanes.
#[derive(Debug)]
pub(super) struct Pace {
    per_minute: NonZeroU32,
    burst: u32,
    /// The start of the next turn if all turns start one by one.
    next: Instant,
}

impl Pace {
    /// `lanes`: how many turns there may be at once.
    pub(super) fn new(per_minute: NonZeroU32, lanes: usize, now: Instant) -> Self {
        let lanes = u32::try_from(lanes).unwrap_or(u32::MAX);
        // A worker begins with a full burst, so that a small load is done sooner.
        let next = now.checked_sub(MINUTE).unwrap_or(now);
        Self { per_minute, burst: (per_minute.get() / 60).clamp(1, lanes.max(1)), next }
    }

    /// The earliest start of the next turn.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Starts a turn in a worker that leases `held` of `all` partitions.
    pub(super) fn begin(&mut self, held: usize, all: usize, now: Instant) {
        let [held, all] = [held, all].map(|count| u32::try_from(count.max(1)).unwrap_or(u32::MAX));
        let between = MINUTE * all / held / self.per_minute.get();
        let earliest = now.checked_sub(between * (self.burst - 1)).unwrap_or(now);
        self.next = self.next.max(earliest) + between;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many turns begin in each of some minutes, if there are always more.
    fn turns(per_minute: u32, lanes: usize, held: usize, minutes: u32) -> Vec<u32> {
        let begin = Instant::now() + MINUTE;
        let mut pace = Pace::new(NonZeroU32::new(per_minute).unwrap(), lanes, begin);
        let minute = |number: u32| {
            let mut turns = 0;
            while pace.next() < begin + MINUTE * number {
                pace.begin(held, 16, pace.next().max(begin));
                turns += 1;
            }
            turns
        };
        (1..=minutes).map(minute).collect()
    }

    #[test]
    fn a_worker_has_the_share_of_its_partitions() {
        assert_eq!(turns(1600, 8, 16, 3), [1607, 1600, 1600]);
        assert_eq!(turns(1600, 8, 4, 3), [407, 400, 400]);
        assert_eq!(turns(1, 8, 16, 3), [1; 3]);
    }

    #[test]
    fn after_a_rest_a_second_is_made_good_and_no_more() {
        let begin = Instant::now() + MINUTE;
        let mut pace = Pace::new(NonZeroU32::new(600).unwrap(), 8, begin);
        let now = begin + MINUTE;
        let mut at_once = 0;
        while pace.next() <= now {
            pace.begin(16, 16, now);
            at_once += 1;
        }
        assert_eq!(at_once, 8, "as many as lanes");

        let mut slow = Pace::new(NonZeroU32::new(60).unwrap(), 8, begin);
        slow.begin(16, 16, now);
        assert_eq!(slow.next(), now + Duration::from_secs(1));
    }
}
