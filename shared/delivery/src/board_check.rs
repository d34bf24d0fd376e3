//! Checking a board for the Pin that an attempt may have created.

use std::pin::pin;

use domain::{
    Attempt, Channel, Pin, PinGroup,
    delivery::BoardCheck,
    matching::{self, BoardPin, Likeness, Match},
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use platform::chain;

use crate::{ChannelSession, PinPublisher};

/// A board with more pages than this (of 250 Pins) is not read to its end.
const MAX_PAGES: usize = 100;
/// This many Pins in a row, each older than the one before, are not in that order by chance.
const MIN_DESCENTS: usize = 10;

impl PinPublisher {
    /// Looks on the board for the Pin that the attempt may have created. Pins that belong to other Pins of ours are left
    /// out.
    pub(crate) async fn check_board(
        &self,
        pin: &Pin,
        attempt: &Attempt,
        session: &ChannelSession,
    ) -> BoardCheck {
        let (channel, access) = match session.credentials() {
            Ok(credentials) => credentials,
            Err(error) => return BoardCheck::Failed(chain(&error)),
        };
        let began_at = self.clock.now();
        let mut found_pins = Vec::new();
        let mut order = Order::default();
        let mut bookmark = None;
        for _ in 0..MAX_PAGES {
            let page = self
                .sessions
                .pinterest
                .board_pins(channel.environment, access, &pin.draft.board, bookmark.as_deref())
                .await;
            let page = match page {
                Ok(page) => page,
                Err(pinterest::Error::Refused { refusal, response }) => {
                    return BoardCheck::Refused(refusal, response);
                }
                Err(error) => return BoardCheck::Failed(chain(&error)),
            };
            order.add(&page.items);
            let matches = page.items.into_iter().filter_map(|listed| {
                let found = matching::compare(&listed, &pin.draft, attempt);
                (found.likeness > Likeness::Stranger).then_some((listed, found))
            });
            found_pins.extend(matches);
            bookmark = page.bookmark;
            if bookmark.is_none() || order.has_passed(attempt.started_at) {
                let verdict = self.evaluate(pin, channel, found_pins, began_at).await;
                return verdict.unwrap_or_else(|error| BoardCheck::Failed(chain(&error)));
            }
        }
        BoardCheck::Endless
    }

    /// The result of all Pins on the board that resemble this one.
    async fn evaluate(
        &self,
        pin: &Pin,
        channel: &Channel,
        mut found_pins: Vec<(BoardPin, Match)>,
        began_at: Timestamp,
    ) -> Result<BoardCheck, store::Error> {
        let main = &self.sessions.main;
        // The oldest first: of two equal Pins, the older one belongs to the older attempt.
        found_pins.sort_by(|(a, _), (b, _)| {
            (a.created_at.is_none(), a.created_at, &a.id).cmp(&(b.created_at.is_none(), b.created_at, &b.id))
        });
        let ids = found_pins.iter().map(|(listed, _)| listed.id.clone()).collect();
        let owned = main.owned_by_others(channel.environment, &ids, &pin.id).await?;
        found_pins.retain(|(listed, _)| !owned.contains(&listed.id));
        if found_pins.is_empty() {
            return Ok(BoardCheck::Nothing { began_at });
        }
        if let Some((same, _)) = found_pins.iter().find(|(_, found)| found.likeness == Likeness::Same) {
            return Ok(BoardCheck::Found(same.id.clone()));
        }
        self.demote_contested(pin, &mut found_pins).await?;
        let matches = found_pins.into_iter().map(|(_, found)| found).collect();
        Ok(BoardCheck::Possible { began_at, matches })
    }

    /// A Pin on the board that another Pin of ours may have created too is only similar: of two such Pins, each could be
    /// bound to the other's.
    async fn demote_contested(
        &self,
        pin: &Pin,
        found_pins: &mut [(BoardPin, Match)],
    ) -> Result<(), store::Error> {
        for group in [PinGroup::Open, PinGroup::NeedsReview] {
            let others = self.sessions.main.pins_of_channel(
                &pin.tenant,
                &pin.channel_id,
                group,
                Timestamp::UNIX_EPOCH,
            );
            let mut others = pin!(others);
            while let Some(other) = others.next().await {
                let other = match other {
                    // A later version may understand it; the last check of this version must come to a decision.
                    Err(store::Error::Row(_)) => continue,
                    other => other?,
                };
                let Some(attempt) = other.state.unknown_attempt() else { continue };
                if other.id == pin.id || other.draft.board != pin.draft.board {
                    continue;
                }
                for (listed, found) in &mut *found_pins {
                    if matching::compare(listed, &other.draft, attempt).likeness > Likeness::Stranger {
                        found.likeness = found.likeness.min(Likeness::Similar);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a list is sorted newest first, and how far back it has been read.
#[derive(Debug, Default)]
struct Order {
    last: Option<Timestamp>,
    /// How many times an older Pin followed a newer one. Pins of the same second say nothing about the order.
    descents: usize,
    unsorted: bool,
}

impl Order {
    fn add(&mut self, items: &[matching::BoardPin]) {
        for item in items {
            match (self.last, item.created_at) {
                (Some(last), Some(at)) if at > last => self.unsorted = true,
                (Some(last), Some(at)) if at < last => self.descents += 1,
                (_, Some(_)) => {}
                (_, None) => self.unsorted = true,
            }
            self.last = item.created_at;
        }
    }

    /// Whether the rest of the list is older than the attempt.
    fn has_passed(&self, started_at: Timestamp) -> bool {
        let newest_first = self.descents >= MIN_DESCENTS && !self.unsorted;
        newest_first && self.last.is_some_and(|last| last < started_at - matching::CLOCK_SKEW)
    }
}
