//! Saves the state in a file, and the Pins in another, to which each Pin adds a line.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::State;
use crate::http::Environment;

/// The state and its file. Changes through [`Storage::state_mut`] are written by the next [`Storage::save`], which comes
/// before the answer. So a process that is killed has answered nothing that the next process does not know.
#[derive(Debug)]
pub(crate) struct Storage {
    state: State,
    file: Option<PathBuf>,
    is_changed: bool,
    /// How many Pins of each host are saved.
    saved_pins: [usize; 2],
}

/// A line of the Pins' file.
#[derive(Serialize, Deserialize)]
struct PinLine<P> {
    environment: Environment,
    pin: P,
}

impl Storage {
    /// Reads `file`, or starts with `first` if there is no file yet.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is not a file of this crate.
    pub(crate) fn open(file: Option<PathBuf>, first: impl FnOnce() -> State) -> io::Result<Self> {
        let saved = match file.as_deref().map(fs::read) {
            Some(Ok(bytes)) => Some(serde_json::from_slice(&bytes)?),
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => None,
        };
        let is_changed = saved.is_none();
        let mut storage = Self { state: saved.unwrap_or_else(first), file, is_changed, saved_pins: [0; 2] };
        storage.read_pins()?;
        storage.save()?;
        Ok(storage)
    }

    /// Reads the complete lines. The last may be incomplete, if a process was killed while it wrote it.
    fn read_pins(&mut self) -> io::Result<()> {
        let Some(file) = self.file.as_deref().map(pins_file) else { return Ok(()) };
        let lines = match fs::read(&file) {
            Ok(lines) => lines,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if end < lines.len() {
            replace_file(&file, &lines[..end])?;
        }
        for line in lines[..end].split_inclusive(|byte| *byte == b'\n') {
            let PinLine { environment, pin } = serde_json::from_slice(line)?;
            self.state.restore_pin(environment, pin);
        }
        self.saved_pins = self.count_pins();
        Ok(())
    }

    fn count_pins(&self) -> [usize; 2] {
        Environment::ALL.map(|environment| self.state.host(environment).pins.len())
    }

    /// Writes the lines of new Pins, or the lines of all Pins if some were deleted. This comes before the state is
    /// written, so that the id of a Pin is never given to another object.
    fn save_pins(&mut self, file: &Path) -> io::Result<()> {
        let now = self.count_pins();
        let grown = now.iter().zip(&self.saved_pins).all(|(now, saved)| now >= saved);
        let after = if grown { self.saved_pins } else { [0; 2] };
        let mut lines = Vec::new();
        for (environment, after) in Environment::ALL.into_iter().zip(after) {
            for pin in &self.state.host(environment).pins[after..] {
                serde_json::to_writer(&mut lines, &PinLine { environment, pin })?;
                lines.push(b'\n');
            }
        }
        let file = pins_file(file);
        if !grown {
            replace_file(&file, &lines)?;
        } else if !lines.is_empty() {
            private_file().append(true).open(&file)?.write_all(&lines)?;
        }
        self.saved_pins = now;
        Ok(())
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The state, to be changed.
    pub(crate) fn state_mut(&mut self) -> &mut State {
        self.is_changed = true;
        &mut self.state
    }

    /// Writes the changes.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.clone().filter(|_| self.is_changed) {
            self.save_pins(&file)?;
            replace_file(&file, &serde_json::to_vec(&self.state)?)?;
        }
        self.is_changed = false;
        Ok(())
    }
}

/// Writes a new file and renames it to `file`, so that a reader sees the old content or the new, never a part.
fn replace_file(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    private_file().write(true).truncate(true).open(&new)?.write_all(content)?;
    fs::rename(&new, file)
}

/// Options for a file that only its owner can read, from the first byte on.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn pins_file(file: &Path) -> PathBuf {
    file.with_extension("pins.jsonl")
}
