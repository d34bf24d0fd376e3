//! When tokens are refreshed, and when their owner is warned.

use jiff::{SignedDuration, Timestamp};

use super::{DAY, Lifetimes, TokenState};
use crate::ChannelId;

/// How long before a token expires it is refreshed.
pub const REFRESH_LEAD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The owner is warned this many days before the refresh token expires.
pub const WARNING_DAYS: [u8; 3] = [1, 7, 14];

/// When a pair that was issued at `issued_at` is refreshed: [`REFRESH_LEAD`] before the first of its tokens expires, and
/// earlier by a part of a day that depends on the channel, so that the refreshes are spread over the day. For short
/// lifetimes, both are a part of the lifetime.
#[must_use]
pub fn due_at(channel: &ChannelId, issued_at: Timestamp, lifetimes: Lifetimes) -> Timestamp {
    let due = before(channel, issued_at, lifetimes.access_expires_at);
    let latest = lifetimes.refresh_expires_at.map(|end| before(channel, issued_at, end));
    latest.map_or(due, |latest| due.min(latest))
}

fn before(channel: &ChannelId, issued_at: Timestamp, expires_at: Timestamp) -> Timestamp {
    let lifetime = expires_at.duration_since(issued_at).max(SignedDuration::ZERO);
    let spread = DAY.min(lifetime / 20).mul_f64(share_of_day(channel));
    expires_at - REFRESH_LEAD.min(lifetime / 4) - spread
}

/// A number from 0 to 1 that depends on the channel only: FNV-1a of its id, mixed so that every bit counts.
#[expect(clippy::cast_precision_loss, reason = "53 bits of a hash are plenty to divide a day by")]
fn share_of_day(channel: &ChannelId) -> f64 {
    let hash = channel.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether the refresh token of a connected channel expires within a week: its refresh keeps failing.
#[must_use]
pub fn is_about_to_expire(state: &TokenState, now: Timestamp) -> bool {
    let soon = state.refresh_expires_at.is_some_and(|end| end.duration_since(now) < REFRESH_LEAD);
    state.is_connected() && soon
}

/// The warning that is due: 14, 7 or 1 days before the refresh token expires, each once.
#[must_use]
pub fn warning(state: &TokenState, now: Timestamp) -> Option<u8> {
    let left = state.refresh_expires_at?.duration_since(now);
    let days = WARNING_DAYS.into_iter().find(|days| left <= DAY * i32::from(*days))?;
    let is_new = state.is_connected() && state.warned_days.is_none_or(|last| days < last);
    is_new.then_some(days)
}
