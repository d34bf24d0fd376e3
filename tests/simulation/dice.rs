//! Everything that is left to chance, from one seed.

use std::{sync::Mutex, time::Duration};

use fastrand::Rng;

/// One seed's dice. The same questions in the same order get the same answers.
pub(crate) struct Dice(Mutex<Rng>);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(Mutex::new(Rng::with_seed(seed)))
    }

    fn with<T>(&self, roll: impl FnOnce(&mut Rng) -> T) -> T {
        roll(&mut self.0.lock().unwrap())
    }

    /// Whether something happens that does so once in `1 / share` times.
    pub(crate) fn happens(&self, share: f64) -> bool {
        self.with(|rng| rng.f64() < share)
    }

    /// At least `from`, less than `to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        self.with(|rng| rng.u64(from..to))
    }

    pub(crate) fn one_of<T: Clone>(&self, choices: &[T]) -> T {
        let index = self.with(|rng| rng.usize(..choices.len()));
        choices[index].clone()
    }

    /// From `shortest` to `longest`, and each order of magnitude as likely as the next.
    pub(crate) fn span(&self, shortest: Duration, longest: Duration) -> Duration {
        let share = self.with(Rng::f64);
        let (low, high) = (shortest.as_secs_f64().ln(), longest.as_secs_f64().ln());
        Duration::from_secs_f64((low + (high - low) * share).exp())
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.with(|rng| rng.fill(bytes));
    }
}
