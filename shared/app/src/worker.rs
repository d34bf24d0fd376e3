//! Serving events that are not requests: Lambda's clock and Lambda's stream.

use std::{future::Future, sync::Arc};

use futures_util::FutureExt as _;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Duration, Instant};

use crate::Exit;

/// Left of an invocation for what comes after the work: an answer that comes too late is an error.
const RESERVE: Duration = Duration::from_secs(2);

/// Serves a function's events until Lambda ends the process. The work is told when its time is up. An error
/// goes back to Lambda, which tries again and then keeps the event for a person to see.
pub async fn serve<T, E, A, F, Fut>(function: T, work: F) -> Exit
where
    T: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Fn(Arc<T>, E, Instant) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, crate::Error>> + Send + 'static,
{
    let function = Arc::new(function);
    run(service_fn(move |event: LambdaEvent<E>| {
        let deadline = Instant::now() + time_left(event.context.deadline);
        // Boxed: the SDK's futures nest deeper than the compiler likes to look through.
        let done = work(function.clone(), event.payload, deadline).boxed();
        async move {
            done.await.map_err(|error| {
                let error = crate::error::chain(&error);
                tracing::error!(error, "an invocation failed");
                Error::from(error)
            })
        }
    }))
    .await?;
    Ok(())
}

/// `deadline`: milliseconds since 1970.
fn time_left(deadline: u64) -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline).saturating_sub(now).saturating_sub(RESERVE)
}
