//! The pages for people: the consent page, and what is published.

pub(crate) mod consent;
pub(crate) mod gallery;
pub(crate) mod html;
