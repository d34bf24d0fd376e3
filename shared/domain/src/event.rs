//! Events: each is derived from a row before and after a change, so that no event can be lost between a change and its
//! announcement.

use serde_json::{Value, json};

use crate::{Channel, Connection, Pin, PublicSettings, State};

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
pub enum ChangedRow {
    /// A channel.
    Channel(Box<Channel>),
    /// A Pin.
    Pin(Box<Pin>),
    /// The settings.
    Settings(PublicSettings),
}

/// The event of the change from `old` to `new`, if there is one.
#[must_use]
pub fn from_change(old: Option<&ChangedRow>, new: Option<&ChangedRow>) -> Option<Event> {
    match (old, new) {
        (Some(ChangedRow::Channel(old)), None) => Some(channel(old, old.version + 1, "channel.disconnected")),
        (old, Some(ChangedRow::Channel(new))) => {
            let old = match old {
                Some(ChangedRow::Channel(old)) => Some(old.as_ref()),
                _ => None,
            };
            channel_kind(old, new).map(|kind| channel(new, new.version, kind))
        }
        (old, Some(ChangedRow::Pin(new))) => {
            let old = match old {
                Some(ChangedRow::Pin(old)) => Some(old.as_ref()),
                _ => None,
            };
            pin_kind(old, new).map(|kind| pin(new, kind))
        }
        (Some(ChangedRow::Settings(old)), Some(ChangedRow::Settings(new))) if old.has_same_content(new) => {
            None
        }
        (_, Some(ChangedRow::Settings(new))) => Some(Event {
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
            "detail": cause.map(crate::ReconnectCause::detail),
            "expires_in_days": channel.expiring_in_days,
        }),
    }
}

