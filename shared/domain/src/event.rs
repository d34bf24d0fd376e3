//! What the world is told: derived from a row before and after a change, so that no event can be lost
//! between a state and its telling.

use serde_json::{Value, json};

use crate::{Channel, Connection, Pin, State, Stored};

/// Something that happened, for the event bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Stable: the row and its version. The same change told twice has the same id.
    pub id: String,
    /// The kind, `pin.published` for instance.
    pub kind: &'static str,
    /// The facts. No secret is in any row that this is made of.
    pub detail: Value,
}

/// A row that events are made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A channel.
    Channel(Box<Channel>),
    /// A Pin.
    Pin(Box<Pin>),
    /// The settings.
    Settings(Stored),
}

/// What the change from `old` to `new` tells.
#[must_use]
pub fn of(old: Option<&Row>, new: Option<&Row>) -> Option<Event> {
    match (old, new) {
        (Some(Row::Channel(old)), None) => Some(channel(old, old.version + 1, "channel.disconnected")),
        (old, Some(Row::Channel(new))) => {
            let old = match old {
                Some(Row::Channel(old)) => Some(old.as_ref()),
                _ => None,
            };
            channel_kind(old, new).map(|kind| channel(new, new.version, kind))
        }
        (old, Some(Row::Pin(new))) => {
            let before = match old {
                Some(Row::Pin(old)) => Some(&old.state),
                _ => None,
            };
            pin_kind(before, &new.state).map(|kind| pin(new, kind))
        }
        (_, Some(Row::Settings(new))) => Some(Event {
            id: format!("settings|{}", new.version),
            kind: "settings.changed",
            detail: json!({
                "app_id": new.app_id,
                "status": new.status,
                "environment": new.environment,
            }),
        }),
        _ => None,
    }
}

fn channel_kind(old: Option<&Channel>, new: &Channel) -> Option<&'static str> {
    let was = old.map(|old| old.connection);
    match new.connection {
        Connection::ReconnectRequired(_) if was != Some(new.connection) => Some("channel.reconnect_required"),
        Connection::Connected
            if was != Some(Connection::Connected)
                || old.is_some_and(|old| old.connected_at != new.connected_at) =>
        {
            Some("channel.connected")
        }
        _ if new.expiring_in_days.is_some()
            && old.is_none_or(|old| old.expiring_in_days != new.expiring_in_days) =>
        {
            Some("token.expiring")
        }
        _ => None,
    }
}

fn channel(channel: &Channel, version: u64, kind: &'static str) -> Event {
    let cause = match channel.connection {
        Connection::Connected => None,
        Connection::ReconnectRequired(cause) => Some(cause),
    };
    Event {
        id: format!("{}|{version}", channel.id),
        kind,
        detail: json!({
            "tenant": channel.tenant,
            "channel_id": channel.id,
            "environment": channel.environment,
            "account": channel.account,
            "cause": cause,
            "detail": cause.map(crate::Cause::detail),
            "expires_in_days": channel.expiring_in_days,
        }),
    }
}

fn pin_kind(before: Option<&State>, now: &State) -> Option<&'static str> {
    let reason = |state: &State| state.waits_for().map(|(reason, _)| reason);
    match now {
        State::Scheduled if before.is_none() => Some("pin.scheduled"),
        State::Waiting { .. } | State::InDoubt { .. } if before.and_then(reason) != reason(now) => {
            Some("pin.waiting")
        }
        State::Published { .. } if !matches!(before, Some(State::Published { .. })) => Some("pin.published"),
        State::Failed { .. } if !matches!(before, Some(State::Failed { .. })) => Some("pin.failed"),
        State::Cancelled if !matches!(before, Some(State::Cancelled)) => Some("pin.cancelled"),
        _ => None,
    }
}

fn pin(pin: &Pin, kind: &'static str) -> Event {
    let (pinterest_pin_id, error) = match &pin.state {
        State::Published { pinterest_pin_id, .. } => (Some(pinterest_pin_id), None),
        State::Failed { error } => (None, Some(error)),
        _ => (None, None),
    };
    let waits = pin.state.waits_for();
    Event {
        id: format!("{}|{}", pin.id, pin.version),
        kind,
        detail: json!({
            "tenant": pin.tenant,
            "pin_id": pin.id,
            "channel_id": pin.channel_id,
            "state": pin.state.name(),
            "reason": waits.map(|(reason, _)| reason),
            "retry_at": waits.and_then(|(_, at)| at),
            "publish_at": pin.publish_at,
            "pinterest_pin_id": pinterest_pin_id,
            "pinterest_pin_url": pinterest_pin_id.map(crate::PinterestPinId::url),
            "error": error,
        }),
    }
}
