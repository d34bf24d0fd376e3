//! Due Pins, grouped by channel. Only a bounded part of their content is in memory.

use std::collections::BTreeMap;

use domain::{ChannelId, Pin, PinId, TenantId};
use jiff::Timestamp;
use store::DueItem;

/// How many Pins may wait for later rounds. No more are read until some are done.
const MAX_WAITING_PINS: usize = 50_000;
/// The most memory for Pins that wait for their turn. Pins beyond it are read again when their turn comes.
const MAX_BUFFERED_BYTES: usize = 16 * 1024 * 1024;
/// How many Pins of one channel one round works on: a channel with many Pins must not delay the others.
const MAX_PINS_PER_CHANNEL: usize = 20;

/// A Pin that waits for its turn.
#[derive(Debug)]
pub(super) struct WaitingPin {
    pub(super) id: PinId,
    is_suspect: bool,
    publish_at: Timestamp,
    /// Its content, if there was room for it.
    pub(super) buffered: Option<Pin>,
}

/// The memory for the content of Pins that wait: how many bytes of it are left.
#[derive(Debug)]
pub(super) struct PinBuffer {
    left: usize,
}

impl Default for PinBuffer {
    fn default() -> Self {
        Self { left: MAX_BUFFERED_BYTES }
    }
}

impl PinBuffer {
    /// A Pin that waits. Its content is buffered as long as there is memory.
    pub(super) fn add(&mut self, pin: Pin) -> WaitingPin {
        let (is_suspect, publish_at, id) = pin.send_order();
        let id = id.clone();
        let left = self.left.checked_sub(pin.bytes());
        self.left = left.unwrap_or(self.left);
        WaitingPin { id, is_suspect, publish_at, buffered: left.is_some().then_some(pin) }
    }

    /// The Pin has its turn, and its memory is free for others.
    fn release(&mut self, waiting: &WaitingPin) {
        self.left += waiting.buffered.as_ref().map_or(0, Pin::bytes);
    }
}

impl WaitingPin {
    /// The order in which a channel's Pins are sent, as [`domain::PinRecord::send_order`] has it.
    fn send_order(&self) -> (bool, Timestamp, &PinId) {
        (self.is_suspect, self.publish_at, &self.id)
    }

    /// The order in which Pins were to be published.
    pub(super) fn publish_order(&self) -> (Timestamp, &PinId) {
        (self.publish_at, &self.id)
    }
}

/// What is due of one channel.
#[derive(Debug, Default)]
pub(super) struct ChannelBatch {
    pub(super) pins: Vec<(DueItem, WaitingPin)>,
    /// The channel was connected again: everything that waits for it is resumed.
    pub(super) reconnected: Option<DueItem>,
}

/// What is due, by channel, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct DuePins {
    channels: BTreeMap<(String, ChannelId), ChannelBatch>,
    buffer: PinBuffer,
}

impl DuePins {
    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// Whether there is room for more.
    pub(super) fn has_room(&self) -> bool {
        self.channels.values().map(|batch| batch.pins.len()).sum::<usize>() < MAX_WAITING_PINS
    }

    pub(super) fn add_pin(&mut self, item: DueItem, pin: Pin) {
        let channel = (pin.tenant.0.clone(), pin.channel_id.clone());
        self.channels.entry(channel).or_default().pins.push((item, self.buffer.add(pin)));
    }

    pub(super) fn add_reconnected(&mut self, tenant: TenantId, channel: ChannelId, item: DueItem) {
        self.channels.entry((tenant.0, channel)).or_default().reconnected = Some(item);
    }

    /// Takes what one round works on, in the order of sending. The rest stays.
    pub(super) fn take_round(&mut self) -> Vec<(TenantId, ChannelId, ChannelBatch)> {
        let mut round = Vec::new();
        for ((tenant, channel), batch) in &mut self.channels {
            batch.pins.sort_by(|(_, a), (_, b)| a.send_order().cmp(&b.send_order()));
            let rest = batch.pins.split_off(batch.pins.len().min(MAX_PINS_PER_CHANNEL));
            let pins = std::mem::replace(&mut batch.pins, rest);
            for (_, waiting) in &pins {
                self.buffer.release(waiting);
            }
            let batch = ChannelBatch { pins, reconnected: batch.reconnected.take() };
            round.push((TenantId(tenant.clone()), channel.clone(), batch));
        }
        self.channels.retain(|_, batch| !batch.pins.is_empty());
        round
    }
}

#[cfg(test)]
mod tests {
    use domain::{BoardId, Description, Draft, File, Media, PinRequest, WebAddress};
    use store::DueItemKind;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_796_115_600, 0);

    /// A heavy Pin of a channel.
    fn pin(channel: usize, number: usize) -> Pin {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&number.to_be_bytes());
        let url = format!("https://images.example.com/{}", "a".repeat(2000));
        let draft = Draft {
            board: BoardId::try_from("1".to_owned()).unwrap(),
            section: None,
            title: None,
            description: Description::new("description", Some("👩".repeat(800))).unwrap(),
            link: None,
            alt_text: None,
            dominant_color: None,
            ai_disclosures: None,
            media: Media::Image { file: File::Public { url: WebAddress::new("url", url).unwrap() } },
        };
        let channel_id = ChannelId::new(NOW, [u8::try_from(channel).unwrap(); 10]);
        let (id, tenant) = (PinId::new(NOW, random), TenantId("acme".to_owned()));
        Pin::accept(PinRequest { id, tenant, channel_id, draft, publish_at: NOW, give_up_at: NOW }, NOW)
    }

    fn due(pin: &Pin) -> DueItem {
        DueItem {
            kind: DueItemKind::Pin(pin.tenant.clone(), pin.id.clone()),
            since: NOW,
            sort_key: String::new(),
        }
    }

    #[test]
    fn all_pins_wait_and_only_so_many_are_in_memory() {
        let mut pins = DuePins::default();
        for number in 0..5000 {
            let pin = pin(number % 100, number);
            pins.add_pin(due(&pin), pin);
        }
        let (mut rounds, mut buffered, mut seen) = (0, 0, 0);
        while !pins.is_empty() {
            for (_, _, batch) in pins.take_round() {
                assert!(batch.pins.len() <= MAX_PINS_PER_CHANNEL);
                seen += batch.pins.len();
                buffered += batch
                    .pins
                    .iter()
                    .filter_map(|(_, waiting)| Some(waiting.buffered.as_ref()?.bytes()))
                    .sum::<usize>();
            }
            rounds += 1;
        }
        assert_eq!((seen, rounds), (5000, 3));
        assert!((MAX_BUFFERED_BYTES / 2..=MAX_BUFFERED_BYTES).contains(&buffered), "{buffered}");
        assert_eq!(pins.buffer.left, MAX_BUFFERED_BYTES, "all of it is free again");
    }

    #[test]
    fn a_channels_pins_are_taken_in_the_order_of_sending() {
        let mut pins = DuePins::default();
        for number in [3, 1, 2] {
            let pin = pin(0, number);
            pins.add_pin(due(&pin), pin);
        }
        let [(_, _, batch)] = &pins.take_round()[..] else { panic!("there is one channel") };
        let ids: Vec<_> = batch.pins.iter().map(|(_, waiting)| waiting.id.clone()).collect();
        assert_eq!(ids, [pin(0, 1).id.clone(), pin(0, 2).id.clone(), pin(0, 3).id.clone()]);
    }
}
