//! The data folder and its files: only their owner can read them, and a file is complete at any time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Creates the folder for its owner only.
pub(crate) fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The content of the file; `None` if there is no file.
pub(crate) fn read_file(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a new file and renames it to `file`, so that a crash leaves the old one or the new one.
pub(crate) fn replace_file(file: &Path, text: &str) -> io::Result<()> {
    let temporary = file.with_extension("new");
    let mut new = private_file_options().open(&temporary)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(&temporary, file)?;
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The content of the file. If there is no file, it is created with `text`.
pub(crate) fn read_or_create(file: &Path, text: impl FnOnce() -> String) -> io::Result<String> {
    if let Some(text) = read_file(file)? {
        return Ok(text);
    }
    let text = text();
    replace_file(file, &text)?;
    Ok(text)
}

#[cfg(unix)]
fn private_file_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options
}
