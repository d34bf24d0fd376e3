//! Instructions, counted by callgrind: the same on a busy machine as on an idle one.

use std::{ffi::OsStr, path::Path, process::Stdio};

use serde_json::Value;
use tokio::process::Command;

use crate::{
    Failure,
    process::Running,
    servers::{Reach, Servers},
};

/// What to do about a machine without it.
pub(crate) const MISSING: &str = "valgrind is missing, so no instructions are counted: install it (`apt-get install valgrind`, `dnf install valgrind`)";

/// Whether valgrind is installed.
pub(crate) async fn is_there() -> bool {
    let mut command = Command::new("valgrind");
    let said = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    said.is_ok_and(|status| status.success())
}

/// How often a count is begun again that was disturbed.
const ATTEMPTS: usize = 3;

/// What a program executes from its start, through `events`, until it waits for the next one. Under callgrind all takes
/// fifty times as long, and a function gives up what takes too long, with a warning: that is no count of its work.
pub(crate) async fn instructions(
    servers: &Servers,
    program: &Path,
    reach: Reach,
    mut events: impl FnMut() -> Vec<Value>,
) -> Result<u64, Failure> {
    let mut log = String::new();
    for _ in 0..ATTEMPTS {
        let (count, written) = count(servers, program, reach, &events()).await?;
        if !written.contains(r#""level":"WARN""#) {
            return Ok(count);
        }
        log = written;
    }
    Err(format!("under callgrind, this machine is too slow for {}: {log}", program.display()).into())
}

async fn count(
    servers: &Servers,
    program: &Path,
    reach: Reach,
    events: &[Value],
) -> Result<(u64, String), Failure> {
    let file = servers.folder.path().join("callgrind.out");
    let output = format!("--callgrind-out-file={}", file.display());
    let command: [&OsStr; 4] =
        ["valgrind".as_ref(), "--tool=callgrind".as_ref(), output.as_ref(), program.as_ref()];
    let mut running = Running::launch(servers, &command, reach).await?;
    running.started().await?;
    for event in events {
        running.api.invoke(event).await?;
    }
    running.rests(events.len() + 1).await?;
    let log = running.end().await?;

    let profile = std::fs::read_to_string(&file)?;
    let totals = profile.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok((totals.ok_or("callgrind wrote no totals")?.trim().parse()?, log))
}
