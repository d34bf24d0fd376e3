//! What must hold of Pins.

use domain::{Pin, Reason, State};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize as _;
use serde_json::Value;

use super::{Fence, Rules};
use crate::{aws::Write, pinterest::Asked, world::World};

/// A send leaves within so much of the write that allowed it.
const SEND_WITHIN: SignedDuration = SignedDuration::from_millis(5_100);
/// Nothing that was in a Pin's way holds it up for longer once it is gone: the longest hold, a day, and a back-off.
const HOURS_AFTER: i64 = 26;
/// A wait that lasts is looked after two to four times in an hour, and a look is written before it and after it.
const WRITES_A_DAY: u32 = 250;

fn pin_of(row: &Value) -> Pin {
    Pin::deserialize(row).unwrap()
}

fn image(pin: &Pin) -> &str {
    let domain::Media::Image { file: domain::File::Public { url } } = &pin.draft.media else {
        panic!("people here publish single images")
    };
    url.as_str()
}

fn title(pin: &Pin) -> &str {
    pin.draft.title.as_ref().map_or("", domain::Text::as_str)
}

impl Rules {
    pub(super) fn pin_written(&mut self, world: &World, writer: u64, write: &Write) {
        let Some(row) = &write.after else {
            return self.broken("a Pin is never forgotten", || format!("{:?}", write.place));
        };
        let pin = pin_of(row);
        let before = self.pins.insert(pin.id.clone(), pin.clone());
        self.stays_due(world, &pin, row);
        if before.as_ref() == Some(&pin) {
            return; // it was put off
        }
        world
            .note(|| format!("#{writer} writes {} {} v{} {:?}", pin.id, title(&pin), pin.version, pin.state));
        self.ends_last(before.as_ref(), &pin);
        self.is_written_seldom(world, &pin);
        if before.is_none() {
            let same = |other: &&Pin| other.id != pin.id && image(other) == image(&pin);
            let same = self.pins.values().find(same).map(|other| other.id.clone());
            self.must(same.is_none(), "one key, one Pin", || format!("{} and {}", pin.id, same.unwrap()));
        }
        if let State::Sending(attempt) = &pin.state
            && !self.fences.contains_key(&attempt.fence)
        {
            let fence = Fence { image: image(&pin).to_owned(), writer, at: world.now(), sent: 0 };
            self.fences.insert(attempt.fence.clone(), fence);
        }
        if matches!(pin.state, State::InDoubt { .. }) {
            self.tally.doubts +=
                u32::from(!matches!(before.map(|pin| pin.state), Some(State::InDoubt { .. })));
        }
        self.explains_itself(&pin);
        match &pin.state {
            State::Published { .. } => self.is_bound(world, &pin),
            State::Failed { .. } => self.failed_truly(world, &pin),
            State::Cancelled => self.tally.failed += 1,
            _ => {}
        }
    }

    fn ends_last(&mut self, before: Option<&Pin>, pin: &Pin) {
        let Some(before) = before else { return };
        let lasts = match (&before.state, &pin.state) {
            (
                State::Published { pinterest_pin_id: before, .. },
                State::Published { pinterest_pin_id: now, .. },
            ) => before == now,
            (State::Published { .. }, _) => false,
            // An answer that comes late is the truth all the same.
            (State::Failed { .. } | State::Cancelled, now) => matches!(now, State::Published { .. }),
            _ => true,
        };
        self.must(lasts, "an end lasts", || format!("{}: {:?}, then {:?}", pin.id, before.state, pin.state));
        self.must(pin.version == before.version + 1, "each write of a Pin is the next", || {
            format!("{}: {} after {}", pin.id, pin.version, before.version)
        });
    }

    fn is_written_seldom(&mut self, world: &World, pin: &Pin) {
        let now = world.now();
        let (since, times) = self.writes.entry(pin.id.clone()).or_insert((now, 0));
        if now.duration_since(*since) > SignedDuration::from_hours(24) {
            (*since, *times) = (now, 0);
        }
        *times += 1;
        let (since, times) = (*since, *times);
        self.must(times <= WRITES_A_DAY, "a Pin that waits is written seldom", || {
            format!("{}: {times} times since {since}", pin.id)
        });
    }

