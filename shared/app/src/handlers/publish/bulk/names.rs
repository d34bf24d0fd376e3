//! Finds boards and sections by the names that people write.

use unicode_normalization::UnicodeNormalization as _;

/// A thing with a name.
#[derive(Clone, Debug)]
pub(super) struct Named<T> {
    /// The exact name; the name as people read it; and that name in lower case.
    readings: [String; 3],
    pub(super) thing: T,
}

impl<T> Named<T> {
    pub(super) fn new(name: &str, thing: T) -> Self {
        Self { readings: readings(name), thing }
    }
}

/// Finds what has exactly this name; else, what reads the same; else, what matches without upper and lower case.
pub(super) fn of_name<'a, T>(all: &'a [Named<T>], wanted: &str) -> Vec<&'a T> {
    let wanted = readings(wanted);
    let found = (0..wanted.len()).map(|reading| {
        let same = all.iter().filter(|one| one.readings[reading] == wanted[reading]);
        same.map(|one| &one.thing).collect::<Vec<_>>()
    });
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// An accent may be a part of its letter or a separate character, and a space may be a non-breaking one: nobody sees the
/// difference.
fn readings(name: &str) -> [String; 3] {
    let composed: String = name.nfc().collect();
    let plain = composed.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = plain.to_lowercase();
    [name.to_owned(), plain, lower]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_reading_of_a_name_counts() {
        let all = ["Café", "CAFÉ", "Cafe\u{301}", "Green  salads"].map(|name| Named::new(name, name));
        for (spelling, expected) in [
            ("Café", vec!["Café"]),
            ("Cafe\u{301}", vec!["Cafe\u{301}"]),
            (" Café ", vec!["Café", "Cafe\u{301}"]),
            ("café", vec!["Café", "CAFÉ", "Cafe\u{301}"]),
            ("Green\u{a0}salads", vec!["Green  salads"]),
            ("green salads ", vec!["Green  salads"]),
            ("Salads", vec![]),
        ] {
            assert_eq!(
                of_name(&all, spelling).into_iter().copied().collect::<Vec<_>>(),
                expected,
                "{spelling}"
            );
        }
    }
}
