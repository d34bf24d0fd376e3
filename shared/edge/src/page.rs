//! Lists, page by page.

use schemars::JsonSchema;
use serde::Serialize;

/// How many items a page holds unless the caller says otherwise.
pub const DEFAULT_LIMIT: u16 = 50;
/// How many items a page holds at most.
pub const MAX_LIMIT: u16 = 200;

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items. Only `next` tells whether the list ends.
    pub items: Vec<T>,
    /// Where the next page begins: the `cursor` of the next request. `null`: this is the last.
    pub next: Option<String>,
}
