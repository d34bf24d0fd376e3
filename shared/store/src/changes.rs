//! Rows as the table's stream shows them: before and after a change.

use domain::event::ChangedRow;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};

use crate::table::Error;

/// The attributes of a row.
pub type RowImage = Item;

/// The row of an image, if events are made from such rows.
pub fn changed_row(image: &RowImage) -> Result<Option<ChangedRow>, Error> {
    let (pk, sk) = (text(image, "pk"), text(image, "sk"));
    Ok(match (pk.starts_with("TENANT#"), sk.split('#').next().unwrap_or_default()) {
        (true, "CHANNEL") => Some(ChangedRow::Channel(Box::new(read(image)?))),
        (true, "PIN") => Some(ChangedRow::Pin(Box::new(read(image)?))),
        (false, "SETTINGS") => Some(ChangedRow::Settings(read(image)?)),
        _ => None,
    })
}

/// The key of a row as text, for a log line.
#[must_use]
pub fn row_name(keys: &RowImage) -> String {
    format!("{} {}", text(keys, "pk"), text(keys, "sk"))
}

fn text<'a>(image: &'a RowImage, name: &str) -> &'a str {
    match image.get(name) {
        Some(AttributeValue::S(text)) => text,
        _ => "",
    }
}

fn read<T: DeserializeOwned>(image: &RowImage) -> Result<T, Error> {
    Ok(serde_dynamo::from_item(image.clone())?)
}
