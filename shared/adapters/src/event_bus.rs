//! The event bus.

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use domain::event::Event;
use jiff::Timestamp;
use serde_json::json;

/// The source of all events.
const SOURCE: &str = "pinwright";

/// An event could not be put on the bus.
#[derive(Debug, thiserror::Error)]
#[error("the event bus did not accept the event")]
pub struct Error {
    /// The position of the event in the batch: those before it were accepted.
    pub position: usize,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// The event bus of the stack.
#[derive(Debug)]
pub struct EventBus {
    client: Client,
    name: String,
}

impl EventBus {
    /// The most events in one call.
    pub const MAX_EVENTS_PER_CALL: usize = 10;

    #[must_use]
    pub fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.to_owned() }
    }

    /// Puts a batch of events on the bus, each with the time of its change.
    pub async fn put(&self, events: &[(Event, Timestamp)]) -> Result<(), Error> {
        let entries = events.iter().map(|(event, at)| self.entry(event, *at)).collect();
        let answer = self.client.put_events().set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| Error { position: 0, source: error.into() })?;
        let refused = answer.entries().iter().enumerate().find(|(_, entry)| entry.error_code().is_some());
        match refused {
            None => Ok(()),
            Some((position, entry)) => {
                let reason = entry.error_message().unwrap_or("no reason given").to_owned();
                Err(Error { position, source: reason.into() })
            }
        }
    }

    fn entry(&self, event: &Event, at: Timestamp) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(event.kind.name())
            .detail(json!(event.detail).to_string())
            .time(aws_smithy_types::DateTime::from_secs(at.as_second()))
            .build()
    }
}
