//! The events of a Pin.

use super::{Event, EventDetail, EventKind, PinEvent};
use crate::{Pin, PinterestPinId, State};

/// The kind of event for a change of a Pin, if it has one.
pub(super) fn pin_kind(old: Option<&Pin>, new: &Pin) -> Option<EventKind> {
    let before = old.map(|old| &old.state);
    let reason = |state: &State| state.waits_for().map(|(reason, _)| reason);
    // A Pin that was sent in between, and waits for the same reason again, is not announced again.
    let announced = old.and_then(|old| old.waited_for.or(reason(&old.state)));
    match &new.state {
        // A Pin that is moved to another time, or retried, is scheduled again.
        State::Scheduled if old.is_none_or(|old| old.publish_at != new.publish_at) => {
            Some(EventKind::PinScheduled)
        }
        now @ (State::Waiting { .. } | State::OutcomeUnknown { .. }) if announced != reason(now) => {
            Some(EventKind::PinWaiting)
        }
        State::Published { .. } if !matches!(before, Some(State::Published { .. })) => {
            Some(EventKind::PinPublished)
        }
        State::NeedsReview { .. } if !matches!(before, Some(State::NeedsReview { .. })) => {
            Some(EventKind::PinNeedsReview)
        }
        State::Failed { .. } if !matches!(before, Some(State::Failed { .. })) => Some(EventKind::PinFailed),
        State::Cancelled if !matches!(before, Some(State::Cancelled)) => Some(EventKind::PinCancelled),
        _ => None,
    }
}

/// The event of the change that made the Pin what it is.
pub(super) fn pin_event(kind: EventKind, pin: &Pin) -> Event {
    let pinterest_pin_id = match &pin.state {
        State::Published { pinterest_pin_id, .. } => Some(pinterest_pin_id.clone()),
        _ => None,
    };
    let waits = pin.state.waits_for();
    Event {
        kind,
        detail: EventDetail::Pin(PinEvent {
            id: format!("{}|{}", pin.id, pin.version),
            tenant: pin.tenant.clone(),
            pin_id: pin.id.clone(),
            channel_id: pin.channel_id.clone(),
            state: pin.state.name(),
            reason: waits.map(|(reason, _)| reason),
            retry_at: waits.and_then(|(_, at)| at),
            publish_at: pin.publish_at,
            ai_disclosures: pin.draft.ai_disclosures.clone(),
            pinterest_pin_url: pinterest_pin_id.as_ref().map(PinterestPinId::url),
            pinterest_pin_id,
            error: pin.state.error().cloned(),
        }),
    }
}
