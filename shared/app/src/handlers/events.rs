//! `events`: turns changes of rows into events on the bus, at least once and in the order of each row.
//!
//! No use case sends an event, so none can be lost between a change and its announcement.

use std::collections::HashSet;

use adapters::EventBus;
pub use aws_lambda_events::{
    dynamodb::Event as StreamEvent, streams::DynamoDbEventResponse as UnhandledRecords,
};
use aws_lambda_events::{dynamodb::EventRecord, streams::DynamoDbBatchItemFailure};
use domain::event::{Event, from_change};
use jiff::Timestamp;
use platform::chain;

use crate::error::{Error, Result};

/// What `events` may use: the event bus.
#[derive(Debug)]
pub struct Events {
    bus: EventBus,
}

/// The first record that could not be handled, and why.
type Unhandled = (String, Error);

impl Events {
    #[must_use]
    pub fn new(bus: EventBus) -> Self {
        Self { bus }
    }

    /// Publishes the events of a batch of changes. The answer names the first record that was not handled. Lambda sends it
    /// and all records after it again, so that the order is kept.
    pub async fn publish(&self, stream: StreamEvent) -> UnhandledRecords {
        let mut unhandled = UnhandledRecords::default();
        if let Err((number, error)) = self.publish_all(&stream.records).await {
            tracing::error!(
                error = %chain(&error),
                stream.sequence_number = number.as_str(),
                row = row_name(&stream, &number),
                "a change was not published as an event"
            );
            let mut first = DynamoDbBatchItemFailure::default();
            first.item_identifier = Some(number);
            unhandled.batch_item_failures.push(first);
        }
        unhandled
    }

    async fn publish_all(&self, records: &[EventRecord]) -> Result<(), Unhandled> {
        let mut batch = Batch::default();
        for record in records {
            let number = record.change.sequence_number.clone().unwrap_or_default();
            match event(record) {
                Ok(Some(event)) => {
                    let row = store::row_name(&record.change.keys);
                    if batch.is_full() || batch.rows.contains(&row) {
                        self.put(std::mem::take(&mut batch)).await?;
                    }
                    batch.push(number, row, event, changed_at(record));
                }
                Ok(None) => {}
                // The events before the record that cannot be read are published, and count as handled.
                Err(error) => {
                    self.put(batch).await?;
                    return Err((number, error));
                }
            }
        }
        self.put(batch).await
    }

    async fn put(&self, mut batch: Batch) -> Result<(), Unhandled> {
        if batch.events.is_empty() {
            return Ok(());
        }
        self.bus
            .put(&batch.events)
            .await
            .map_err(|error| (batch.numbers.swap_remove(error.position), error.into()))
    }
}

/// Events that are put on the bus in one call, with their records. No two are of the same row, because the bus may refuse
/// the first and accept the second.
#[derive(Default)]
struct Batch {
    numbers: Vec<String>,
    rows: HashSet<String>,
    events: Vec<(Event, Timestamp)>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.events.len() == EventBus::MAX_EVENTS_PER_CALL
    }

    fn push(&mut self, number: String, row: String, event: Event, at: Timestamp) {
        self.numbers.push(number);
        self.rows.insert(row);
        self.events.push((event, at));
    }
}

/// The key of the row that changed, for the log: the dead letter of a record contains only its position in the stream.
fn row_name(stream: &StreamEvent, number: &str) -> String {
    let wanted = |record: &&EventRecord| record.change.sequence_number.as_deref() == Some(number);
    stream.records.iter().find(wanted).map(|record| store::row_name(&record.change.keys)).unwrap_or_default()
}

/// The event of a change. Rows of these kinds do not expire, so a removed row was removed by a user.
fn event(record: &EventRecord) -> Result<Option<Event>> {
    let old = store::changed_row(&record.change.old_image)?;
    let new = store::changed_row(&record.change.new_image)?;
    Ok(from_change(old.as_ref(), new.as_ref()))
}

fn changed_at(record: &EventRecord) -> Timestamp {
    let seconds = record.change.approximate_creation_date_time.timestamp();
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
