//! The transitions that people request, and the one that a disconnection causes. A request that does not fit the Pin's
//! state is refused.
//!
//! [`crate::delivery`] decides about a Pin while it is being published. Every transition here returns the Pin to be
//! written, with the next version. If a worker writes it at the same moment, only one of the two writes succeeds.

use jiff::Timestamp;

use super::{Pin, PinRecord, State, Timeline};
use crate::{
    AiDisclosure, AiDisclosures, BoardId, ChannelId, DigitalSource, DisclosurePolicy, Draft, Message, PinId,
    PinterestPinId, TenantId, failures, phrases,
};

/// The Pin is in a state in which the request cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongState {
    /// The current state.
    pub detail: String,
    /// What can be done instead.
    pub fix: &'static str,
}

/// The data of an accepted request.
#[derive(Clone, Debug)]
pub struct PinRequest {
    /// The id that the Pin gets.
    pub id: PinId,
    /// The tenant of the caller.
    pub tenant: TenantId,
    /// The channel to publish to.
    pub channel_id: ChannelId,
    /// The content.
    pub draft: Draft,
    /// The Pin is not sent before this.
    pub publish_at: Timestamp,
    /// After this the Pin is not sent any more.
    pub give_up_at: Timestamp,
}

/// The new content and times of a scheduled Pin after an edit.
#[derive(Clone, Debug)]
pub struct PinEdit {
    /// The content.
    pub draft: Draft,
    /// The Pin is not sent before this.
    pub publish_at: Timestamp,
    /// After this the Pin is not sent any more.
    pub give_up_at: Timestamp,
}

impl Pin {
    /// A Pin that was accepted, before its first step.
    #[must_use]
    pub fn accept(request: PinRequest, now: Timestamp) -> Self {
        let mut timeline = Timeline::default();
        timeline.push(now, "accepted", phrases::ACCEPTED.into());
        Self(PinRecord {
            id: request.id,
            tenant: request.tenant,
            channel_id: request.channel_id,
            draft: request.draft,
            state: State::Scheduled,
            publish_at: request.publish_at,
            give_up_at: request.give_up_at,
            created_at: now,
            attempts: 0,
            repeats: 0,
            retry_counter: None,
            refused_token: None,
            waited_for: None,
            video: None,
            timeline,
            version: 1,
        })
    }

    /// The same new Pin with the id that was kept for it earlier.
    #[must_use]
    pub fn with_id(&self, id: PinId) -> Self {
        let asked_at = id.made_at().min(self.created_at);
        let mut pin = PinRecord { id, created_at: asked_at, ..self.record() };
        for entry in pin.timeline.entries.iter_mut().filter(|entry| entry.event == "accepted") {
            entry.at = asked_at;
        }
        Self(pin)
    }

    /// Takes note of what a file of this new Pin says of a model that made it.
    #[must_use]
    pub fn note_digital_source(
        &self,
        source: DigitalSource,
        policy: DisclosurePolicy,
        now: Timestamp,
    ) -> Self {
        let mut pin = self.record();
        let disclosed = pin.draft.ai_disclosures.take();
        let is_disclosed = disclosed.as_ref().is_some_and(|all| all.has(AiDisclosure::AiModified));
        let of_source = [("digital_source", source.name())];
        pin.draft.ai_disclosures = match policy {
            DisclosurePolicy::Set if !is_disclosed => {
                pin.timeline.push(now, "changed", phrases::AI_DISCLOSURE_SET.with(of_source));
                let modified = AiDisclosures::from(AiDisclosure::AiModified);
                Some(disclosed.map_or(modified, |others| others.with(AiDisclosure::AiModified)))
            }
            DisclosurePolicy::Suggest if !is_disclosed => {
                pin.timeline.push(now, "suggested", phrases::AI_DISCLOSURE_SUGGESTED.with(of_source));
                disclosed
            }
            _ => disclosed,
        };
        Self(pin)
    }

    /// Cancels a Pin that is certainly not at Pinterest. `None`: it is cancelled already.
    ///
    /// # Errors
    ///
    /// The Pin is being sent, may have been sent, or has ended otherwise.
    pub fn cancel(&self, now: Timestamp) -> Result<Option<Self>, WrongState> {
        match self.state {
            State::Cancelled => Ok(None),
            State::Scheduled | State::Waiting { .. } => {
                Ok(Some(self.cancelled(now, phrases::CANCELLED.into())))
            }
            _ => Err(WrongState {
                detail: format!("the Pin is {}, so it cannot be cancelled", self.state.name()),
                fix: match self.state {
                    State::NeedsReview { .. } => "It may be at Pinterest: resolve it, and delete it there.",
                    _ => "Only what is scheduled, or waits without having been sent, can be cancelled.",
                },
            }),
        }
    }

