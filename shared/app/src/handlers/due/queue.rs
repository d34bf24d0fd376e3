//! The due work, by channel. Tenants take turns, and so do the channels of a tenant: a tenant with many Pins does not delay
//! others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::{ChannelId, TenantId};
use store::{DueItem, DueItemKind};

/// How many Pins of one channel are in one turn. Each lane has at most this many in memory.
const PINS_PER_TURN: usize = 10;

/// The entries that wait for a lane.
#[derive(Debug)]
pub(super) struct FairQueue {
    max_waiting: usize,
    max_of_tenant: usize,
    /// Some channels of a tenant that has too many were passed over.
    has_passed_over: bool,
    /// The tenants with a channel that is ready, in the order of their turns.
    turns: VecDeque<String>,
    /// Their channels that are ready, in the order of their turns.
    ready: BTreeMap<String, VecDeque<ChannelId>>,
    channels: BTreeMap<ChannelId, ChannelQueue>,
    /// Channels on which another process works, to be checked again.
    parked: Vec<ChannelId>,
    waiting: usize,
}

#[derive(Debug)]
struct ChannelQueue {
    tenant: TenantId,
    /// By sort key, which is by time.
    items: BTreeMap<String, DueItem>,
    channel_item: Option<DueItem>,
    /// The sort keys of the entries that a lane works on. `None`: no lane works on the channel.
    in_hand: Option<BTreeSet<String>>,
    /// Another process sends a Pin of the channel.
    is_parked: bool,
}

/// The work of one turn: some entries of one channel.
#[derive(Debug)]
pub(in super::super) struct Turn {
    pub(in super::super) tenant: TenantId,
    pub(in super::super) channel: ChannelId,
    /// Its oldest Pins that are due, or its tokens.
    pub(in super::super) items: Vec<DueItem>,
    /// The channel's own entry: it was connected again, and what waits for it is resumed, or it was disconnected.
    pub(in super::super) channel_item: Option<DueItem>,
}

impl FairQueue {
    /// `max_waiting`: the most waiting entries. `max_of_tenant`: the most waiting channels of one tenant.
    pub(super) fn new(max_waiting: usize, max_of_tenant: usize) -> Self {
        Self {
            max_waiting,
            max_of_tenant,
            has_passed_over: false,
            turns: VecDeque::new(),
            ready: BTreeMap::new(),
            channels: BTreeMap::new(),
            parked: Vec::new(),
            waiting: 0,
        }
    }

    /// Whether there is room for more.
    pub(super) fn has_room(&self) -> bool {
        self.waiting < self.max_waiting
    }

