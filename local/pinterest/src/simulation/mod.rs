//! What all requests share: the state behind one lock, the clock, the random values, the faults.

pub(crate) mod calls;
pub(crate) mod delivery;
pub(crate) mod faults;
mod meter;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use self::{
    calls::{Call, Calls},
    delivery::Delivery,
    faults::{Effect, FaultKind, Faults},
    meter::Meter,
};
use crate::{
    http::{Answer, Environment, Id, Operation, RateLimit, Refusal},
    random::Random,
    state::{State, storage::Storage},
};

/// Returns the current time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The simulated Pinterest, without its server.
pub(crate) struct Simulation {
    pub(crate) origin: String,
    pub(crate) random: Random,
    now: Clock,
    inner: Mutex<Inner>,
}

/// What one request at a time may use. No code awaits while it holds the lock, so a client that disconnects leaves no
/// operation half done.
pub(crate) struct Inner {
    pub(crate) storage: Storage,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    production: Meter,
    sandbox: Meter,
    writes: BTreeMap<(Environment, Id), Meter>,
}

impl Simulation {
    pub(crate) fn new(origin: String, storage: Storage, now: Clock, random: Random) -> Self {
        let inner = Inner {
            storage,
            faults: Faults::default(),
            calls: Calls::default(),
            production: Meter::default(),
            sandbox: Meter::default(),
            writes: BTreeMap::new(),
        };
        Self { origin, random, now, inner: Mutex::new(inner) }
    }

    /// Locks the shared part, also after a panic: the request that panicked has at worst not been saved.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current time.
    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Reads the state.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(self.lock().storage.state())
    }

    /// Changes the state, and saves the change.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> io::Result<T> {
        let mut inner = self.lock();
        let result = change(inner.storage.state_mut());
        inner.storage.save()?;
        Ok(result)
    }
}

impl Inner {
    /// Records a call, and answers it: with a fault if one waits for it, otherwise with the result of `perform`.
    pub(crate) fn answer_call(
        &mut self,
        call: Call,
        perform: impl FnOnce(&mut Storage) -> Result<Answer, Refusal>,
    ) -> Delivery {
        let fault = call.operation.and_then(|operation| self.faults.take_for(call.environment, operation));
        let sequence = self.calls.record_arrival(call);
        let delivery = self.deliver(fault.as_ref(), perform);
        if let Some(status) = delivery.status() {
            self.calls.record_status(sequence, status);
        }
        delivery
    }

    /// Counts a call against the quota of the app, and a write against the quota of the user `writer`.
    pub(crate) fn count_call(
        &mut self,
        environment: Environment,
        writer: Option<Id>,
        now: Timestamp,
    ) -> (RateLimit, Result<(), Refusal>) {
        let policy = &self.storage.state().policy;
        let (quota, user_quota) = (policy.quota, policy.writes_of_each);
        let (app_limit, allowed) = match environment {
            Environment::Production => self.production.count_call(quota, now),
            Environment::Sandbox => self.sandbox.count_call(quota, now),
        };
        match (writer, user_quota) {
            (Some(writer), Some(_)) if allowed.is_ok() => {
                self.writes.entry((environment, writer)).or_default().count_call(user_quota, now)
            }
            _ => (app_limit, allowed),
        }
    }

    fn deliver(
        &mut self,
        fault: Option<&FaultKind>,
        perform: impl FnOnce(&mut Storage) -> Result<Answer, Refusal>,
    ) -> Delivery {
        let is_performed = fault.is_none_or(FaultKind::strikes_after);
        let answer = is_performed.then(|| {
            let result = perform(&mut self.storage);
            let saved = self.storage.save().map_err(|error| Refusal::StateNotSaved(error.to_string()));
            saved.and(result).unwrap_or_else(Answer::from)
        });
        match (fault.map(FaultKind::effect), answer) {
            (Some(Effect::Refuse(refusal)), _) => Delivery::Whole(refusal.into()),
            (Some(Effect::Garbage), _) => Delivery::Whole(Answer::garbage()),
            (Some(Effect::Hang), _) => Delivery::Never,
            (Some(Effect::CutInAnswer), Some(answer)) if answer.body.len() > 1 => Delivery::Half(answer),
            (None, Some(answer)) => Delivery::Whole(answer),
            (Some(Effect::Cut | Effect::CutInAnswer), _) | (None, None) => Delivery::Nothing,
        }
    }
}

/// The record of a call that arrives now.
pub(crate) fn new_call(
    now: Timestamp,
    environment: Option<Environment>,
    operation: Option<Operation>,
    method: &str,
    path: &str,
) -> Call {
    let (method, path) = (method.to_owned(), path.to_owned());
    Call { sequence: 0, at: now, environment, operation, method, path, status: None }
}
