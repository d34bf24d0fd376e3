//! What EventBridge's rules and the table's stream do for the functions: wakes the workers, feeds `events`.

use std::sync::{Arc, PoisonError};

use app::{events::Stream, functions::Tick, store::Due};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Mutex, Notify, RwLock},
    task::JoinSet,
    time::{Duration, Instant},
};

use crate::stack::{Error, Inner};

/// As often as on AWS the workers show that they run, if anybody looks.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// With something to do, they are woken this often.
const SECOND: Duration = Duration::from_secs(1);
/// As long as a worker may take on Lambda.
const INVOCATION: Duration = Duration::from_mins(15);
/// The hour (UTC) of the daily roll-call.
const ROLL_CALL: SignedDuration = SignedDuration::from_hours(3);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// So many ticks may run side by side, as invocations do on Lambda: one that takes long holds up nobody else.
const TICKS_AT_ONCE: usize = 8;

/// Who may run when.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    woken: Notify,
    /// The last tick that nobody asked for.
    ticked: std::sync::Mutex<Option<Timestamp>>,
    /// Ticks share the clock; it is moved when none runs.
    moving: RwLock<()>,
    /// The stream has one reader.
    telling: Mutex<()>,
}

impl Schedule {
    /// Something was written: there may be something to do, or to tell.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }
}

/// Wakes the workers when something is due, and at the daily hour; tells events as they come. Sleeps otherwise, for
/// days if need be. Ends with the stack.
pub(crate) async fn run(stack: Arc<Inner>) {
    let started = stack.clock.now();
    let mut ticks = JoinSet::new();
    stack.clone().tick_beside(&mut ticks); // what fell due while nobody was here
    loop {
        while let Some(ended) = ticks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a tick failed");
            }
        }
        let now = stack.clock.now();
        let next = match stack.next(started).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "what is due could not be read");
                Next { at: now + MINUTE, daily: false }
            }
        };
        if next.at <= now {
            if !next.daily {
                stack.clone().tick_beside(&mut ticks);
            } else if let Err(error) = stack.roll_call().await {
                tracing::error!(%error, "the roll-call failed");
                tokio::time::sleep(MINUTE.unsigned_abs()).await;
            }
            tokio::time::sleep(SECOND).await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(nap(next.at.duration_since(now))) => {}
            () = stack.schedule.woken.notified() => told("events could not be told", stack.tell().await),
            () = stack.aws.written() => told("events could not be told", stack.tell().await),
        }
    }
}

/// What comes next, unless something is written before.
struct Next {
    at: Timestamp,
    /// It is the roll-call.
    daily: bool,
}

/// How long to sleep before something is due. While a laptop sleeps, so does the timer: it is looked at again on the
/// way, so that nothing is late by more than what was left to wait for.
fn nap(until_due: SignedDuration) -> Duration {
    let whole = until_due.unsigned_abs();
    if whole <= MINUTE.unsigned_abs() { whole } else { whole / 2 }
}

fn told(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what}");
    }
}

impl Inner {
    /// A tick of its own, unless many run already.
    fn tick_beside(self: Arc<Self>, ticks: &mut JoinSet<()>) {
        if ticks.len() < TICKS_AT_ONCE {
            *self.schedule.ticked.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
            ticks.spawn(async move {
                told("a tick failed", self.tick().await);
                self.schedule.wake(); // what it has done may be due again, and soon
            });
        }
    }

    /// Whoever looks at the workers sees them run: with nothing to do, they have not been woken for long.
    pub(crate) async fn show_alive(&self) {
        let now = self.clock.now();
        let idle = {
            let mut ticked = self.schedule.ticked.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = ticked.is_some_and(|at| at + MINUTE <= now);
            if idle {
                *ticked = Some(now);
            }
            idle
        };
        if idle {
            told("a tick failed", self.tick().await);
        }
    }

    /// One wake-up of both minute workers.
    pub(crate) async fn tick(&self) -> Result<(), Error> {
        let _still = self.schedule.moving.read().await;
        self.work().await
    }

    /// The daily roll-call.
    pub(crate) async fn roll_call(&self) -> Result<(), Error> {
        let _still = self.schedule.moving.read().await;
        self.daily().await?;
        self.tell_all().await
    }

    /// Tells what has changed to the bus.
    pub(crate) async fn tell(&self) -> Result<(), Error> {
        let _still = self.schedule.moving.read().await;
        self.tell_all().await
    }

