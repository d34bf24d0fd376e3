//! What belongs to a channel: its boards, its numbers, and moving its Pins.

mod analytics;
mod boards;
mod move_pins;
mod odd_answers;
