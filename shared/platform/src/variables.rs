//! The settings of a function: read from its environment once, at start.

use std::{collections::BTreeMap, fmt, str::FromStr};

use url::Url;

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
pub struct MissingVariable {
    name: &'static str,
    meaning: &'static str,
}

/// A setting has a value that nothing can be done with. It is not repeated: some settings are secrets.
#[derive(Debug, thiserror::Error)]
#[error("the variable {name} has a value that cannot be used: set it to {meaning}")]
pub struct InvalidVariable {
    name: &'static str,
    meaning: String,
}

impl InvalidVariable {
    /// `meaning` completes "set it to".
    pub fn new(name: &'static str, meaning: impl Into<String>) -> Self {
        Self { name, meaning: meaning.into() }
    }
}

impl Variables {
    /// Refuses a value of `name` that is not one of `allowed`.
    pub fn require_one_of(&self, name: &'static str, allowed: &[&str]) -> Result<(), InvalidVariable> {
        match self.get(name) {
            Some(value) if !allowed.contains(&value) => {
                Err(InvalidVariable::new(name, format!("one of {}", allowed.join(", "))))
            }
            _ => Ok(()),
        }
    }

    /// The environment of this process.
    #[must_use]
    pub fn from_env() -> Self {
        std::env::vars().collect()
    }

    /// The value of `name`. An empty one is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same variables, with another one.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// All of them, as lines of the form `NAME=value`.
    #[must_use]
    pub fn to_lines(&self) -> String {
        self.0.iter().flat_map(|(name, value)| [name, "=", value, "\n"]).collect()
    }

    /// The value of `name`, without which the function cannot start. `meaning` completes "set it to".
    pub fn required(&self, name: &'static str, meaning: &'static str) -> Result<&str, MissingVariable> {
        self.get(name).ok_or(MissingVariable { name, meaning })
    }

    /// The value of `name`, if there is one that can be read. `meaning` completes "set it to".
    pub fn parse<T: FromStr>(
        &self,
        name: &'static str,
        meaning: &'static str,
    ) -> Result<Option<T>, InvalidVariable> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value.trim().parse().map(Some).map_err(|_| InvalidVariable::new(name, meaning))
    }

    /// The address that `name` is.
    pub fn address(&self, name: &'static str) -> Result<Option<&str>, InvalidVariable> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let address = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let plain = address.is_some_and(|url| url.query().is_none() && url.fragment().is_none());
        let meaning = "an address that begins with https:// or http://, without ? and #";
        if plain { Ok(Some(value)) } else { Err(InvalidVariable::new(name, meaning)) }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut all = BTreeMap::new();
        all.extend(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
        Self(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> Variables {
        Variables::from_iter([("NAME", value)])
    }

    #[test]
    fn an_address_is_of_the_web_and_has_no_query() {
        assert_eq!(with("https://a.example/x/").address("NAME").unwrap(), Some("https://a.example/x/"));
        assert_eq!(with("").address("NAME").unwrap(), None);
        for address in ["a.example", "ftp://a.example", "https://", "/path", "https://a.example/?key=planted"]
        {
            let error = with(address).address("NAME").unwrap_err().to_string();
            assert!(error.contains("NAME") && error.contains("https://"), "{error}");
            assert!(!error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn an_invalid_number_is_refused_by_name() {
        assert_eq!(with(" 3 ").parse::<usize>("NAME", "a number").unwrap(), Some(3));
        assert_eq!(with("").parse::<usize>("NAME", "a number").unwrap(), None);
        let error = with("many").parse::<usize>("NAME", "a number").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the variable NAME has a value that cannot be used: set it to a number"
        );
    }
}
