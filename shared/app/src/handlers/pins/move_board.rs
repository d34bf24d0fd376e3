//! Moves all unsent Pins of a board to another one: the old board may be gone.

use std::{future, pin::pin};

use domain::{BoardId, ChannelId, Invalid, Pin, PinGroup, PinId, State, TenantId};
use edge::not_found;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::WriteOutcome;

use super::Pins;
use crate::{
    error::{Error, Result},
    handlers::readable::readable,
};

/// How many Pins are written in parallel.
const MAX_PARALLEL_WRITES: usize = 16;

/// From one board of a channel to another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "these are the names that callers write")]
#[schemars(rename = "MovePinsRequest")]
pub struct MovePins {
    /// The channel of the Pins.
    #[schemars(with = "ChannelId")]
    channel_id: String,
    /// Their old board.
    #[schemars(with = "BoardId")]
    from_board_id: String,
    /// Their new board. It is checked when they are sent.
    #[schemars(with = "BoardId")]
    to_board_id: String,
}

/// The result of moving the Pins of a board.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct MovedPins {
    /// The Pins that were moved. Those that had failed because their board is gone can be retried.
    moved: Vec<PinId>,
    /// The Pins that were not moved, because they are being sent or may have been sent.
    left: Vec<PinId>,
}

impl Pins {
    /// Moves the unsent Pins: those that are scheduled or wait, and those that failed because their board is gone.
    pub(super) async fn move_to_board(&self, tenant: &TenantId, wanted: MovePins) -> Result<MovedPins> {
        let channel = ChannelId::try_from(wanted.channel_id)?;
        let from = board("from_board_id", wanted.from_board_id)?;
        let to = board("to_board_id", wanted.to_board_id)?;
        if self.main.channel(tenant, &channel).await?.is_none() {
            return Err(not_found("channel"));
        }
        let mut ended = MovedPins::default();
        for group in [PinGroup::Open, PinGroup::Failed] {
            let pins = self.main.pins_of_channel(tenant, &channel, group, Timestamp::UNIX_EPOCH);
            let pins = readable(pins);
            let is_meant =
                |pin: &Pin| pin.draft.board == from && (group == PinGroup::Open || lacks_its_board(pin));
            let writes = pins
                .try_filter(|pin| future::ready(is_meant(pin)))
                .map_ok(|pin| self.move_pin(pin, &to))
                .map_err(Error::from)
                .try_buffered(MAX_PARALLEL_WRITES);
            let mut writes = pin!(writes);
            while let Some((id, is_moved)) = writes.try_next().await? {
                if is_moved { &mut ended.moved } else { &mut ended.left }.push(id);
            }
        }
        Ok(ended)
    }

    async fn move_pin(&self, pin: Pin, to: &BoardId) -> Result<(PinId, bool)> {
        let is_moved = match pin.move_to_board(to, self.clock.now()) {
            // A worker has started to send it at the same moment.
            Some(moved) => self.main.save_pin(&moved).await? == WriteOutcome::Done,
            None => false,
        };
        Ok((pin.id.clone(), is_moved))
    }
}

fn board(field: &str, text: String) -> Result<BoardId, Invalid> {
    BoardId::try_from(text).map_err(|invalid| Invalid { field: field.to_owned(), ..invalid })
}

fn lacks_its_board(pin: &Pin) -> bool {
    matches!(&pin.state, State::Failed { error } if error.code == domain::failures::board_gone().code)
}
