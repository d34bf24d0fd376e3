//! The error of an invalid value.

/// A rule that a value breaks, described for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {detail}")]
pub struct Invalid {
    /// The field of the value, as the API names it: `title`, `media.url`.
    pub field: String,
    /// Stable and `snake_case`, for programs.
    pub code: &'static str,
    /// What is wrong, as the end of a sentence that begins with the field.
    pub detail: String,
    /// What to do next, in one sentence.
    pub fix: String,
}

impl Invalid {
    /// The error that `field` breaks the rule `code`.
    pub fn new(
        field: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), code, detail: detail.into(), fix: fix.into() }
    }
}
