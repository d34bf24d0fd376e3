//! Keeping the state in a file, and the Pins in another, which grows by a line for each.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{environment::Environment, state::State};

/// The state and where it is kept. What is changed through [`Storage::state_mut`] is written by the
/// next [`Storage::save`], which comes before the answer: a killed process has promised nothing that
/// the next one does not know.
#[derive(Debug)]
pub(crate) struct Storage {
    state: State,
    file: Option<PathBuf>,
    is_changed: bool,
    /// How many Pins of each host are kept.
    kept: [usize; 2],
}

/// A line of the Pins' file.
#[derive(Serialize, Deserialize)]
struct Line<P> {
    environment: Environment,
    pin: P,
}

impl Storage {
    /// Reads `file`, or begins with `first` if there is none yet.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is not one of ours: the path is wrong.
    pub(crate) fn open(file: Option<PathBuf>, first: impl FnOnce() -> State) -> io::Result<Self> {
        let kept = match file.as_deref().map(fs::read) {
            Some(Ok(bytes)) => Some(serde_json::from_slice(&bytes)?),
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => None,
        };
        let is_changed = kept.is_none();
        let mut storage = Self { state: kept.unwrap_or_else(first), file, is_changed, kept: [0; 2] };
        storage.read_pins()?;
        storage.save()?;
        Ok(storage)
    }

    /// Reads the lines that are whole: a process may have been killed in the middle of the last.
    fn read_pins(&mut self) -> io::Result<()> {
        let Some(file) = self.file.as_deref().map(pins_beside) else { return Ok(()) };
        let lines = match fs::read(&file) {
            Ok(lines) => lines,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if end < lines.len() {
            replace(&file, &lines[..end])?;
        }
        for line in lines[..end].split_inclusive(|byte| *byte == b'\n') {
            let Line { environment, pin } = serde_json::from_slice(line)?;
            self.state.restore(environment, pin);
        }
        self.kept = self.counts();
        Ok(())
    }

    fn counts(&self) -> [usize; 2] {
        Environment::ALL.map(|environment| self.state.world(environment).pins.len())
    }

    /// Writes the lines of Pins that are new, or all of them if some are gone. Before the state: an id that was given
    /// to a Pin is given to nothing else.
    fn keep_pins(&mut self, file: &Path) -> io::Result<()> {
        let now = self.counts();
        let grown = now.iter().zip(&self.kept).all(|(now, kept)| now >= kept);
        let after = if grown { self.kept } else { [0; 2] };
        let mut lines = Vec::new();
        for (environment, after) in Environment::ALL.into_iter().zip(after) {
            for pin in &self.state.world(environment).pins[after..] {
                serde_json::to_writer(&mut lines, &Line { environment, pin })?;
                lines.push(b'\n');
            }
        }
        let file = pins_beside(file);
        if !grown {
            replace(&file, &lines)?;
        } else if !lines.is_empty() {
            private().append(true).open(&file)?.write_all(&lines)?;
        }
        self.kept = now;
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

    /// Writes what has changed.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.clone().filter(|_| self.is_changed) {
            self.keep_pins(&file)?;
            replace(&file, &serde_json::to_vec(&self.state)?)?;
        }
        self.is_changed = false;
        Ok(())
    }
}

/// Writes beside `file` and renames: whoever reads sees the old content or the new, never a part.
fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    private().write(true).truncate(true).open(&new)?.write_all(content)?;
    fs::rename(&new, file)
}

/// A file that only its owner can read, from the first byte on.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn pins_beside(file: &Path) -> PathBuf {
    file.with_extension("pins.jsonl")
}
