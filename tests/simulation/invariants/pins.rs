//! The invariants of Pins.

use domain::{Pin, Reason, State};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize as _;
use serde_json::Value;

use super::{Fence, Invariants};
use crate::{aws::Write, env::SimEnv, pinterest::PinterestRequest};

/// A Pin is sent within this time after the write of its fencing token.
const MAX_SEND_DELAY: SignedDuration = SignedDuration::from_millis(5_100);
/// A fault that is over delays a Pin for at most this time: the longest hold, which is a day, and a backoff.
const RECOVERY_HOURS: i64 = 26;
/// A Pin that waits is tried two to four times an hour, with one write before each try and one after it.
const MAX_WRITES_PER_DAY: u32 = 250;

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

impl Invariants {
    pub(super) fn pin_written(&mut self, env: &SimEnv, writer: u64, write: &Write) {
        let Some(row) = &write.after else {
            return self.violate("a Pin is never forgotten", || format!("{:?}", write.key));
        };
        let pin = pin_of(row);
        let before = self.pins.insert(pin.id.clone(), pin.clone());
        self.check_due_index(env, &pin, row);
        if before.as_ref() == Some(&pin) {
            return; // it was postponed
        }
        env.note(|| format!("#{writer} writes {} {} v{} {:?}", pin.id, title(&pin), pin.version, pin.state));
        self.check_transition(before.as_ref(), &pin);
        self.check_channel_order(env, writer, before.as_ref(), &pin);
        self.check_write_rate(env, &pin);
        if before.is_none() {
            let same = |other: &&Pin| other.id != pin.id && image(other) == image(&pin);
            let same = self.pins.values().find(same).map(|other| other.id.clone());
            self.check(same.is_none(), "one key, one Pin", || format!("{} and {}", pin.id, same.unwrap()));
        }
        if let State::Sending(attempt) = &pin.state
            && !self.fences.contains_key(&attempt.fencing_token)
        {
            let fence = Fence { image: image(&pin).to_owned(), writer, at: env.now(), sent: 0 };
            self.fences.insert(attempt.fencing_token.clone(), fence);
        }
        if matches!(pin.state, State::OutcomeUnknown { .. }) {
            self.stats.unknown_outcomes +=
                u32::from(!matches!(before.map(|pin| pin.state.clone()), Some(State::OutcomeUnknown { .. })));
        }
        self.check_timeline(&pin);
        match &pin.state {
            State::Published { .. } => self.check_published(env, &pin),
            State::NeedsReview { .. } => self.check_review(env, &pin),
            State::Failed { .. } => self.check_failure(env, &pin),
            State::Cancelled => self.stats.failed += 1,
            _ => {}
        }
    }

    fn check_transition(&mut self, before: Option<&Pin>, pin: &Pin) {
        let Some(before) = before else { return };
        let lasts = match (&before.state, &pin.state) {
            (
                State::Published { pinterest_pin_id: before, .. },
                State::Published { pinterest_pin_id: now, .. },
            ) => before == now,
            (State::Published { .. }, _) => false,
            // A late answer is still true.
            (State::Failed { .. } | State::Cancelled, now) => matches!(now, State::Published { .. }),
            _ => true,
        };
        self.check(lasts, "an end lasts", || format!("{}: {:?}, then {:?}", pin.id, before.state, pin.state));
        self.check(pin.version == before.version + 1, "each write of a Pin is the next", || {
            format!("{}: {} after {}", pin.id, pin.version, before.version)
        });
    }

    fn check_write_rate(&mut self, env: &SimEnv, pin: &Pin) {
        let now = env.now();
        let (since, times) = self.writes.entry(pin.id.clone()).or_insert((now, 0));
        if now.duration_since(*since) > SignedDuration::from_hours(24) {
            (*since, *times) = (now, 0);
        }
        *times += 1;
        let (since, times) = (*since, *times);
        self.check(times <= MAX_WRITES_PER_DAY, "a Pin that waits is written seldom", || {
            format!("{}: {times} times since {since}", pin.id)
        });
    }

    /// A Pin that has not ended is in the due index.
    fn check_due_index(&mut self, env: &SimEnv, pin: &Pin, row: &Value) {
        let entry =
            row["due_sk"].as_str().map(|entry| entry.split('#').next().unwrap().parse::<i64>().unwrap());
        let due = pin.due_at().map(Timestamp::as_millisecond);
        let open = pin.state.group() == domain::PinGroup::Open;
        // A row that cannot be worked on is postponed by five minutes, without being read.
        let latest = due.map(|due| due.max(env.now().as_millisecond()) + 6 * 60_000);
        // The entry of a Pin that is being sent stays where it was, so that a worker that comes sees it.
        let is_sending = matches!(pin.state, State::Sending(_));
        let timely = (entry >= due || is_sending && entry.is_some()) && entry <= latest;
        self.check(timely && due.is_some() == open, "what is open has its time", || {
            format!("{}: {:?} is due at {due:?} and indexed at {entry:?}", pin.id, pin.state)
        });
    }

