//! The only source of randomness of a run.

use std::{sync::Mutex, time::Duration};

/// A pseudo-random number generator. The same seed gives the same numbers in the same order.
pub(crate) struct Rng(Mutex<fastrand::Rng>);

impl Rng {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap())
    }

    /// True with this probability.
    pub(crate) fn chance(&self, probability: f64) -> bool {
        self.with(|rng| rng.f64() < probability)
    }

    /// A number that is at least `from` and less than `to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        self.with(|rng| rng.u64(from..to))
    }

    /// One of `choices`, each as likely as the next.
    pub(crate) fn choose<T: Clone>(&self, choices: &[T]) -> T {
        let index = self.with(|rng| rng.usize(..choices.len()));
        choices[index].clone()
    }

    /// A time from `shortest` to `longest`. Each order of magnitude is as likely as the next.
    pub(crate) fn log_uniform(&self, shortest: Duration, longest: Duration) -> Duration {
        let fraction = self.with(fastrand::Rng::f64);
        let (low, high) = (shortest.as_secs_f64().ln(), longest.as_secs_f64().ln());
        Duration::from_secs_f64((low + (high - low) * fraction).exp())
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.with(|rng| rng.fill(bytes));
    }
}