    /// Edits a Pin that nobody has started to send. `None`: `change` does not change it.
    ///
    /// # Errors
    ///
    /// The Pin is not scheduled any more, or the error of `change`.
    pub fn edit<E: From<WrongState>>(
        &self,
        now: Timestamp,
        change: impl FnOnce(&Self) -> Result<PinEdit, E>,
    ) -> Result<Option<Self>, E> {
        if self.state != State::Scheduled {
            let detail = format!("the Pin is {}, so it cannot be changed", self.state.name());
            return Err(WrongState { detail, fix: "Only a scheduled Pin can be changed." }.into());
        }
        let PinEdit { draft, publish_at, give_up_at } = change(self)?;
        let mut pin = PinRecord { draft, publish_at, give_up_at, ..self.record() };
        if pin == self.0 {
            return Ok(None);
        }
        let message = if publish_at == self.publish_at {
            phrases::EDITED.into()
        } else {
            phrases::RESCHEDULED.with([("publish_at", publish_at)])
        };
        pin.timeline.push(now, "changed", message);
        Ok(Some(with_next_version(pin)))
    }

    /// Schedules a failed Pin for now, with as much time as it had before: the next tick sends it.
    ///
    /// # Errors
    ///
    /// The Pin has not failed.
    pub fn retry(&self, now: Timestamp) -> Result<Self, WrongState> {
        if !matches!(self.state, State::Failed { .. }) {
            let detail = format!("the Pin is {}, so there is nothing to retry", self.state.name());
            let fix = match self.state {
                State::NeedsReview { .. } => {
                    "Look at the board, and resolve the Pin with what you have found."
                }
                _ => "Only a failed Pin can be retried.",
            };
            return Err(WrongState { detail, fix });
        }
        Ok(self.scheduled_again(now, phrases::RETRIED.into()))
    }

    /// Ends a review: a person has found the Pin at Pinterest.
    ///
    /// # Errors
    ///
    /// The Pin needs no review.
    pub fn resolve_as(&self, id: &PinterestPinId, now: Timestamp) -> Result<Self, WrongState> {
        self.expect_review()?;
        let mut pin = self.record();
        let message = phrases::RESOLVED_AS.with([("pinterest_pin_id", id)]);
        pin.timeline.push(now, "published", message);
        pin.state = State::Published { pinterest_pin_id: id.clone(), published_at: now };
        Ok(with_next_version(pin))
    }

    /// Ends a review: a person has seen that the Pin is not at Pinterest. It is sent again, as by [`Pin::retry`].
    ///
    /// # Errors
    ///
    /// The Pin needs no review.
    pub fn resolve_by_resending(&self, now: Timestamp) -> Result<Self, WrongState> {
        self.expect_review()?;
        Ok(self.scheduled_again(now, phrases::RESOLVED_RESEND.into()))
    }

    fn expect_review(&self) -> Result<(), WrongState> {
        if matches!(self.state, State::NeedsReview { .. }) {
            return Ok(());
        }
        let detail = format!("the Pin is {}, so there is nothing to resolve", self.state.name());
        Err(WrongState { detail, fix: "Only a Pin that needs a review can be resolved." })
    }

    fn scheduled_again(&self, now: Timestamp, why: Message) -> Self {
        let publish_within = self.give_up_at.duration_since(self.publish_at);
        let mut pin = self.record();
        pin.timeline.push(now, "retried", why);
        pin.state = State::Scheduled;
        pin.repeats = 0;
        (pin.retry_counter, pin.waited_for, pin.video) = (None, None, None);
        (pin.publish_at, pin.give_up_at) = (now, now + publish_within);
        with_next_version(pin)
    }

    /// Moves the Pin to another board of its channel. `None`: it is being sent, or may have been.
    #[must_use]
    pub fn move_to_board(&self, board: &BoardId, now: Timestamp) -> Option<Self> {
        if let State::Sending(_) | State::OutcomeUnknown { .. } | State::NeedsReview { .. } = self.state {
            return None;
        }
        let mut pin = self.record();
        let message = phrases::MOVED.with([("from_board_id", &self.draft.board), ("to_board_id", board)]);
        pin.timeline.push(now, "changed", message);
        pin.draft.board = board.clone();
        pin.draft.section = None;
        Some(with_next_version(pin))
    }

    /// The end of a Pin whose channel is disconnected. `None`: it is being sent, or has ended.
    #[must_use]
    pub fn leave_channel(&self, now: Timestamp) -> Option<Self> {
        match self.state {
            State::Scheduled | State::Waiting { .. } => {
                Some(self.cancelled(now, phrases::CHANNEL_DISCONNECTED.into()))
            }
            // Nobody can read the board any more.
            State::OutcomeUnknown { ref attempt, .. } => {
                let (attempt, error) = (attempt.clone(), failures::needs_review(false));
                let mut pin = self.record();
                pin.timeline.push(now, "needs_review", error.message());
                pin.state = State::NeedsReview { attempt, candidates: Vec::new(), error };
                Some(with_next_version(pin))
            }
            _ => None,
        }
    }

    fn cancelled(&self, now: Timestamp, why: Message) -> Self {
        let mut pin = self.record();
        pin.timeline.push(now, "cancelled", why);
        pin.state = State::Cancelled;
        with_next_version(pin)
    }
}