    fn check_timeline(&mut self, pin: &Pin) {
        let last = pin.timeline.entries.last();
        let sent = pin.timeline.entries.iter().filter(|entry| entry.event == "sending").count();
        let whole = pin.timeline.dropped == 0;
        let end = match &pin.state {
            State::Published { .. } => Some("published"),
            State::NeedsReview { .. } => Some("needs_review"),
            State::Failed { .. } => Some("failed"),
            State::Cancelled => Some("cancelled"),
            _ => None,
        };
        let explains = last
            .is_some_and(|last| end.is_none_or(|end| last.event == end && !last.detail.is_empty()))
            && (!whole || u32::try_from(sent).unwrap() == pin.attempts);
        self.check(explains, "the timeline explains the end", || {
            format!("{}: {:?}", pin.id, pin.timeline.entries)
        });
    }

    fn check_published(&mut self, env: &SimEnv, pin: &Pin) {
        self.stats.published += 1;
        let State::Published { pinterest_pin_id: remote, .. } = &pin.state else { return };
        let model = env.model.lock().unwrap();
        let there = model.pins.iter().find(|made| made.id == remote.as_str());
        let ours = there.is_some_and(|made| made.title == title(pin) && !made.image.starts_with("old"));
        self.check(ours, "what is published is there", || format!("{} is {remote}: {there:?}", pin.id));
        let other = self.pins.values().find(|other| {
            other.id != pin.id
                && matches!(&other.state, State::Published { pinterest_pin_id, .. } if pinterest_pin_id == remote)
        });
        let other = other.map(|other| other.id.clone());
        self.check(other.is_none(), "a Pin at Pinterest belongs to one of ours", || {
            format!("{remote} to {} and {}", pin.id, other.unwrap())
        });
    }

    /// A person is shown what is on the board, or is asked after a fault.
    fn check_review(&mut self, env: &SimEnv, pin: &Pin) {
        self.stats.reviews += 1;
        let State::NeedsReview { candidates, .. } = &pin.state else { return };
        let model = env.model.lock().unwrap();
        let is_there = |id: &str| model.pins.iter().any(|there| there.id == id);
        let are_there = candidates.iter().all(|candidate| is_there(candidate.pinterest_pin_id.as_str()));
        let had_fault = self.had_fault(env, &pin.tenant, pin.channel_id.as_str(), RECOVERY_HOURS);
        self.check(are_there && (had_fault || !candidates.is_empty()), "a review has a true reason", || {
            format!("{}: {:?}", pin.id, pin.state)
        });
    }

    fn check_failure(&mut self, env: &SimEnv, pin: &Pin) {
        self.stats.failed += 1;
        let State::Failed { error } = &pin.state else { return };
        let now = env.now();
        let refusals = self.refusals.get(image(pin)).cloned().unwrap_or_default();
        let count = |answer: (u16, i64)| refusals.iter().filter(|refusal| **refusal == answer).count();
        let skew = SignedDuration::from_secs(env.scenario.clock_skew_secs);
        let truly = match error.code.as_str() {
            "too_late" => {
                now + skew >= pin.give_up_at
                    && self.had_fault(env, &pin.tenant, pin.channel_id.as_str(), RECOVERY_HOURS)
            }
            "media_unreachable" => count((400, 1)) >= 3,
            "token_refused" => count((401, 2)) >= 5,
            "link_blocked" => count((429, 9)) >= 1,
            "invalid_scope" => count((401, 3)) >= 1,
            "board_id_invalid" => {
                let model = env.model.lock().unwrap();
                model.accounts.iter().any(|account| {
                    account.board == pin.draft.board.as_str()
                        && account.board_gone_at.is_some_and(|at| at <= now)
                })
            }
            _ => false,
        };
        self.check(truly, "a failure has a true reason", || {
            format!("{}: {error:?}, refusals: {refusals:?}", pin.id)
        });
    }

    /// A Pin is sent by the process that wrote its fencing token, once, and at once.
    pub(super) fn pin_sent(&mut self, env: &SimEnv, sender: u64, request: &PinterestRequest) {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let image = body["media_source"]["url"].as_str().unwrap().to_owned();
        let now = env.now();
        let own = self.fences.values_mut().filter(|fence| fence.writer == sender && fence.image == image);
        let Some(fence) = own.max_by_key(|fence| fence.at) else {
            return self.violate("only the writer of a fence sends", || {
                format!("#{sender} sends {image} without one")
            });
        };
        fence.sent += 1;
        let (sent, age) = (fence.sent, now.duration_since(fence.at));
        self.check(sent == 1, "one fence, one send", || format!("#{sender} sends {image} again"));
        self.check(age <= MAX_SEND_DELAY, "a send leaves soon after its fence", || {
            format!("#{sender} {image} {age:?}")
        });
        let skew = SignedDuration::from_secs(env.scenario.clock_skew_secs);
        let pin = self.pins.values().find(|pin| self::image(pin) == image);
        let early = pin.is_some_and(|pin| now + skew < pin.publish_at);
        let latest = pin.map(|pin| pin.give_up_at + skew + MAX_SEND_DELAY);
        self.check(!early, "nothing is sent before its time", || format!("#{sender} {image}"));
        self.check(latest.is_some_and(|latest| now <= latest), "nothing is sent too late", || {
            format!("#{sender} {image} after {latest:?}")
        });
        self.check_order(&image, now);
    }

