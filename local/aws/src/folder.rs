//! The data folder: one process uses it at a time, and only its owner can read it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::Error;

/// A folder that this process has locked.
pub(crate) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Creates `path` if it is missing, and locks it for this process.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] while another process holds the lock. The lock of a process that died is free.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        create_folder(path)?;
        let path = fs::canonicalize(path).map_err(Error::at(path))?;
        let lock_file = path.join("lock");
        let lock = open_private(&lock_file, OpenOptions::new().write(true).create(true))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: path }),
            Err(TryLockError::Error(source)) => Err(Error::File { path: lock_file, source }),
        }
    }

    /// The path of the file `name` in this folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The content of the file `name`, if there is one.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let file = self.file(name);
        match fs::read(&file) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File { path: file, source }),
        }
    }

    /// Replaces the content of the file `name`. If the process dies on the way, the file holds either all of the old
    /// content or all of the new.
    pub(crate) fn replace(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let file = self.file(name);
        let new = self.file(&format!("{name}.new"));
        let mut writer = open_private(&new, OpenOptions::new().write(true).create(true).truncate(true))?;
        writer.write_all(content).and_then(|()| writer.sync_all()).map_err(Error::at(&new))?;
        rename_durably(&new, &file)
    }

    /// Unlocks the folder for other processes, even while parts of this one still hold it in memory.
    pub(crate) fn release(&self) -> Result<(), Error> {
        self.lock.unlock().map_err(Error::at(&self.path))
    }
}

/// Creates `path`, and the folders above it, for its owner only. An existing folder is left as it is.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(Error::at(path))
}

/// Opens `path` with `options`, readable by its owner only: a new file is created like this, and the mode of an
/// existing one is corrected.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> Result<File, Error> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path).map_err(Error::at(path))?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(Error::at(path))?;
    Ok(file)
}

/// Renames the finished file `new` to `file`, and syncs the folder.
pub(crate) fn rename_durably(new: &Path, file: &Path) -> Result<(), Error> {
    fs::rename(new, file).map_err(Error::at(file))?;
    // Without this, a power cut can undo the renaming.
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::at(folder))?;
    }
    Ok(())
}
