//! The driver of a run: thirty days with the faults of one seed, and then time without faults until all work is done.

use std::{
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::Poll,
};

use app::{
    Setup, handlers::Channels, handlers::Deliver, handlers::DeliverJob, handlers::OauthCallback,
    handlers::OauthStart, handlers::Pins, handlers::Publish, handlers::Refresh, handlers::RefreshJob,
};
use delivery::PinPublisher;
use futures::future::{join_all, select};
use jiff::SignedDuration;
use tokio::{
    task::{LocalSet, spawn_local},
    time::{Duration, sleep, timeout},
};

use crate::{
    aws::{MAIN, TOKENS},
    env::SimEnv,
    invariants::{Stats, Violation},
    lambda::Lambda,
    mutants::Mutant,
    scenario::DAYS,
    workload::{Person, PlannedPin},
};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// Lambda ends an invocation of a worker after this time.
const WORKER_LIMIT: Duration = Duration::from_mins(5);
/// Lambda ends an invocation of a request after this time.
const REQUEST_LIMIT: Duration = Duration::from_mins(1);

/// How a run ended.
pub(crate) struct RunResult {
    pub(crate) violation: Option<Violation>,
    pub(crate) history: Vec<String>,
    pub(crate) stats: Stats,
}

/// The functions of the stack that the simulation runs.
pub(crate) struct Functions {
    pub(crate) env: Arc<SimEnv>,
    pub(crate) start: Lambda<OauthStart>,
    pub(crate) callback: Lambda<OauthCallback>,
    pub(crate) channels: Lambda<Channels>,
    pub(crate) publish: Lambda<Publish>,
    pub(crate) pins: Lambda<Pins>,
    deliver: Lambda<Deliver>,
    refresh: Lambda<Refresh>,
}

impl Functions {
    fn new(env: &Arc<SimEnv>) -> Self {
        Self {
            env: env.clone(),
            start: Lambda::new(env, "oauth-start", REQUEST_LIMIT, |_, setup| {
                OauthStart::new(setup.main_table().unwrap(), setup.pinterest(), setup)
            }),
            callback: Lambda::new(env, "oauth-callback", REQUEST_LIMIT, |_, setup| {
                let secret = setup.settings_secret().unwrap();
                let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
                OauthCallback::new(secret, setup.vault().unwrap(), main, tokens, setup.pinterest(), setup)
            }),
            channels: Lambda::new(env, "channels", REQUEST_LIMIT, |_, setup| {
                Channels::new(tests::sessions(setup), setup)
            }),
            publish: Lambda::new(env, "publish", REQUEST_LIMIT, |env, setup| {
                Publish::new(publisher(env, setup), setup)
            }),
            pins: Lambda::new(env, "pins", REQUEST_LIMIT, |_, setup| {
                Pins::new(
                    setup.main_table().unwrap(),
                    setup.media_bucket().unwrap(),
                    setup.media_fetch().unwrap(),
                    setup,
                )
            }),
            deliver: Lambda::new(env, "deliver", WORKER_LIMIT, |env, setup| {
                Deliver::new(publisher(env, setup), setup.workers().unwrap(), setup)
            }),
            refresh: Lambda::new(env, "refresh", WORKER_LIMIT, |env, setup| {
                let mut refresh = tests::refresh(setup);
                if let Some(mutant) = env.mutant {
                    refresh.decide = mutant.refresh;
                }
                refresh
            }),
        }
    }
}

fn publisher(env: &SimEnv, setup: &Setup) -> PinPublisher {
    let mut publisher = tests::publisher(setup);
    if let Some(mutant) = env.mutant {
        publisher.decide = mutant.deliver;
    }
    publisher
}

/// Runs a seed alone on its thread, with a clock that jumps from event to event.
pub(crate) fn run(seed: u64, mutant: Option<Mutant>, with_history: bool) -> RunResult {
    fastrand::seed(seed); // the SDK takes the jitter of its retries from this thread's generator
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let env = SimEnv::new(seed, mutant, with_history);
        let mut all = pin!(run_all(&env));
        let violation = || env.invariants.lock().unwrap().violation();
        poll_fn(|context| if violation().is_some() { Poll::Ready(()) } else { all.as_mut().poll(context) })
            .await;
        let invariants = env.invariants.lock().unwrap();
        let stats = Stats { calls: env.calls(), ..invariants.stats };
        RunResult { violation: invariants.violation(), history: env.history.take(), stats }
    })
}

async fn run_all(env: &Arc<SimEnv>) {
    let functions = Rc::new(Functions::new(env));
    let rng = &env.rng;
    let mut planned_pins: Vec<Vec<PlannedPin>> = vec![Vec::new(); env.scenario.channels];
    for number in 0..env.scenario.pins {
        let person = usize::try_from(rng.between(0, env.scenario.channels as u64)).unwrap();
        planned_pins[person].push(PlannedPin::random(env, number));
    }
    let people: Vec<_> = (0..env.scenario.channels).map(|number| Person::new(&functions, number)).collect();
    let workload = people.iter().zip(planned_pins).map(|(person, planned_pins)| person.run(planned_pins));
    let workers = (0..env.scenario.workers).map(|number| worker(&functions, number));
    let everybody =
        pin!(async { futures::join!(join_all(workload), join_all(workers), start_workers(&functions)) });
    select(everybody, pin!(drive_to_rest(env))).await;
}

