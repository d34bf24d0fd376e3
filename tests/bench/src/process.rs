//! A program that runs as Lambda runs it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::{Duration, Instant, sleep},
};

use crate::{
    Failure,
    runtime_api::RuntimeApi,
    servers::{Reach, Servers},
};

/// Until a program that waits for an event has ended what it does besides.
const SETTLE: Duration = Duration::from_millis(100);

/// A function and its Runtime API. Dropping it kills the function.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where its events come from.
    pub(crate) api: RuntimeApi,
    /// When it was started.
    pub(crate) began: Instant,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `program`, and waits until it asks for its first event.
    pub(crate) async fn start(servers: &Servers, program: &Path, reach: Reach) -> Result<Self, Failure> {
        let mut running = Self::launch(servers, &[program.as_os_str()], reach).await?;
        running.started().await?;
        Ok(running)
    }

    /// Starts a command line, and waits for nothing.
    pub(crate) async fn launch(servers: &Servers, command: &[&OsStr], reach: Reach) -> Result<Self, Failure> {
        let (program, arguments) = command.split_first().ok_or("there is nothing to start")?;
        let api = RuntimeApi::open().await?;
        let log = servers.folder.path().join(api.address.replace(':', "-"));
        let mut command = Command::new(program);
        command.args(arguments).kill_on_drop(true).stdin(Stdio::null());
        let written = std::fs::File::create(&log)?;
        command.stdout(written.try_clone()?).stderr(written);
        command.env_clear().envs(servers.variables(reach)).env("AWS_LAMBDA_RUNTIME_API", &api.address);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let began = Instant::now();
        let child =
            command.spawn().map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
        Ok(Self { api, began, child, log })
    }

    /// When it asked for its first event.
    pub(crate) async fn started(&mut self) -> Result<Instant, Failure> {
        tokio::select! {
            asked = self.api.started() => asked,
            ended = self.child.wait() => {
                let log = std::fs::read_to_string(&self.log)?;
                Err(format!("a function ended at its start, {}: {log}", ended?).into())
            }
        }
    }

    /// Asks it something: the body of its answer, whose status must be `status`.
    pub(crate) async fn ask(&mut self, event: &Value, status: u16) -> Result<Value, Failure> {
        let answer = self.api.invoke(event).await?;
        if answer["statusCode"] == status {
            let text = answer["body"].as_str().unwrap_or_default();
            return Ok(serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
        }
        let log = std::fs::read_to_string(&self.log)?;
        Err(format!("{status} was expected of {event}: {answer}\n{log}").into())
    }

    /// Waits until it has asked for an event `times` times and come to rest.
    pub(crate) async fn rests(&mut self, times: usize) -> Result<(), Failure> {
        self.api.asked(times).await?;
        sleep(SETTLE).await;
        Ok(())
    }

    /// The memory that is in RAM, in bytes.
    pub(crate) fn resident(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS in /proc")?;
        Ok(kibibytes.parse::<u64>()? * 1024)
    }

    /// Asks it to end, as `kill` does, and waits until it has: its log.
    pub(crate) async fn end(mut self) -> Result<String, Failure> {
        let asked = Command::new("kill").args(["-TERM", &self.id()?.to_string()]).status().await?;
        if !asked.success() {
            return Err("a function cannot be ended".into());
        }
        self.child.wait().await?;
        Ok(std::fs::read_to_string(&self.log)?)
    }

    fn id(&self) -> Result<u32, Failure> {
        self.child.id().ok_or_else(|| "a function has ended".into())
    }
}
