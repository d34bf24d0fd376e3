//! Counts calls against a quota.

use jiff::Timestamp;

use crate::{
    http::{RateLimit, Refusal},
    state::policy::Quota,
};

/// The calls in the current window. It is not saved: the count starts anew after a restart.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    window: u64,
    used: u64,
}

impl Meter {
    /// Counts one call. Without a quota, the numbers are those of an app that is never near its limit.
    pub(crate) fn count_call(
        &mut self,
        quota: Option<Quota>,
        now: Timestamp,
    ) -> (RateLimit, Result<(), Refusal>) {
        let second = u64::try_from(now.as_second()).unwrap_or_default();
        let length = quota.map_or(60, |quota| u64::from(quota.seconds.max(1)));
        let reset = length - second % length;
        let Some(quota) = quota else {
            return (RateLimit { limit: 1000, remaining: 999, reset }, Ok(()));
        };

        let window = second / length;
        if window != self.window {
            *self = Self { window, used: 0 };
        }
        let limit = u64::from(quota.calls);
        let allowed = self.used < limit;
        self.used += u64::from(allowed);
        let rate_limit = RateLimit { limit, remaining: limit - self.used.min(limit), reset };
        (rate_limit, if allowed { Ok(()) } else { Err(Refusal::RateLimited { reset }) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Meter, Quota, Refusal};
    use jiff::Timestamp;

    #[test]
    fn a_used_up_quota_refuses_until_the_next_window() {
        let mut meter = Meter::default();
        let quota = Some(Quota { calls: 1, seconds: 100 });
        let at = |second| Timestamp::from_second(second).unwrap();

        assert_eq!(meter.count_call(quota, at(230)).1, Ok(()));
        assert_eq!(meter.count_call(quota, at(240)).1, Err(Refusal::RateLimited { reset: 60 }));
        assert_eq!(meter.count_call(quota, at(300)).1, Ok(()));
    }
}
