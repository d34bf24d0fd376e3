//! The figures of one program.

use std::path::Path;

use tokio::time::Duration;

use crate::{
    Failure, callgrind,
    process::Running,
    programs::Programs,
    requests::{self, Requests, Work},
    servers::{Channels, Reach, Servers},
};

/// How many starts a median is of.
const STARTS: usize = 20;
/// How many warm requests a mean is of, and how many go before.
const WARM: usize = 10;
const BEFORE: usize = 2;
/// How many requests a function answers before its memory is looked at, and looked at again.
const EARLY: usize = 1_000;
const LATE: usize = 10_000;

/// What the archive around one file adds: its header, its entry in the directory, and the directory's end.
const ZIP_HEADERS: u64 = 30 + 46 + 22 + 2 * "bootstrap".len() as u64;
/// How hard `zip`, Python's `zipfile` and so SAM try.
const ZIP_LEVEL: u8 = 6;

/// What a program weighs, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) binary: u64,
    pub(crate) zip: u64,
}

/// Weighs `program`, and the archive that Lambda gets.
pub(crate) fn size(program: &Path) -> Result<Size, Failure> {
    let content = std::fs::read(program)?;
    let deflated = miniz_oxide::deflate::compress_to_vec(&content, ZIP_LEVEL);
    Ok(Size { binary: content.len() as u64, zip: deflated.len() as u64 + ZIP_HEADERS })
}

/// What a program executes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instructions {
    /// From its start until it asks for an event, with nothing to shake hands with.
    pub(crate) start: u64,
    /// The same, with the handshakes that it makes ahead, if it makes any.
    pub(crate) start_with_tls: u64,
    /// For its first event, beyond that.
    pub(crate) first: u64,
    /// For one of the later ones.
    pub(crate) warm: u64,
}

impl Instructions {
    /// From its start until its first answer, as production has it.
    pub(crate) fn until_answered(self) -> u64 {
        self.start_with_tls + self.first
    }
}

/// Counts what `program` executes.
pub(crate) async fn instructions(
    servers: &Servers,
    program: &Path,
    work: &mut Work,
) -> Result<Instructions, Failure> {
    let mut after = async |reach: Reach, events: usize| {
        callgrind::instructions(servers, program, reach, || (0..events).map(|_| work.usual()).collect()).await
    };
    let start = after(Reach::Plain, 0).await?;
    let start_with_tls = after(Reach::Tls, 0).await?;
    let first = after(Reach::Tls, 1).await?.saturating_sub(start_with_tls);
    let before = after(Reach::Tls, BEFORE).await?;
    let warm = after(Reach::Tls, BEFORE + WARM).await?.saturating_sub(before) / WARM as u64;
    Ok(Instructions { start, start_with_tls, first, warm })
}

/// How long people wait, and what is in memory when it has started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// From `exec` until it asks for an event, with nothing to shake hands with.
    pub(crate) took: Duration,
    /// The same, with the handshakes that it makes ahead, if it makes any.
    pub(crate) took_with_tls: Duration,
    /// From `exec` until its first answer.
    pub(crate) answered: Option<Duration>,
    /// In bytes.
    pub(crate) resident: u64,
}

/// Starts `program` many times: the medians. With `work`, its first answer is waited for as well.
pub(crate) async fn start(
    servers: &Servers,
    program: &Path,
    mut work: Option<&mut Work>,
) -> Result<Start, Failure> {
    let (mut took, mut took_with_tls, mut answered, mut resident) = (vec![], vec![], vec![], vec![]);
    for _ in 0..STARTS {
        let mut running = Running::launch(servers, &[program.as_os_str()], Reach::Plain).await?;
        took.push(running.started().await? - running.began);
        drop(running);
        let mut running = Running::launch(servers, &[program.as_os_str()], Reach::Tls).await?;
        took_with_tls.push(running.started().await? - running.began);
        running.rests(1).await?;
        resident.push(running.resident()?);
        drop(running);
        if let Some(work) = &mut work {
            let mut running = Running::launch(servers, &[program.as_os_str()], Reach::Tls).await?;
            running.api.send(&work.usual())?;
            running.started().await?;
            let (at, _) = running.api.answer().await?;
            answered.push(at - running.began);
        }
    }
    let nothing = "nothing was started";
    Ok(Start {
        took: median(took).ok_or(nothing)?,
        took_with_tls: median(took_with_tls).ok_or(nothing)?,
        answered: median(answered),
        resident: median(resident).ok_or(nothing)?,
    })
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Memory after many requests, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) early: u64,
    pub(crate) late: u64,
}

impl Memory {
    /// What nine tenths of the requests have left behind.
    pub(crate) fn growth(self) -> u64 {
        self.late.saturating_sub(self.early)
    }
}

/// Sends many requests, one after the other, and looks at the memory.
pub(crate) async fn memory(servers: &Servers, program: &Path, work: &mut Work) -> Result<Memory, Failure> {
    let mut running = Running::start(servers, program, Reach::Tls).await?;
    let mut early = 0;
    for number in 0..LATE {
        if number == EARLY {
            early = running.resident()?;
        }
        let (event, status) = work.mixed(number);
        running.ask(&event, status).await?;
    }
    servers.calls.take();
    Ok(Memory { early, late: running.resident()? })
}

/// The calls of a warm request of each kind, about a Pin that is there.
pub(crate) async fn round_trips(
    servers: &Servers,
    programs: &Programs,
    channels: &Channels,
    pin: &str,
) -> Result<Vec<(&'static str, usize)>, Failure> {
    let mut requests = Requests::new(channels.clone(), "round-trips");
    let mut publish = Running::start(servers, programs.function("publish")?, Reach::Tls).await?;
    let mut pins = Running::start(servers, programs.function("pins")?, Reach::Tls).await?;
    publish.ask(&requests.publish(), 201).await?;
    pins.ask(&requests::list(), 200).await?;
    servers.calls.take();

    let mut counted = Vec::new();
    for (kind, event, status) in [
        ("publish an image by URL", requests.publish(), 201),
        ("repeat it with its key", requests.again(), 201),
        ("schedule a Pin", requests.schedule(), 202),
        ("validate a Pin", requests.validate(), 200),
        ("refuse what is no Pin", requests.bad(), 422),
    ] {
        publish.ask(&event, status).await?;
        counted.push((kind, servers.calls.take().len()));
    }
    for (kind, event) in [("read a Pin", requests::read(pin)), ("list Pins", requests::list())] {
        pins.ask(&event, 200).await?;
        counted.push((kind, servers.calls.take().len()));
    }
    Ok(counted)
}
