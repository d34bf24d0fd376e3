//! EventBridge: `PutEvents`. Each event is one line of a file.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Clock, Error,
    aws_json::ErrorResponse,
    folder::{self, Folder},
};

const FILE: &str = "events.jsonl";
const MAX_RECENT_EVENTS: usize = 10_000;
/// Entries in one call, as EventBridge has it.
const MAX_ENTRIES: usize = 10;
/// Size of all entries of one call, as EventBridge has it.
const MAX_REQUEST_BYTES: usize = 256 * 1024;

/// An event as a rule of the bus would see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusEvent {
    /// What `PutEvents` answered: unique in the folder.
    pub id: String,
    /// Who sent it.
    pub source: String,
    /// What kind of event it is.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// When it happened: what the sender said, or else when it arrived.
    pub time: Timestamp,
    /// What it is about, as ARNs.
    pub resources: Vec<String>,
    /// The event itself: a JSON object.
    pub detail: Value,
}

/// The bus, with a log of its events.
pub(crate) struct EventBus {
    now: Clock,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    path: PathBuf,
    file: Option<File>,
    count: u64,
    recent: VecDeque<BusEvent>,
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutEvents {
    entries: Vec<PutEventsEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEventsEntry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    time: Option<f64>,
    #[serde(default)]
    resources: Vec<String>,
}

/// Why AWS rejects one entry of a call. It accepts the others.
struct EntryError {
    code: &'static str,
    message: String,
}

impl EventBus {
    /// Opens the bus with the events that `folder` holds.
    pub(crate) fn open(folder: Option<&Folder>, now: &Clock) -> Result<Self, Error> {
        let log = match folder {
            Some(folder) => Log::read(&folder.file(FILE))?,
            None => Log::default(),
        };
        Ok(Self { now: Arc::clone(now), log: Mutex::new(log) })
    }

    /// The last 10,000 events, oldest first.
    pub(crate) fn events(&self) -> Vec<BusEvent> {
        self.log().recent.iter().cloned().collect()
    }

    /// Accepts the entries that are well formed, and answers an error for each of the others.
    pub(crate) fn put_events(&self, request: PutEvents) -> Result<Value, ErrorResponse> {
        check_limits(&request.entries)?;
        let mut log = self.log();
        let mut accepted = Vec::new();
        let mut answers = Vec::new();
        for entry in request.entries {
            match entry.into_event(log.event_id(accepted.len()), (self.now)()) {
                Ok(event) => {
                    answers.push(json!({ "EventId": event.id }));
                    accepted.push(event);
                }
                Err(error) => {
                    answers.push(json!({ "ErrorCode": error.code, "ErrorMessage": error.message }));
                }
            }
        }
        let failed = answers.len() - accepted.len();
        log.append(accepted).map_err(Error::at(&log.path))?;
        Ok(json!({ "FailedEntryCount": failed, "Entries": answers }))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn read(path: &Path) -> Result<Self, Error> {
        let file = folder::open_private(path, OpenOptions::new().read(true).append(true).create(true))?;
        let mut log = Self { path: path.to_owned(), ..Self::default() };
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        let mut complete = 0;
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(Error::at(path))?;
            if line.last() != Some(&b'\n') {
                break; // the end, or a part of an event that was not answered before a crash
            }
            let event =
                serde_json::from_slice(&line).map_err(|_| Error::Damaged { path: path.to_owned() })?;
            complete += length as u64;
            log.push(event);
        }
        file.set_len(complete).map_err(Error::at(path))?;
        log.file = Some(file);
        Ok(log)
    }

    /// The id of the event that comes `offset` places after the next one.
    fn event_id(&self, offset: usize) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.count + offset as u64)
    }

    fn append(&mut self, events: Vec<BusEvent>) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let lines: String =
                events.iter().flat_map(|event| [json!(event).to_string(), "\n".to_owned()]).collect();
            let before = file.metadata()?.len();
            if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()) {
                file.set_len(before)?; // half a line would make the lines after it unreadable
                return Err(error);
            }
        }
        for event in events {
            self.push(event);
        }
        Ok(())
    }

    fn push(&mut self, event: BusEvent) {
        if self.recent.len() == MAX_RECENT_EVENTS {
            self.recent.pop_front();
        }
        self.recent.push_back(event);
        self.count += 1;
    }
}

impl PutEventsEntry {
    /// The size of this entry as EventBridge counts it:
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size>
    fn size_bytes(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail].into_iter().flatten();
        let time = if self.time.is_some() { 14 } else { 0 };
        time + texts.chain(&self.resources).map(String::len).sum::<usize>()
    }

    fn into_event(self, id: String, now: Timestamp) -> Result<BusEvent, EntryError> {
        let source = required(self.source, "Source")?;
        let detail_type = required(self.detail_type, "DetailType")?;
        let detail = required(self.detail, "Detail")?;
        let detail = serde_json::from_str(&detail).ok().filter(Value::is_object).ok_or_else(|| {
            EntryError { code: "MalformedDetail", message: "Detail is malformed.".to_owned() }
        })?;
        let time = match self.time {
            Some(seconds) => {
                parse_seconds(seconds).ok_or_else(|| invalid_argument("Time", "Time is out of range"))?
            }
            None => now,
        };
        Ok(BusEvent { id, source, detail_type, time, resources: self.resources, detail })
    }
}

fn check_limits(entries: &[PutEventsEntry]) -> Result<(), ErrorResponse> {
    let limit = match entries.len() {
        0 => Some("greater than or equal to 1"),
        1..=MAX_ENTRIES => None,
        _ => Some("less than or equal to 10"),
    };
    if let Some(limit) = limit {
        return Err(ErrorResponse::new(
            "ValidationException",
            format!(
                "1 validation error detected: Value at 'entries' failed to satisfy constraint: \
                 Member must have length {limit}"
            ),
        ));
    }
    if entries.iter().map(PutEventsEntry::size_bytes).sum::<usize>() > MAX_REQUEST_BYTES {
        return Err(ErrorResponse::new(
            "ValidationException",
            "Total size of the entries in the request is over the limit.",
        ));
    }
    Ok(())
}

fn required(value: Option<String>, name: &str) -> Result<String, EntryError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| invalid_argument(name, &format!("{name} is a required argument")))
}

fn invalid_argument(name: &str, reason: &str) -> EntryError {
    EntryError {
        code: "InvalidArgument",
        message: format!("Parameter {name} is not valid. Reason: {reason}."),
    }
}

fn parse_seconds(seconds: f64) -> Option<Timestamp> {
    let since_epoch = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since_epoch).ok()
}
