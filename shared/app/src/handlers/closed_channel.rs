//! Cancels the Pins of a channel that was disconnected.

use std::{future, pin::pin};

use domain::{ChannelId, PinGroup, State, TenantId};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use platform::chain;
use store::{MainTable, WriteOutcome};

use super::readable::readable;
use crate::error::Result;

/// How many Pins are written in parallel.
const MAX_PARALLEL_WRITES: usize = 16;

/// Cancels the channel's open Pins, and returns how many of them others have changed in the meantime.
pub(super) async fn cancel_pins(
    main: &MainTable,
    tenant: &TenantId,
    id: &ChannelId,
    now: Timestamp,
    cancelled: &mut usize,
) -> Result<usize> {
    let open = main.pins_of_channel(tenant, id, PinGroup::Open, Timestamp::UNIX_EPOCH);
    let saves = readable(open)
        .try_filter_map(|pin| future::ready(Ok(pin.leave_channel(now))))
        .map_ok(|pin| async move { Ok((main.save_pin(&pin).await, pin)) })
        .try_buffer_unordered(MAX_PARALLEL_WRITES);
    let mut saves = pin!(saves);
    let mut left = 0;
    while let Some((saved, pin)) = saves.try_next().await? {
        match saved {
            Ok(WriteOutcome::Done) => *cancelled += usize::from(pin.state == State::Cancelled),
            Ok(_) => left += 1,
            Err(error) => {
                left += 1;
                tracing::warn!(error = %chain(&error), channel.id = %id, "a Pin is not cancelled yet");
            }
        }
    }
    Ok(left)
}
