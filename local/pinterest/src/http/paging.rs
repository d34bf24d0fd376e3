//! Lists in pages, with a bookmark for the next page.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{answer::Answer, parameters::Parameters, refusal::Refusal};

/// Answers the page of `items` that `query` asks for. Each item comes with its fixed place in the list. A bookmark
/// holds a place and not a count, so that new or deleted items do not shift the pages.
pub(crate) fn page<T>(
    mut items: Vec<(u64, T)>,
    query: &Parameters,
    document: impl Fn(&T) -> Value,
) -> Result<Answer, Refusal> {
    let size = page_size(query)?;
    let after = query.get("bookmark").map(parse_bookmark).transpose()?;

    items.retain(|(place, _)| after.is_none_or(|after| *place > after));
    items.sort_by_key(|(place, _)| *place);
    let bookmark = (items.len() > size).then(|| format_bookmark(items[size - 1].0));
    items.truncate(size);
    let items: Vec<Value> = items.iter().map(|(_, item)| document(item)).collect();
    Ok(Answer::ok(&json!({ "items": items, "bookmark": bookmark })))
}

fn page_size(query: &Parameters) -> Result<usize, Refusal> {
    match query.get("page_size").map_or(Ok(25), str::parse) {
        Ok(size @ 1..=250) => Ok(size),
        _ => Err(Refusal::invalid("page_size must be a number from 1 to 250")),
    }
}

/// An opaque text that always contains `+` and `=`, so that a client has to encode it in a URL.
fn format_bookmark(place: u64) -> String {
    STANDARD.encode(format!(">>>{place:020}"))
}

fn parse_bookmark(bookmark: &str) -> Result<u64, Refusal> {
    let decoded = STANDARD.decode(bookmark).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .and_then(|text| text.strip_prefix(">>>")?.parse().ok())
        .ok_or_else(|| Refusal::invalid("bookmark is not one that was given"))
}