fn pin_kind(old: Option<&Pin>, new: &Pin) -> Option<&'static str> {
    let before = old.map(|old| &old.state);
    let reason = |state: &State| state.waits_for().map(|(reason, _)| reason);
    // A Pin that was sent in between, and waits for the same reason again, is not announced again.
    let announced = old.and_then(|old| old.waited_for.or(reason(&old.state)));
    match &new.state {
        // A Pin that is put off to another time, or tried again, is scheduled anew.
        State::Scheduled if old.is_none_or(|old| old.publish_at != new.publish_at) => Some("pin.scheduled"),
        now @ (State::Waiting { .. } | State::OutcomeUnknown { .. }) if announced != reason(now) => {
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

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::{
        Account, Attempt, ChannelId, ChannelRecord, Environment, Failure, PinId, PinRecord, PinterestPinId,
        PinterestUserId, Reason, ReconnectCause, Scopes, Status, TenantId, Timeline,
    };

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    fn pin(state: State) -> Pin {
        let image = json!({"kind": "image", "url": "https://example.com/a.jpg"});
        Pin::restore(PinRecord {
            id: PinId::new(now(), [1; 10]),
            tenant: TenantId("t".into()),
            channel_id: ChannelId::new(now(), [2; 10]),
            draft: serde_json::from_value(json!({"board_id": "1", "media": image})).unwrap(),
            state,
            publish_at: now(),
            give_up_at: now() + SignedDuration::from_hours(1),
            created_at: now(),
            attempts: 0,
            retry_counter: None,
            refused_token: None,
            waited_for: None,
            video: None,
            timeline: Timeline::default(),
            version: 7,
        })
    }

    fn channel(connection: Connection) -> Channel {
        Channel::restore(record(connection))
    }

    fn record(connection: Connection) -> ChannelRecord {
        ChannelRecord {
            id: ChannelId::new(now(), [2; 10]),
            tenant: TenantId("t".into()),
            environment: Environment::Sandbox,
            account: Account {
                pinterest_user_id: PinterestUserId::try_from("5".to_owned()).unwrap(),
                username: "u".into(),
            },
            scopes: Scopes::required(),
            default_board: None,
            connection,
            connected_at: now(),
            pause: None,
            expiring_in_days: None,
            version: 4,
        }
    }

    fn warned(days: u8) -> Channel {
        Channel::restore(ChannelRecord { expiring_in_days: Some(days), ..record(Connection::Connected) })
    }

    const REJECTED: Connection = Connection::ReconnectRequired(ReconnectCause::RefreshTokenRejected);

    fn attempt() -> Attempt {
        Attempt { fencing_token: "f".into(), started_at: now() }
    }

    fn waiting(reason: Reason, seconds: i64) -> State {
        let retry_at = Some(now() + SignedDuration::from_secs(seconds));
        State::Waiting { reason, retry_at }
    }

    fn unknown(checks_done: u8) -> State {
        State::OutcomeUnknown {
            attempt: attempt(),
            checks_done,
            retry_at: Some(now() + SignedDuration::from_secs(checks_done.into())),
        }
    }

    fn published() -> State {
        State::Published {
            pinterest_pin_id: PinterestPinId::try_from("99".to_owned()).unwrap(),
            published_at: now(),
        }
    }

    fn failed() -> State {
        let error = Failure::new("too_late", "d", "f");
        State::Failed { error }
    }

    fn every_state() -> Vec<State> {
        let sending = State::Sending(attempt());
        let waits = [waiting(Reason::Quota, 60), waiting(Reason::Reconnect, 60)];
        let mut states = vec![State::Scheduled, sending, unknown(0), published(), failed()];
        states.extend(waits);
        states.push(State::Cancelled);
        states
    }

    fn of_pins(old: Option<State>, new: State) -> Option<Event> {
        let row = |state| ChangedRow::Pin(Box::new(pin(state)));
        from_change(old.map(row).as_ref(), Some(&row(new)))
    }

    fn of_channels(old: Option<Channel>, new: Option<Channel>) -> Option<&'static str> {
        let row = |channel| ChangedRow::Channel(Box::new(channel));
        from_change(old.map(row).as_ref(), new.map(row).as_ref()).map(|event| event.kind)
    }

    fn kind(old: Option<State>, new: State) -> Option<&'static str> {
        of_pins(old, new).map(|event| event.kind)
    }

    #[test]
    fn a_new_pin_is_told_by_where_it_stands() {
        assert_eq!(kind(None, State::Scheduled), Some("pin.scheduled"));
        assert_eq!(kind(None, State::Sending(attempt())), None);
        assert_eq!(kind(None, waiting(Reason::Quota, 60)), Some("pin.waiting"));
    }

    #[test]
    fn each_end_is_told_wherever_the_pin_came_from() {
        for before in [State::Scheduled, State::Sending(attempt()), unknown(1)] {
            assert_eq!(kind(Some(before.clone()), published()), Some("pin.published"));
            assert_eq!(kind(Some(before.clone()), failed()), Some("pin.failed"));
            assert_eq!(kind(Some(before), State::Cancelled), Some("pin.cancelled"));
        }
    }

    #[test]
    fn a_wait_is_told_at_each_change_of_its_reason_and_not_at_each_try() {
        let quota = || waiting(Reason::Quota, 60);

        assert_eq!(kind(Some(State::Sending(attempt())), quota()), Some("pin.waiting"));
        assert_eq!(kind(Some(quota()), waiting(Reason::Quota, 120)), None);
        assert_eq!(kind(Some(quota()), waiting(Reason::SpamHold, 60)), Some("pin.waiting"));
        assert_eq!(kind(Some(State::Sending(attempt())), unknown(0)), Some("pin.waiting"));
        assert_eq!(kind(Some(unknown(0)), unknown(1)), None);
    }

    #[test]
    fn no_state_is_told_twice() {
        for state in every_state() {
            assert_eq!(of_pins(Some(state.clone()), state), None);
        }
        for same in [channel(Connection::Connected), channel(REJECTED), warned(7)] {
            assert_eq!(of_channels(Some(same.clone()), Some(same)), None);
        }
    }

    #[test]
    fn a_pin_whose_row_goes_is_not_told_about() {
        for state in every_state() {
            assert_eq!(from_change(Some(&ChangedRow::Pin(Box::new(pin(state)))), None), None);
        }
        assert_eq!(from_change(None, None), None);
    }

    #[test]
    fn an_event_is_named_after_its_row_and_its_version() {
        let event = of_pins(None, State::Scheduled).unwrap();
        assert_eq!(event.id, format!("{}|7", pin(State::Scheduled).id));

        let row = ChangedRow::Channel(Box::new(channel(Connection::Connected)));
        let id = channel(Connection::Connected).id.clone();
        assert_eq!(from_change(None, Some(&row)).unwrap().id, format!("{id}|4"));
        assert_eq!(
            from_change(Some(&row), None).unwrap().id,
            format!("{id}|5"),
            "nothing else has this version"
        );
    }

    #[test]
    fn the_same_change_told_again_is_the_same_event() {
        for state in every_state() {
            assert_eq!(of_pins(None, state.clone()), of_pins(None, state));
        }
    }

    #[test]
    fn a_pin_that_is_published_or_failed_says_as_what() {
        let detail = of_pins(None, published()).unwrap().detail;
        assert_eq!(detail["pinterest_pin_id"], "99");
        assert_eq!(detail["pinterest_pin_url"], "https://www.pinterest.com/pin/99/");
        assert_eq!(detail["error"], Value::Null);

        let detail = of_pins(None, failed()).unwrap().detail;
        assert_eq!(detail["error"]["code"], "too_late");
    }

    #[test]
    fn a_channel_is_told_about_when_it_comes_goes_or_has_to_be_connected_again() {
        let connected = || channel(Connection::Connected);
        let lost = || channel(REJECTED);
        let refused = channel(Connection::ReconnectRequired(ReconnectCause::TokenRefused));

        assert_eq!(of_channels(None, Some(connected())), Some("channel.connected"));
        assert_eq!(of_channels(Some(connected()), Some(lost())), Some("channel.reconnect_required"));
        assert_eq!(of_channels(Some(lost()), Some(refused)), Some("channel.reconnect_required"));
        assert_eq!(of_channels(Some(lost()), Some(connected())), Some("channel.connected"));
        assert_eq!(of_channels(Some(connected()), None), Some("channel.disconnected"));
    }

    #[test]
    fn connecting_a_connected_account_again_is_told() {
        let again = Channel::restore(ChannelRecord {
            connected_at: now() + SignedDuration::from_hours(1),
            ..record(Connection::Connected)
        });

        let kind = of_channels(Some(channel(Connection::Connected)), Some(again));

        assert_eq!(kind, Some("channel.connected"));
    }

    #[test]
    fn each_warning_is_told_once_and_its_end_is_not() {
        let connected = channel(Connection::Connected);

        assert_eq!(of_channels(Some(connected.clone()), Some(warned(14))), Some("token.expiring"));
        assert_eq!(of_channels(Some(warned(14)), Some(warned(7))), Some("token.expiring"));
        assert_eq!(of_channels(Some(warned(7)), Some(connected)), None);
    }

    #[test]
    fn what_else_changes_at_a_channel_is_not_told() {
        let changed = Channel::restore(ChannelRecord {
            version: 5,
            scopes: Scopes::default(),
            pause: Some(crate::Pause { reason: crate::PauseReason::Quota, until: now(), step: 0 }),
            ..record(Connection::Connected)
        });

        let kind = of_channels(Some(channel(Connection::Connected)), Some(changed));

        assert_eq!(kind, None);
    }

    #[test]
    fn new_settings_are_told_with_their_version() {
        let settings = ChangedRow::Settings(PublicSettings {
            app_id: Some("1".into()),
            configured: true,
            status: Status::Enabled,
            environment: Environment::Sandbox,
            version: 3,
        });

        let event = from_change(None, Some(&settings)).unwrap();

        assert_eq!((event.kind, event.id.as_str()), ("settings.changed", "settings|3"));
        assert_eq!(from_change(Some(&settings), None), None);
    }
}
