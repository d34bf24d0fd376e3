//! A month of scheduled Pins: from the request to Pinterest, and what is told about it.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time,
};

use app::{handlers::Deliver, handlers::Events, handlers::Publish, handlers::StreamEvent};
use domain::Channel;
use edge::handle;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::{
    alone,
    env::{self, ScaleEnv},
    is_alone,
    memory::{FLAT, Halves},
    meter::Meter,
    seed, size,
};

/// What every run has, and what larger ones are compared with.
const USUAL: usize = 1000;
/// How many Pins a channel has in the month.
const OF_A_CHANNEL: usize = 100;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const MINUTES: i64 = 30 * 24 * 60;
/// People choose round times: many Pins are due in one minute, and none in the next.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const QUARTERS: u64 = 30 * 24 * 4;
/// Long enough for all of the month: refreshing is told elsewhere.
const LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// As long as the function has in template.yaml, less what `worker` keeps back.
pub(crate) const INVOCATION: Duration = Duration::from_secs(898);
/// How many minutes with nothing to do are looked at.
const IDLE: i64 = 20;

/// How a month went.
pub(crate) struct Month {
    pub(crate) pins: usize,
    /// What scheduling them asked for, and for how long its function ran.
    pub(crate) asked: Meter,
    pub(crate) asked_ran: Duration,
    /// What all ticks of the month asked for, those with nothing to do included.
    pub(crate) ticks: Meter,
    pub(crate) busy: u64,
    pub(crate) busy_ran: Duration,
    pub(crate) idle: Meter,
    pub(crate) idle_ran: Duration,
    /// What `events` asked for, and how many changes it was woken for.
    pub(crate) told: Meter,
    pub(crate) told_ran: Duration,
    pub(crate) changes: u64,
    pub(crate) bytes_each: u64,
    twice: u64,
    missed: usize,
    early: usize,
    late: usize,
    latest: SignedDuration,
    grown: f64,
    peak: f64,
    took: (time::Duration, time::Duration),
}

impl Month {
    /// What was asked because something was due.
    pub(crate) fn above_idle(&self) -> Meter {
        let mut idle = Meter::default();
        idle.add(&self.idle, u64::try_from(MINUTES).unwrap());
        self.ticks.since(&idle)
    }

    #[expect(clippy::cast_precision_loss, reason = "a million at most")]
    fn each(&self, number: f64) -> f64 {
        number / self.pins as f64
    }

    /// Calls, entries, and units read and written for each Pin that was due.
    #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
    fn of_a_pin(&self) -> [f64; 3] {
        let all = self.above_idle().all();
        [all.calls as f64, all.entries as f64, all.write_units].map(|number| self.each(number))
    }

    fn report(&self) {
        let Self { pins, busy, latest, .. } = self;
        println!("\n{pins} Pins of {} channels in a month; scheduling them:", pins.div_ceil(OF_A_CHANNEL));
        print!("{}", self.asked.table(*pins, "Pin"));
        println!("  delivering them, in {busy} minutes of {MINUTES}:");
        print!("{}", self.ticks.table(*pins, "Pin"));
        println!("  telling of them, {} changes:", self.changes);
        print!("{}", self.told.table(*pins, "Pin"));
        println!(
            "  latest {latest:#}; memory {:.0} MB at most, {:.1} MB more in its second half than in its first; {} bytes a Pin",
            self.peak, self.grown, self.bytes_each
        );
        println!("  took {:.1?} to schedule and {:.1?} to deliver", self.took.0, self.took.1);
    }

    #[expect(clippy::cast_precision_loss, reason = "a million at most")]
    fn check(&self) {
        let count = self.pins as f64;
        assert_eq!((self.missed, self.twice, self.early), (0, 0, 0), "each once, and none before its time");
        assert_eq!(self.late, 0, "all within the minute of their tick");
        let read = self.ticks.of(|what| what == "Query main/due").entries as f64;
        assert!(read <= 1.01 * count, "{read} entries for {count}");
    }
}

/// The month that costs are reckoned from.
pub(crate) fn usual() -> &'static Month {
    static MONTH: OnceLock<Month> = OnceLock::new();
    MONTH.get_or_init(|| month(USUAL))
}

