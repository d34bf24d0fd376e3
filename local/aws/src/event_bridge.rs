//! EventBridge: `PutEvents`, kept as lines of a file.

use crate::{
    Clock, Error,
    folder::{self, Folder},
    wire::Fault,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const FILE: &str = "events.jsonl";
const REMEMBERED: usize = 10_000;
const ENTRIES_MAX: usize = 10;
const BYTES_MAX: usize = 256 * 1024;

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

/// The bus and what went over it.
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
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    time: Option<f64>,
    #[serde(default)]
    resources: Vec<String>,
}

/// Why AWS refuses one entry and takes the others.
struct Refusal {
    code: &'static str,
    message: String,
}

impl EventBus {
    /// Opens the bus with the events that `folder` remembers.
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

    /// Takes the entries that are well formed and says what is wrong with the others.
    pub(crate) fn put(&self, request: PutEvents) -> Result<Value, Fault> {
        check_limits(&request.entries)?;
        let mut log = self.log();
        let mut accepted = Vec::new();
        let mut answers = Vec::new();
        for entry in request.entries {
            match entry.into_event(log.id_after(accepted.len()), (self.now)()) {
                Ok(event) => {
                    answers.push(json!({ "EventId": event.id }));
                    accepted.push(event);
                }
                Err(refusal) => {
                    answers.push(json!({ "ErrorCode": refusal.code, "ErrorMessage": refusal.message }));
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
                break; // the end, or what a crash left of an event that nobody was told of
            }
            let event =
                serde_json::from_slice(&line).map_err(|_| Error::Damaged { path: path.to_owned() })?;
            complete += length as u64;
            log.remember(event);
        }
        file.set_len(complete).map_err(Error::at(path))?;
        log.file = Some(file);
        Ok(log)
    }

    /// The id of the event that comes `ahead` places after the next one.
    fn id_after(&self, ahead: usize) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.count + ahead as u64)
    }

    fn append(&mut self, events: Vec<BusEvent>) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let lines: String =
                events.iter().flat_map(|event| [json!(event).to_string(), "\n".to_owned()]).collect();
            let before = file.metadata()?.len();
            if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()) {
                file.set_len(before)?; // half a line would spoil the ones after it
                return Err(error);
            }
        }
        for event in events {
            self.remember(event);
        }
        Ok(())
    }

    fn remember(&mut self, event: BusEvent) {
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(event);
        self.count += 1;
    }
}

impl Entry {
    /// What counts towards the size of a call:
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size>
    fn bytes(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail].into_iter().flatten();
        let time = if self.time.is_some() { 14 } else { 0 };
        time + texts.chain(&self.resources).map(String::len).sum::<usize>()
    }

    fn into_event(self, id: String, now: Timestamp) -> Result<BusEvent, Refusal> {
        let source = required(self.source, "Source")?;
        let detail_type = required(self.detail_type, "DetailType")?;
        let detail = required(self.detail, "Detail")?;
        let detail = serde_json::from_str(&detail)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal { code: "MalformedDetail", message: "Detail is malformed.".to_owned() })?;
        let time = match self.time {
            Some(seconds) => timestamp(seconds).ok_or_else(|| not_valid("Time", "Time is out of range"))?,
            None => now,
        };
        Ok(BusEvent { id, source, detail_type, time, resources: self.resources, detail })
    }
}

fn check_limits(entries: &[Entry]) -> Result<(), Fault> {
    let limit = match entries.len() {
        0 => Some("greater than or equal to 1"),
        1..=ENTRIES_MAX => None,
        _ => Some("less than or equal to 10"),
    };
    if let Some(limit) = limit {
        return Err(Fault::new(
            "ValidationException",
            format!(
                "1 validation error detected: Value at 'entries' failed to satisfy constraint: \
                 Member must have length {limit}"
            ),
        ));
    }
    if entries.iter().map(Entry::bytes).sum::<usize>() > BYTES_MAX {
        return Err(Fault::new(
            "ValidationException",
            "Total size of the entries in the request is over the limit.",
        ));
    }
    Ok(())
}

fn required(value: Option<String>, name: &str) -> Result<String, Refusal> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| not_valid(name, &format!("{name} is a required argument")))
}

fn not_valid(name: &str, reason: &str) -> Refusal {
    Refusal { code: "InvalidArgument", message: format!("Parameter {name} is not valid. Reason: {reason}.") }
}

fn timestamp(seconds: f64) -> Option<Timestamp> {
    let since_epoch = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since_epoch).ok()
}
