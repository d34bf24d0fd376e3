//! What is wrong with a value that somebody gave us.

/// A rule that a value breaks, in words for the person who gave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {detail}")]
pub struct Invalid {
    /// Where the value stood, as the API names it: `title`, `media.url`.
    pub field: String,
    /// Stable and `snake_case`, for programs.
    pub code: &'static str,
    /// What is wrong, continuing a sentence that begins with the field.
    pub detail: String,
    /// What to do next, in one sentence.
    pub fix: String,
}

impl Invalid {
    /// Says that `field` breaks the rule `code`.
    pub fn new(
        field: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), code, detail: detail.into(), fix: fix.into() }
    }
}
