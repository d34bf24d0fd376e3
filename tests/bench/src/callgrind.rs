//! Instructions, counted by callgrind: the same on a busy machine as on an idle one.

use std::{ffi::OsStr, path::Path, process::Stdio};

use serde_json::Value;
use tokio::process::Command;

use crate::{
    Failure,
    process::Running,
    world::{Reach, World},
};

/// What to do about a machine without it.
pub(crate) const MISSING: &str = "valgrind is missing, so no instructions are counted: install it (`apt-get install valgrind`, `dnf install valgrind`)";

/// Whether valgrind is installed.
pub(crate) async fn is_there() -> bool {
    let mut command = Command::new("valgrind");
    let said = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    said.is_ok_and(|status| status.success())
}

/// What a program executes from its start, through `events`, until it waits for the next one.
pub(crate) async fn instructions(
    world: &World,
    program: &Path,
    reach: Reach,
    events: &[Value],
) -> Result<u64, Failure> {
    let file = world.folder.path().join("callgrind.out");
    let output = format!("--callgrind-out-file={}", file.display());
    let command: [&OsStr; 4] =
        ["valgrind".as_ref(), "--tool=callgrind".as_ref(), output.as_ref(), program.as_ref()];
    let mut running = Running::launch(world, &command, reach).await?;
    running.started().await?;
    for event in events {
        running.api.invoke(event).await?;
    }
    running.rests(events.len() + 1).await?;
    running.end().await?;

    let profile = std::fs::read_to_string(&file)?;
    let totals = profile.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(totals.ok_or("callgrind wrote no totals")?.trim().parse()?)
}