    /// Pins that waited for the owner are sent in order. One that meets a fault of a table does not stop those after it.
    fn check_order(&mut self, image_sent: &str, now: Timestamp) {
        let lately = now - SignedDuration::from_hours(1);
        let failed_calls = &self.failed_calls;
        let has_failed = |pin: &Pin| {
            let is_about_it =
                |body: &str| body.contains(pin.id.as_str()) || body.contains(pin.channel_id.as_str());
            failed_calls.iter().any(|(at, body)| *at >= lately && is_about_it(body))
        };
        for queue in self.queues.values_mut() {
            let Some(position) = queue.iter().position(|pin| image(pin) == image_sent) else { continue };
            let earlier: Vec<_> = queue.drain(..=position).take(position).collect();
            let jumped = earlier.iter().find(|pin| {
                let now = self.pins.get(&pin.id).filter(|now| now.attempts == pin.attempts);
                let reason = now.and_then(|now| Some(now.state.waits_for()?.0));
                matches!(reason, Some(Reason::Reconnect | Reason::TokenRefresh)) && !has_failed(pin)
            });
            if let Some(pin) = jumped {
                let how = format!("{image_sent} leaves before {} ({})", image(pin), pin.id);
                return self.violate("what waited for the owner leaves in order", || how);
            }
        }
    }

    /// Remembers the Pins that waited for the owner of `channel`, which is connected again.
    pub(super) fn channel_reconnected(&mut self, channel: &str) {
        let waits = |pin: &&Pin| {
            pin.channel_id.as_str() == channel
                && matches!(pin.state, State::Waiting { reason: Reason::Reconnect, retry_at: None })
        };
        let mut queue: Vec<Pin> = self.pins.values().filter(waits).cloned().collect();
        queue.sort_by(|a, b| (a.publish_at, &a.id).cmp(&(b.publish_at, &b.id)));
        self.queues.insert(channel.to_owned(), queue);
    }

    /// Checks a new Pin at Pinterest, if the last call has made one.
    pub(crate) fn pinterest_changed(&mut self, env: &SimEnv) {
        let model = env.model.lock().unwrap();
        if model.pins.len() == self.checked_remote_pins {
            return;
        }
        self.checked_remote_pins = model.pins.len();
        let Some(new) = model.pins.last().filter(|new| !new.image.starts_with("old")) else { return };
        let same = |made: &&crate::pinterest::RemotePin| {
            made.account == new.account && made.title == new.title && !made.image.starts_with("old")
        };
        let made = model.pins.iter().filter(same).count();
        let board = &model.accounts[new.account].board;
        let requested = self
            .pins
            .values()
            .filter(|pin| title(pin) == new.title && pin.draft.board.as_str() == board && pin.attempts > 0);
        let requested = requested.count();
        self.check(made <= requested, "no Pin twice", || {
            format!("{} of {} ({}), which was requested {requested} times", made, new.title, new.image)
        });
    }

    /// Checks the end of a run, when no work is left.
    pub(crate) fn check_pins_at_end(&mut self, env: &SimEnv) {
        // From the table, and not from the writes that were checked.
        let pins: Vec<Pin> = env.tables.rows("PIN#").iter().map(|row| pin_of(row)).collect();
        for id in self.accepted.clone() {
            let kept = pins.iter().any(|pin| pin.id == id);
            self.check(kept, "what was accepted is kept", || id.to_string());
        }
        for pin in &pins {
            let open = pin.state.group() == domain::PinGroup::Open;
            let needs_review = matches!(pin.state, State::NeedsReview { .. });
            self.check(!open && !needs_review, "every Pin comes to an end", || {
                format!("{}: {:?}", pin.id, pin.state)
            });
            let against_will = self.cancelled.contains(&pin.id) && pin.state != State::Cancelled;
            self.check(!against_will, "what was cancelled is not published", || format!("{}", pin.id));
        }
        let model = env.model.lock().unwrap();
        for pin in &pins {
            let group = |other: &&Pin| (title(other), &other.draft.board) == (title(pin), &pin.draft.board);
            let published =
                pins.iter().filter(group).filter(|pin| matches!(pin.state, State::Published { .. })).count();
            let made = model.pins.iter().filter(|made| {
                made.title == title(pin)
                    && model.accounts[made.account].board == pin.draft.board.as_str()
                    && !made.image.starts_with("old")
            });
            let made = made.count();
            self.check(made == published, "every Pin at Pinterest is known", || {
                format!("{}: {made} made, {published} published", title(pin))
            });
        }
    }
}
