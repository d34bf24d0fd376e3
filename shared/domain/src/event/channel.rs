//! The events of a channel.

use super::{ChannelEvent, Event, EventDetail, EventKind};
use crate::{Channel, Connection, ReconnectCause};

/// The kind of event for a change of a channel, if it has one.
pub(super) fn channel_kind(old: Option<&Channel>, new: &Channel) -> Option<EventKind> {
    let was = old.map(|old| old.connection);
    let was_warned = old.is_some_and(|old| old.expiring_in_days.is_some());
    match new.connection {
        Connection::ReconnectRequired(_) if was != Some(new.connection) => {
            Some(EventKind::ChannelReconnectRequired)
        }
        Connection::Connected if old.is_none_or(|old| old.connected_at != new.connected_at) => {
            Some(EventKind::ChannelConnected)
        }
        // Nobody has connected it again: the tokens work after all.
        Connection::Connected
            if was != Some(Connection::Connected) || was_warned && new.expiring_in_days.is_none() =>
        {
            Some(EventKind::ChannelRecovered)
        }
        _ if new.expiring_in_days.is_some()
            && old.is_none_or(|old| old.expiring_in_days != new.expiring_in_days) =>
        {
            Some(EventKind::TokenExpiring)
        }
        _ => None,
    }
}

/// The event of the change that gave the channel `version`.
pub(super) fn channel_event(kind: EventKind, channel: &Channel, version: u64) -> Event {
    let cause = match channel.connection {
        Connection::Connected => None,
        Connection::ReconnectRequired(cause) => Some(cause),
    };
    Event {
        kind,
        detail: EventDetail::Channel(ChannelEvent {
            id: format!("{}|{version}", channel.id),
            tenant: channel.tenant.clone(),
            channel_id: channel.id.clone(),
            environment: channel.environment,
            account: channel.account.clone(),
            cause,
            detail: cause.map(ReconnectCause::detail),
            expires_in_days: channel.expiring_in_days,
        }),
    }
}
