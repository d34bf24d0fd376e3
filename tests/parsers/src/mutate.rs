//! Changes of what is valid: most of it stays, so that the input gets past the first check.

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use crate::dice::Dice;

/// What has broken parsers before: white space of all kinds, other scripts' digits, marks, signs with a meaning.
const ODD: [&str; 44] = [
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u{0}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{301}",
    "\u{2028}",
    "\u{3000}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "ü",
    "ß",
    "٣",
    "１",
    "👩\u{200d}👧",
    "/",
    "//",
    "\\",
    "..",
    "#",
    "?",
    "&",
    "=",
    "%",
    "%00",
    "%2f",
    "+",
    "\"",
    "'",
    ",",
    ";",
    "{id}",
    "[",
    "null",
    "-1",
    "https://",
    "pina_odd",
    "https://user:pass@[::1]:99999/",
];

/// Lengths on both sides of every limit, and one that no row can hold.
const LENGTHS: [usize; 18] =
    [1, 26, 40, 41, 100, 101, 180, 181, 255, 256, 500, 501, 512, 800, 801, 2048, 2049, 450_000];

/// `valid`, or something like it.
pub(crate) fn text(dice: &mut Dice<'_>, valid: &str) -> String {
    let letters: Vec<char> = valid.chars().collect();
    let place = |dice: &mut Dice<'_>| dice.below(letters.len().clamp(1, 65_536));
    let spliced = |at: usize, skip: usize, new: &str| -> String {
        let after = (at + skip).min(letters.len());
        letters[..at].iter().copied().chain(new.chars()).chain(letters[after..].iter().copied()).collect()
    };
    match dice.below(16) {
        8 => dice.pick(&ODD).to_owned(),
        9 => {
            let at = place(dice);
            spliced(at, 0, dice.pick(&ODD))
        }
        10 => {
            let at = place(dice);
            spliced(at, 1, dice.pick(&ODD))
        }
        11 => letters[..place(dice)].iter().collect(),
        12 => {
            let letter = dice.pick(&["x", "é", "👩", "1", " ", "/"]);
            format!("{valid}{}", letter.repeat(dice.pick(&LENGTHS)))
        }
        13 => String::from_utf8_lossy(dice.take_up_to(40)).into_owned(),
        14 if dice.once_in(2) => valid.nfd().collect(),
        14 => valid.to_uppercase(),
        15 => dice.number().to_string(),
        _ => valid.to_owned(),
    }
}

/// Changes `value` in up to three places, or in none.
pub(crate) fn json(dice: &mut Dice<'_>, value: &mut Value) {
    for _ in 0..dice.below(4) {
        edit(dice, value);
    }
}

fn edit(dice: &mut Dice<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() && !dice.once_in(16) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = names[dice.below(names.len())].clone();
            match dice.below(12) {
                9 => drop(fields.remove(&name)),
                10 => drop(fields.insert(text(dice, &name), odd(dice))),
                11 => drop(fields.insert(name, odd(dice))),
                _ => edit(dice, &mut fields[&name]),
            }
        }
        Value::Array(items) if !items.is_empty() && !dice.once_in(8) => {
            let at = dice.below(items.len());
            match dice.below(8) {
                6 => drop(items.remove(at)),
                7 => items.push(items[at].clone()),
                _ => edit(dice, &mut items[at]),
            }
        }
        Value::String(old) if !dice.once_in(8) => {
            let new = text(dice, old);
            *old = new;
        }
        other => *other = odd(dice),
    }
}

/// A value of any kind.
pub(crate) fn odd(dice: &mut Dice<'_>) -> Value {
    match dice.below(12) {
        0 => Value::Null,
        1 => json!(dice.once_in(2)),
        2 => json!(dice.number()),
        3 => json!(dice.below(1000)),
        4 => json!(u64::MAX),
        5 => json!(1e300),
        6 => json!([]),
        7 => json!({}),
        8 => json!([{ "a": [null] }]),
        9 => json!(String::from_utf8_lossy(dice.take_up_to(30))),
        10 => (0..100).fold(json!(1), |inner, _| json!([inner])),
        _ => json!(dice.pick(&ODD)),
    }
}

/// `value` as text, which is now and then not quite what it should be.
pub(crate) fn serialize(dice: &mut Dice<'_>, value: &Value) -> Vec<u8> {
    let mut text = value.to_string().into_bytes();
    if !dice.once_in(6) {
        return text;
    }
    let at = dice.below(text.len().clamp(1, 65_536)).min(text.len());
    match dice.below(6) {
        0 => text.truncate(at),
        1 => drop(text.splice(at..at, dice.take_up_to(8).iter().copied())),
        2 => drop(text.splice(at..(at + 1).min(text.len()), [dice.byte()])),
        3 => drop(text.splice(0..0, *b"\xef\xbb\xbf")),
        4 => text.extend_from_within(..),
        // The first field once more.
        _ => {
            let end = text.iter().position(|byte| *byte == b',').unwrap_or_default();
            let first = text.get(1..=end).unwrap_or_default().to_vec();
            drop(text.splice(1..1, first));
        }
    }
    text
}
