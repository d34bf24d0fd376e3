//! Mutations: copies of the project with one thing changed in each. The check that is for it must complain.

mod data;
mod functions;
mod policies;
mod routes;
mod runtime;
mod variables;
mod watch;

use crate::{
    Check,
    project::{Project, TEMPLATE},
};

/// In `file`, the first `from` after `after` becomes `to`. Then `check` must make a complaint that contains `complaint`.
struct Mutation {
    check: Check,
    file: &'static str,
    after: &'static str,
    from: &'static str,
    to: &'static str,
    complaint: &'static str,
}

const fn at(
    check: Check,
    file: &'static str,
    after: &'static str,
    from: &'static str,
    to: &'static str,
    complaint: &'static str,
) -> Mutation {
    Mutation { check, file, after, from, to, complaint }
}

/// A mutation of the template.
const fn t(
    check: Check,
    after: &'static str,
    from: &'static str,
    to: &'static str,
    complaint: &'static str,
) -> Mutation {
    at(check, TEMPLATE, after, from, to, complaint)
}

const ALL: [&[Mutation]; 7] = [
    functions::MUTATIONS,
    policies::MUTATIONS,
    routes::MUTATIONS,
    runtime::MUTATIONS,
    variables::MUTATIONS,
    data::MUTATIONS,
    watch::MUTATIONS,
];

#[test]
fn every_check_notices_its_mutations() {
    let project = Project::read();
    for Mutation { check, file, after, from, to, complaint } in ALL.into_iter().flatten() {
        let complaints = check(&project.with(file, after, from, to));
        let is_noticed = complaints.iter().any(|text| text.contains(complaint));
        assert!(
            is_noticed,
            "{file}, after {after:?}: {from:?} became {to:?}, and the only complaints are: {complaints:#?}"
        );
    }
}
