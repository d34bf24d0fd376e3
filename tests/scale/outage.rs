//! After a long outage, the tokens of all channels are due at once. Ticks and workers overlap as on Lambda.
//!
//! `cargo xtask scale --refresh --channels 1000000` runs one of any size, and prints one JSON object as its last line.

use std::{sync::atomic::Ordering::Relaxed, time};

use app::handlers::RefreshJob;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Duration;

use crate::{
    alone,
    burst::{number, quantile, round},
    env,
    meter::Meter,
    refresh::{LIFE, MINUTE, minute_of},
    seed, size,
};

/// What every run has, and how many of them are one tenant's: nine tenths.
const USUAL: (usize, usize) = (2000, 1800);
/// Pinterest was away for so long. The access tokens live on.
const OUTAGE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// What `REFRESHES_PER_MINUTE` says here, as it does unless it is changed.
pub(crate) const PER_MINUTE: u32 = 1000;

/// How it went.
struct Outage {
    channels: usize,
    /// When each channel was refreshed, in hours after Pinterest was back, in order.
    after: Vec<f64>,
    /// The same of all but the tenant that has most of them.
    others_after: Vec<f64>,
    busiest_minute: usize,
    all: Meter,
    workers: u64,
    most_calls: u64,
    again: u64,
    /// Of one worker, in megabytes.
    memory: f64,
    took: (time::Duration, time::Duration),
}

impl Outage {
    fn report(&self) {
        println!("\n{} channels are due at once, after an outage:", self.channels);
        print!("{}", self.all.table(self.channels, "channel"));
        println!(
            "  {} calls of Pinterest at once, {:.0} MB a worker; took {:.1?} to connect and {:.1?} to refresh",
            self.most_calls, self.memory, self.took.0, self.took.1
        );
        let each = |units: f64| round(units / number(self.channels));
        let hours = |share: f64| (quantile(&self.after, share) * 1000.0).round() / 1000.0;
        let mut result = json!({
            "refreshed_channels": self.channels,
            "half_h": hours(0.5),
            "p99_h": hours(0.99),
            "last_h": hours(1.0),
            "busiest_minute": self.busiest_minute,
            "write_units_per_channel": each(self.all.all().write_units),
            "read_units_per_channel": each(self.all.all().read_units),
            "workers": self.workers,
            "doubled": self.again,
            "memory_mb": self.memory.round(),
        });
        if self.others_after.len() < self.after.len() {
            result["others_last_h"] = json!((quantile(&self.others_after, 1.0) * 1000.0).round() / 1000.0);
        }
        println!("{result}");
    }

    fn check(&self) {
        assert_eq!((self.after.len(), self.again), (self.channels, 0), "each once");
        // A second's pace may come at once at the beginning of an invocation.
        let most = usize::try_from(PER_MINUTE).unwrap() * 105 / 100;
        assert!(self.busiest_minute <= most, "{} in a minute", self.busiest_minute);
        let hours = number(self.channels) / f64::from(PER_MINUTE) / 60.0;
        let last = quantile(&self.after, 1.0);
        assert!(last <= hours * 1.4 + 0.05, "{last} hours, and {hours} at the pace");
    }
}

/// `channels`, each a tenant's own but for the first `of_one_tenant`, which have been due for longer.
fn outage(channels: usize, of_one_tenant: usize) -> Outage {
    env::run(false, async |env| {
        env.big_tenant.store(of_one_tenant, Relaxed);
        let began = time::Instant::now();
        let seeded = seed::connect(env, channels, LIFE, false).await;
        let connected = began.elapsed();
        let back = minute_of(*seeded.due.iter().max().unwrap()) + OUTAGE;
        let (began, before) = (time::Instant::now(), env.metered());
        let memory_before = env.memory.begin();
        let mut minute = 0;
        while env.pinterest.lock().unwrap().tokens < channels as u64 {
            env.reach(back + MINUTE * minute).await;
            env.invoke_refresh(RefreshJob::Tick, Duration::ZERO);
            minute += 1;
        }
        env.finish().await;

        let (pinterest, pool) = (env.pinterest.lock().unwrap(), env.refreshers.lock().unwrap());
        let hours = |at: &Timestamp| at.duration_since(back).as_secs_f64() / 3600.0;
        let sorted = |of: &[Option<Timestamp>]| {
            let mut after: Vec<_> = of.iter().flatten().map(hours).collect();
            after.sort_by(f64::total_cmp);
            after
        };
        let mut minutes: Vec<_> =
            pinterest.refreshed.iter().flatten().map(|at| at.as_second() / 60).collect();
        minutes.sort_unstable();
        Outage {
            channels,
            after: sorted(&pinterest.refreshed),
            others_after: sorted(&pinterest.refreshed[of_one_tenant..]),
            busiest_minute: minutes.chunk_by(|one, other| one == other).map(<[i64]>::len).max().unwrap(),
            all: env.metered().since(&before),
            workers: pool.count,
            most_calls: pinterest.most,
            again: pinterest.again,
            memory: (env.memory.peak() - memory_before).max(0.0) / number(pool.most_running),
            took: (connected, began.elapsed()),
        }
    })
}

#[test]
fn after_an_outage_all_are_refreshed_at_the_pace_and_tenants_take_turns() {
    let _alone = alone();
    let channels = size("SCALE_OUTAGE_CHANNELS", USUAL.0);
    let usual_of_one = if channels == USUAL.0 { USUAL.1 } else { 0 };
    let of_one_tenant = size("SCALE_OUTAGE_OF_ONE_TENANT", usual_of_one);
    let outage = outage(channels, of_one_tenant);
    outage.report();
    outage.check();
    if of_one_tenant > 0 {
        let others = number(channels - of_one_tenant) / f64::from(PER_MINUTE) / 60.0;
        let last = quantile(&outage.others_after, 1.0);
        assert!(last <= others * 3.0 + 0.05, "{last} hours for the others, and {others} for them alone");
    }
}
