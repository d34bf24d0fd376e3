//! One run: thirty days of one seed, and the calm after.

use std::{
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::Poll,
};

use app::{
    Setup,
    functions::{Channels, Deliver, OauthCallback, OauthStart, Pins, Publish, Refresh, Sender, Tick},
};
use futures::future::{join_all, select};
use jiff::SignedDuration;
use tokio::{
    task::LocalSet,
    time::{Duration, sleep, timeout},
};

use crate::{
    aws::{MAIN, TOKENS},
    lambda::Lambda,
    mutants::Mutant,
    people::{Person, Plan},
    plan::DAYS,
    rules::{Broken, Tally},
    world::World,
};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// A worker's invocation is ended after so long.
const WORKER_LIMIT: Duration = Duration::from_mins(5);
/// A request's.
const REQUEST_LIMIT: Duration = Duration::from_mins(1);

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) broken: Option<Broken>,
    pub(crate) history: Vec<String>,
    pub(crate) tally: Tally,
}

/// The stack.
pub(crate) struct Functions {
    pub(crate) world: Arc<World>,
    pub(crate) start: Lambda<OauthStart>,
    pub(crate) callback: Lambda<OauthCallback>,
    pub(crate) channels: Lambda<Channels>,
    pub(crate) publish: Lambda<Publish>,
    pub(crate) pins: Lambda<Pins>,
    deliver: Lambda<Deliver>,
    refresh: Lambda<Refresh>,
}

impl Functions {
    fn new(world: &Arc<World>) -> Self {
        Self {
            world: world.clone(),
            start: Lambda::new(world, "oauth-start", REQUEST_LIMIT, |_, setup| {
                OauthStart::new(setup.main_table().unwrap(), setup.pinterest(), setup)
            }),
            callback: Lambda::new(world, "oauth-callback", REQUEST_LIMIT, |_, setup| {
                let secret = setup.settings_secret().unwrap();
                let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
                OauthCallback::new(secret, setup.vault().unwrap(), main, tokens, setup.pinterest(), setup)
            }),
            channels: Lambda::new(world, "channels", REQUEST_LIMIT, |_, setup| {
                let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
                Channels::new(setup.vault().unwrap(), main, tokens, setup.pinterest(), setup)
            }),
            publish: Lambda::new(world, "publish", REQUEST_LIMIT, |world, setup| {
                Publish::new(sender(world, setup), setup)
            }),
            pins: Lambda::new(world, "pins", REQUEST_LIMIT, |_, setup| {
                Pins::new(setup.main_table().unwrap(), setup)
            }),
            deliver: Lambda::new(world, "deliver", WORKER_LIMIT, |world, setup| {
                Deliver::new(sender(world, setup))
            }),
            refresh: Lambda::new(world, "refresh", WORKER_LIMIT, |world, setup| {
                let secret = setup.settings_secret().unwrap();
                let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
                let mut refresh =
                    Refresh::new(secret, setup.vault().unwrap(), main, tokens, setup.pinterest(), setup);
                if let Some(mutant) = world.mutant {
                    refresh.decide = mutant.refresh;
                }
                refresh
            }),
        }
    }
}

fn sender(world: &World, setup: &Setup) -> Sender {
    let mut sender = tests::sender(setup);
    if let Some(mutant) = world.mutant {
        sender.decide = mutant.deliver;
    }
    sender
}

/// Runs a seed: alone on its thread, with a clock that jumps from event to event.
pub(crate) fn run(seed: u64, mutant: Option<Mutant>, with_history: bool) -> Ended {
    fastrand::seed(seed); // the SDK's retries are spread by this thread's generator
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let world = World::new(seed, mutant, with_history);
        let mut life = pin!(life(&world));
        let verdict = || world.rules.lock().unwrap().verdict();
        poll_fn(|context| if verdict().is_some() { Poll::Ready(()) } else { life.as_mut().poll(context) })
            .await;
        let rules = world.rules.lock().unwrap();
        let tally = Tally { calls: world.calls(), ..rules.tally };
        Ended { broken: rules.verdict(), history: world.history.take(), tally }
    })
}

async fn life(world: &Arc<World>) {
    let functions = Rc::new(Functions::new(world));
    let dice = &world.dice;
    let mut plans: Vec<Vec<Plan>> = vec![Vec::new(); world.plan.channels];
    for number in 0..world.plan.pins {
        let person = usize::try_from(dice.between(0, world.plan.channels as u64)).unwrap();
        plans[person].push(Plan::of(world, number));
    }
    let people: Vec<_> = (0..world.plan.channels).map(|number| Person::new(&functions, number)).collect();
    let lives = people.iter().zip(plans).map(|(person, plans)| person.live(plans));
    let workers = (0..world.plan.workers).map(|number| worker(&functions, number));
    let everybody = pin!(async { futures::join!(join_all(lives), join_all(workers)) });
    select(everybody, pin!(conduct(world))).await;
}

