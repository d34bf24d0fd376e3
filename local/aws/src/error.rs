//! The errors, grouped by what the user of this machine can do about them.

use std::{io, path::PathBuf};

/// Why the local AWS could not start, or could not store data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process uses this folder.
    #[error("{} is in use by another process: stop that one first, or choose another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder could not be read or written: look at its owner, its mode and the free space.
    #[error("{} could not be read or written", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file holds something that this crate did not write. The message does not repeat it, because it may be a secret.
    #[error("{} is damaged: restore it, or move it away to start without it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The embedded DynamoDB refused its file or a call.
    #[error("the embedded DynamoDB failed")]
    DynamoDb(#[from] dynoxide::DynoxideError),
    /// No loopback port could be opened, or a server ended with an error.
    #[error("a loopback server failed")]
    Server(#[source] io::Error),
    /// The caller committed a record of the stream that has not been delivered since the start.
    #[error("the stream has not delivered the record {sequence_number}")]
    NotDelivered {
        /// The sequence number in question.
        sequence_number: String,
    },
}

impl Error {
    /// The error for a failure at `path`, in the form that `map_err` takes.
    pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.into(), source }
    }
}