/// Lets thirty days pass, ends all faults, and waits until no work is left.
async fn drive_to_rest(env: &SimEnv) {
    sleep(DAY * u32::try_from(DAYS).unwrap()).await;
    env.faults_ended.store(true, Relaxed);
    env.note(|| "faults end".to_owned());
    let is_at_rest = || {
        let open = |row: &serde_json::Value| {
            ["scheduled", "sending", "waiting", "in_doubt", "needs_review"]
                .contains(&row["state"].as_str().unwrap())
        };
        let lost = |row: &serde_json::Value| row["connection"]["status"] != "connected";
        !env.tables.rows("PIN#").iter().any(|row| open(row))
            && !env.tables.rows("CHANNEL#").iter().any(|row| lost(row))
    };
    for _ in 0..24 * 14 {
        sleep(MINUTE * 60).await;
        if is_at_rest() {
            break;
        }
    }
    let mut invariants = env.invariants.lock().unwrap();
    for row in env.tables.rows("CHANNEL#") {
        if row["connection"]["status"] != "connected" {
            invariants.violate("every channel is connected in the end", || row.to_string());
        }
    }
    invariants.check_pins_at_end(env);
}

/// Ticks every minute, if there may be work.
async fn worker(functions: &Functions, number: usize) {
    let env = &functions.env;
    let phase = if env.scenario.workers_in_step { 0 } else { env.rng.between(0, 60_000) };
    let phase = SignedDuration::from_millis(i64::try_from(phase).unwrap());
    let mut checked_at = env.now();
    loop {
        until_due(env).await;
        let into = env.now().duration_since(env.epoch()) - phase;
        let left = 60_000 - into.as_millis().rem_euclid(60_000);
        sleep(Duration::from_millis(u64::try_from(left).unwrap())).await;
        // Another worker may do the work. To simulate every tick costs time, and a skipped tick must not matter.
        if env.fault_happens(env.scenario.tick_skip_rate) {
            continue;
        }
        if number == 0
            && env.scenario.daily_checks
            && env.now().duration_since(checked_at) >= SignedDuration::from_hours(24)
        {
            checked_at = env.now();
            run_refresh(functions, RefreshJob::DailyCheck).await;
        }
        let is_doubled = env.fault_happens(0.05);
        let (deliver, refresh) = (has_due_work(env, MAIN), has_due_work(env, TOKENS));
        let first = async {
            futures::join!(
                async {
                    if deliver {
                        tick_deliver(functions).await;
                    }
                },
                async {
                    if refresh {
                        run_refresh(functions, RefreshJob::Tick).await;
                    }
                },
            );
        };
        let second_deliver = async {
            if is_doubled && deliver {
                tick_deliver(functions).await;
            }
        };
        let second_refresh = async {
            if is_doubled && refresh {
                run_refresh(functions, RefreshJob::Tick).await;
            }
        };
        futures::join!(first, second_deliver, second_refresh);
    }
}

/// Runs the workers that ticks start.
async fn start_workers(functions: &Rc<Functions>) {
    loop {
        let event = functions.env.starts.next().await;
        let functions = functions.clone();
        spawn_local(async move {
            if RefreshJob::is_of(&event) {
                run_refresh(&functions, RefreshJob::from_event(&event)).await;
            } else {
                run_deliver(&functions, DeliverJob::from_event(&event)).await;
            }
        });
    }
}

async fn tick_deliver(functions: &Functions) {
    run_deliver(functions, DeliverJob::Tick).await;
}

async fn run_deliver(functions: &Functions, job: DeliverJob) {
    let done = functions
        .deliver
        .invoke(async move |deliver: &Deliver, end| Box::pin(deliver.run(job, end)).await)
        .await;
    if let Some(Err(error)) = done {
        functions.env.note(|| format!("deliver failed: {}", platform::chain(&error)));
    }
}

async fn run_refresh(functions: &Functions, job: RefreshJob) {
    let done =
        functions.refresh.invoke(async move |refresh: &Refresh, end| Box::pin(refresh.run(job, end)).await);
    if let Some(Err(error)) = done.await {
        functions.env.note(|| format!("refresh failed: {}", platform::chain(&error)));
    }
}

/// Whether a worker whose clock is ahead may find work.
fn has_due_work(env: &SimEnv, table: &str) -> bool {
    let ahead = SignedDuration::from_secs(env.scenario.clock_skew_secs);
    env.tables.next_due(table).is_some_and(|due| due <= env.now() + ahead)
}

async fn until_due(env: &SimEnv) {
    while !(has_due_work(env, MAIN) || has_due_work(env, TOKENS)) {
        let next = [MAIN, TOKENS].into_iter().filter_map(|table| env.tables.next_due(table)).min();
        let wait = next.map_or(DAY, |next| {
            let ahead = SignedDuration::from_secs(env.scenario.clock_skew_secs);
            Duration::try_from(next.duration_since(env.now()) - ahead).unwrap_or_default()
        });
        // The clock of tokio counts milliseconds: a shorter wait would be none.
        drop(timeout(wait.max(Duration::from_millis(1)), env.work_added.notified()).await);
    }
}
