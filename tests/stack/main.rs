//! The template against the code: what the one says of the other, so that no deployment finds it out.
//!
//! A check reads a [`Project`] and lists what is wrong. `mutations` makes copies of the project with one thing changed
//! in each, and wants the check to notice: no check passes because it looks at nothing.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test says what it expects by failing")]

mod data;
mod functions;
mod graph;
mod limits;
mod mutations;
mod policies;
mod project;
mod rights;
mod routes;
mod runtime;
mod settings;
mod template;
mod variables;
mod watch;

use project::Project;

/// Lists what is wrong.
type Check = fn(&Project) -> Vec<String>;

/// The project is as the check wants it.
#[track_caller]
fn holds(check: Check) {
    let complaints = check(&Project::read());
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
