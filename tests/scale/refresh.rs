//! A refresh day: what `refresh` does with channels that were all connected in the same hour.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time,
};

use app::{handlers::Refresh, handlers::RefreshJob};
use domain::{
    ChannelId,
    refresh::{Lifetimes, due_at},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use crate::{
    alone,
    env::{self, AT_ONCE, ScaleEnv},
    is_alone,
    memory::{FLAT, Halves},
    meter::Meter,
    pinterest::Pinterest,
    seed, size,
};

/// What every run has, and what larger ones are compared with.
const USUAL: usize = 10_000;
pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// How long Pinterest's access tokens live.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// As long as the function has in template.yaml, less what `worker` keeps back.
pub(crate) const INVOCATION: Duration = Duration::from_secs(298);

/// How a refresh day went.
pub(crate) struct Day {
    pub(crate) channels: usize,
    pub(crate) ticks: u64,
    /// All ticks of the day together.
    pub(crate) all: Meter,
    /// One tick with nothing to do.
    pub(crate) idle: Meter,
    /// The daily check.
    pub(crate) daily_check: Meter,
    /// How long the ticks took, and one with nothing to do.
    pub(crate) ran: Duration,
    pub(crate) idle_ran: Duration,
    pub(crate) bytes_each: u64,
    twice: u64,
    missed: usize,
    early: usize,
    /// The longest time from the moment that tokens were due to their exchange.
    latest: SignedDuration,
    /// The most calls of Pinterest that were under way at once.
    at_once: u64,
    busiest_minute: usize,
    busiest_hour: f64,
    grown: f64,
    peak: f64,
    took: (time::Duration, time::Duration),
}

impl Day {
    /// What was asked because something was due: all but what idle ticks ask too.
    pub(crate) fn above_idle(&self) -> Meter {
        let mut idle = Meter::default();
        idle.add(&self.idle, self.ticks);
        self.all.since(&idle)
    }

    #[expect(clippy::cast_precision_loss, reason = "a million at most")]
    fn each(&self, number: f64) -> f64 {
        number / self.channels as f64
    }

    /// Calls, entries and write units of the tokens' table for each channel: what must not grow.
    #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
    fn of_a_channel(&self) -> [f64; 3] {
        let tokens = self.above_idle().of(|what| what.contains("tokens"));
        [tokens.calls as f64, tokens.entries as f64, tokens.write_units].map(|number| self.each(number))
    }

    fn report(&self) {
        let Self { channels, ticks, latest, at_once, busiest_minute, busiest_hour, .. } = self;
        println!("\n{channels} channels of one hour, refreshed in {ticks} ticks:");
        print!("{}", self.all.table(*channels, "channel"));
        println!(
            "  busiest minute {busiest_minute}, at most {at_once} at once; busiest hour {:.2} %; latest {latest:#}",
            busiest_hour * 100.0
        );
        let daily_check = self.daily_check.all();
        println!(
            "  daily check: {} calls, {} entries, {} read units",
            daily_check.calls, daily_check.entries, daily_check.read_units
        );
        println!(
            "  memory: {:.0} MB at most, {:.1} MB more in its second half than in its first; {} bytes of rows a channel",
            self.peak, self.grown, self.bytes_each
        );
        println!("  took {:.1?} to connect and {:.1?} to refresh", self.took.0, self.took.1);
    }

    #[expect(clippy::cast_precision_loss, reason = "a million at most")]
    fn check(&self) {
        let Self { channels, .. } = self;
        let count = *channels as f64;
        assert_eq!((self.missed, self.twice, self.early), (0, 0, 0), "each once, and none before its time");
        assert!(self.latest <= MINUTE * 2, "one was late: {:#}", self.latest);
        let read = self.all.of(|what| what == "Query tokens/due").entries as f64;
        assert!(read <= 1.01 * count, "{read} entries for {count}");
        let written = self.above_idle().of(|what| what.contains("tokens")).write_units;
        assert!(written <= 4.0 * count, "{written} write units for {count}");
        assert!(self.at_once <= AT_ONCE, "{} at once", self.at_once);
        let told = self.daily_check.of(|what| what == "Query tokens/due").entries as f64;
        assert!(told <= 1.01 * count, "the daily check reads {told} entries");
        assert!(*channels < USUAL || self.busiest_hour <= 0.06, "{} in an hour", self.busiest_hour);
    }
}

/// The day that costs are reckoned from.
pub(crate) fn usual() -> &'static Day {
    static DAY: OnceLock<Day> = OnceLock::new();
    DAY.get_or_init(|| day(USUAL))
}