fn month(pins: usize) -> Month {
    env::run(false, async |env| {
        let channels = seed::connect(env, pins.div_ceil(OF_A_CHANNEL), LIFE, true).await.channels;
        let deliver = env.deliver();
        env.reach(env.epoch() + MINUTE * 61).await;
        tick(env, &deliver).await; // the channels are back, and nothing waits for them

        let began = time::Instant::now();
        let start = env.epoch() + SignedDuration::from_hours(24);
        let due: Vec<_> = (0..pins).map(|_| start + QUARTER * quarter(env.below(QUARTERS))).collect();
        env.pinterest.lock().unwrap().made = vec![None; pins];
        let (before, at) = (env.metered(), Instant::now());
        *env.changes.lock().unwrap() = Some(Vec::new());
        let publish = env.publish();
        let mut told =
            Told { events: env.events(), meter: Meter::default(), ran: Duration::ZERO, changes: 0 };
        for (number, at) in due.iter().enumerate() {
            schedule(&publish, &channels[number / OF_A_CHANNEL], number, *at).await;
            if number % 50 == 49 {
                told.tell(env).await;
            }
        }
        told.tell(env).await;
        let (asked_ran, scheduled) = (at.elapsed().saturating_sub(told.ran), began.elapsed());
        let asked = env.metered().since(&before).since(&told.meter);
        assert!(env.now() < start, "scheduled before the month begins");

        let began = time::Instant::now();
        let mut run = Run::of(env, &deliver, start, &due);
        let (peak, grown) = run.through(&mut told).await;

        let pinterest = env.pinterest.lock().unwrap();
        let made = pinterest.made.iter().zip(&due);
        let made: Vec<_> = made.filter_map(|(at, due)| Some(((*at)?, *due))).collect();
        Month {
            pins,
            asked,
            asked_ran,
            ticks: run.ticks,
            busy: run.busy,
            busy_ran: run.ran,
            idle: run.idle.unwrap(),
            idle_ran: run.idle_ran,
            told: told.meter,
            told_ran: told.ran,
            changes: told.changes,
            bytes_each: u64::try_from(*env.grown.lock().unwrap()).unwrap() / pins as u64,
            twice: pinterest.again,
            missed: pins - made.len(),
            early: made.iter().filter(|(at, due)| at < due).count(),
            late: made.iter().filter(|(at, due)| *at >= tick_of(start, *due) + MINUTE).count(),
            latest: made.iter().map(|(at, due)| at.duration_since(*due)).max().unwrap(),
            grown,
            peak,
            took: (scheduled, began.elapsed()),
        }
    })
}

/// The tick that has to take what is due then.
fn tick_of(start: Timestamp, due: Timestamp) -> Timestamp {
    let minutes = (due.duration_since(start).as_secs() + 59) / 60;
    start + MINUTE * i32::try_from(minutes).unwrap()
}

fn quarter(number: u64) -> i32 {
    i32::try_from(number).unwrap()
}

pub(crate) async fn schedule(publish: &Publish, channel: &Channel, number: usize, at: Timestamp) {
    let body = json!({
        "channel_id": channel.id,
        "title": format!("A salad for each day of the year, Pin {number}"),
        "description": "Cucumber, tomato, feta and a little mint: ready in ten minutes, and better after an hour. ".repeat(2),
        "link": format!("https://example.com/recipes/salads/{number}"),
        "alt_text": "A bowl of salad on a wooden table",
        "media": {"kind": "image", "url": format!("https://images.example.com/salads/{number}.jpg")},
        "publish_at": at,
    });
    let key = format!("pin-{number}");
    let request = tests::request(&channel.tenant.0, "POST", "/api/v1/pins", Some(&key), &body);
    let answer = handle(publish, request).await;
    assert_eq!(answer.status().as_u16(), 202, "{:?}", answer.body());
}

/// What `events` is woken for, and what it asks for.
struct Told {
    events: Events,
    meter: Meter,
    ran: Duration,
    changes: u64,
}

