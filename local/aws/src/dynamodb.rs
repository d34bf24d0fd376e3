//! DynamoDB: dynoxide, in one file of the folder or in memory.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use dynoxide::{Database, storage::Storage, storage_backend, ttl};
use futures::FutureExt;

use crate::{
    Clock, Error, Tables,
    folder::{self, Folder},
    tables,
};

const FILE: &str = "dynamodb.sqlite";

/// At every write, dynoxide looks for the last record of the stream and reads all records to find it, so writes get
/// slower with each record. With this index it reads one record.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS _stream_records_by_sequence
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// dynoxide never deletes the records of a stream. The last handled record stays, because dynoxide counts the next
/// sequence number from it. (In the API, a sequence number is a 1 followed by the stored number in 20 digits.)
const DELETE_HANDLED: &str = "DELETE FROM _stream_records
    WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) < CAST(substr(?2, 2) AS INTEGER)";

/// The embedded DynamoDB with both tables.
///
/// A write and its stream record are one transaction. It is answered after it was synced to the write-ahead log
/// (`journal_mode` is WAL; `synchronous` is FULL, the default, which dynoxide does not change). So an answered write
/// survives a kill -9 and a power cut.
#[derive(Clone)]
pub(crate) struct DynamoDb {
    /// The database itself, to serve it and to read the stream.
    pub(crate) database: Database,
    file: Option<PathBuf>,
    now: Clock,
}

impl DynamoDb {
    /// Opens the database of `folder`, or a new one in memory, with all of `tables`.
    pub(crate) fn open(folder: Option<&Folder>, tables: &Tables, now: &Clock) -> Result<Self, Error> {
        let (database, file) = match folder {
            Some(folder) => {
                let file = prepare_in_folder(folder, tables)?;
                (Database::new(utf8_path(&file)?)?, Some(file))
            }
            None => (create_in_memory(tables, now)?, None),
        };
        Ok(Self { database, file, now: Arc::clone(now) })
    }

    /// Deletes the rows whose `expires_at` has passed by the local clock, and returns their number.
    ///
    /// Nothing else deletes them: dynoxide does it only when it is called. Its own method would use the computer's clock
    /// for a database in a file, and the local clock may be ahead of that.
    pub(crate) fn remove_expired(&self) -> Result<usize, Error> {
        let Some(file) = &self.file else {
            return Ok(self.database.sweep_ttl()?);
        };
        let storage = Storage::new(utf8_path(file)?)?.with_clock(Arc::new(LocalClock(Arc::clone(&self.now))));
        let Some(removed) = ttl::sweep_expired_items(&storage).now_or_never() else {
            let source = io::Error::other("the database was not ready at once, which SQLite always is");
            return Err(Error::File { path: file.clone(), source });
        };
        Ok(removed?)
    }

    /// Deletes the records of `table`'s stream before `handled`, so that the file does not grow for ever. A database in
    /// memory keeps them.
    pub(crate) fn delete_handled_records(&self, table: &str, handled: &str) -> Result<(), Error> {
        if let Some(file) = &self.file {
            let storage = Storage::new(utf8_path(file)?)?;
            storage
                .conn()
                .execute(DELETE_HANDLED, [table, handled])
                .map_err(dynoxide::DynoxideError::from)?;
        }
        Ok(())
    }
}

/// Prepares the file in `folder` and returns its path. A new file gets its name when it is complete, so that a crash
/// leaves no database with half of its tables.
fn prepare_in_folder(folder: &Folder, tables: &Tables) -> Result<PathBuf, Error> {
    let file = folder.file(FILE);
    if file.try_exists().map_err(Error::at(&file))? {
        prepare_file(&file, tables)?;
        return Ok(file);
    }
    let new = folder.file("dynamodb.new");
    for leftover in ["dynamodb.new", "dynamodb.new-wal", "dynamodb.new-shm"].map(|name| folder.file(name)) {
        match fs::remove_file(&leftover) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::File { path: leftover, source });
            }
            _ => {}
        }
    }
    prepare_file(&new, tables)?;
    folder::rename_durably(&new, &file)?;
    Ok(file)
}

/// Creates a database in memory as a copy of a temporary file, because only a file can get our index.
fn create_in_memory(tables: &Tables, now: &Clock) -> Result<Database, Error> {
    let temporary = tempfile::tempdir().map_err(Error::at(std::env::temp_dir()))?;
    let file = temporary.path().join(FILE);
    prepare_file(&file, tables)?;
    let database = Database::memory_with_clock(Arc::new(LocalClock(Arc::clone(now))))?;
    database.restore_from(utf8_path(&file)?)?;
    temporary.close().map_err(Error::at(file))?;
    Ok(database)
}

/// Creates the tables and the index that the database in `file` lacks.
fn prepare_file(file: &Path, tables: &Tables) -> Result<(), Error> {
    // Before SQLite opens it, because the files that SQLite puts beside it get the same mode.
    folder::open_private(file, OpenOptions::new().write(true).create(true))?;
    let storage = Storage::new(utf8_path(file)?)?;
    storage.conn().execute_batch(STREAM_INDEX).map_err(dynoxide::DynoxideError::from)?;
    drop(storage);
    tables::create_missing(&Database::new(utf8_path(file)?)?, tables)
}

fn utf8_path(file: &Path) -> Result<&str, Error> {
    file.to_str().ok_or_else(|| Error::File {
        path: file.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidFilename, "the path is not UTF-8"),
    })
}

/// The local clock, in the form that dynoxide reads.
struct LocalClock(Clock);

impl storage_backend::Clock for LocalClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from((self.0)().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)().as_duration().as_secs_f64()
    }
}
