//! How long a channel, or the whole app, pauses when Pinterest asks for it (HTTP 429), or fails.

use jiff::SignedDuration;

use super::{
    SideEffect,
    protocol::{MAX_BACKOFF, TransitionBuilder},
};
use crate::{Pause, PauseReason, backoff::whole_millis};

/// A limit that lasts this long applies to the app (a day on Trial access), and not to one account (a minute).
const APP_WIDE_FROM: SignedDuration = SignedDuration::from_mins(5);
/// How long the account pauses after each spam block in a row.
const SPAM_HOLDS: [SignedDuration; 4] =
    [SignedDuration::from_mins(10), SignedDuration::from_hours(1), SignedDuration::from_hours(6), DAY];
/// No limit of Pinterest is longer. After a day without a pause, the spam holds begin with the first again.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The pause of a channel after each unknown outcome in a row. One or two may be caused by their Pins, or by a short fault.
const FAILURE_RESTS: [SignedDuration; 6] = [
    SignedDuration::ZERO,
    SignedDuration::ZERO,
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(3),
];
/// Unknown outcomes with more time than this between them are not in a row.
const FAILURES_APART: SignedDuration = SignedDuration::from_hours(1);

impl TransitionBuilder<'_> {
    /// The pause after a rate limit of a send or a board check. `before`: how many limits in a row did not end in time.
    pub(super) fn rate_limited(
        &self,
        retry_after: Option<SignedDuration>,
        before: u32,
    ) -> (Pause, SideEffect) {
        let second = SignedDuration::from_secs(1);
        let stated = retry_after.map_or(second * 60, |wait| wait.clamp(second, DAY));
        let learnt = crate::backoff(second * 60, MAX_BACKOFF, before, self.context.jitter);
        let wait = if before == 0 { stated } else { stated.max(learnt) };
        let pause = Pause {
            reason: PauseReason::Quota,
            until: self.now + wait + whole_millis(wait.mul_f64(0.1 * self.context.jitter)),
            // It may replace another pause, whose counts must be kept.
            step: self.holds_in_a_row(),
            failures: self.failures_in_a_row(),
        };
        // Pinterest's own time decides: if the limit of one account continues, this means nothing for the others.
        let side_effect = if stated >= APP_WIDE_FROM {
            SideEffect::PauseApp(pause)
        } else {
            SideEffect::PauseChannel(pause)
        };
        (pause, side_effect)
    }

    /// The pause after a spam block. It is longer than the one before, until a day has passed without a pause.
    pub(super) fn spam_hold(&self) -> Pause {
        let last = self.context.last_pause;
        if let Some(last) = last.filter(|last| last.reason == PauseReason::SpamHold && last.until > self.now)
        {
            return last; // the same block, met by a Pin that was being sent already
        }
        let step = self.holds_in_a_row().min(3);
        Pause {
            reason: PauseReason::SpamHold,
            until: self.now + SPAM_HOLDS[usize::from(step)],
            step,
            failures: self.failures_in_a_row(),
        }
    }

    /// The pause after an unknown outcome: Pinterest may be failing for all Pins.
    pub(super) fn rest_after_failure(&self) -> Pause {
        let before = self.failures_in_a_row();
        let rest = FAILURE_RESTS[usize::from(before).min(FAILURE_RESTS.len() - 1)];
        Pause {
            reason: PauseReason::PinterestUnavailable,
            until: self.now + rest + rest.mul_f64(0.1 * self.context.jitter),
            step: self.holds_in_a_row(),
            failures: before.saturating_add(1),
        }
    }

    /// The end of a row of failures, if there was one: Pinterest has created a Pin.
    pub(super) fn end_of_failures(&self) -> SideEffect {
        match self.context.last_pause {
            Some(last) if last.failures > 0 && last.until < self.now => {
                SideEffect::PauseChannel(Pause { until: self.now, failures: 0, ..last })
            }
            _ => SideEffect::Nothing,
        }
    }

    /// The number of holds in a row. The step of the first hold is 0.
    fn holds_in_a_row(&self) -> u8 {
        match self.context.last_pause {
            Some(last) if self.now.duration_since(last.until) < DAY => match last.reason {
                PauseReason::SpamHold => last.step.saturating_add(1),
                PauseReason::Quota | PauseReason::PinterestUnavailable => last.step,
            },
            _ => 0,
        }
    }

    fn failures_in_a_row(&self) -> u8 {
        let last = self.context.last_pause;
        last.filter(|last| self.now.duration_since(last.until) < FAILURES_APART)
            .map_or(0, |last| last.failures)
    }
}