fn with_next_version(record: PinRecord) -> Pin {
    Pin(PinRecord { version: record.version + 1, ..record })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{Attempt, File, Media, Reason, delivery::BOARD_CHECK_DELAYS};

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    fn draft() -> Draft {
        let url = crate::WebAddress::new("media.url", "https://images.example.com/a.jpg".to_owned()).unwrap();
        Draft {
            board: BoardId::try_from("1".to_owned()).unwrap(),
            section: None,
            title: None,
            description: None,
            link: None,
            alt_text: None,
            dominant_color: None,
            ai_disclosures: None,
            media: Media::Image { file: File::Public { url } },
        }
    }

    fn in_state(state: State) -> Pin {
        let request = PinRequest {
            id: PinId::new(now(), [7; 10]),
            tenant: TenantId("acme".to_owned()),
            channel_id: ChannelId::new(now(), [8; 10]),
            draft: draft(),
            publish_at: now(),
            give_up_at: now() + SignedDuration::from_hours(2),
        };
        Pin(PinRecord { state, ..Pin::accept(request, now()).record() })
    }

    fn every_state() -> Vec<Pin> {
        let attempt = Attempt { fencing_token: "f".to_owned(), started_at: now() };
        let id = PinterestPinId::try_from("2".to_owned()).unwrap();
        [
            State::Scheduled,
            State::Sending(attempt.clone()),
            State::Waiting { reason: Reason::Quota, retry_at: None },
            State::OutcomeUnknown { attempt, checks_done: 0, retry_at: None },
            State::Published { pinterest_pin_id: id, published_at: now() },
            State::NeedsReview {
                attempt: Attempt { fencing_token: "g".to_owned(), started_at: now() },
                candidates: Vec::new(),
                error: failures::needs_review(false),
            },
            State::Failed { error: failures::too_late(None) },
            State::Cancelled,
        ]
        .map(in_state)
        .into()
    }

    /// The states in which a transition changes the Pin, by the names that callers see.
    fn states(transition: impl Fn(&Pin) -> Option<Pin>) -> Vec<&'static str> {
        let changed = |pin: &Pin| {
            let after = transition(pin)?;
            assert_eq!(after.version, pin.version + 1, "each write is the next version");
            assert_eq!(after.timeline.entries.len(), 2, "each transition is in the timeline");
            Some(pin.state.name())
        };
        every_state().iter().filter_map(changed).collect()
    }

    #[test]
    fn each_request_fits_its_states_and_no_others() {
        let later = now() + SignedDuration::from_mins(1);
        let board = BoardId::try_from("3".to_owned()).unwrap();
        let edit = |pin: &Pin| {
            let PinEdit { draft, .. } = PinEdit { draft: draft(), publish_at: later, give_up_at: later };
            pin.edit::<WrongState>(later, |_| Ok(PinEdit { draft, publish_at: later, give_up_at: later }))
        };

        assert_eq!(states(|pin| pin.cancel(later).ok().flatten()), ["scheduled", "waiting"]);
        assert_eq!(states(|pin| edit(pin).ok().flatten()), ["scheduled"]);
        assert_eq!(states(|pin| pin.retry(later).ok()), ["failed"]);
        let remote_id = PinterestPinId::try_from("9".to_owned()).unwrap();
        assert_eq!(states(|pin| pin.resolve_as(&remote_id, later).ok()), ["needs_review"]);
        assert_eq!(states(|pin| pin.resolve_by_resending(later).ok()), ["needs_review"]);
        assert_eq!(
            states(|pin| pin.move_to_board(&board, later)),
            ["scheduled", "waiting", "published", "failed", "cancelled"]
        );
        // The second one is that of which it is not known whether it was sent.
        assert_eq!(states(|pin| pin.leave_channel(later)), ["scheduled", "waiting", "waiting"]);
    }

    #[test]
    fn a_cancelled_pin_and_an_edit_without_effect_are_not_written_again() {
        let pin = in_state(State::Cancelled);
        assert_eq!(pin.cancel(now()), Ok(None));

        let pin = in_state(State::Scheduled);
        let same = |pin: &Pin| {
            let PinRecord { draft, publish_at, give_up_at, .. } = pin.record();
            Ok::<_, WrongState>(PinEdit { draft, publish_at, give_up_at })
        };
        assert_eq!(pin.edit(now(), same), Ok(None));
    }

    #[test]
    fn a_retried_pin_has_as_much_time_as_before() {
        let later = now() + SignedDuration::from_hours(9);
        let pin = in_state(State::Failed { error: failures::too_late(None) }).retry(later).unwrap();
        assert_eq!((pin.publish_at, pin.give_up_at), (later, later + SignedDuration::from_hours(2)));
        assert_eq!(pin.due_at(), Some(later));
    }

    #[test]
    fn a_pin_whose_outcome_is_unknown_needs_a_review_when_its_channel_goes() {
        let [_, _, last] = BOARD_CHECK_DELAYS;
        let attempt = Attempt { fencing_token: "f".to_owned(), started_at: now() };
        let pin = in_state(State::OutcomeUnknown { attempt, checks_done: 2, retry_at: None });
        let after_leaving = pin.leave_channel(now() + last).unwrap();
        assert!(
            matches!(&after_leaving.state, State::NeedsReview { candidates, .. } if candidates.is_empty())
        );
    }
}
