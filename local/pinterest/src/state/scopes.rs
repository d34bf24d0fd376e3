//! What a user allows an app to do.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::http::Refusal;

/// Every scope of the contract with its description there, which the consent page shows.
const KNOWN_SCOPES: [(&str, &str); 19] = [
    ("ads:read", "See all of your advertising data, including ads, ad groups, campaigns etc."),
    ("ads:write", "Create, update, or delete ads, ad groups, campaigns etc."),
    ("billing:read", "See all of your billing data, billing profile, etc."),
    ("billing:write", "Create, update, or delete billing data, billing profiles, etc."),
    ("biz_access:read", "See business access data"),
    ("biz_access:write", "Create, update, or delete business access data"),
    ("boards:read", "See your public boards, including group boards you join"),
    ("boards:read_secret", "See your secret boards"),
    ("boards:write", "Create, update, or delete your public boards"),
    ("boards:write_secret", "Create, update, or delete your secret boards"),
    ("catalogs:read", "See all of your catalogs data"),
    ("catalogs:write", "Create, update, or delete your catalogs data"),
    ("msot:write", "Create measurement source of truth events"),
    ("pins:read", "See your public Pins"),
    ("pins:read_secret", "See your secret Pins"),
    ("pins:write", "Create, update, or delete your public Pins"),
    ("pins:write_secret", "Create, update, or delete your secret Pins"),
    ("user_accounts:read", "See your user accounts and followers"),
    ("user_accounts:write", "Update your user accounts and followers"),
];

/// A set of scopes that Pinterest knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads a list that is separated by commas or spaces.
    ///
    /// # Errors
    ///
    /// A scope is unknown, or the list is empty.
    pub(crate) fn parse(list: &str) -> Result<Self, Refusal> {
        let scopes: BTreeSet<String> =
            list.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        if scopes.is_empty() {
            return Err(Refusal::invalid("scope is required"));
        }
        match scopes.iter().find(|scope| description(scope).is_none()) {
            Some(unknown) => Err(Refusal::invalid(format!("Unknown scope: {unknown}"))),
            None => Ok(Self(scopes)),
        }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Refuses a token that lacks one of `needed`.
    pub(crate) fn require(&self, needed: &[&str]) -> Result<(), Refusal> {
        if needed.iter().all(|scope| self.has(scope)) { Ok(()) } else { Err(Refusal::MissingScope) }
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Each scope with its description for the user.
    pub(crate) fn with_descriptions(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.0.iter().map(|scope| (scope.as_str(), description(scope).unwrap_or_default()))
    }
}

/// The format of token answers: separated by spaces.
impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<&str> = self.0.iter().map(String::as_str).collect();
        formatter.write_str(&list.join(" "))
    }
}

fn description(scope: &str) -> Option<&'static str> {
    KNOWN_SCOPES.iter().find(|(name, _)| *name == scope).map(|(_, description)| *description)
}

#[cfg(test)]
mod tests {
    use super::Scopes;

    #[test]
    fn scopes_are_separated_by_commas_or_spaces_and_written_with_spaces() {
        let scopes = Scopes::parse("pins:read,boards:read pins:write").unwrap();

        assert_eq!(scopes.to_string(), "boards:read pins:read pins:write");
    }

    #[test]
    fn an_unknown_scope_is_refused() {
        assert!(Scopes::parse("pins:read,pins:eat").is_err());
        assert!(Scopes::parse(" ,").is_err());
    }
}
