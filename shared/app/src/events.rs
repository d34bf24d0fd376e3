//! `events`: turns changes of rows into events on the bus, at least once and in the order of each row.
//!
//! No use case sends an event, so none can be lost between a state and its telling.

pub use aws_lambda_events::{dynamodb::Event as Stream, streams::DynamoDbEventResponse as Unhandled};
use aws_lambda_events::{dynamodb::EventRecord, streams::DynamoDbBatchItemFailure};
use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use domain::event::{Event, Row, of};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result, chain};

/// As every event says where it comes from.
const SOURCE: &str = "pinwright";
/// EventBridge takes no more at once.
const AT_ONCE: usize = 10;

/// What `events` may touch: the event bus, by its name.
#[derive(Debug)]
pub struct Events {
    client: Client,
    bus: String,
}

impl Events {
    pub(crate) fn new(client: Client, bus: &str) -> Self {
        Self { client, bus: bus.to_owned() }
    }

    /// Tells what a batch of changes means. The answer names the first record that was not told: Lambda sends
    /// it and all after it again, so that order is kept.
    pub async fn tell(&self, stream: Stream) -> Unhandled {
        let mut unhandled = Unhandled::default();
        if let Err((number, error)) = self.tell_all(&stream.records).await {
            tracing::error!(
                error = %chain(&error),
                stream.sequence_number = number.as_str(),
                row = key_of(&stream, &number),
                "a change was not told"
            );
            let mut first = DynamoDbBatchItemFailure::default();
            first.item_identifier = Some(number);
            unhandled.batch_item_failures.push(first);
        }
        unhandled
    }

    async fn tell_all(&self, records: &[EventRecord]) -> Result<(), (String, Error)> {
        let mut waiting: Vec<(String, Event, Timestamp)> = Vec::with_capacity(AT_ONCE);
        for record in records {
            let number = record.change.sequence_number.clone().unwrap_or_default();
            match event(record) {
                Ok(Some(event)) => waiting.push((number, event, changed_at(record))),
                Ok(None) => {}
                // What came before the record that cannot be read is told, and counts as told.
                Err(error) => {
                    self.put(&waiting).await?;
                    return Err((number, error));
                }
            }
            if waiting.len() == AT_ONCE {
                self.put(&waiting).await?;
                waiting.clear();
            }
        }
        self.put(&waiting).await
    }

    async fn put(&self, events: &[(String, Event, Timestamp)]) -> Result<(), (String, Error)> {
        let Some((first, ..)) = events.first() else {
            return Ok(());
        };
        let entries = events.iter().map(|(_, event, at)| self.entry(event, *at)).collect();
        let answer = self.client.put_events().set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| (first.clone(), Error::Bus(error.into())))?;
        let refused = answer.entries().iter().zip(events).find(|(entry, _)| entry.error_code().is_some());
        match refused {
            None => Ok(()),
            Some((entry, (number, ..))) => {
                let why = entry.error_message().unwrap_or("no reason given").to_owned();
                Err((number.clone(), Error::Bus(why.into())))
            }
        }
    }

    fn entry(&self, event: &Event, at: Timestamp) -> PutEventsRequestEntry {
        let mut detail = event.detail.clone();
        detail["id"] = event.id.clone().into();
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.kind)
            .detail(detail.to_string())
            .time(aws_smithy_types::DateTime::from_secs(at.as_second()))
            .build()
    }
}

/// The key of the row that changed: its dead letter names no more than the place in the stream.
fn key_of(stream: &Stream, number: &str) -> String {
    let wanted = |record: &&EventRecord| record.change.sequence_number.as_deref() == Some(number);
    let Some(record) = stream.records.iter().find(wanted) else {
        return String::new();
    };
    let part = |name: &str| match record.change.keys.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    format!("{} {}", part("pk"), part("sk"))
}

fn event(record: &EventRecord) -> Result<Option<Event>> {
    let (old, new) = (row(&record.change.old_image)?, row(&record.change.new_image)?);
    // A record's removal tells something only if a person asked for it; removal by age does not happen to these.
    Ok(of(old.as_ref(), new.as_ref()))
}

fn row(image: &serde_dynamo::Item) -> Result<Option<Row>> {
    let text = |name: &str| match image.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => text.as_str(),
        _ => "",
    };
    let (pk, sk) = (text("pk"), text("sk"));
    Ok(match (pk.starts_with("TENANT#"), sk.split('#').next().unwrap_or_default()) {
        (true, "CHANNEL") => Some(Row::Channel(Box::new(read(image)?))),
        (true, "PIN") => Some(Row::Pin(Box::new(read(image)?))),
        (false, "SETTINGS") => Some(Row::Settings(read(image)?)),
        _ => None,
    })
}

fn read<T: DeserializeOwned>(image: &serde_dynamo::Item) -> Result<T> {
    Ok(serde_dynamo::from_item(image.clone()).map_err(crate::store::Error::from)?)
}

fn changed_at(record: &EventRecord) -> Timestamp {
    let seconds = record.change.approximate_creation_date_time.timestamp();
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