    /// What is not at its end is going to be tried.
    fn stays_due(&mut self, world: &World, pin: &Pin, row: &Value) {
        let entry =
            row["due_sk"].as_str().map(|entry| entry.split('#').next().unwrap().parse::<i64>().unwrap());
        let due = pin.due_at().map(Timestamp::as_millisecond);
        let open = pin.state.class() == domain::Class::Open;
        // A row that could not be worked on is put off for five minutes, without being read.
        let latest = due.map(|due| due.max(world.now().as_millisecond()) + 6 * 60_000);
        let timely = entry >= due && entry <= latest;
        self.must(timely && due.is_some() == open, "what is open has its time", || {
            format!("{}: {:?} is due at {due:?} and indexed at {entry:?}", pin.id, pin.state)
        });
    }

    fn explains_itself(&mut self, pin: &Pin) {
        let last = pin.timeline.entries.last();
        let sent = pin.timeline.entries.iter().filter(|entry| entry.event == "sending").count();
        let whole = pin.timeline.dropped == 0;
        let end = match &pin.state {
            State::Published { .. } => Some("published"),
            State::Failed { .. } => Some("failed"),
            State::Cancelled => Some("cancelled"),
            _ => None,
        };
        let explains = last
            .is_some_and(|last| end.is_none_or(|end| last.event == end && !last.detail.is_empty()))
            && (!whole || u32::try_from(sent).unwrap() == pin.attempts);
        self.must(explains, "the timeline explains the end", || {
            format!("{}: {:?}", pin.id, pin.timeline.entries)
        });
    }

    fn is_bound(&mut self, world: &World, pin: &Pin) {
        self.tally.published += 1;
        let State::Published { pinterest_pin_id: remote, .. } = &pin.state else { return };
        let model = world.model.lock().unwrap();
        let there = model.pins.iter().find(|made| made.id == remote.as_str());
        let ours = there.is_some_and(|made| made.title == title(pin) && !made.image.starts_with("old"));
        self.must(ours, "what is published is there", || format!("{} is {remote}: {there:?}", pin.id));
        let other = self.pins.values().find(|other| {
            other.id != pin.id
                && matches!(&other.state, State::Published { pinterest_pin_id, .. } if pinterest_pin_id == remote)
        });
        let other = other.map(|other| other.id.clone());
        self.must(other.is_none(), "a Pin at Pinterest belongs to one of ours", || {
            format!("{remote} to {} and {}", pin.id, other.unwrap())
        });
    }

    fn failed_truly(&mut self, world: &World, pin: &Pin) {
        self.tally.failed += 1;
        let State::Failed { error } = &pin.state else { return };
        let now = world.now();
        let said = self.refusals.get(image(pin)).cloned().unwrap_or_default();
        let count = |answer: (u16, i64)| said.iter().filter(|said| **said == answer).count();
        let skew = SignedDuration::from_secs(world.plan.skew);
        let truly = match error.code.as_str() {
            "too_late" => {
                now + skew >= pin.give_up_at
                    && self.was_hampered(world, &pin.tenant, pin.channel_id.as_str(), HOURS_AFTER)
            }
            "outcome_unknown" => self.was_hampered(world, &pin.tenant, pin.channel_id.as_str(), HOURS_AFTER),
            "media_unreachable" => count((400, 1)) >= 3,
            "token_refused" => count((401, 2)) >= 5,
            "invalid_scope" => count((401, 3)) >= 1,
            "board_id_invalid" => {
                let model = world.model.lock().unwrap();
                model.accounts.iter().any(|account| {
                    account.board == pin.draft.board.as_str()
                        && account.board_gone_at.is_some_and(|at| at <= now)
                })
            }
            _ => false,
        };
        self.must(truly, "a failure has a true reason", || format!("{}: {error:?}, said: {said:?}", pin.id));
    }

    /// A send leaves: by whoever wrote its fence, once, at once.
    pub(super) fn pin_sent(&mut self, world: &World, sender: u64, asked: &Asked) {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let image = body["media_source"]["url"].as_str().unwrap().to_owned();
        let now = world.now();
        let own = self.fences.values_mut().filter(|fence| fence.writer == sender && fence.image == image);
        let Some(fence) = own.max_by_key(|fence| fence.at) else {
            return self
                .broken("who sends holds the fence", || format!("#{sender} sends {image} without one"));
        };
        fence.sent += 1;
        let (sent, age) = (fence.sent, now.duration_since(fence.at));
        self.must(sent == 1, "one fence, one send", || format!("#{sender} sends {image} again"));
        self.must(age <= SEND_WITHIN, "a send leaves soon after its fence", || {
            format!("#{sender} {image} {age:?}")
        });
        let skew = SignedDuration::from_secs(world.plan.skew);
        let pin = self.pins.values().find(|pin| self::image(pin) == image);
        let early = pin.is_some_and(|pin| now + skew < pin.publish_at);
        let latest = pin.map(|pin| pin.give_up_at + skew + SEND_WITHIN);
        self.must(!early, "nothing is sent before its time", || format!("#{sender} {image}"));
        self.must(latest.is_some_and(|latest| now <= latest), "nothing is sent too late", || {
            format!("#{sender} {image} after {latest:?}")
        });
        self.leaves_in_order(&image);
    }

