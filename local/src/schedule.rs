//! Plays the role of EventBridge's rules and of the table's stream: runs the workers, and passes changes to `events`.

use std::sync::{Arc, PoisonError};

use app::handlers::{DeliverJob, RefreshJob, StreamEvent};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use store::DueItem;
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};

use crate::{context::Context, error::Error, functions::Functions};

/// How often the workers run on AWS. Here they sleep while nothing is due. But if a user asks for their status and the last
/// tick is older than this, a tick runs.
const TICK_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// The shortest time between two ticks.
const MIN_TICK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a worker may run, as on Lambda.
const WORKER_TIMEOUT: Duration = Duration::from_mins(15);
/// The time of the daily check, after midnight UTC.
const DAILY_CHECK_TIME: SignedDuration = SignedDuration::from_hours(3);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How many ticks may run in parallel, as invocations do on Lambda, so that a slow one does not delay the others.
const MAX_PARALLEL_TICKS: usize = 8;

/// Runs the workers when something is due, and the daily check at its hour, and publishes events as they come. Sleeps
/// otherwise, even for days. Ends with the stack.
pub(crate) async fn run_timer(context: Arc<Context>) {
    let started_at = context.clock.now();
    let mut ticks = JoinSet::new();
    context.clone().spawn_tick(&mut ticks); // for what became due while this process did not run
    loop {
        while let Some(tick) = ticks.try_join_next() {
            if let Err(error) = tick {
                tracing::error!(%error, "a tick failed");
            }
        }
        let now = context.clock.now();
        let next = match context.find_next(started_at).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the next due work could not be read");
                Next { at: now + TICK_INTERVAL, is_daily_check: false }
            }
        };
        if next.at <= now {
            if !next.is_daily_check {
                context.clone().spawn_tick(&mut ticks);
            } else if let Err(error) = context.run_daily_check().await {
                tracing::error!(%error, "the daily check failed");
                tokio::time::sleep(TICK_INTERVAL.unsigned_abs()).await;
            }
            tokio::time::sleep(MIN_TICK_INTERVAL).await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(sleep_time(next.at.duration_since(now))) => continue,
            () = context.schedule.wake_up.notified() => {}
            () = context.aws.next_write() => {}
        }
        log_error("events could not be published", context.publish_events().await);
    }
}

/// What comes next, unless something is written before.
struct Next {
    at: Timestamp,
    /// Whether it is the daily check.
    is_daily_check: bool,
}

/// How long to sleep before something is due. The timer stands still while a laptop sleeps. So a long sleep is divided:
/// after half of the time, the clock is read again.
fn sleep_time(until_due: SignedDuration) -> Duration {
    let total = until_due.unsigned_abs();
    if total <= TICK_INTERVAL.unsigned_abs() { total } else { total / 2 }
}

fn log_error(message: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "{message}");
    }
}

impl Context {
    /// Starts a tick in a task of its own, unless too many run already.
    fn spawn_tick(self: Arc<Self>, ticks: &mut JoinSet<()>) {
        if ticks.len() < MAX_PARALLEL_TICKS {
            *self.schedule.last_tick.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
            ticks.spawn(async move {
                log_error("a tick failed", self.run_workers().await);
                self.schedule.wake(); // its result may be due again soon
            });
        }
    }

    /// Runs the workers if the last tick is old, so that somebody who asks for their last run gets a recent time.
    pub(crate) async fn run_workers_if_idle(&self) {
        let now = self.clock.now();
        let is_idle = {
            let mut last_tick = self.schedule.last_tick.lock().unwrap_or_else(PoisonError::into_inner);
            let is_idle = last_tick.is_some_and(|at| at + TICK_INTERVAL <= now);
            if is_idle {
                *last_tick = Some(now);
            }
            is_idle
        };
        if is_idle {
            log_error("a tick failed", self.run_workers().await);
        }
    }

    /// Runs both workers once.
    pub(crate) async fn run_workers(&self) -> Result<(), Error> {
        let _clock = self.schedule.clock_lock.read().await;
        self.run_due_work().await
    }

    /// Runs the daily check, and publishes its events.
    pub(crate) async fn run_daily_check(&self) -> Result<(), Error> {
        let _clock = self.schedule.clock_lock.read().await;
        self.check_daily().await?;
        self.read_stream().await
    }

    /// Publishes the changes of the table as events.
    pub(crate) async fn publish_events(&self) -> Result<(), Error> {
        let _clock = self.schedule.clock_lock.read().await;
        self.read_stream().await
    }

