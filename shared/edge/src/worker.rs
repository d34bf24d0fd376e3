//! Serving events that are not requests: Lambda's clock and Lambda's stream.

use std::{
    future::Future,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::FutureExt as _;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use platform::chain;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Duration, Instant};

use crate::Exit;

/// Reserved at the end of an invocation, because a late answer is an error.
const RESERVE: Duration = Duration::from_secs(2);
/// Lambda lets no invocation run for longer.
const MAX_INVOCATION: Duration = Duration::from_mins(15);

/// Serves a function's events until Lambda ends the process. The work gets its deadline. An error is returned to Lambda,
/// which retries and then sends the event to the dead-letter queue.
pub async fn serve<T, E, A, W, F, Fut>(function: T, work: F) -> Exit
where
    T: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    W: std::error::Error + Send + 'static,
    F: Fn(Arc<T>, E, Instant) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, W>> + Send + 'static,
{
    let function = Arc::new(function);
    run(service_fn(move |event: LambdaEvent<E>| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = Instant::now() + time_left(event.context.deadline, now);
        // Boxed: the SDK's futures nest deeper than the compiler likes to look through.
        let done = work(function.clone(), event.payload, deadline).boxed();
        // The runtime logs the error.
        async move { done.await.map_err(|error| Error::from(chain(&error))) }
    }))
    .await?;
    Ok(())
}

/// `deadline`: milliseconds since 1970, as `now`. `cargo lambda watch` gives the time that is left instead.
fn time_left(deadline: u64, now: Duration) -> Duration {
    let deadline = Duration::from_millis(deadline);
    let left = if deadline <= MAX_INVOCATION { deadline } else { deadline.saturating_sub(now) };
    left.saturating_sub(RESERVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_counted_to_the_deadline_or_given_by_itself() {
        let now = Duration::from_hours(498_921);
        let in_a_minute = u64::try_from((now + Duration::from_mins(1)).as_millis()).unwrap();
        assert_eq!(time_left(in_a_minute, now), Duration::from_secs(58));
        assert_eq!(time_left(60_000, now), Duration::from_secs(58));
        assert_eq!(time_left(in_a_minute, now + Duration::from_mins(2)), Duration::ZERO);
    }
}
