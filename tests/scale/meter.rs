//! What AWS would bill, by what was asked of what.

use std::{
    collections::BTreeMap,
    ops::{AddAssign, Sub},
};

/// What some calls amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    /// Entries and items that a query has read, handed out or not.
    pub(crate) entries: u64,
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.entries += other.entries;
        self.read_units += other.read_units;
        self.write_units += other.write_units;
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            calls: self.calls - other.calls,
            entries: self.entries - other.entries,
            read_units: self.read_units - other.read_units,
            write_units: self.write_units - other.write_units,
        }
    }
}

/// Tallies by operation and table or index: `Query tokens/due`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meter(BTreeMap<String, Tally>);

impl Meter {
    pub(crate) fn count(&mut self, what: String, tally: Tally) {
        *self.0.entry(what).or_default() += tally;
    }

    /// What was counted since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let of = |what: &String| earlier.0.get(what).copied().unwrap_or_default();
        let news = self.0.iter().map(|(what, tally)| (what.clone(), *tally - of(what)));
        Self(news.filter(|(_, tally)| *tally != Tally::default()).collect())
    }

    /// What `times` ticks like this one make.
    pub(crate) fn add(&mut self, other: &Self, times: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
        let factor = times as f64;
        for (what, tally) in &other.0 {
            let many = Tally {
                calls: tally.calls * times,
                entries: tally.entries * times,
                read_units: tally.read_units * factor,
                write_units: tally.write_units * factor,
            };
            self.count(what.clone(), many);
        }
    }

    /// All that was asked of whatever begins or ends so.
    pub(crate) fn of(&self, wanted: impl Fn(&str) -> bool) -> Tally {
        let mut sum = Tally::default();
        for (_, tally) in self.0.iter().filter(|(what, _)| wanted(what)) {
            sum += *tally;
        }
        sum
    }

    pub(crate) fn all(&self) -> Tally {
        self.of(|_| true)
    }

    /// One line for each, for people. `each`: how many things were done.
    pub(crate) fn table(&self, each: usize, thing: &str) -> String {
        use std::fmt::Write as _;
        #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
        let share = |number: f64| number / each as f64;
        let mut text = format!(
            "  {:<32} {:>12} {:>12} {:>14} {:>14} {:>12} {:>12}\n",
            "asked",
            "calls",
            "entries",
            "read units",
            "write units",
            format!("R/{thing}"),
            format!("W/{thing}"),
        );
        let sum = ("together".to_owned(), self.all());
        for (what, tally) in self.0.iter().map(|(what, tally)| (what.clone(), *tally)).chain([sum]) {
            let Tally { calls, entries, read_units, write_units } = tally;
            let (read, write) = (share(read_units), share(write_units));
            writeln!(
                text,
                "  {what:<32} {calls:>12} {entries:>12} {read_units:>14.1} {write_units:>14.1} {read:>12.3} {write:>12.3}"
            )
            .unwrap();
        }
        text
    }
}
