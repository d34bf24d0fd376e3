//! Files of the data folder: for their owner's eyes only, and whole at any moment.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// What the file holds. `None`: there is none.
pub(crate) fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the file beside its place, then moves it there: a crash leaves the old one or the new one.
pub(crate) fn write(file: &Path, text: &str) -> io::Result<()> {
    let beside = file.with_extension("new");
    let mut new = for_owner().open(&beside)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(&beside, file)?;
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// What the file holds; made of `text` when there is none.
pub(crate) fn read_or_make(file: &Path, text: impl FnOnce() -> String) -> io::Result<String> {
    if let Some(text) = read(file)? {
        return Ok(text);
    }
    let text = text();
    write(file, &text)?;
    Ok(text)
}

#[cfg(unix)]
fn for_owner() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn for_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options
}
