//! Events: each is derived from a row before and after a change, so that no event can be lost between a change and its
//! announcement.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Account, AiDisclosures, Channel, ChannelId, Connection, Environment, Failure, Pin, PinId, PinterestPinId,
    PublicSettings, Reason, ReconnectCause, State, Status, TenantId,
};

/// Something that happened, for the event bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// To whom, and how. No secret is in any row that this is made of.
    pub detail: EventDetail,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An account was connected, or connected again.
    ChannelConnected,
    /// The owner has to connect the account again.
    ChannelReconnectRequired,
    /// A refresh worked again, after the owner was told to connect the account, or was warned.
    ChannelRecovered,
    /// A user disconnected the channel.
    ChannelDisconnected,
    /// The refresh token is about to expire, and refreshing it has failed so far.
    TokenExpiring,
    /// A Pin was accepted for a later time, moved to another time, or retried.
    PinScheduled,
    /// A Pin waits for another reason than before.
    PinWaiting,
    /// A Pin is at Pinterest.
    PinPublished,
    /// Nobody can tell whether a Pin is at Pinterest: a person has to look.
    PinNeedsReview,
    /// A Pin was given up.
    PinFailed,
    /// A Pin was cancelled.
    PinCancelled,
    /// An admin changed the integration's App ID, status or environment.
    SettingsChanged,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::ChannelConnected,
        Self::ChannelReconnectRequired,
        Self::ChannelRecovered,
        Self::ChannelDisconnected,
        Self::TokenExpiring,
        Self::PinScheduled,
        Self::PinWaiting,
        Self::PinPublished,
        Self::PinNeedsReview,
        Self::PinFailed,
        Self::PinCancelled,
        Self::SettingsChanged,
    ];

    /// The `detail-type` on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChannelConnected => "channel.connected",
            Self::ChannelReconnectRequired => "channel.reconnect_required",
            Self::ChannelRecovered => "channel.recovered",
            Self::ChannelDisconnected => "channel.disconnected",
            Self::TokenExpiring => "token.expiring",
            Self::PinScheduled => "pin.scheduled",
            Self::PinWaiting => "pin.waiting",
            Self::PinPublished => "pin.published",
            Self::PinNeedsReview => "pin.needs_review",
            Self::PinFailed => "pin.failed",
            Self::PinCancelled => "pin.cancelled",
            Self::SettingsChanged => "settings.changed",
        }
    }
}

/// The `detail` of an event on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EventDetail {
    /// Of a channel or of its tokens.
    Channel(ChannelEvent),
    /// Of a Pin.
    Pin(PinEvent),
    /// Of the settings.
    Settings(SettingsEvent),
}

/// What a `channel.…` or `token.…` event says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelEvent {
    /// The channel and its version. An event that comes again has the same id.
    pub id: String,
    /// The tenant that owns the channel.
    #[schemars(with = "String")]
    pub tenant: TenantId,
    /// The channel.
    pub channel_id: ChannelId,
    /// The host of Pinterest that it was connected at.
    pub environment: Environment,
    /// The Pinterest account.
    pub account: Account,
    /// Why the account has to be connected again.
    pub cause: Option<ReconnectCause>,
    /// The same as a sentence.
    pub detail: Option<&'static str>,
    /// In how many days the refresh token expires, if its owner was warned.
    pub expires_in_days: Option<u8>,
}

/// What a `pin.…` event says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PinEvent {
    /// The Pin and its version. An event that comes again has the same id.
    pub id: String,
    /// The tenant that owns the Pin.
    #[schemars(with = "String")]
    pub tenant: TenantId,
    /// The Pin.
    pub pin_id: PinId,
    /// The channel that it is published by.
    pub channel_id: ChannelId,
    /// How far it is.
    #[schemars(extend("enum" = State::NAMES))]
    pub state: &'static str,
    /// The reason of a wait.
    pub reason: Option<Reason>,
    /// When it is tried again, if that is known.
    #[serde(serialize_with = "crate::instant::optional::serialize")]
    pub retry_at: Option<Timestamp>,
    /// When it is to be published.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub publish_at: Timestamp,
    /// What it discloses of artificial intelligence.
    pub ai_disclosures: Option<AiDisclosures>,
    /// Its id at Pinterest, when it is published.
    pub pinterest_pin_id: Option<PinterestPinId>,
    /// Its address at Pinterest.
    #[schemars(url)]
    pub pinterest_pin_url: Option<String>,
    /// Why it failed or needs a review, and what to do.
    pub error: Option<Failure>,
}

/// What a `settings.changed` event says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingsEvent {
    /// The settings and their version. An event that comes again has the same id.
    pub id: String,
    /// The App ID, if one is saved.
    pub app_id: Option<String>,
    /// Whether the integration is switched on.
    pub status: Status,
    /// The host of Pinterest for new connections.
    pub environment: Environment,
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
        (Some(ChangedRow::Channel(old)), None) => {
            Some(channel_event(EventKind::ChannelDisconnected, old, old.version + 1))
        }
        (old, Some(ChangedRow::Channel(new))) => {
            let old = match old {
                Some(ChangedRow::Channel(old)) => Some(old.as_ref()),
                _ => None,
            };
            channel_kind(old, new).map(|kind| channel_event(kind, new, new.version))
        }
        (old, Some(ChangedRow::Pin(new))) => {
            let old = match old {
                Some(ChangedRow::Pin(old)) => Some(old.as_ref()),
                _ => None,
            };
            pin_kind(old, new).map(|kind| pin_event(kind, new))
        }
        (Some(ChangedRow::Settings(old)), Some(ChangedRow::Settings(new))) if old.has_same_content(new) => {
            None
        }
        (_, Some(ChangedRow::Settings(new))) => Some(Event {
            kind: EventKind::SettingsChanged,
            detail: EventDetail::Settings(SettingsEvent {
                id: format!("settings|{}", new.version),
                app_id: new.app_id.clone(),
                status: new.status,
                environment: new.environment,
            }),
        }),
        _ => None,
    }
}

