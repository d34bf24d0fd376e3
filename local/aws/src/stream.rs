//! The stream of the main table, as Lambda passes it to a function.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::{
    DynoxideError,
    actions::{
        describe_stream::DescribeStreamRequest,
        get_records::{GetRecordsRequest, Record},
        get_shard_iterator::GetShardIteratorRequest,
        list_streams::ListStreamsRequest,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{ACCOUNT, Clock, Error, REGION, dynamodb::DynamoDb, folder::Folder};

const FILE: &str = "stream.json";
const MAX_BATCH_RECORDS: usize = 100;

/// The changes of the main table in their order, for one reader.
///
/// A record is delivered until it is committed, also after a crash, and none is skipped. Clones share one position, so
/// a second reader gets the records that the first has not committed.
#[derive(Clone)]
pub struct MainStream(Arc<Reader>);

/// Consecutive records, to be handled by one invocation.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The event that Lambda would invoke the function with: `{"Records": [...]}`, 1 to 100 of them.
    pub event: Value,
    /// The sequence number of the last record.
    pub last: String,
}

struct Reader {
    dynamodb: DynamoDb,
    folder: Option<Arc<Folder>>,
    now: Clock,
    arn: String,
    shard: String,
    event_source_arn: String,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// The last record that was handled. The next read starts after it.
    handled: Option<String>,
    /// The records of the last batch, which may be committed.
    delivered: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    stream: String,
    handled: String,
}

impl MainStream {
    /// Opens the stream of `table` after the last record that was committed to `folder`, or at its start.
    pub(crate) fn open(
        dynamodb: &DynamoDb,
        table: &str,
        folder: Option<&Arc<Folder>>,
        now: &Clock,
    ) -> Result<Self, Error> {
        let streams = dynamodb.database.list_streams(ListStreamsRequest {
            table_name: Some(table.to_owned()),
            ..ListStreamsRequest::default()
        })?;
        let Some(stream) = streams.streams.into_iter().next() else {
            return Err(missing_stream(table).into());
        };
        let description = dynamodb.database.describe_stream(DescribeStreamRequest {
            stream_arn: stream.stream_arn.clone(),
            ..DescribeStreamRequest::default()
        })?;
        let Some(shard) = description.stream_description.shards.into_iter().next() else {
            return Err(missing_stream(table).into());
        };
        let handled = read_checkpoint(folder.map(Arc::as_ref), &stream.stream_arn)?;
        if let Some(handled) = &handled {
            dynamodb.delete_handled_records(table, handled)?;
        }

        let label = stream.stream_label;
        Ok(Self(Arc::new(Reader {
            dynamodb: dynamodb.clone(),
            folder: folder.cloned(),
            now: Arc::clone(now),
            arn: stream.stream_arn,
            shard: shard.shard_id,
            event_source_arn: format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/{label}"),
            progress: Mutex::new(Progress { handled, delivered: Vec::new() }),
        })))
    }

    /// The records after the last committed one, if there are any.
    ///
    /// `ApproximateCreationDateTime` is the time of delivery by our clock.
    pub fn next_batch(&self) -> Result<Option<Batch>, Error> {
        let mut progress = self.progress();
        let records = self.0.read_records_after(progress.handled.as_deref())?;
        progress.delivered = records.iter().map(|record| record.dynamodb.sequence_number.clone()).collect();
        let Some(last) = progress.delivered.last().cloned() else {
            return Ok(None);
        };
        let records: Vec<Value> = records.iter().map(|record| self.0.to_lambda_record(record)).collect();
        Ok(Some(Batch { event: json!({ "Records": records }), last }))
    }

    /// Marks all of `batch` as handled.
    pub fn commit(&self, batch: &Batch) -> Result<(), Error> {
        self.commit_through(&batch.last)
    }

    /// Marks the records up to and including `sequence_number` as handled. Earlier commits stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotDelivered`] if the last batch did not hold that record. Nothing is committed then, so that no record
    /// is skipped.
    pub fn commit_through(&self, sequence_number: &str) -> Result<(), Error> {
        let mut progress = self.progress();
        if progress.handled.as_deref() >= Some(sequence_number) {
            return Ok(());
        }
        if !progress.delivered.iter().any(|delivered| delivered == sequence_number) {
            return Err(Error::NotDelivered { sequence_number: sequence_number.to_owned() });
        }
        if let Some(folder) = &self.0.folder {
            let checkpoint = json!({ "stream": self.0.arn, "handled": sequence_number });
            folder.replace(FILE, checkpoint.to_string().as_bytes())?;
        }
        progress.handled = Some(sequence_number.to_owned());
        Ok(())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn read_records_after(&self, handled: Option<&str>) -> Result<Vec<Record>, DynoxideError> {
        let start = if handled.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let iterator = self.dynamodb.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: self.arn.clone(),
            shard_id: self.shard.clone(),
            shard_iterator_type: start.to_owned(),
            sequence_number: handled.map(str::to_owned),
        })?;
        let read = self.dynamodb.database.get_records(GetRecordsRequest {
            shard_iterator: iterator.shard_iterator.unwrap_or_default(),
            limit: Some(MAX_BATCH_RECORDS),
        })?;
        Ok(read.records)
    }

    /// `record` as Lambda would pass it, with the region, the stream and the clock of the local stack.
    fn to_lambda_record(&self, record: &Record) -> Value {
        let mut event = json!(record);
        event["awsRegion"] = json!(REGION);
        event["eventSourceARN"] = json!(self.event_source_arn);
        event["dynamodb"]["ApproximateCreationDateTime"] = json!((self.now)().as_second());
        event
    }
}

/// The last handled record of `stream`. A checkpoint of another stream, whose database is gone, does not count.
fn read_checkpoint(folder: Option<&Folder>, stream: &str) -> Result<Option<String>, Error> {
    let Some(folder) = folder else { return Ok(None) };
    let Some(content) = folder.read(FILE)? else {
        return Ok(None);
    };
    let checkpoint: Checkpoint =
        serde_json::from_slice(&content).map_err(|_| Error::Damaged { path: folder.file(FILE) })?;
    Ok((checkpoint.stream == stream).then_some(checkpoint.handled))
}

fn missing_stream(table: &str) -> DynoxideError {
    DynoxideError::ResourceNotFoundException(format!("the table {table} has no stream"))
}
