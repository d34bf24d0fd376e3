//! DynamoDB: dynoxide, in one file of the folder or in memory.

use crate::{
    Clock, Error, Tables,
    folder::{self, Folder},
    tables,
};
use dynoxide::{Database, storage::Storage, storage_backend, ttl};
use futures::FutureExt;
use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

const FILE: &str = "dynamodb.sqlite";

/// dynoxide looks for the last record of a stream at every write, and reads all records to find
/// it: the more there are, the slower the write. With this index it reads one.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS _stream_records_by_sequence
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// dynoxide keeps the records of a stream for ever. The last handled one stays, because the next
/// sequence number is counted from it. (Publicly, a sequence number is a 1 and the stored number
/// in 20 digits.)
const FORGET_HANDLED: &str = "DELETE FROM _stream_records
    WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) < CAST(substr(?2, 2) AS INTEGER)";

/// The embedded DynamoDB with both tables.
///
/// A write and its stream record are one transaction, answered after it was synced to the
/// write-ahead log (`journal_mode` is WAL; `synchronous` is FULL, the default, which dynoxide leaves
/// alone). So what was answered survives a kill -9, and a power cut too.
#[derive(Clone)]
pub(crate) struct DynamoDb {
    /// The database itself, to serve and to read the stream from.
    pub(crate) database: Database,
    file: Option<PathBuf>,
    now: Clock,
}

impl DynamoDb {
    /// Opens the database of `folder`, or a new one in memory, with all of `tables`.
    pub(crate) fn open(folder: Option<&Folder>, tables: &Tables, now: &Clock) -> Result<Self, Error> {
        let (database, file) = match folder {
            Some(folder) => {
                let file = in_folder(folder, tables)?;
                (Database::new(utf8(&file)?)?, Some(file))
            }
            None => (in_memory(tables, now)?, None),
        };
        Ok(Self { database, file, now: Arc::clone(now) })
    }

    /// Deletes the rows whose `expires_at` has passed by our clock, and says how many they were.
    ///
    /// Nothing else ever does: dynoxide sweeps only when told to. Told directly, it would go by the
    /// computer's clock when it works on a file, and that clock is not ours.
    pub(crate) fn remove_expired(&self) -> Result<usize, Error> {
        let Some(file) = &self.file else {
            return Ok(self.database.sweep_ttl()?);
        };
        let storage = Storage::new(utf8(file)?)?.with_clock(Arc::new(OurClock(Arc::clone(&self.now))));
        let Some(swept) = ttl::sweep_expired_items(&storage).now_or_never() else {
            let stuck = io::Error::other("the database had to be waited for, which SQLite never needs");
            return Err(Error::File { path: file.clone(), source: stuck });
        };
        Ok(swept?)
    }

    /// Deletes the records of `table`'s stream before `handled`, so that the file does not grow for
    /// ever. In memory nothing is deleted.
    pub(crate) fn forget_handled(&self, table: &str, handled: &str) -> Result<(), Error> {
        if let Some(file) = &self.file {
            let storage = Storage::new(utf8(file)?)?;
            storage
                .conn()
                .execute(FORGET_HANDLED, [table, handled])
                .map_err(dynoxide::DynoxideError::from)?;
        }
        Ok(())
    }
}

/// The file in `folder`. A new one gets its name when it is complete, so a crash on the way leaves
/// no database with half of its tables.
fn in_folder(folder: &Folder, tables: &Tables) -> Result<PathBuf, Error> {
    let file = folder.file(FILE);
    if file.try_exists().map_err(Error::at(&file))? {
        prepare(&file, tables)?;
        return Ok(file);
    }
    let new = folder.file("dynamodb.new");
    for left_over in ["dynamodb.new", "dynamodb.new-wal", "dynamodb.new-shm"].map(|name| folder.file(name)) {
        match fs::remove_file(&left_over) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::File { path: left_over, source });
            }
            _ => {}
        }
    }
    prepare(&new, tables)?;
    folder::put_in_place(&new, &file)?;
    Ok(file)
}

/// A copy of a new file, which is gone by the time this returns: only a file can be given our index.
fn in_memory(tables: &Tables, now: &Clock) -> Result<Database, Error> {
    let workshop = tempfile::tempdir().map_err(Error::at(std::env::temp_dir()))?;
    let file = workshop.path().join(FILE);
    prepare(&file, tables)?;
    let database = Database::memory_with_clock(Arc::new(OurClock(Arc::clone(now))))?;
    database.restore_from(utf8(&file)?)?;
    workshop.close().map_err(Error::at(file))?;
    Ok(database)
}

/// Gives the database in `file` what it lacks of the tables and of our index.
fn prepare(file: &Path, tables: &Tables) -> Result<(), Error> {
    // Before SQLite sees it: the files that SQLite puts beside it take over its mode.
    folder::open_private(file, OpenOptions::new().write(true).create(true))?;
    let storage = Storage::new(utf8(file)?)?;
    storage.conn().execute_batch(STREAM_INDEX).map_err(dynoxide::DynoxideError::from)?;
    drop(storage);
    tables::create_missing(&Database::new(utf8(file)?)?, tables)
}

fn utf8(file: &Path) -> Result<&str, Error> {
    file.to_str().ok_or_else(|| Error::File {
        path: file.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidFilename, "the path is not UTF-8"),
    })
}

/// Our clock, in the form that dynoxide reads.
struct OurClock(Clock);

impl storage_backend::Clock for OurClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from((self.0)().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)().as_duration().as_secs_f64()
    }
}
