//! Divides the due work into shares for workers.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use store::DueItem;

/// The number of workers for an amount of work.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Sizes {
    /// How many entries one worker is enough for.
    pub(in super::super) entries_per_worker: usize,
    /// How many may work at once.
    pub(in super::super) max_workers: usize,
}

impl Sizes {
    /// Divides the partitions with due entries into shares of about the same size, one for each worker: one for a small
    /// load, and never more than may work at once. `unfinished`: partitions of which only the beginning was read.
    pub(super) fn deal(self, items: &[DueItem], unfinished: &BTreeSet<u32>) -> Vec<BTreeSet<u32>> {
        let mut weights: BTreeMap<u32, usize> = BTreeMap::new();
        for item in items {
            // The number of entries after a full page is not known: at least as many again are assumed.
            *weights.entry(item.partition).or_default() +=
                1 + usize::from(unfinished.contains(&item.partition));
        }
        let total: usize = weights.values().sum();
        let workers = (total / self.entries_per_worker).min(self.max_workers).min(weights.len()).max(1);
        let mut shares = vec![(0, BTreeSet::new()); workers];
        let mut heaviest_first: Vec<_> = weights.into_iter().collect();
        heaviest_first.sort_by_key(|(partition, weight)| (Reverse(*weight), *partition));
        for (partition, weight) in heaviest_first {
            if let Some((load, share)) = shares.iter_mut().min_by_key(|(load, _)| *load) {
                *load += weight;
                share.insert(partition);
            }
        }
        shares.into_iter().map(|(_, share)| share).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::{ChannelId, TenantId};
    use jiff::Timestamp;
    use store::DueItemKind;

    use super::*;

    fn deal(items: &[DueItem], unfinished: &BTreeSet<u32>, max_workers: usize) -> Vec<BTreeSet<u32>> {
        Sizes { entries_per_worker: 512, max_workers }.deal(items, unfinished)
    }

    fn due(partition: u32, count: usize) -> Vec<DueItem> {
        let channel = ChannelId::new(Timestamp::UNIX_EPOCH, [0; 10]);
        let item = DueItem {
            kind: DueItemKind::Channel(TenantId("acme".to_owned()), channel.clone()),
            channel: Some(channel),
            since: Timestamp::UNIX_EPOCH,
            partition,
            sort_key: String::new(),
        };
        vec![item; count]
    }

    #[test]
    fn a_small_load_is_for_one_worker() {
        let items: Vec<_> = (0..16).flat_map(|partition| due(partition, 40)).collect();
        assert_eq!(deal(&items, &BTreeSet::new(), 16), [(0..16).collect()]);
        // The Pins of a channel are sent one after the other, so a channel needs only one worker.
        assert_eq!(deal(&due(3, 256), &[3].into(), 16), [[3].into()]);
        assert_eq!(deal(&[], &BTreeSet::new(), 16), [BTreeSet::new()]);
    }

    #[test]
    fn a_large_load_is_shared_by_no_more_workers_than_allowed() {
        let items: Vec<_> = (0..16).flat_map(|partition| due(partition, 256)).collect();
        let full = (0..16).collect();
        assert_eq!(deal(&items, &full, usize::MAX).len(), 16, "one for each partition");
        let shares = deal(&items, &full, 5);
        assert_eq!(shares.len(), 5);
        assert!(shares.iter().all(|share| (3..=4).contains(&share.len())), "{shares:?}");
        assert_eq!(shares.into_iter().flatten().collect::<BTreeSet<_>>(), full, "each has a worker");
        assert_eq!(deal(&items, &full, 1).len(), 1);
    }

    #[test]
    fn the_shares_are_of_about_the_same_size() {
        let mut items = due(0, 250);
        items.extend((1..16).flat_map(|partition| due(partition, 60)));
        let shares = deal(&items, &BTreeSet::new(), 16);
        assert_eq!(shares.len(), 2);
        assert!(shares.iter().any(|share| share.contains(&0) && share.len() <= 7), "{shares:?}");
    }
}
