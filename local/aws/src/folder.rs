//! The folder that outlives the process: one process at a time, readable by its owner only.

use crate::Error;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A folder that this process alone works on.
pub(crate) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Makes `path` when missing and takes it for this process.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] while another process holds it; the lock of a process that died is free.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        make_folder(path)?;
        let path = fs::canonicalize(path).map_err(Error::at(path))?;
        let lock_file = path.join("lock");
        let lock = open_private(&lock_file, OpenOptions::new().write(true).create(true))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: path }),
            Err(TryLockError::Error(source)) => Err(Error::File { path: lock_file, source }),
        }
    }

    /// Where the file `name` of this folder is.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What the file `name` holds, if there is one.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let file = self.file(name);
        match fs::read(&file) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File { path: file, source }),
        }
    }

    /// Makes `content` what the file `name` holds. Whatever happens on the way, the file holds
    /// either all of the old content or all of the new.
    pub(crate) fn replace(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let file = self.file(name);
        let new = self.file(&format!("{name}.new"));
        let mut writer = open_private(&new, OpenOptions::new().write(true).create(true).truncate(true))?;
        writer.write_all(content).and_then(|()| writer.sync_all()).map_err(Error::at(&new))?;
        put_in_place(&new, &file)
    }

    /// Lets other processes have the folder, even while parts of this one still hold it in memory.
    pub(crate) fn release(&self) -> Result<(), Error> {
        self.lock.unlock().map_err(Error::at(&self.path))
    }
}

/// Makes `path`, and the folders above it, for its owner only. An existing folder is left as it is.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(Error::at(path))
}

/// Opens `path` as `options` say, readable by its owner only: made so when it is new, and
/// corrected when it is not.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> Result<File, Error> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path).map_err(Error::at(path))?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(Error::at(path))?;
    Ok(file)
}

/// Gives the finished file `new` the name `file`, for good.
pub(crate) fn put_in_place(new: &Path, file: &Path) -> Result<(), Error> {
    fs::rename(new, file).map_err(Error::at(file))?;
    // Without this, a power cut can undo the renaming.
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::at(folder))?;
    }
    Ok(())
}
