//! Checking a board for the Pin that an attempt may have created.

use domain::{Attempt, Channel, Pin, delivery::BoardCheck, matching};
use jiff::Timestamp;

use platform::chain;

use crate::{ChannelSession, PinPublisher};

/// A board that has more pages than this (of 250 Pins) is not read to its end.
const MAX_PAGES: usize = 100;
/// So many Pins in a row, each older than the one before, are not in that order by chance.
const MIN_DESCENTS: usize = 10;

impl PinPublisher {
    /// Reads the board, and returns the oldest match that no other Pin of ours owns.
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
        let mut matches = Vec::new();
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
            matches.extend(
                page.items
                    .into_iter()
                    .filter(|candidate| matching::matches(candidate, &pin.draft, attempt.started_at)),
            );
            bookmark = page.bookmark;
            if bookmark.is_none() || order.has_passed(attempt.started_at) {
                return self.oldest_unowned(pin, channel, matches, began_at).await;
            }
        }
        BoardCheck::Endless
    }

    async fn oldest_unowned(
        &self,
        pin: &Pin,
        channel: &Channel,
        mut matches: Vec<matching::BoardPin>,
        began_at: Timestamp,
    ) -> BoardCheck {
        matches.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        for candidate in matches {
            match self.sessions.main.is_owned_by_other(channel.environment, &candidate.id, &pin.id).await {
                Ok(true) => {}
                Ok(false) => return BoardCheck::Found(candidate.id),
                Err(error) => return BoardCheck::Failed(chain(&error)),
            }
        }
        BoardCheck::Nothing { began_at }
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
