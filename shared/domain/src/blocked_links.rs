//! The hosts to which Pinterest has blocked links of one channel.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// This many blocked links to one host, with no Pin published in between, are not caused by a single page.
const MAX_IN_A_ROW: u32 = 3;
/// How long no Pin with a link to such a host is sent. After that, the next one shows if the block has ended.
const REST: SignedDuration = SignedDuration::from_hours(24);
/// How many hosts are stored: those that were blocked last.
const MAX_HOSTS: usize = 20;

/// The hosts to which Pinterest has blocked links since the last published Pin with a link to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockedLinks(Vec<BlockedHost>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BlockedHost {
    host: String,
    times: u32,
    last_at: Timestamp,
}

impl BlockedLinks {
    /// Whether no host is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a link to `host` was blocked, and none was published since.
    #[must_use]
    pub fn has(&self, host: &str) -> bool {
        self.0.iter().any(|blocked| blocked.host == host)
    }

    /// Until when no Pin with a link to `host` is sent.
    #[must_use]
    pub fn rest_of(&self, host: &str, now: Timestamp) -> Option<Timestamp> {
        let blocked = self.0.iter().find(|blocked| blocked.host == host)?;
        let until = blocked.last_at + REST;
        (blocked.times >= MAX_IN_A_ROW && now < until).then_some(until)
    }

    /// The same after one more link to `host` was blocked.
    #[must_use]
    pub fn with_blocked(&self, host: &str, now: Timestamp) -> Self {
        let times = self.0.iter().find(|blocked| blocked.host == host).map_or(0, |blocked| blocked.times);
        let blocked = BlockedHost { host: host.to_owned(), times: times.saturating_add(1), last_at: now };
        let others = self.without(host).0;
        Self(std::iter::once(blocked).chain(others).take(MAX_HOSTS).collect())
    }

    /// The same after a Pin with a link to `host` was published.
    #[must_use]
    pub fn without(&self, host: &str) -> Self {
        Self(self.0.iter().filter(|blocked| blocked.host != host).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_hours(hours)
    }

    #[test]
    fn the_third_blocked_link_in_a_row_rests_its_host_for_a_day() {
        let mut links = BlockedLinks::default();
        for hour in 0..2 {
            links = links.with_blocked("a.example", at(hour));
            assert_eq!(links.rest_of("a.example", at(hour)), None);
        }

        links = links.with_blocked("a.example", at(2));

        assert_eq!(links.rest_of("a.example", at(2)), Some(at(26)));
        assert_eq!(links.rest_of("b.example", at(2)), None);
        assert_eq!(links.rest_of("a.example", at(26)), None, "the next one tries");
        let next_row = links.with_blocked("a.example", at(26));
        assert_eq!(next_row.rest_of("a.example", at(27)), Some(at(50)), "and is enough");
    }

    #[test]
    fn a_published_pin_resets_the_count() {
        let two = BlockedLinks::default().with_blocked("a.example", at(0)).with_blocked("a.example", at(1));

        let published = two.without("a.example");

        assert!(two.has("a.example") && published.is_empty());
        assert_eq!(published.with_blocked("a.example", at(2)).rest_of("a.example", at(2)), None);
    }

    #[test]
    fn only_the_hosts_that_were_blocked_last_are_remembered() {
        let hosts = (0..30).map(|number| format!("{number}.example"));

        let links = hosts.fold(BlockedLinks::default(), |links, host| links.with_blocked(&host, at(0)));

        assert_eq!(links.0.len(), MAX_HOSTS);
        assert!(links.has("29.example") && links.has("10.example") && !links.has("9.example"));
    }
}
