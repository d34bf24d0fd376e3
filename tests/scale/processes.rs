//! Lambda: processes that serve one event at a time, are kept, and overlap.

use std::sync::{Arc, Mutex};

use adapters::{ResponseFuture, Transport};
use app::handlers::{Deliver, DeliverJob, Refresh, RefreshJob};
use futures::future::BoxFuture;
use tokio::time::{Duration, Instant, sleep};

use crate::{env::ScaleEnv, month, refresh};

/// The processes of one function.
pub(crate) struct Pool<T> {
    idle: Vec<(u64, Arc<T>)>,
    /// How many were started.
    pub(crate) count: u64,
    running: usize,
    pub(crate) most_running: usize,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { idle: Vec::new(), count: 0, running: 0, most_running: 0 }
    }
}

impl<T> Pool<T> {
    fn begin(&mut self) {
        self.running += 1;
        self.most_running = self.most_running.max(self.running);
    }

    /// A process that is free, or the number of a new one.
    fn take(&mut self) -> Result<(u64, Arc<T>), u64> {
        self.idle.pop().ok_or_else(|| {
            self.count += 1;
            self.count
        })
    }
}

impl ScaleEnv {
    /// Runs `deliver`, after a while.
    pub(crate) fn invoke_deliver(self: &Arc<Self>, job: DeliverJob, after: Duration) {
        self.invoke(
            |env| &env.deliverers,
            Self::deliver_as,
            after,
            |deliver| {
                Box::pin(async move { deliver.run(job, Instant::now() + month::INVOCATION).await.unwrap() })
            },
        );
    }

    /// Runs `refresh`, after a while.
    pub(crate) fn invoke_refresh(self: &Arc<Self>, job: RefreshJob, after: Duration) {
        self.invoke(
            |env| &env.refreshers,
            |env, _| env.refresh(),
            after,
            |refresh| {
                Box::pin(async move { refresh.run(job, Instant::now() + refresh::INVOCATION).await.unwrap() })
            },
        );
    }

    /// In a process that is free, or in a new one.
    fn invoke<T: Send + Sync + 'static>(
        self: &Arc<Self>,
        pool: fn(&Self) -> &Mutex<Pool<T>>,
        build: fn(&Arc<Self>, u64) -> T,
        after: Duration,
        work: impl FnOnce(Arc<T>) -> BoxFuture<'static, ()> + Send + 'static,
    ) {
        let env = self.clone();
        pool(&env).lock().unwrap().begin();
        tokio::spawn(async move {
            sleep(after).await;
            let taken = pool(&env).lock().unwrap().take();
            let (number, function) = taken.unwrap_or_else(|number| (number, Arc::new(build(&env, number))));
            work(function.clone()).await;
            let mut pool = pool(&env).lock().unwrap();
            pool.idle.push((number, function));
            pool.running -= 1;
        });
    }

    /// Waits until nothing runs.
    pub(crate) async fn finish(&self) {
        let is_busy =
            || self.deliverers.lock().unwrap().running + self.refreshers.lock().unwrap().running > 0;
        while is_busy() {
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Forgets the processes, and how many there were.
    pub(crate) fn forget_processes(&self) {
        *self.deliverers.lock().unwrap() = Pool::<Deliver>::default();
        *self.refreshers.lock().unwrap() = Pool::<Refresh>::default();
        self.readers.lock().unwrap().clear();
    }
}

/// Starts workers, a little later.
pub(crate) fn transport(env: &Arc<ScaleEnv>) -> Transport {
    let env = env.clone();
    Transport::new(move |request| -> ResponseFuture {
        let event = serde_json::from_slice(request.body().unwrap().as_bytes().unwrap()).unwrap();
        let env = env.clone();
        Box::pin(async move {
            sleep(env.assumed.call()).await;
            let after = env.assumed.lambda_start();
            if RefreshJob::is_of(&event) {
                env.invoke_refresh(RefreshJob::from_event(&event), after);
            } else {
                env.invoke_deliver(DeliverJob::from_event(&event), after);
            }
            Ok(http::Response::builder().status(202).body("").unwrap().into())
        })
    })
}