    /// Pins that waited for the owner leave in order.
    fn leaves_in_order(&mut self, image_sent: &str) {
        for queue in self.queues.values_mut() {
            let Some(position) = queue.iter().position(|pin| image(pin) == image_sent) else { continue };
            let earlier: Vec<_> = queue.drain(..=position).take(position).collect();
            let jumped = earlier.iter().find(|pin| {
                let now = self.pins.get(&pin.id).filter(|now| now.attempts == pin.attempts);
                let reason = now.and_then(|now| Some(now.state.waits_for()?.0));
                matches!(reason, Some(Reason::Reconnect | Reason::TokenRefresh))
            });
            if let Some(pin) = jumped {
                let how = format!("{image_sent} leaves before {} ({})", image(pin), pin.id);
                return self.broken("what waited for the owner leaves in order", || how);
            }
        }
    }

    /// Remembers what waits for the owner of `channel`, who is back.
    pub(super) fn channel_back(&mut self, channel: &str) {
        let waits = |pin: &&Pin| {
            pin.channel_id.as_str() == channel
                && matches!(pin.state, State::Waiting { reason: Reason::Reconnect, retry_at: None })
        };
        let mut queue: Vec<Pin> = self.pins.values().filter(waits).cloned().collect();
        queue.sort_by(|a, b| (a.publish_at, &a.id).cmp(&(b.publish_at, &b.id)));
        self.queues.insert(channel.to_owned(), queue);
    }

    /// Pinterest has answered: perhaps there is a new Pin.
    pub(crate) fn pinterest_changed(&mut self, world: &World) {
        let model = world.model.lock().unwrap();
        if model.pins.len() == self.seen {
            return;
        }
        self.seen = model.pins.len();
        let Some(new) = model.pins.last().filter(|new| !new.image.starts_with("old")) else { return };
        let same = |made: &&crate::pinterest::Made| {
            made.account == new.account && made.title == new.title && !made.image.starts_with("old")
        };
        let made = model.pins.iter().filter(same).count();
        let board = &model.accounts[new.account].board;
        let asked = self
            .pins
            .values()
            .filter(|pin| title(pin) == new.title && pin.draft.board.as_str() == board && pin.attempts > 0);
        let asked = asked.count();
        self.must(made <= asked, "no Pin twice", || {
            format!("{} of {} ({}), which was asked for {asked} times", made, new.title, new.image)
        });
    }

    /// Everything has come to rest: what is left must be right.
    pub(crate) fn pins_at_rest(&mut self, world: &World) {
        // As they are in the table in the end, and not as this has seen them being written.
        let pins: Vec<Pin> = world.tables.rows("PIN#").iter().map(|row| pin_of(row)).collect();
        for id in self.accepted.clone() {
            let kept = pins.iter().any(|pin| pin.id == id);
            self.must(kept, "what was accepted is kept", || id.to_string());
        }
        for pin in &pins {
            let open = pin.state.class() == domain::Class::Open;
            self.must(!open, "every Pin comes to an end", || format!("{}: {:?}", pin.id, pin.state));
            let against_will = self.cancelled.contains(&pin.id) && pin.state != State::Cancelled;
            self.must(!against_will, "what was cancelled is not published", || format!("{}", pin.id));
        }
        let model = world.model.lock().unwrap();
        for pin in &pins {
            let group = |other: &&Pin| (title(other), &other.draft.board) == (title(pin), &pin.draft.board);
            let published =
                pins.iter().filter(group).filter(|pin| matches!(pin.state, State::Published { .. })).count();
            let unknown = pins.iter().filter(group).filter(
                |pin| matches!(&pin.state, State::Failed { error } if error.code == "outcome_unknown"),
            );
            let unknown = unknown.count();
            let made = model.pins.iter().filter(|made| {
                made.title == title(pin)
                    && model.accounts[made.account].board == pin.draft.board.as_str()
                    && !made.image.starts_with("old")
            });
            let made = made.count();
            self.must((published..=published + unknown).contains(&made), "what is there was told", || {
                format!("{}: {made} made, {published} published, {unknown} unknown", title(pin))
            });
        }
    }
}
