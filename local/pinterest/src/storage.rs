//! Keeping the state in a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::state::State;

/// The state and where it is kept. What is changed through [`Storage::state_mut`] is written by the
/// next [`Storage::save`], which comes before the answer: a killed process has promised nothing that
/// the next one does not know.
#[derive(Debug)]
pub(crate) struct Storage {
    state: State,
    file: Option<PathBuf>,
    is_changed: bool,
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
        let mut storage = Self { state: kept.unwrap_or_else(first), file, is_changed };
        storage.save()?;
        Ok(storage)
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
        if let Some(file) = self.file.as_deref().filter(|_| self.is_changed) {
            replace(file, &serde_json::to_vec(&self.state)?)?;
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
    create_private(&new)?.write_all(content)?;
    fs::rename(&new, file)
}

/// Creates `path` so that only its owner can read it, from the first byte on.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
