//! Why the stack fails.

use std::io;

/// The stack cannot start, or a part of it has failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder cannot be used.
    #[error("the data folder cannot be used: {0}")]
    Folder(#[source] io::Error),
    /// The port is in use, or not allowed.
    #[error("port {port} cannot be used ({source}): stop what runs there, or choose another with --port")]
    Port {
        /// The port.
        port: u16,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The local AWS has failed.
    #[error("{0}")]
    Aws(#[from] loopback_aws::Error),
    /// The simulated Pinterest has failed.
    #[error("the simulated Pinterest cannot be used: {0}")]
    Pinterest(#[source] io::Error),
    /// A handler or worker has failed, outside of a request.
    #[error("{}", platform::chain(.0))]
    App(#[from] app::Error),
}