/// Lets thirty days pass, ends all trouble, and waits for everything to come to rest.
async fn conduct(world: &World) {
    sleep(DAY * u32::try_from(DAYS).unwrap()).await;
    world.calm.store(true, Relaxed);
    world.note(|| "everything is calm".to_owned());
    let rests = || {
        let open = |row: &serde_json::Value| {
            ["scheduled", "sending", "waiting", "in_doubt"].contains(&row["state"].as_str().unwrap())
        };
        let lost = |row: &serde_json::Value| row["connection"]["status"] != "connected";
        !world.tables.rows("PIN#").iter().any(|row| open(row))
            && !world.tables.rows("CHANNEL#").iter().any(|row| lost(row))
    };
    for _ in 0..24 * 14 {
        sleep(MINUTE * 60).await;
        if rests() {
            break;
        }
    }
    let mut rules = world.rules.lock().unwrap();
    for row in world.tables.rows("CHANNEL#") {
        if row["connection"]["status"] != "connected" {
            rules.broken("every channel is connected in the end", || row.to_string());
        }
    }
    rules.pins_at_rest(world);
}

/// Wakes every minute, if there may be work.
async fn worker(functions: &Functions, number: usize) {
    let world = &functions.world;
    let phase = if world.plan.in_step { 0 } else { world.dice.between(0, 60_000) };
    let phase = SignedDuration::from_millis(i64::try_from(phase).unwrap());
    let mut rolled_at = world.now();
    loop {
        until_due(world).await;
        let into = world.now().duration_since(world.epoch()) - phase;
        let left = 60_000 - into.as_millis().rem_euclid(60_000);
        sleep(Duration::from_millis(u64::try_from(left).unwrap())).await;
        // Others may do the work: few wake-ups are worth simulating, and losing one must not matter.
        if world.befalls(world.plan.skips) {
            continue;
        }
        if number == 0
            && world.plan.roll_calls
            && world.now().duration_since(rolled_at) >= SignedDuration::from_hours(24)
        {
            rolled_at = world.now();
            tick_refresh(functions, Tick::RollCall).await;
        }
        let doubled = world.befalls(0.05);
        let (deliver, refresh) = (is_due(world, MAIN), is_due(world, TOKENS));
        let once = async {
            futures::join!(
                async {
                    if deliver {
                        tick_deliver(functions).await;
                    }
                },
                async {
                    if refresh {
                        tick_refresh(functions, Tick::Due).await;
                    }
                },
            );
        };
        let twice = async {
            if doubled && deliver {
                tick_deliver(functions).await;
            }
        };
        let again = async {
            if doubled && refresh {
                tick_refresh(functions, Tick::Due).await;
            }
        };
        futures::join!(once, twice, again);
    }
}

async fn tick_deliver(functions: &Functions) {
    let done =
        functions.deliver.invoke(async |deliver: &Deliver, end| Box::pin(deliver.tick(end)).await).await;
    if let Some(Err(error)) = done {
        functions.world.note(|| format!("deliver failed: {}", app::error::chain(&error)));
    }
}

async fn tick_refresh(functions: &Functions, tick: Tick) {
    let done =
        functions.refresh.invoke(async move |refresh: &Refresh, end| Box::pin(refresh.tick(tick, end)).await);
    if let Some(Err(error)) = done.await {
        functions.world.note(|| format!("refresh failed: {}", app::error::chain(&error)));
    }
}

/// Whether there is work, for somebody whose clock may be ahead.
fn is_due(world: &World, table: &str) -> bool {
    let ahead = SignedDuration::from_secs(world.plan.skew);
    world.tables.next_due(table).is_some_and(|due| due <= world.now() + ahead)
}

async fn until_due(world: &World) {
    while !(is_due(world, MAIN) || is_due(world, TOKENS)) {
        let next = [MAIN, TOKENS].into_iter().filter_map(|table| world.tables.next_due(table)).min();
        let wait = next.map_or(DAY, |next| {
            let ahead = SignedDuration::from_secs(world.plan.skew);
            Duration::try_from(next.duration_since(world.now()) - ahead).unwrap_or_default()
        });
        // Time's grain is a millisecond: less would be no wait at all.
        drop(timeout(wait.max(Duration::from_millis(1)), world.stirred.notified()).await);
    }
}