impl Told {
    async fn tell(&mut self, env: &Arc<ScaleEnv>) {
        let changes = std::mem::take(env.changes.lock().unwrap().as_mut().unwrap());
        let (before, began) = (env.metered(), Instant::now());
        for some in changes.chunks(100) {
            let stream: StreamEvent = serde_json::from_value(json!({"Records": some})).unwrap();
            let unhandled = self.events.publish(stream).await;
            assert!(unhandled.batch_item_failures.is_empty());
        }
        self.meter.add(&env.metered().since(&before), 1);
        self.ran += began.elapsed();
        self.changes += changes.len() as u64;
    }
}

/// All ticks of a month.
struct Run<'a> {
    env: &'a Arc<ScaleEnv>,
    deliver: &'a Deliver,
    start: Timestamp,
    /// The minutes in which something is due.
    wanted: BTreeSet<Timestamp>,
    ticks: Meter,
    busy: u64,
    ran: Duration,
    idle: Option<Meter>,
    idle_ran: Duration,
}

impl<'a> Run<'a> {
    fn of(env: &'a Arc<ScaleEnv>, deliver: &'a Deliver, start: Timestamp, due: &[Timestamp]) -> Self {
        Self {
            env,
            deliver,
            start,
            wanted: due.iter().map(|due| tick_of(start, *due)).collect(),
            ticks: Meter::default(),
            busy: 0,
            ran: Duration::ZERO,
            idle: None,
            idle_ran: Duration::ZERO,
        }
    }

    /// Ticks in every minute in which something is due, and in some others: those are all alike, so the rest of them
    /// is counted and not run. Tells how much memory that needed, see [`Halves::end`].
    async fn through(&mut self, told: &mut Told) -> (f64, f64) {
        for minute in 0..IDLE {
            self.idle(self.start - MINUTE * i32::try_from(IDLE - minute).unwrap()).await;
        }
        let wanted = std::mem::take(&mut self.wanted);
        let mut memory = Halves::begin(&self.env.memory, wanted.len());
        for at in wanted {
            self.env.reach(at).await;
            let (meter, ran) = tick(self.env, self.deliver).await;
            self.ticks.add(&meter, 1);
            self.ran += ran;
            self.busy += 1;
            told.tell(self.env).await;
            memory.step();
        }
        for minute in 1..=IDLE {
            self.idle(self.start + MINUTE * i32::try_from(MINUTES + minute).unwrap()).await;
        }
        let idle = self.idle.clone().unwrap();
        self.ticks.add(&idle, u64::try_from(MINUTES).unwrap() - self.busy);
        memory.end()
    }

    async fn idle(&mut self, at: Timestamp) {
        self.env.reach(at).await;
        let (meter, ran) = tick(self.env, self.deliver).await;
        assert_eq!(meter.all().entries, 0, "nothing is due");
        let before = self.idle.get_or_insert_with(|| meter.clone());
        assert_eq!(*before, meter, "one idle minute is like another");
        self.idle_ran = ran;
    }
}

async fn tick(env: &Arc<ScaleEnv>, deliver: &Deliver) -> (Meter, Duration) {
    let (before, began) = (env.metered(), Instant::now());
    deliver.tick(began + INVOCATION).await.unwrap();
    env.memory.look();
    (env.metered().since(&before), began.elapsed())
}

#[test]
fn a_scheduled_pin_costs_the_same_among_many_as_among_few() {
    let _alone = alone();
    let many = size("SCALE_PINS", USUAL);
    let larger = (many > USUAL).then(|| {
        usual().report();
        month(many)
    });
    let (few, many) = match &larger {
        Some(larger) => (usual(), larger),
        None => (&month(USUAL / 10), usual()),
    };
    if larger.is_none() {
        few.report();
    }
    many.report();

    few.check();
    many.check();
    for (few, many) in few.of_a_pin().into_iter().zip(many.of_a_pin()) {
        assert!((many / few - 1.0).abs() <= 0.1, "{many} among many, {few} among few");
    }
    let grown = few.grown.max(many.grown);
    assert!(!is_alone() || grown <= FLAT, "memory grows: {} MB, then {} MB", few.grown, many.grown);
}
