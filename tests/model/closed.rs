//! Running a model to its end.

use std::{fmt::Debug, hash::Hash, time::Instant};

use stateright::{Checker, HasDiscoveries, Model};

/// Visits every state there is, and fails with the way to the first one that breaks a property.
pub(crate) fn holds<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let started_at = Instant::now();
    let checker = model.checker().spawn_bfs().join();
    assert!(checker.is_done(), "{name}: not closed to the end"); // nor is there a bound that could cut it
    if let Some((property, path)) = checker.discoveries().into_iter().min_by_key(|(property, _)| *property) {
        for (state, action) in path.clone().into_vec() {
            eprintln!("{state:?}\n    {action:?}");
        }
        panic!("{name}: not true: {property}: {:?}", path.into_actions());
    }
    println!(
        "{name}: {} states, {} ways into them, depth {}, {} ms",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        started_at.elapsed().as_millis(),
    );
}

/// Finds the shortest way to a state that breaks `property`.
pub(crate) fn breaks<M>(name: &str, model: M, property: &'static str)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let Some(path) = checker.discovery(property) else {
        panic!("{name}: no counterexample to: {property}; found {:?}", checker.discoveries().keys());
    };
    println!(
        "{name}: {} states until not true: {property}: {:?}",
        checker.unique_state_count(),
        path.into_actions(),
    );
}
