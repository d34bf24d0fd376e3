//! Copies of the project with one thing broken in each: the check that is for it says so.

mod functions;
mod kept;
mod policies;
mod routes;
mod variables;
mod watch;

use crate::{
    Check,
    project::{Project, TEMPLATE},
};

/// In `file`, the first `from` after `after` becomes `to`; then `check` says something with `says` in it.
struct Break {
    check: Check,
    file: &'static str,
    after: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static str,
}

const fn at(
    check: Check,
    file: &'static str,
    after: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static str,
) -> Break {
    Break { check, file, after, from, to, says }
}

/// In the template.
const fn t(
    check: Check,
    after: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static str,
) -> Break {
    at(check, TEMPLATE, after, from, to, says)
}

const ALL: [&[Break]; 6] =
    [functions::BREAKS, policies::BREAKS, routes::BREAKS, variables::BREAKS, kept::BREAKS, watch::BREAKS];

#[test]
fn each_check_sees_what_it_is_for() {
    let project = Project::read();
    for Break { check, file, after, from, to, says } in ALL.into_iter().flatten() {
        let complaints = check(&project.with(file, after, from, to));
        let seen = complaints.iter().any(|complaint| complaint.contains(says));
        assert!(
            seen,
            "{file}, after {after:?}: {from:?} became {to:?}, and only this was seen: {complaints:#?}"
        );
    }
}
