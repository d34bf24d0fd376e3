//! The stored form of a Pin. DynamoDB bills writes by the kilobyte, so the stored timeline omits the entries that the other fields
//! imply: that the Pin was accepted, that it is being sent, and that it was published. For most Pins that is nearly everything.
//!
//! Rows of older versions contain these entries, and are read unchanged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Pin, PinRecord, State, TimelineEntry};
use crate::{Message, phrases};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredPin {
    #[serde(flatten)]
    record: PinRecord,
    /// Pinterest's request id of the omitted entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl From<Pin> for StoredPin {
    fn from(pin: Pin) -> Self {
        let Pin(mut record) = pin;
        let request_id = record.timeline.entries.last().and_then(|last| last.request_id.clone());
        let (first, last) = (first_entry(&record), last_entry(&record, request_id.clone()));
        let entries = &mut record.timeline.entries;
        let is_implied = |entries: &[TimelineEntry], entry: &TimelineEntry| match entries {
            // With two entries of one event, a reader could not know whether one was omitted.
            [.., before, _] if before.event == entry.event => false,
            [.., there] => there == entry,
            [] => false,
        };
        let request_id = match last.filter(|last| is_implied(entries, last)) {
            Some(last) => {
                entries.pop();
                last.request_id
            }
            None => None,
        };
        if record.timeline.dropped == 0 && entries.first() == Some(&first) {
            entries.remove(0);
        }
        Self { record, request_id }
    }
}

impl From<StoredPin> for Pin {
    fn from(stored: StoredPin) -> Self {
        let StoredPin { mut record, request_id } = stored;
        let (first, last) = (first_entry(&record), last_entry(&record, request_id));
        let is_whole = record.timeline.dropped == 0;
        let entries = &mut record.timeline.entries;
        if let Some(last) = last
            && entries.last().is_none_or(|there| there.event != last.event)
        {
            entries.push(last);
        }
        if is_whole && entries.first().is_none_or(|there| there.event != first.event) {
            entries.insert(0, first);
        }
        Self(record)
    }
}

/// The first entry of every timeline.
fn first_entry(record: &PinRecord) -> TimelineEntry {
    entry(record.created_at, "accepted", phrases::ACCEPTED.into())
}

/// The last entry that the state implies.
fn last_entry(record: &PinRecord, request_id: Option<String>) -> Option<TimelineEntry> {
    match &record.state {
        State::Sending(attempt) => {
            let message = phrases::ATTEMPT.with([("number", record.attempts)]);
            Some(entry(attempt.started_at, "sending", message))
        }
        State::Published { pinterest_pin_id, published_at } => {
            let message = phrases::CREATED.with([("pinterest_pin_id", pinterest_pin_id)]);
            let entry = entry(*published_at, "published", message);
            // Pinterest's status for a created Pin.
            Some(TimelineEntry { http_status: Some(201), request_id, ..entry })
        }
        _ => None,
    }
}

fn entry(at: Timestamp, event: &str, message: Message) -> TimelineEntry {
    TimelineEntry {
        at,
        event: event.to_owned(),
        reason: Some(message.reason),
        detail: message.text,
        params: message.params,
        http_status: None,
        pinterest_code: None,
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Attempt, ChannelId, PinId, PinRequest, ResponseMeta, TenantId};

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    fn accepted() -> PinRecord {
        let media = json!({"kind": "image", "url": "https://images.example/a.jpg"});
        let request = PinRequest {
            id: PinId::new(now(), [1; 10]),
            tenant: TenantId("acme".to_owned()),
            channel_id: ChannelId::new(now(), [2; 10]),
            draft: serde_json::from_value(json!({"board_id": "1", "media": media})).unwrap(),
            publish_at: now(),
            give_up_at: now() + SignedDuration::from_hours(1),
        };
        Pin::accept(request, now()).record()
    }

    fn sending() -> PinRecord {
        let mut pin = accepted();
        pin.attempts = 1;
        pin.state = State::Sending(Attempt { fencing_token: "f".to_owned(), started_at: now() });
        pin.timeline.push(now(), "sending", phrases::ATTEMPT.with([("number", 1)]));
        pin
    }

    fn published(response: &ResponseMeta) -> PinRecord {
        let mut pin = sending();
        let id = crate::PinterestPinId::try_from("12".to_owned()).unwrap();
        let message = phrases::CREATED.with([("pinterest_pin_id", &id)]);
        pin.state = State::Published { pinterest_pin_id: id, published_at: now() };
        pin.timeline.push_response(now(), "published", message, response);
        pin
    }

    /// How many entries the row of a Pin has, which is read back as it was.
    fn stored(pin: PinRecord) -> (usize, Value) {
        let pin = Pin::restore(pin);
        let row = serde_json::to_value(&pin).unwrap();
        assert_eq!(serde_json::from_value::<Pin>(row.clone()).unwrap(), pin);
        (row["timeline"]["entries"].as_array().unwrap().len(), row)
    }

    #[test]
    fn what_the_state_tells_is_not_stored_twice() {
        let created = ResponseMeta { http_status: Some(201), ..ResponseMeta::default() };
        assert_eq!(stored(accepted()).0, 0);
        assert_eq!(stored(sending()).0, 0);
        assert_eq!(stored(published(&created)).0, 1, "the attempt");
        let with_id = ResponseMeta { request_id: Some("r".to_owned()), ..created };
        let (entries, row) = stored(published(&with_id));
        assert_eq!((entries, &row["request_id"]), (1, &json!("r")));
    }

    #[test]
    fn what_it_does_not_tell_is_stored() {
        let with_words = ResponseMeta { http_status: Some(200), ..ResponseMeta::default() };
        assert_eq!(stored(published(&with_words)).0, 2);
        let mut found = published(&ResponseMeta::default());
        found.timeline.entries.last_mut().unwrap().detail = "found on the board".to_owned();
        assert_eq!(stored(found).0, 2);
        let mut twice = sending();
        twice.attempts = 2;
        twice.timeline.push(now(), "sending", phrases::ATTEMPT.with([("number", 2)]));
        assert_eq!(stored(twice).0, 2);
        let mut long = sending();
        long.timeline.dropped = 1;
        assert_eq!(stored(long).0, 1, "what was dropped does not come back");
    }
}
