//! When tokens are refreshed, and when their owner is warned.

use jiff::{SignedDuration, Timestamp};

use super::{DAY, Grant, Lifetimes};
use crate::{ChannelId, Connection};

/// When a pair that was given at `given_at` is due: seven days before the access token dies, or earlier by
/// a part of a day that is the channel's own, so that a day's work has no peaks. Short lives are divided
/// in proportion.
#[must_use]
pub fn due_at(channel: &ChannelId, given_at: Timestamp, lifetimes: Lifetimes) -> Timestamp {
    let due = before(channel, given_at, lifetimes.access_expires_at, DAY * 7);
    let latest = lifetimes.refresh_expires_at.map(|dies| before(channel, given_at, dies, DAY * 7));
    latest.map_or(due, |latest| due.min(latest))
}

fn before(channel: &ChannelId, given_at: Timestamp, dies: Timestamp, lead: SignedDuration) -> Timestamp {
    let life = dies.duration_since(given_at).max(SignedDuration::ZERO);
    let spread = DAY.min(life / 20).mul_f64(share_of_day(channel));
    dies - lead.min(life / 4) - spread
}

/// A number from 0 to 1 that is the channel's own: FNV-1a of its id, stirred so that every bit counts.
#[expect(clippy::cast_precision_loss, reason = "53 bits of a hash are plenty to divide a day by")]
fn share_of_day(channel: &ChannelId) -> f64 {
    let hash = channel.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let stirred = (hash ^ (hash >> 31)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (stirred >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether the refresh token of a channel that still works dies within a week: its renewal keeps failing.
#[must_use]
pub fn is_dying(grant: &Grant, now: Timestamp) -> bool {
    let soon = grant.refresh_expires_at.is_some_and(|end| end.duration_since(now) < DAY * 7);
    grant.connection == Connection::Connected && soon
}

/// The warning that is due: 14, 7 or 1 days before the refresh token dies, each once.
#[must_use]
pub fn warning(grant: &Grant, now: Timestamp) -> Option<u8> {
    let left = grant.refresh_expires_at?.duration_since(now);
    let days = [1_u8, 7, 14].into_iter().find(|days| left <= DAY * i32::from(*days))?;
    let news = grant.connection == Connection::Connected && grant.warned_days.is_none_or(|last| days < last);
    news.then_some(days)
}
