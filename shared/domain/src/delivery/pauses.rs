//! How long a channel, or the whole app, rests when Pinterest asks for it.

use jiff::SignedDuration;

use super::{
    Also,
    protocol::{LONGEST_BACKOFF, Step},
};
use crate::{Pause, PauseReason};

/// A limit that lasts this long is the app's (Trial's day), not the account's (a minute).
const APP_WIDE: SignedDuration = SignedDuration::from_mins(5);
/// How long the account rests after each spam block in a row.
const HOLDS: [SignedDuration; 4] =
    [SignedDuration::from_mins(10), SignedDuration::from_hours(1), SignedDuration::from_hours(6), DAY];
/// No limit of Pinterest's is longer, and after a day without one, holds begin from the start.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Step<'_> {
    /// What a rate limit puts to rest, whether a send met it or a look. `before`: so many limits in a row did not end
    /// when they should have.
    pub(super) fn limited(&self, retry_after: Option<SignedDuration>, before: u32) -> (Pause, Also) {
        let second = SignedDuration::from_secs(1);
        let said = retry_after.map_or(second * 60, |wait| wait.clamp(second, DAY));
        let learnt = crate::backoff(second * 60, LONGEST_BACKOFF, before, self.conditions.jitter);
        let wait = if before == 0 { said } else { said.max(learnt) };
        let pause = Pause {
            reason: PauseReason::Quota,
            until: self.now + wait + wait.mul_f64(0.1 * self.conditions.jitter),
            step: self.holds(), // it may overwrite a hold: how many there were is not forgotten
        };
        // By what Pinterest says: that one account's limit goes on says nothing about the others.
        let also = if said >= APP_WIDE { Also::PauseApp(pause) } else { Also::PauseChannel(pause) };
        (pause, also)
    }

    /// The rest after a spam block: longer than the one before, until a day has passed without a pause.
    pub(super) fn hold(&self) -> Pause {
        let last = self.conditions.last_pause;
        if let Some(last) = last.filter(|last| last.reason == PauseReason::SpamHold && last.until > self.now)
        {
            return last; // the same block, met by a Pin that was on its way already
        }
        let step = self.holds().min(3);
        Pause { reason: PauseReason::SpamHold, until: self.now + HOLDS[usize::from(step)], step }
    }

    /// How many holds there were in a row. A hold's own step counts from 0.
    fn holds(&self) -> u8 {
        match self.conditions.last_pause {
            Some(last) if self.now.duration_since(last.until) < DAY => match last.reason {
                PauseReason::SpamHold => last.step.saturating_add(1),
                PauseReason::Quota => last.step,
            },
            _ => 0,
        }
    }
}
