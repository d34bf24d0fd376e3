//! The workers that a tick starts: an asynchronous invocation may be lost, doubled, late or early.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use adapters::{ResponseFuture, Transport};
use serde_json::Value;
use tokio::{
    sync::Notify,
    time::{Duration, sleep},
};

use crate::{
    env::SimEnv,
    lambda::{CallKind, CallPhase, Invocation},
};

/// The events of the workers that have to be started.
#[derive(Default)]
pub(crate) struct Starts {
    events: Mutex<VecDeque<Value>>,
    added: Notify,
}

impl Starts {
    fn add(&self, event: Value) {
        self.events.lock().unwrap().push_back(event);
        self.added.notify_one();
    }

    /// Waits for the next one.
    pub(crate) async fn next(&self) -> Value {
        loop {
            let event = self.events.lock().unwrap().pop_front();
            match event {
                Some(event) => return event,
                None => self.added.notified().await,
            }
        }
    }
}

pub(crate) fn transport(env: &Arc<SimEnv>, invocation: &Invocation) -> Transport {
    let (env, invocation) = (env.clone(), invocation.clone());
    Transport::new(move |request| -> ResponseFuture {
        let (env, invocation) = (env.clone(), invocation.clone());
        let event = serde_json::from_slice(request.body().unwrap().as_bytes().unwrap()).unwrap();
        Box::pin(async move {
            env.count();
            invocation.reach(CallKind::StartWorker, CallPhase::Before).await;
            env.note(|| format!("#{} starts a worker for {event}", invocation.id()));
            let is_refused = env.fault_happens(env.scenario.start_fault_rate);
            if !is_refused && !env.fault_happens(env.scenario.start_fault_rate) {
                deliver_event(&env, &event);
            }
            sleep(Duration::from_millis(env.rng.between(5, 40))).await;
            invocation.reach(CallKind::StartWorker, CallPhase::After).await;
            let status = if is_refused { 429 } else { 202 };
            Ok(http::Response::builder().status(status).body("").unwrap().into())
        })
    })
}

/// Once, or twice, and now or later.
fn deliver_event(env: &Arc<SimEnv>, event: &Value) {
    let times = 1 + usize::from(env.fault_happens(env.scenario.start_fault_rate));
    for _ in 0..times {
        let is_late = env.fault_happens(env.scenario.start_fault_rate);
        let delay = Duration::from_millis(if is_late {
            env.rng.between(1000, 90_000)
        } else {
            env.rng.between(1, 300)
        });
        let (env, event) = (env.clone(), event.clone());
        tokio::spawn(async move {
            sleep(delay).await;
            env.starts.add(event);
        });
    }
}
