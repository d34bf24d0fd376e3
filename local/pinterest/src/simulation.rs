//! What all requests share: the state behind one lock, the clock, the randomness, the faults.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{
    answer::Answer,
    calls::{Call, Calls},
    delivery::Delivery,
    environment::Environment,
    faults::{Effect, FaultKind, Faults},
    meter::{Meter, RateLimit},
    operation::Operation,
    random::Random,
    refusal::Refusal,
    state::{Id, State},
    storage::Storage,
};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The simulated Pinterest, without its server.
pub(crate) struct Simulation {
    pub(crate) origin: String,
    pub(crate) random: Random,
    now: Clock,
    inner: Mutex<Inner>,
}

/// What only one request at a time may see. Nothing is awaited while it is locked, so a client that
/// goes away leaves nothing half done.
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

    /// A request that panicked has at worst not been saved; the others need not suffer for it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the clock says.
    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(self.lock().storage.state())
    }

    /// Changes the state, and keeps the change.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> io::Result<T> {
        let mut inner = self.lock();
        let result = change(inner.storage.state_mut());
        inner.storage.save()?;
        Ok(result)
    }
}

impl Inner {
    /// Notes a call, lets the fault that waits for it strike, and otherwise does what was asked.
    pub(crate) fn answer(
        &mut self,
        call: Call,
        perform: impl FnOnce(&mut Storage) -> Result<Answer, Refusal>,
    ) -> Delivery {
        let fault = call.operation.and_then(|operation| self.faults.strike(call.environment, operation));
        let sequence = self.calls.arrived(call);
        let delivery = self.deliver(fault.as_ref(), perform);
        if let Some(status) = delivery.status() {
            self.calls.answered(sequence, status);
        }
        delivery
    }

    /// Counts a call against the quota of the app, and a write of `writer`'s against theirs.
    pub(crate) fn count(
        &mut self,
        environment: Environment,
        writer: Option<Id>,
        now: Timestamp,
    ) -> (RateLimit, Result<(), Refusal>) {
        let policy = &self.storage.state().policy;
        let (quota, each) = (policy.quota, policy.writes_of_each);
        let (of_all, allowed) = match environment {
            Environment::Production => self.production.count(quota, now),
            Environment::Sandbox => self.sandbox.count(quota, now),
        };
        match (writer, each) {
            (Some(writer), Some(_)) if allowed.is_ok() => {
                self.writes.entry((environment, writer)).or_default().count(each, now)
            }
            _ => (of_all, allowed),
        }
    }

    fn deliver(
        &mut self,
        fault: Option<&FaultKind>,
        perform: impl FnOnce(&mut Storage) -> Result<Answer, Refusal>,
    ) -> Delivery {
        let is_done = fault.is_none_or(FaultKind::strikes_after);
        let true_answer = is_done.then(|| {
            let result = perform(&mut self.storage);
            let kept = self.storage.save().map_err(|error| Refusal::NotKept(error.to_string()));
            kept.and(result).unwrap_or_else(Answer::from)
        });
        match (fault.map(FaultKind::effect), true_answer) {
            (Some(Effect::Refuse(refusal)), _) => Delivery::Whole(refusal.into()),
            (Some(Effect::Garbage), _) => Delivery::Whole(Answer::garbage()),
            (Some(Effect::Hang), _) => Delivery::Never,
            (Some(Effect::CutInAnswer), Some(answer)) if answer.body.len() > 1 => Delivery::Half(answer),
            (None, Some(answer)) => Delivery::Whole(answer),
            (Some(Effect::Cut | Effect::CutInAnswer), _) | (None, None) => Delivery::Nothing,
        }
    }
}

/// The note of a call that arrives now.
pub(crate) fn arrival(
    now: Timestamp,
    environment: Option<Environment>,
    operation: Option<Operation>,
    method: &str,
    path: &str,
) -> Call {
    let (method, path) = (method.to_owned(), path.to_owned());
    Call { sequence: 0, at: now, environment, operation, method, path, status: None }
}