    /// Moves the clock forward. All work that becomes due in between is done at its time.
    pub(crate) async fn advance(&self, by: SignedDuration) -> Result<Timestamp, Error> {
        let _clock = self.schedule.clock_lock.write().await;
        let target = self.clock.now() + by;
        let mut due = self.find_due(target).await?;
        let mut last_due: Option<DueItem> = None;
        loop {
            let now = self.clock.now();
            let daily = next_daily_check(now);
            // If the same work is still due after a tick, the tick has left it to the next one.
            let at = match &due {
                Some(due) if due.since <= now && last_due.as_ref() == Some(due) => Some(now + TICK_INTERVAL),
                Some(due) => Some(due.since),
                None => None,
            };
            let next = at.map_or(daily, |at| at.min(daily));
            if next > target {
                break;
            }
            self.clock.move_to(next).map_err(Error::Folder)?;
            if next == daily {
                self.check_daily().await?; // after it, the same work is due as before
            } else {
                self.run_due_work().await?;
                last_due = due;
                due = self.find_due(target).await?;
            }
        }
        self.clock.move_to(target).map_err(Error::Folder)?;
        self.run_due_work().await?;
        self.schedule.wake();
        Ok(self.clock.now())
    }

    /// The daily work: warnings, and the removal of expired rows.
    async fn check_daily(&self) -> Result<(), Error> {
        self.functions.refresh.run(RefreshJob::DailyCheck, Instant::now() + WORKER_TIMEOUT).await?;
        self.aws.remove_expired()?;
        Ok(())
    }

    /// Runs both workers, and publishes their events. The caller holds the clock.
    async fn run_due_work(&self) -> Result<(), Error> {
        let deadline = Instant::now() + WORKER_TIMEOUT;
        self.finish(self.functions.refresh.run(RefreshJob::Tick, deadline).boxed(), deadline).await?;
        self.finish(self.functions.deliver.run(DeliverJob::Tick, deadline).boxed(), deadline).await?;
        self.read_stream().await
    }

    /// Runs a tick, and the workers that are started, until all have ended.
    async fn finish(
        &self,
        tick: BoxFuture<'_, Result<(), app::Error>>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let Functions { deliver, refresh, .. } = &*self.functions;
        let mut running = FuturesUnordered::from_iter([tick]);
        let mut failed = None;
        loop {
            tokio::select! {
                biased;
                event = self.aws.next_invocation() => running.push(if RefreshJob::is_of(&event) {
                    refresh.run(RefreshJob::from_event(&event), deadline).boxed()
                } else {
                    deliver.run(DeliverJob::from_event(&event), deadline).boxed()
                }),
                result = running.next() => match result {
                    Some(result) => failed = result.err().or(failed),
                    None => return failed.map_or(Ok(()), |error| Err(error.into())),
                },
            }
        }
    }

    /// The next work of the workers. The time of the daily check follows from the last one, or from `started_at`.
    async fn find_next(&self, started_at: Timestamp) -> Result<Next, Error> {
        let last_check = self.main.worker_status().await.map_err(app::Error::from)?.daily_check_at;
        let daily = next_daily_check(last_check.unwrap_or(started_at));
        let due = self.find_due(daily).await?;
        Ok(due.map_or(Next { at: daily, is_daily_check: true }, |due| Next {
            at: due.since,
            is_daily_check: false,
        }))
    }

    /// The oldest work that is due at `by`.
    async fn find_due(&self, by: Timestamp) -> Result<Option<DueItem>, Error> {
        let main = self.main.due_index().first(by).await.map_err(app::Error::from)?;
        let tokens = self.tokens.due_index().first(by).await.map_err(app::Error::from)?;
        Ok(main.into_iter().chain(tokens).min_by_key(|due| due.since))
    }

    /// Passes the records of the stream to `events`. If a record always fails, Lambda gives up after some tries and saves
    /// it in a queue for a person. Here it is only logged.
    async fn read_stream(&self) -> Result<(), Error> {
        let _stream = self.schedule.stream_lock.lock().await;
        let stream = self.aws.stream();
        while let Some(batch) = stream.next_batch()? {
            let unhandled = match serde_json::from_value::<StreamEvent>(batch.event.clone()) {
                Ok(changes) => self.functions.events.publish(changes).await.batch_item_failures,
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

/// The time of the next daily check after `now`.
fn next_daily_check(now: Timestamp) -> Timestamp {
    let since = now.duration_since(Timestamp::UNIX_EPOCH) - DAILY_CHECK_TIME;
    let days = since.as_hours() / 24;
    let mut next = Timestamp::UNIX_EPOCH + DAILY_CHECK_TIME + DAY * i32::try_from(days).unwrap_or(i32::MAX);
    while next <= now {
        next += DAY;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_sleep_lasts_until_the_work_is_due_and_a_long_one_is_divided() {
        assert_eq!(sleep_time(SignedDuration::from_secs(40)), Duration::from_secs(40));
        assert_eq!(sleep_time(SignedDuration::from_mins(1)), Duration::from_mins(1));
        assert_eq!(sleep_time(SignedDuration::from_hours(24)), Duration::from_hours(12));
    }

    #[test]
    fn the_daily_check_runs_once_a_day_at_its_hour() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(next_daily_check(at("2026-12-01T02:59:59Z")), at("2026-12-01T03:00:00Z"));
        assert_eq!(next_daily_check(at("2026-12-01T03:00:00Z")), at("2026-12-02T03:00:00Z"));
        assert_eq!(next_daily_check(at("2026-12-01T23:00:00Z")), at("2026-12-02T03:00:00Z"));
    }
}
