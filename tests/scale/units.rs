//! What a write costs, from the documented rules: a second opinion beside the embedded DynamoDB's own figures.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html> and
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes>

use dynoxide::types::{AttributeValue, Item};

/// The indexes of our tables: their keys, and what entries hold beside the row's.
const INDEXES: [(&[&str; 2], &[&str]); 3] = [
    (&["due_pk", "due_sk"], &[]),
    (&["queue_pk", "queue_sk"], &[]),
    (&["tenant", "publish_at"], &["channel_id"]),
];

/// The units of one write that turns `before` into `after`.
pub(crate) fn of_write(before: Option<&Item>, after: Option<&Item>, in_transaction: bool) -> u64 {
    let larger = before.into_iter().chain(after).map(size).max().unwrap_or(0);
    let table = kilobytes(larger) * if in_transaction { 2 } else { 1 };
    table + INDEXES.iter().map(|(keys, held)| of_index(keys, held, before, after)).sum::<u64>()
}

/// A new entry, or one that goes, is one write; one that moves is both; one that stays is none.
fn of_index(keys: &[&str; 2], held: &[&str], before: Option<&Item>, after: Option<&Item>) -> u64 {
    let entry = |item: Option<&Item>| -> Option<Item> {
        let item = item?;
        let names = ["pk", "sk"].iter().chain(keys).chain(held);
        names.map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect()
    };
    let (before, after) = (entry(before), entry(after));
    if before == after {
        return 0;
    }
    before.iter().chain(&after).map(|entry| kilobytes(size(entry))).sum()
}

fn kilobytes(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(1024).max(1)).unwrap()
}

/// Names and values as UTF-8.
pub(crate) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + of_value(value)).sum()
}

fn of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // About one byte for two digits, and one more.
        AttributeValue::N(number) => {
            let digits = number.trim_start_matches('-').trim_start_matches('0').trim_end_matches('0').len();
            digits.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
        }
        AttributeValue::BOOL(_) | AttributeValue::NULL(_) => 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + of_value(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.len() + size(map),
        other => panic!("no row of ours holds {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(due: &str, bytes: usize) -> Item {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        [
            ("pk", text("TOKEN#ch_1")),
            ("sk", text("TOKEN")),
            ("due_pk", text("1")),
            ("due_sk", text(due)),
            ("pair", text(&"x".repeat(bytes))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    #[test]
    fn a_write_costs_a_unit_for_each_kilobyte_of_the_larger_image() {
        assert_eq!(of_write(None, Some(&row("5", 100)), false), 1 + 1, "the row, and its entry");
        assert_eq!(of_write(Some(&row("5", 100)), Some(&row("5", 200)), false), 1, "the entry stays");
        assert_eq!(of_write(Some(&row("5", 1100)), Some(&row("5", 10)), false), 2);
        assert_eq!(of_write(Some(&row("5", 1100)), Some(&row("6", 2100)), false), 3 + 2, "the entry moves");
        assert_eq!(of_write(Some(&row("5", 10)), None, false), 1 + 1);
    }

    #[test]
    fn a_transaction_doubles_the_row_and_not_its_entries() {
        assert_eq!(of_write(Some(&row("5", 1100)), Some(&row("6", 1100)), true), 4 + 2);
    }

    #[test]
    fn a_row_is_as_large_as_its_names_and_values() {
        let item: Item = [
            ("text".to_owned(), AttributeValue::S("grün".to_owned())),
            ("number".to_owned(), AttributeValue::N("1200".to_owned())),
            ("map".to_owned(), AttributeValue::M([("a".to_owned(), AttributeValue::BOOL(true))].into())),
        ]
        .into();
        assert_eq!(size(&item), (4 + 5) + (6 + 2) + (3 + 3 + 1 + 2));
    }
}
