//! Lists, page by page.

use schemars::JsonSchema;
use serde::Serialize;

/// How many items a page has by default.
pub const DEFAULT_LIMIT: u16 = 50;
/// How many items a page holds at most.
pub const MAX_LIMIT: u16 = 200;

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items. A page may be short or empty if few items match. Only `next` shows the end of the list.
    pub items: Vec<T>,
    /// The `cursor` of the next page. `null`: this is the last page.
    pub next: Option<String>,
}
