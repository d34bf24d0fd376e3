//! What EventBridge's rules and the table's stream do for the functions: wakes the workers, feeds `events`.

use std::sync::Arc;

use app::{events::Stream, functions::Tick, store::Due};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Mutex, Notify, RwLock},
    task::JoinSet,
    time::{Duration, Instant},
};

use crate::stack::{Error, Inner};

/// As often as on AWS the workers show that they run, even with nothing to do.
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

/// Wakes the workers when something is due, and once a minute; tells events as they come. Ends with the stack.
pub(crate) async fn run(stack: Arc<Inner>) {
    let mut last_tick: Option<Timestamp> = None;
    let mut ticks = JoinSet::new();
    loop {
        while let Some(ended) = ticks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a tick failed");
            }
        }
        let now = stack.clock.now();
        let due = match stack.next_due(now + MINUTE).await {
            Ok(due) => due.map(|due| due.since),
            Err(error) => {
                tracing::error!(%error, "what is due could not be read");
                None
            }
        };
        let minute = last_tick.map_or(now, |last| last + MINUTE);
        let next = due.map_or(minute, |due| due.min(minute));
        if next <= now {
            if ticks.len() < TICKS_AT_ONCE {
                let stack = stack.clone();
                ticks.spawn(async move {
                    if let Err(error) = stack.tick().await {
                        tracing::error!(%error, "a tick failed");
                    }
                });
                last_tick = Some(now);
            }
            tokio::time::sleep(SECOND).await;
            continue;
        }
        let wait = Duration::try_from(next.duration_since(now)).unwrap_or(SECOND);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stack.schedule.woken.notified() => {
                if let Err(error) = stack.tell().await {
                    tracing::error!(%error, "events could not be told");
                }
            }
        }
    }
}

impl Inner {
    /// One wake-up of both minute workers.
    pub(crate) async fn tick(&self) -> Result<(), Error> {
        let _still = self.schedule.moving.read().await;
        self.work().await
    }

    /// The daily roll-call.
    pub(crate) async fn roll_call(&self) -> Result<(), Error> {
        let _still = self.schedule.moving.read().await;
        self.functions.refresh.tick(Tick::RollCall, Instant::now() + INVOCATION).await?;
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
                // It warns, and makes nothing due.
                self.functions.refresh.tick(Tick::RollCall, Instant::now() + INVOCATION).await?;
                self.aws.remove_expired()?;
            } else {
                self.work().await?;
                before = due;
                due = self.next_due(target).await?;
            }
        }
        self.clock.move_to(target).map_err(Error::Folder)?;
        self.work().await?;
        Ok(self.clock.now())
    }

    async fn work(&self) -> Result<(), Error> {
        let deadline = Instant::now() + INVOCATION;
        self.functions.refresh.tick(Tick::Due, deadline).await?;
        self.functions.deliver.tick(deadline).await?;
        self.tell_all().await
    }

    /// The oldest work that is due by then.
    async fn next_due(&self, by: Timestamp) -> Result<Option<Due>, Error> {
        let main = self.main.due(by, 1).await.map_err(app::Error::from)?;
        let tokens = self.tokens.due(by, 1).await.map_err(app::Error::from)?;
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
    fn the_roll_call_comes_once_a_day_at_its_hour() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(next_roll_call(at("2026-12-01T02:59:59Z")), at("2026-12-01T03:00:00Z"));
        assert_eq!(next_roll_call(at("2026-12-01T03:00:00Z")), at("2026-12-02T03:00:00Z"));
        assert_eq!(next_roll_call(at("2026-12-01T23:00:00Z")), at("2026-12-02T03:00:00Z"));
    }
}