fn channel_kind(old: Option<&Channel>, new: &Channel) -> Option<EventKind> {
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

fn channel_event(kind: EventKind, channel: &Channel, version: u64) -> Event {
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

fn pin_kind(old: Option<&Pin>, new: &Pin) -> Option<EventKind> {
    let before = old.map(|old| &old.state);
    let reason = |state: &State| state.waits_for().map(|(reason, _)| reason);
    // A Pin that was sent in between, and waits for the same reason again, is not announced again.
    let announced = old.and_then(|old| old.waited_for.or(reason(&old.state)));
    match &new.state {
        // A Pin that is moved to another time, or tried again, is scheduled anew.
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

fn pin_event(kind: EventKind, pin: &Pin) -> Event {
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Attempt, ChannelRecord, PinRecord, PinterestUserId, Scopes, Timeline};

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
            repeats: 0,
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
            blocked_links: crate::BlockedLinks::default(),
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
        from_change(old.map(row).as_ref(), new.map(row).as_ref()).map(|event| event.kind.name())
    }

    fn kind(old: Option<State>, new: State) -> Option<&'static str> {
        of_pins(old, new).map(|event| event.kind.name())
    }

    #[test]
    fn a_new_pin_is_told_by_where_it_stands() {
        assert_eq!(kind(None, State::Scheduled), Some("pin.scheduled"));
        assert_eq!(kind(None, State::Sending(attempt())), None);
        assert_eq!(kind(None, waiting(Reason::Quota, 60)), Some("pin.waiting"));
    }

    /// The filter of the function's trigger in template.yaml leaves such changes out.
    #[test]
    fn a_pin_that_is_being_sent_tells_nothing() {
        for before in every_state() {
            assert_eq!(kind(Some(before), State::Sending(attempt())), None);
        }
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

    /// The detail, as it is put on the bus.
    fn detail(event: Option<Event>) -> Value {
        serde_json::to_value(event.unwrap().detail).unwrap()
    }

    #[test]
    fn an_event_is_named_after_its_row_and_its_version() {
        let event = of_pins(None, State::Scheduled);
        assert_eq!(detail(event)["id"], format!("{}|7", pin(State::Scheduled).id));

        let row = ChangedRow::Channel(Box::new(channel(Connection::Connected)));
        let id = channel(Connection::Connected).id.clone();
        assert_eq!(detail(from_change(None, Some(&row)))["id"], format!("{id}|4"));
        assert_eq!(
            detail(from_change(Some(&row), None))["id"],
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
        let published = detail(of_pins(None, published()));
        assert_eq!(published["pinterest_pin_id"], "99");
        assert_eq!(published["pinterest_pin_url"], "https://www.pinterest.com/pin/99/");
        assert_eq!(published["error"], Value::Null);

        let failed = detail(of_pins(None, failed()));
        assert_eq!(failed["error"]["code"], "too_late");
    }

    #[test]
    fn a_channel_is_told_about_when_it_comes_goes_or_has_to_be_connected_again() {
        let connected = || channel(Connection::Connected);
        let lost = || channel(REJECTED);
        let refused = channel(Connection::ReconnectRequired(ReconnectCause::TokenRefused));

        assert_eq!(of_channels(None, Some(connected())), Some("channel.connected"));
        assert_eq!(of_channels(Some(connected()), Some(lost())), Some("channel.reconnect_required"));
        assert_eq!(of_channels(Some(lost()), Some(refused)), Some("channel.reconnect_required"));
        assert_eq!(of_channels(Some(lost()), Some(connected())), Some("channel.recovered"));
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
        let again = Channel::restore(ChannelRecord {
            connected_at: now() + SignedDuration::from_hours(1),
            ..record(Connection::Connected)
        });
        assert_eq!(of_channels(Some(channel(REJECTED)), Some(again)), Some("channel.connected"));
    }

    #[test]
    fn each_warning_is_told_once_and_so_is_its_end() {
        let connected = channel(Connection::Connected);

        assert_eq!(of_channels(Some(connected.clone()), Some(warned(14))), Some("token.expiring"));
        assert_eq!(of_channels(Some(warned(14)), Some(warned(7))), Some("token.expiring"));
        assert_eq!(of_channels(Some(warned(7)), Some(connected)), Some("channel.recovered"));
    }

    #[test]
    fn what_else_changes_at_a_channel_is_not_told() {
        let changed = Channel::restore(ChannelRecord {
            version: 5,
            scopes: Scopes::default(),
            pause: Some(crate::Pause {
                reason: crate::PauseReason::Quota,
                until: now(),
                step: 0,
                failures: 0,
            }),
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

        assert_eq!(event.kind, EventKind::SettingsChanged);
        assert_eq!(detail(Some(event))["id"], "settings|3");
        assert_eq!(from_change(Some(&settings), None), None);
    }
}