    /// Whether nothing waits and nothing was passed over.
    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && !self.has_passed_over
    }

    /// Whether a channel waits for its turn.
    pub(super) fn has_turn(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Adds an entry, unless it is here already, or its tenant has too many.
    pub(super) fn add(&mut self, item: DueItem) {
        let (Some(tenant), Some(channel)) = (item.tenant(), item.channel.clone()) else { return };
        let of_tenant = self.ready.get(&tenant.0).map_or(0, VecDeque::len);
        if of_tenant >= self.max_of_tenant && !self.channels.contains_key(&channel) {
            self.has_passed_over = true;
            return;
        }
        let queue = self.channels.entry(channel.clone()).or_insert_with(|| ChannelQueue {
            tenant: tenant.clone(),
            items: BTreeMap::new(),
            channel_item: None,
            in_hand: None,
            is_parked: false,
        });
        if queue.in_hand.as_ref().is_some_and(|in_hand| in_hand.contains(&item.sort_key)) {
            return;
        }
        let is_idle = queue.in_hand.is_none() && !queue.is_parked && queue.is_empty();
        let tenant = queue.tenant.0.clone();
        self.waiting += queue.put(item);
        if is_idle {
            self.line_up(tenant, channel);
        }
    }

    /// The next channel's turn.
    pub(super) fn next(&mut self) -> Option<Turn> {
        let tenant = self.turns.pop_front()?;
        let ready = self.ready.get_mut(&tenant)?;
        let channel = ready.pop_front()?;
        if ready.is_empty() {
            self.ready.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        let queue = self.channels.get_mut(&channel)?;
        let rest = queue.items.keys().nth(PINS_PER_TURN).cloned();
        let rest = rest.map_or_else(BTreeMap::new, |first| queue.items.split_off(&first));
        let items = std::mem::replace(&mut queue.items, rest);
        self.waiting -= items.len();
        let channel_item = queue.channel_item.take();
        let keys = items.keys().chain(channel_item.iter().map(|item| &item.sort_key));
        queue.in_hand = Some(keys.cloned().collect());
        let tenant = queue.tenant.clone();
        Some(Turn { tenant, channel, items: items.into_values().collect(), channel_item })
    }

    /// Ends a turn. If entries are `left`, the channel is parked with all its entries.
    pub(super) fn finish(&mut self, channel: &ChannelId, left: Vec<DueItem>) {
        let Some(queue) = self.channels.get_mut(channel) else { return };
        queue.in_hand = None;
        if !left.is_empty() {
            for item in left {
                self.waiting += queue.put(item);
            }
            queue.is_parked = true;
            self.parked.push(channel.clone());
        } else if queue.is_empty() {
            self.channels.remove(channel);
        } else {
            let tenant = queue.tenant.0.clone();
            self.line_up(tenant, channel.clone());
        }
    }

    /// Makes the parked channels ready again.
    pub(super) fn unpark(&mut self) {
        for channel in std::mem::take(&mut self.parked) {
            if let Some(queue) = self.channels.get_mut(&channel) {
                queue.is_parked = false;
                let tenant = queue.tenant.0.clone();
                self.line_up(tenant, channel);
            }
        }
    }

    fn line_up(&mut self, tenant: String, channel: ChannelId) {
        let ready = self.ready.entry(tenant.clone()).or_default();
        if ready.is_empty() {
            self.turns.push_back(tenant);
        }
        ready.push_back(channel);
    }
}

impl ChannelQueue {
    /// The number of added Pins.
    fn put(&mut self, item: DueItem) -> usize {
        if matches!(item.kind, DueItemKind::Channel(..) | DueItemKind::ClosedChannel(..)) {
            self.channel_item = Some(item);
            return 0;
        }
        usize::from(self.items.insert(item.sort_key.clone(), item).is_none())
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.channel_item.is_none()
    }
}

#[cfg(test)]
mod tests {
    use domain::PinId;
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_796_115_600, 0);

    fn queue() -> FairQueue {
        FairQueue::new(50_000, usize::MAX)
    }

    fn due(tenant: &str, channel: u8, number: u8) -> DueItem {
        let since = NOW + SignedDuration::from_secs(i64::from(number));
        let (channel, pin) = (ChannelId::new(NOW, [channel; 10]), PinId::new(NOW, [number; 10]));
        let sort_key = format!("{:015}#{channel}#{pin}", since.as_millisecond());
        let kind = DueItemKind::Pin(TenantId(tenant.to_owned()), pin);
        DueItem { kind, channel: Some(channel), since, partition: 0, sort_key }
    }

    /// Takes all turns, and returns their tenants and all entries.
    fn drain(queue: &mut FairQueue) -> (Vec<String>, Vec<DueItem>) {
        let (mut tenants, mut items) = (Vec::new(), Vec::new());
        while let Some(turn) = queue.next() {
            tenants.push(turn.tenant.0);
            items.extend(turn.items);
            queue.finish(&turn.channel, Vec::new());
        }
        (tenants, items)
    }

    #[test]
    fn tenants_take_turns_however_much_each_has() {
        let mut queue = queue();
        for channel in 0..3 {
            for number in 0..25 {
                queue.add(due("big", channel, number));
            }
        }
        queue.add(due("small", 100, 1));
        queue.add(due("tiny", 101, 1));

        let (tenants, items) = drain(&mut queue);

        assert_eq!(tenants[..4], ["big", "small", "tiny", "big"]);
        assert_eq!((tenants.len(), items.len()), (9 + 2, 77));
        assert!(queue.has_room() && queue.waiting == 0 && queue.channels.is_empty());
    }

    #[test]
    fn a_channels_pins_are_taken_in_order_and_by_one_lane() {
        let mut queue = queue();
        for number in [3, 1, 2] {
            queue.add(due("acme", 0, number));
        }

        let turn = queue.next().unwrap();

        let order: Vec<_> = turn.items.iter().map(|item| item.since).collect();
        assert!(order.is_sorted());
        queue.add(due("acme", 0, 2)); // it was read again
        queue.add(due("acme", 0, 4));
        assert!(queue.next().is_none(), "a lane has the channel");
        queue.finish(&turn.channel, Vec::new());
        assert_eq!(drain(&mut queue).1, [due("acme", 0, 4)]);
    }

    #[test]
    fn a_tenant_with_very_many_channels_leaves_room_for_others() {
        let mut queue = FairQueue::new(20, 10);
        (0..100).for_each(|channel| queue.add(due("big", channel, 1)));
        assert!(queue.has_room(), "the others are still read");
        queue.add(due("small", 100, 1));

        let (tenants, taken) = drain(&mut queue);

        assert_eq!((&tenants[..3], taken.len()), (&["big", "small", "big"].map(str::to_owned)[..], 11));
        assert!(!queue.is_empty(), "a later tick has the rest");
    }

    #[test]
    fn unfinished_items_come_first_after_their_channel_is_unparked() {
        let mut queue = queue();
        queue.add(due("acme", 0, 1));
        let turn = queue.next().unwrap();
        queue.finish(&turn.channel, turn.items);
        queue.add(due("acme", 0, 2));

        assert!(queue.next().is_none(), "nothing goes before it");
        queue.unpark();

        assert_eq!(drain(&mut queue).1, [due("acme", 0, 1), due("acme", 0, 2)]);
    }
}