fn day(channels: usize) -> Day {
    env::run(false, async |env| {
        let began = time::Instant::now();
        let seeded = seed::connect(env, channels, LIFE, false).await;
        let connected = began.elapsed();
        let (first, last) = (*seeded.due.iter().min().unwrap(), *seeded.due.iter().max().unwrap());
        let refresh = env.refresh();

        let start = minute_of(first);
        env.reach(start - MINUTE * 2).await;
        let (daily_check, _) = tick(env, &refresh, RefreshJob::DailyCheck).await;
        env.reach(start - MINUTE).await;
        let (idle, idle_ran) = tick(env, &refresh, RefreshJob::Tick).await;

        let (before, began) = (env.metered(), time::Instant::now());
        let wanted: BTreeSet<_> = seeded.due.iter().map(|due| minute_of(*due) + MINUTE).collect();
        let ticks = u64::try_from(minute_of(last).duration_since(start).as_mins() + 1).unwrap();
        let mut ran = Duration::ZERO;
        let mut memory = Halves::begin(&env.memory, wanted.len());
        for at in &wanted {
            env.reach(*at).await;
            ran += tick(env, &refresh, RefreshJob::Tick).await.1;
            memory.step();
        }
        let (peak, grown) = memory.end();
        let last_idle = {
            env.reach(last + MINUTE * 2).await;
            tick(env, &refresh, RefreshJob::Tick).await.0
        };
        assert_eq!(idle, last_idle, "a minute in which nothing is due is like another");
        let mut all = env.metered().since(&before).since(&idle);
        // The other minutes of the day are all alike: they are counted, and not run.
        let others = ticks - wanted.len() as u64;
        all.add(&idle, others);
        ran += idle_ran * u32::try_from(others).unwrap();

        let pinterest = env.pinterest.lock().unwrap();
        let late = |(at, due): (&Option<Timestamp>, &Timestamp)| Some(at.as_ref()?.duration_since(*due));
        let late: Vec<_> = pinterest.refreshed.iter().zip(&seeded.due).filter_map(late).collect();
        let (busiest_minute, busiest_hour) = busiest(&pinterest);
        Day {
            channels,
            ticks,
            all,
            idle,
            daily_check,
            ran,
            idle_ran,
            bytes_each: seeded.bytes_each,
            twice: pinterest.again,
            missed: channels - late.len(),
            early: late.iter().filter(|late| late.is_negative()).count(),
            latest: late.into_iter().max().unwrap(),
            at_once: pinterest.most,
            busiest_minute,
            busiest_hour,
            grown,
            peak,
            took: (connected, began.elapsed()),
        }
    })
}

pub(crate) fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() / 60 * 60).unwrap()
}

/// One wake-up: what it asked for, and how long it took by the clock that jumps.
async fn tick(env: &Arc<ScaleEnv>, refresh: &Refresh, job: RefreshJob) -> (Meter, Duration) {
    let (before, began) = (env.metered(), Instant::now());
    refresh.run(job, began + INVOCATION).await.unwrap();
    env.memory.look();
    (env.metered().since(&before), began.elapsed())
}