    /// Moves the clock, doing on the way all that falls due, at its time.
    pub(crate) async fn advance(&self, by: SignedDuration) -> Result<Timestamp, Error> {
        let _moving = self.schedule.moving.write().await;
        let target = self.clock.now() + by;
        let mut due = self.next_due(target).await?;
        let mut before: Option<Due> = None;
        loop {
            let now = self.clock.now();
            let daily = next_roll_call(now);
            // What is still due after a tick was left for the next one.
            let at = match &due {
                Some(due) if due.since <= now && before.as_ref() == Some(due) => Some(now + MINUTE),
                Some(due) => Some(due.since),
                None => None,
            };
            let next = at.map_or(daily, |at| at.min(daily));
            if next > target {
                break;
            }
            self.clock.move_to(next).map_err(Error::Folder)?;
            if next == daily {
                self.daily().await?; // it makes nothing due
            } else {
                self.work().await?;
                before = due;
                due = self.next_due(target).await?;
            }
        }
        self.clock.move_to(target).map_err(Error::Folder)?;
        self.work().await?;
        self.schedule.wake();
        Ok(self.clock.now())
    }

    /// What happens once a day: warnings, and rows that have expired go.
    async fn daily(&self) -> Result<(), Error> {
        self.functions.refresh.tick(Tick::RollCall, Instant::now() + INVOCATION).await?;
        self.aws.remove_expired()?;
        Ok(())
    }

    async fn work(&self) -> Result<(), Error> {
        let deadline = Instant::now() + INVOCATION;
        self.functions.refresh.tick(Tick::Due, deadline).await?;
        self.functions.deliver.tick(deadline).await?;
        self.tell_all().await
    }

    /// What the workers are to be woken for next. Roll-calls are counted from the last, or from `started`.
    async fn next(&self, started: Timestamp) -> Result<Next, Error> {
        let rolled = self.main.worker().await.map_err(app::Error::from)?.rolled_at;
        let daily = next_roll_call(rolled.unwrap_or(started));
        let due = self.next_due(daily).await?;
        Ok(due.map_or(Next { at: daily, daily: true }, |due| Next { at: due.since, daily: false }))
    }

    /// The oldest work that is due by then.
    async fn next_due(&self, by: Timestamp) -> Result<Option<Due>, Error> {
        let main = self.main.first_due(by).await.map_err(app::Error::from)?;
        let tokens = self.tokens.first_due(by).await.map_err(app::Error::from)?;
        Ok(main.into_iter().chain(tokens).min_by_key(|due| due.since))
    }

    /// Feeds the stream to `events`. Lambda would give up a record that cannot be told after some tries, and
    /// keep it for a person; here the log keeps it.
    async fn tell_all(&self) -> Result<(), Error> {
        let _telling = self.schedule.telling.lock().await;
        let stream = self.aws.stream();
        while let Some(batch) = stream.next_batch()? {
            let unhandled = match serde_json::from_value::<Stream>(batch.event.clone()) {
                Ok(changes) => self.functions.events.tell(changes).await.batch_item_failures,
                Err(error) => {
                    tracing::error!(%error, "a batch of changes could not be read");
                    Vec::new()
                }
            };
            match unhandled.into_iter().find_map(|first| first.item_identifier) {
                Some(number) => stream.commit_through(&number)?,
                None => stream.commit(&batch)?,
            }
        }
        Ok(())
    }
}

/// The next roll-call after `now`.
fn next_roll_call(now: Timestamp) -> Timestamp {
    let since = now.duration_since(Timestamp::UNIX_EPOCH) - ROLL_CALL;
    let days = since.as_hours() / 24;
    let mut next = Timestamp::UNIX_EPOCH + ROLL_CALL + DAY * i32::try_from(days).unwrap_or(i32::MAX);
    while next <= now {
        next += DAY;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_slept_until_and_what_is_far_is_looked_at_on_the_way() {
        assert_eq!(nap(SignedDuration::from_secs(40)), Duration::from_secs(40));
        assert_eq!(nap(SignedDuration::from_mins(1)), Duration::from_mins(1));
        assert_eq!(nap(SignedDuration::from_hours(24)), Duration::from_hours(12));
    }

    #[test]
    fn the_roll_call_comes_once_a_day_at_its_hour() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(next_roll_call(at("2026-12-01T02:59:59Z")), at("2026-12-01T03:00:00Z"));
        assert_eq!(next_roll_call(at("2026-12-01T03:00:00Z")), at("2026-12-02T03:00:00Z"));
        assert_eq!(next_roll_call(at("2026-12-01T23:00:00Z")), at("2026-12-02T03:00:00Z"));
    }
}
