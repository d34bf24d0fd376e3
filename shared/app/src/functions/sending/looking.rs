//! Looking at a board for what an attempt may have made.

use domain::{Attempt, Channel, Pin, delivery::Look, twin};
use jiff::Timestamp;

use super::{Ground, Sender};
use crate::error::chain;

/// A board that has more pages than this (of 250 Pins) is not read to its end.
const PAGES: usize = 100;
/// So many Pins in a row, each older than the one before, are not in that order by chance.
const DESCENTS: usize = 10;

impl Sender {
    /// Reads the board for what `attempt` may have made: the oldest match that no other Pin of ours owns.
    pub(super) async fn look(&self, pin: &Pin, attempt: &Attempt, ground: &Ground) -> Look {
        let (channel, access) = match ground.usable() {
            Ok(usable) => usable,
            Err(why) => return Look::Failed(why),
        };
        let began_at = self.clock.now();
        let mut matches = Vec::new();
        let mut order = Order::default();
        let mut bookmark = None;
        for _ in 0..PAGES {
            let page = self
                .pinterest
                .board_pins(channel.environment, access, &pin.draft.board, bookmark.as_deref())
                .await;
            let page = match page {
                Ok(page) => page,
                Err(pinterest::Error::Refused { refusal, answer }) => return Look::Refused(refusal, answer),
                Err(error) => return Look::Failed(chain(&error)),
            };
            order.read(&page.items);
            matches.extend(
                page.items.into_iter().filter(|listed| twin::matches(listed, &pin.draft, attempt.started_at)),
            );
            bookmark = page.bookmark;
            if bookmark.is_none() || order.has_passed(attempt.started_at) {
                return self.oldest_free(pin, channel, matches, began_at).await;
            }
        }
        Look::Endless
    }

    async fn oldest_free(
        &self,
        pin: &Pin,
        channel: &Channel,
        mut matches: Vec<twin::Listed>,
        began_at: Timestamp,
    ) -> Look {
        matches.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        for listed in matches {
            match self.main.is_taken(channel.environment, &listed.id, &pin.id).await {
                Ok(true) => {}
                Ok(false) => return Look::Found(listed.id),
                Err(error) => return Look::Failed(chain(&error)),
            }
        }
        Look::Nothing { began_at }
    }
}

/// Whether a list comes newest first, and how far back it has gone.
#[derive(Debug, Default)]
struct Order {
    last: Option<Timestamp>,
    /// How often something older came after something newer: Pins of one second say nothing about the order.
    descents: usize,
    broken: bool,
}

impl Order {
    fn read(&mut self, items: &[twin::Listed]) {
        for item in items {
            match (self.last, item.created_at) {
                (Some(last), Some(at)) if at > last => self.broken = true,
                (Some(last), Some(at)) if at < last => self.descents += 1,
                (_, Some(_)) => {}
                (_, None) => self.broken = true,
            }
            self.last = item.created_at;
        }
    }

    /// Nothing that an attempt made can come any more.
    fn has_passed(&self, started_at: Timestamp) -> bool {
        let newest_first = self.descents >= DESCENTS && !self.broken;
        newest_first && self.last.is_some_and(|last| last < started_at - twin::MARGIN)
    }
}
