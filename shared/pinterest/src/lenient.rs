//! Reads JSON that differs from the contract: an unexpected value affects only itself.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

/// An id of Pinterest's: text, or a number, which is read without rounding.
pub(crate) fn id<'de, D: Deserializer<'de>, Id: TryFrom<String>>(value: D) -> Result<Id, D::Error> {
    optional_id(value)?.ok_or_else(|| D::Error::custom("is not an id"))
}

/// The same for an optional id.
pub(crate) fn optional_id<'de, D, Id>(value: D) -> Result<Option<Id>, D::Error>
where
    D: Deserializer<'de>,
    Id: TryFrom<String>,
{
    let text = match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    };
    Ok(text.and_then(|text| Id::try_from(text).ok()))
}

/// A text. Any other value counts as absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// A number, even if it is written as text. Any other value counts as absent.
pub(crate) fn number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Number>, D::Error> {
    Ok(as_number(Value::deserialize(value)?))
}

/// The numbers of an object, by name. Anything else has none.
pub(crate) fn numbers<'de, D: Deserializer<'de>>(value: D) -> Result<BTreeMap<String, Number>, D::Error> {
    let Value::Object(object) = Value::deserialize(value)? else { return Ok(BTreeMap::new()) };
    Ok(object.into_iter().filter_map(|(name, value)| Some((name, as_number(value)?))).collect())
}

/// The texts of an object, by name. Anything else has none.
pub(crate) fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<BTreeMap<String, String>, D::Error> {
    let Value::Object(object) = Value::deserialize(value)? else { return Ok(BTreeMap::new()) };
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    };
    Ok(object.into_iter().filter_map(text).collect())
}

fn as_number(value: Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number),
        Value::String(text) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

/// A list, without the items that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct Readable<T> {
    pub(crate) items: Vec<T>,
    /// How many were left out.
    pub(crate) odd: usize,
}

impl<T> Default for Readable<T> {
    fn default() -> Self {
        Self { items: Vec::new(), odd: 0 }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item<T> {
    Readable(T),
    Odd(IgnoredAny),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Readable<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Readable<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Readable<T>, E> {
                Ok(Readable::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Readable<T>, A::Error> {
                let mut readable = Readable::default();
                while let Some(item) = list.next_element()? {
                    match item {
                        Item::Readable(item) => readable.items.push(item),
                        Item::Odd(_) => readable.odd += 1,
                    }
                }
                Ok(readable)
            }
        }

        value.deserialize_any(Items(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use domain::PinterestPinId;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Thing {
        #[serde(deserialize_with = "id")]
        id: PinterestPinId,
    }

    #[test]
    fn an_unreadable_item_is_skipped_and_an_id_may_be_a_number() {
        let list =
            json!([{"id": "1"}, null, {"id": 813_744_226_420_795_884_u64}, {"id": -1}, {"id": 1.5}, {}, "x"]);

        let parsed: Readable<Thing> = serde_json::from_value(list).unwrap();

        let ids: Vec<_> = parsed.items.iter().map(|thing| thing.id.as_str()).collect();
        assert_eq!((&ids[..], parsed.odd), (&["1", "813744226420795884"][..], 5));
    }

    #[test]
    fn a_number_may_be_written_as_text() {
        let parsed: BTreeMap<String, Number> =
            numbers(json!({"A": 1, "B": "2", "C": "2.5", "D": null, "E": "many", "F": [3]})).unwrap();
        assert_eq!(serde_json::to_value(parsed).unwrap(), json!({"A": 1, "B": 2, "C": 2.5}));
        assert!(numbers(Value::Null).unwrap().is_empty());
    }
}
