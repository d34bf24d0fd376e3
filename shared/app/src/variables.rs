//! The settings of a function: read from its environment once, at start.

use std::{collections::BTreeMap, fmt};

/// Named values. A process has its environment; tests and the local stack make their own.
///
/// Some are secrets: `Debug` prints the names alone.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// A setting that a function cannot start without.
#[derive(Debug, thiserror::Error)]
#[error("the variable {name} is missing or empty: set it to {meaning}")]
pub struct Missing {
    name: &'static str,
    meaning: &'static str,
}

/// A setting has a value that nothing can be done with.
#[derive(Debug, thiserror::Error)]
#[error("the variable {name} is {value}: set it to one of {allowed}")]
pub struct Wrong {
    name: &'static str,
    value: String,
    allowed: String,
}

impl Variables {
    /// Refuses any value of `name` but `allowed`, or none.
    pub fn allow(&self, name: &'static str, allowed: &[&str]) -> Result<(), Wrong> {
        match self.get(name) {
            Some(value) if !allowed.contains(&value) => {
                Err(Wrong { name, value: value.to_owned(), allowed: allowed.join(", ") })
            }
            _ => Ok(()),
        }
    }

    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// The value of `name`. An empty one is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of `name`, without which the function cannot start. `meaning` completes "set it to".
    pub fn need(&self, name: &'static str, meaning: &'static str) -> Result<&str, Missing> {
        self.get(name).ok_or(Missing { name, meaning })
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
