//! The result of a row.

use edge::{ApiError as _, Problem};
use platform::chain;

use crate::error::Error;

/// The result of a step for a row. Many rows may share one problem.
pub(super) type RowResult<T> = Result<T, Box<Problem>>;

/// The problem of a row that failed with `error`.
pub(super) fn row_problem(error: &Error) -> Box<Problem> {
    let problem = error.problem();
    if problem.status.is_server_error() {
        tracing::error!(error = %chain(error), "rows of a file are left to the next call");
    }
    Box::new(problem)
}

/// The problem of a row that was not started.
pub(super) fn deadline_exceeded() -> Box<Problem> {
    Box::new(Error::DeadlineExceeded.problem())
}
