//! Every code of a problem: what it means, and what to do. The contract and `docs/errors.md` list them, and a test compares
//! the list with the code that makes problems.

mod callback;
mod media;
mod passing;
mod pinterest;
mod request;
mod state;
mod values;

/// The code of a problem. It keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable, in `snake_case`.
    pub code: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// A `detail` with this code.
    pub example: &'static str,
}

/// Whether the list has `code`.
#[must_use]
pub fn is_listed(code: &str) -> bool {
    find(code).is_some()
}

/// The entry of `code`.
#[must_use]
pub fn find(code: &str) -> Option<&'static Code> {
    all().find(|listed| listed.code == code)
}

const fn code(code: &'static str, meaning: &'static str, fix: &'static str, example: &'static str) -> Code {
    Code { code, meaning, fix, example }
}

/// All codes, sorted by where they come from.
pub fn all() -> impl Iterator<Item = &'static Code> {
    let groups = [
        request::CODES,
        values::CODES,
        media::CODES,
        state::CODES,
        pinterest::CODES,
        callback::CODES,
        passing::CODES,
    ];
    groups.into_iter().flatten()
}
