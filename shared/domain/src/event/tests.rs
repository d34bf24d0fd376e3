use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::{Attempt, ChannelRecord, Connection, PinRecord, PinterestUserId, Scopes, Timeline};

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

/// The filter of the function's trigger in template.yaml leaves such changes out.
#[test]
fn a_pin_that_is_being_sent_makes_no_event() {
    for before in every_state() {
        assert_eq!(kind(Some(before), State::Sending(attempt())), None);
    }
}

#[test]
fn a_new_pin_has_the_event_of_its_state() {
    assert_eq!(kind(None, State::Scheduled), Some("pin.scheduled"));
    assert_eq!(kind(None, State::Sending(attempt())), None);
    assert_eq!(kind(None, waiting(Reason::Quota, 60)), Some("pin.waiting"));
}

#[test]
fn each_final_state_has_its_event_whatever_state_came_before() {
    for before in [State::Scheduled, State::Sending(attempt()), unknown(1)] {
        assert_eq!(kind(Some(before.clone()), published()), Some("pin.published"));
        assert_eq!(kind(Some(before.clone()), failed()), Some("pin.failed"));
        assert_eq!(kind(Some(before), State::Cancelled), Some("pin.cancelled"));
    }
}

#[test]
fn a_wait_has_an_event_for_each_reason_and_not_for_each_try() {
    let quota = || waiting(Reason::Quota, 60);

    assert_eq!(kind(Some(State::Sending(attempt())), quota()), Some("pin.waiting"));
    assert_eq!(kind(Some(quota()), waiting(Reason::Quota, 120)), None);
    assert_eq!(kind(Some(quota()), waiting(Reason::SpamHold, 60)), Some("pin.waiting"));
    assert_eq!(kind(Some(State::Sending(attempt())), unknown(0)), Some("pin.waiting"));
    assert_eq!(kind(Some(unknown(0)), unknown(1)), None);
}

#[test]
fn no_state_has_two_events() {
    for state in every_state() {
        assert_eq!(of_pins(Some(state.clone()), state), None);
    }
    for same in [channel(Connection::Connected), channel(REJECTED), warned(7)] {
        assert_eq!(of_channels(Some(same.clone()), Some(same)), None);
    }
}

#[test]
fn a_deleted_row_of_a_pin_has_no_event() {
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
fn a_repeated_change_is_the_same_event() {
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
fn a_channel_has_events_for_connection_disconnection_and_required_reconnection() {
    let connected = || channel(Connection::Connected);
    let lost_channel = || channel(REJECTED);
    let refused = channel(Connection::ReconnectRequired(ReconnectCause::TokenRefused));

    assert_eq!(of_channels(None, Some(connected())), Some("channel.connected"));
    assert_eq!(of_channels(Some(connected()), Some(lost_channel())), Some("channel.reconnect_required"));
    assert_eq!(of_channels(Some(lost_channel()), Some(refused)), Some("channel.reconnect_required"));
    assert_eq!(of_channels(Some(lost_channel()), Some(connected())), Some("channel.recovered"));
    assert_eq!(of_channels(Some(connected()), None), Some("channel.disconnected"));
}

#[test]
fn connecting_a_connected_account_again_has_an_event() {
    let reconnected = Channel::restore(ChannelRecord {
        connected_at: now() + SignedDuration::from_hours(1),
        ..record(Connection::Connected)
    });

    let kind = of_channels(Some(channel(Connection::Connected)), Some(reconnected));

    assert_eq!(kind, Some("channel.connected"));
    let reconnected = Channel::restore(ChannelRecord {
        connected_at: now() + SignedDuration::from_hours(1),
        ..record(Connection::Connected)
    });
    assert_eq!(of_channels(Some(channel(REJECTED)), Some(reconnected)), Some("channel.connected"));
}

#[test]
fn each_warning_has_one_event_and_so_has_its_end() {
    let connected = channel(Connection::Connected);

    assert_eq!(of_channels(Some(connected.clone()), Some(warned(14))), Some("token.expiring"));
    assert_eq!(of_channels(Some(warned(14)), Some(warned(7))), Some("token.expiring"));
    assert_eq!(of_channels(Some(warned(7)), Some(connected)), Some("channel.recovered"));
}

#[test]
fn other_changes_of_a_channel_have_no_event() {
    let changed = Channel::restore(ChannelRecord {
        version: 5,
        scopes: Scopes::default(),
        pause: Some(crate::Pause { reason: crate::PauseReason::Quota, until: now(), step: 0, failures: 0 }),
        ..record(Connection::Connected)
    });

    let kind = of_channels(Some(channel(Connection::Connected)), Some(changed));

    assert_eq!(kind, None);
}

#[test]
fn new_settings_have_an_event_with_their_version() {
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