/// How many were refreshed in the busiest minute, and which part of all in the busiest 60 minutes.
#[expect(clippy::cast_precision_loss, reason = "a million at most")]
fn busiest(pinterest: &Pinterest) -> (usize, f64) {
    let minutes = pinterest.refreshed.iter().flatten().map(|at| at.as_second() / 60);
    let first = minutes.clone().min().unwrap();
    let mut counts = vec![0; usize::try_from(minutes.clone().max().unwrap() - first).unwrap() + 1];
    for minute in minutes {
        counts[usize::try_from(minute - first).unwrap()] += 1;
    }
    let hour = counts.windows(counts.len().min(60)).map(|hour| hour.iter().sum::<usize>()).max().unwrap();
    (counts.into_iter().max().unwrap(), hour as f64 / pinterest.refreshed.len() as f64)
}

#[test]
fn a_refresh_costs_the_same_among_many_as_among_few() {
    let _alone = alone();
    let many = size("SCALE_CHANNELS", USUAL);
    let larger = (many > USUAL).then(|| {
        usual().report();
        day(many)
    });
    let (few, many) = match &larger {
        Some(larger) => (usual(), larger),
        None => (&day(USUAL / 20), usual()),
    };
    if larger.is_none() {
        few.report();
    }
    many.report();

    few.check();
    many.check();
    for (few, many) in few.of_a_channel().into_iter().zip(many.of_a_channel()) {
        assert!((many / few - 1.0).abs() <= 0.1, "{many} among many, {few} among few");
    }
    let all = |day: &Day| {
        let all = day.above_idle().all();
        [all.read_units, all.write_units].map(|units| day.each(units))
    };
    for (few, many) in all(few).into_iter().zip(all(many)) {
        assert!(many <= few * 1.1, "{many} among many, {few} among few");
    }
    let grown = few.grown.max(many.grown);
    assert!(!is_alone() || grown <= FLAT, "memory grows: {} MB, then {} MB", few.grown, many.grown);
}

/// A million hashes need no database: this is run as large as the claim is.
#[test]
fn a_million_channels_of_one_hour_are_spread_over_their_refresh_day() {
    const MILLION: usize = 1_000_000;
    let hour = Timestamp::from_second(1_790_000_040).unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut minutes = vec![0_usize; 25 * 60 + 1];
    for _ in 0..MILLION {
        let at = hour + SignedDuration::from_millis(rng.i64(0..3_600_000));
        let channel = ChannelId::new(at, std::array::from_fn(|_| rng.u8(..)));
        let lifetimes = Lifetimes { access_expires_at: at + LIFE, refresh_expires_at: Some(at + LIFE * 2) };
        let first = hour + LIFE - SignedDuration::from_hours(8 * 24);
        let minute = due_at(&channel, at, lifetimes).duration_since(first).as_mins();
        minutes[usize::try_from(minute).unwrap()] += 1;
    }

    let busiest = minutes.windows(60).map(|hour| hour.iter().sum::<usize>()).max().unwrap();
    let minute = minutes.into_iter().max().unwrap();
    println!("a million of one hour: {busiest} in the busiest hour, {minute} in the busiest minute");
    assert!(busiest <= MILLION * 6 / 100, "{busiest}");
}

/// The embedded DynamoDB says what a write costs; so do the documented rules.
#[test]
fn units_are_the_same_by_the_documented_rules() {
    let _alone = alone();
    env::run(true, async |env| {
        let seeded = seed::connect(env, 40, LIFE, false).await;
        let refresh = env.refresh();
        env.reach(minute_of(*seeded.due.iter().max().unwrap()) + MINUTE).await;
        let (meter, _) = tick(env, &refresh, RefreshJob::Tick).await;
        let told = meter.of(|what| !what.starts_with("reckoned")).write_units;
        let reckoned = meter.of(|what| what.starts_with("reckoned")).write_units;
        assert!(
            (told - reckoned).abs() < 0.01,
            "{told} told, {reckoned} reckoned: {}",
            meter.table(40, "channel")
        );
        assert!(told > 40.0 * 4.0);
    });
}
