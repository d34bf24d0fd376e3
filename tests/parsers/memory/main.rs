//! The largest inputs that functions accept, and larger ones, under an allocator that counts.
#![allow(missing_docs, reason = "a test says what it expects by failing")]

use parsers::memory::{Meter, heaviest_pins, hostile_json, largest_requests};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const METER: Meter = Meter {
    current: || ALLOCATOR.current_usage(),
    reset: || ALLOCATOR.reset_peak_usage(),
    peak: || ALLOCATOR.peak_usage(),
};

/// One test, because the allocator counts for the whole process.
#[test]
fn no_request_takes_more_than_three_quarters_of_a_functions_memory() {
    hostile_json(METER);
    largest_requests(METER);
    heaviest_pins(METER);
}
