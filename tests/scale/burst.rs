//! People choose round times: many Pins are due in one minute. Ticks and workers overlap as on Lambda.
//!
//! `cargo xtask scale --pins 100000 --channels 25000` runs one of any size, and prints one JSON object as its last line.

use std::time;

use app::handlers::DeliverJob;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Duration;

use crate::{
    alone,
    env::{self, ScaleEnv},
    meter::Meter,
    month::schedule,
    seed, size,
};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Long enough that no token is due.
const LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// What every run has.
const USUAL: (usize, usize) = (400, 100);
/// A burst that is not over then has failed.
const MAX_MINUTES: i32 = 30;

impl ScaleEnv {
    /// Notes that a process has read rows of Pins.
    pub(crate) fn note_read(&self, process: u64, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let tables = body["RequestItems"].as_object().into_iter().flatten();
        let keys = tables.flat_map(|(_, wanted)| wanted["Keys"].as_array().unwrap());
        let keys = keys.filter_map(|key| key["sk"]["S"].as_str().filter(|sk| sk.starts_with("PIN#")));
        let mut readers = self.readers.lock().unwrap();
        for key in keys {
            readers.entry(key.to_owned()).or_default().insert(process);
        }
    }
}

/// How a burst went.
struct Burst {
    pins: usize,
    channels: usize,
    /// How late each Pin was, in seconds after the tick, in order.
    late: Vec<f64>,
    /// The same of all but the tenant that has half of the Pins.
    others_late: Vec<f64>,
    /// From the requests to the last Pin.
    asked: Meter,
    delivered: Meter,
    workers: u64,
    doubled: usize,
    most_calls: u64,
    out_of_order: usize,
    twice: u64,
    /// Of one worker, in megabytes.
    memory: f64,
    took: (time::Duration, time::Duration),
}

impl Burst {
    #[expect(clippy::cast_precision_loss, reason = "a million at most")]
    fn each(&self, number: f64) -> f64 {
        number / self.pins as f64
    }

    fn read_units(&self) -> f64 {
        self.each(self.delivered.all().read_units)
    }

    fn write_units(&self) -> f64 {
        self.each(self.asked.all().write_units + self.delivered.all().write_units)
    }

    fn report(&self) {
        println!(
            "\n{} Pins of {} channels are due in one minute; scheduling them:",
            self.pins, self.channels
        );
        print!("{}", self.asked.table(self.pins, "Pin"));
        println!("  delivering them:");
        print!("{}", self.delivered.table(self.pins, "Pin"));
        println!(
            "  {} calls of Pinterest at once, {:.0} MB a worker; took {:.1?} to schedule and {:.1?} to deliver",
            self.most_calls, self.memory, self.took.0, self.took.1
        );
        let mut result = json!({
            "pins": self.pins,
            "channels": self.channels,
            "p50_s": round(quantile(&self.late, 0.5)),
            "p99_s": round(quantile(&self.late, 0.99)),
            "last_s": round(quantile(&self.late, 1.0)),
            "read_units_per_pin": round(self.read_units()),
            "write_units_per_pin": round(self.write_units()),
            "workers": self.workers,
            "calls_at_once": self.most_calls,
            "doubled": self.doubled,
            "out_of_order": self.out_of_order,
            "memory_mb": self.memory.round(),
        });
        if self.others_late.len() < self.late.len() {
            result["others_last_s"] = json!(round(quantile(&self.others_late, 1.0)));
        }
        println!("{result}");
    }

    fn check(&self) {
        assert_eq!((self.late.len(), self.twice), (self.pins, 0), "each once");
        assert_eq!(self.out_of_order, 0, "a channel's Pins leave in order");
        assert!(self.late[0] >= 0.0, "none before its time");
        assert!(self.doubled * 100 < self.pins, "{} Pins were read by two workers", self.doubled);
    }
}

pub(crate) fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a million at most"
)]
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len()) - 1]
}

/// `pins` in one minute, evenly among `channels`, each a tenant's own but for the first `of_one_tenant`.
fn burst(pins: usize, channels: usize, of_one_tenant: usize) -> Burst {
    env::run(false, async |env| {
        env.big_tenant.store(of_one_tenant, std::sync::atomic::Ordering::Relaxed);
        let connected = seed::connect(env, channels, LIFE, true).await.channels;
        env.reach(env.epoch() + MINUTE * 61).await;
        env.invoke_deliver(DeliverJob::Tick, Duration::ZERO); // the channels are back, and nothing waits for them
        env.finish().await;
        env.forget_processes();

        let (began, before) = (time::Instant::now(), env.metered());
        let at = env.epoch() + SignedDuration::from_hours(48);
        env.pinterest.lock().unwrap().made = vec![None; pins];
        let publish = env.publish();
        for number in 0..pins {
            schedule(&publish, &connected[number % channels], number, at).await;
        }
        drop(publish);
        assert!(env.now() < at, "all are scheduled before they are due");
        let (asked, scheduled) = (env.metered().since(&before), began.elapsed());

        let (began, before) = (time::Instant::now(), env.metered());
        let memory_before = env.memory.begin();
        for minute in 0..MAX_MINUTES {
            env.reach(at + MINUTE * minute).await;
            if minute > 0 && env.pinterest.lock().unwrap().pins == pins as u64 {
                break;
            }
            env.invoke_deliver(DeliverJob::Tick, Duration::ZERO);
        }
        env.finish().await;
        let delivered = env.metered().since(&before);

        let (pinterest, processes) = (env.pinterest.lock().unwrap(), env.deliverers.lock().unwrap());
        let late = |number: usize| pinterest.made[number].map(|made| seconds(made, at));
        let mut all: Vec<f64> = (0..pins).filter_map(late).collect();
        let mut others: Vec<f64> =
            (0..pins).filter(|number| number % channels >= of_one_tenant).filter_map(late).collect();
        all.sort_by(f64::total_cmp);
        others.sort_by(f64::total_cmp);
        let after = |number: usize| pinterest.made.get(number + channels).copied().flatten();
        let overtakes =
            |number: &usize| after(*number).is_some_and(|after| pinterest.made[*number] >= Some(after));
        Burst {
            pins,
            channels,
            late: all,
            others_late: others,
            asked,
            delivered,
            workers: processes.count,
            doubled: env.readers.lock().unwrap().values().filter(|readers| readers.len() > 1).count(),
            most_calls: pinterest.most,
            out_of_order: (0..pins).filter(overtakes).count(),
            twice: pinterest.again,
            memory: (env.memory.peak() - memory_before).max(0.0) / number(processes.most_running),
            took: (scheduled, began.elapsed()),
        }
    })
}

fn seconds(made: Timestamp, at: Timestamp) -> f64 {
    made.duration_since(at).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a few")]
pub(crate) fn number(count: usize) -> f64 {
    count as f64
}

#[test]
fn a_burst_is_shared_among_workers_and_each_pin_is_worked_on_once() {
    let _alone = alone();
    let (pins, channels) = (size("SCALE_BURST_PINS", USUAL.0), size("SCALE_BURST_CHANNELS", USUAL.1));
    let burst = burst(pins, channels, size("SCALE_BURST_OF_ONE_TENANT", 0));
    burst.report();
    burst.check();
}
