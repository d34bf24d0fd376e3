//! The parameters of a query string or a form.

use url::form_urlencoded;

/// The decoded names and values of a query string or of a form body, in their order.
#[derive(Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Decodes `application/x-www-form-urlencoded`, which is also the format of a query string.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Each name once, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.0.iter().enumerate();
        names
            .filter(|(place, (name, _))| !self.0[..*place].iter().any(|(before, _)| before == name))
            .map(|(_, (name, _))| name.as_str())
    }

    /// All values of `name`.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of `name`, if it is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}
