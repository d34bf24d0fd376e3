//! Caches answers for a few minutes: a page of charts that is opened twice calls Pinterest once.
//!
//! Pinterest's developer guidelines forbid storing the answers of its API, so they are only in the memory of one process.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How old an answer may be.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);
/// The size of the cache, in bytes of JSON: some hundred answers. A function has 256 MB in all.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The cached answers, oldest first.
///
/// A query names its channel, and a channel belongs to one tenant: anybody who may send the query may have the answer.
#[derive(Debug)]
pub(super) struct RecentAnswers<Query>(Mutex<Answers<Query>>);

#[derive(Debug)]
struct Answers<Query> {
    all: VecDeque<(Query, String, Timestamp)>,
    bytes: usize,
}

impl<Query> Default for RecentAnswers<Query> {
    fn default() -> Self {
        Self(Mutex::new(Answers { all: VecDeque::new(), bytes: 0 }))
    }
}

impl<Query: PartialEq> RecentAnswers<Query> {
    /// The answer to exactly this query, if it is not too old.
    pub(super) fn get(&self, query: &Query, now: Timestamp) -> Option<String> {
        let answers = self.lock();
        let mut newest_first = answers.all.iter().rev();
        let (_, answer, at) = newest_first.find(|(asked, ..)| asked == query)?;
        is_fresh(*at, now).then(|| answer.clone())
    }

    /// Stores an answer, and removes answers that are too old or exceed the size.
    pub(super) fn insert(&self, query: Query, answer: String, now: Timestamp) {
        let mut answers = self.lock();
        answers.bytes += answer.len();
        answers.all.push_back((query, answer, now));
        while let Some((_, answer, at)) = answers.all.front()
            && (answers.bytes > MAX_BYTES || !is_fresh(*at, now))
        {
            answers.bytes -= answer.len();
            answers.all.pop_front();
        }
    }

    /// Removes the answers to some queries.
    pub(super) fn forget(&self, is_meant: impl Fn(&Query) -> bool) {
        let mut answers = self.lock();
        answers.all.retain(|(query, ..)| !is_meant(query));
        answers.bytes = answers.all.iter().map(|(_, answer, _)| answer.len()).sum();
    }

    /// A panic leaves only complete answers behind.
    fn lock(&self) -> MutexGuard<'_, Answers<Query>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < MAX_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    type Cache = RecentAnswers<(u8, &'static str)>;

    fn query(channel: u8, cursor: &'static str) -> (u8, &'static str) {
        (channel, cursor)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    /// The number of cached answers, and their size in bytes.
    fn contents(cache: &Cache) -> (usize, usize) {
        let answers = cache.lock();
        (answers.all.len(), answers.bytes)
    }

    #[test]
    fn an_answer_is_cached_for_five_minutes_and_the_same_query() {
        let cache = Cache::default();
        cache.insert(query(1, "a"), "first".to_owned(), at(0));

        assert_eq!(cache.get(&query(1, "a"), at(299)).as_deref(), Some("first"));
        assert_eq!(cache.get(&query(1, "a"), at(300)), None);
        assert_eq!(cache.get(&query(1, "b"), at(1)), None);
        assert_eq!(cache.get(&query(2, "a"), at(1)), None, "another channel's");

        cache.insert(query(1, "a"), "second".to_owned(), at(200));
        assert_eq!(cache.get(&query(1, "a"), at(301)).as_deref(), Some("second"));

        cache.insert(query(2, "a"), "other".to_owned(), at(200));
        cache.forget(|(channel, _)| *channel == 1);
        assert_eq!(cache.get(&query(1, "a"), at(201)), None);
        assert_eq!(contents(&cache), (1, "other".len()));
    }

    #[test]
    fn expired_answers_and_those_over_the_limit_are_dropped_oldest_first() {
        let cache = Cache::default();
        let half_full = "x".repeat(MAX_BYTES / 2);
        for cursor in ["a", "b", "c"] {
            cache.insert(query(1, cursor), half_full.clone(), at(0));
        }
        assert_eq!(cache.get(&query(1, "a"), at(0)), None);
        assert!(cache.get(&query(1, "b"), at(0)).is_some());

        cache.insert(query(1, "d"), "small".to_owned(), at(300));
        assert_eq!(contents(&cache), (1, 5));

        cache.insert(query(1, "e"), "x".repeat(MAX_BYTES + 1), at(300));
        assert_eq!(contents(&cache), (0, 0), "larger than the cache");
    }
}
