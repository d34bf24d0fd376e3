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
    /// The addresses to which the consent page may send people back.
    pub(crate) redirect_uris: Vec<String>,
    /// Fetches images, if the policy requires it.
    pub(crate) client: reqwest::Client,
    now: Clock,
    inner: Mutex<Inner>,
}

/// The part that only one request at a time may use. No code awaits while it holds the lock, so a client that disconnects
/// leaves no operation half done.
pub(crate) struct Inner {
    pub(crate) storage: Storage,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    meters: BTreeMap<Metered, Meter>,
}

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Metered {
    /// All of the app.
    App,
    /// Those of the app on one host.
    Host(Environment),
    /// Those for one user in one category of the contract, such as `org_write`.
    User(Environment, Id, &'static str),
}

impl Simulation {
    pub(crate) fn new(
        origin: String,
        redirect_uris: Vec<String>,
        client: reqwest::Client,
        storage: Storage,
        now: Clock,
        random: Random,
    ) -> Self {
        let inner =
            Inner { storage, faults: Faults::default(), calls: Calls::default(), meters: BTreeMap::new() };
        Self { origin, random, redirect_uris, client, now, inner: Mutex::new(inner) }
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

    /// Counts a call against the quotas of the app and of the user for whom it is made.
    pub(crate) fn count_call(
        &mut self,
        environment: Environment,
        user: Option<(Id, &'static str)>,
        now: Timestamp,
    ) -> (RateLimit, Result<(), Refusal>) {
        let policy = &self.storage.state().policy;
        let of_app = match policy.quota {
            Some(quota) => (Metered::Host(environment), Some(quota)),
            None => (Metered::App, policy.app_quota()),
        };
        let of_user = user.and_then(|(id, category)| {
            Some((Metered::User(environment, id, category), Some(policy.user_quota(category)?)))
        });
        let mut counted = self.meters.entry(of_app.0).or_default().count_call(of_app.1, now);
        if let Some((metered, quota)) = of_user.filter(|_| counted.1.is_ok()) {
            let of_user = self.meters.entry(metered).or_default().count_call(quota, now);
            // The headers show the limit that will be reached first.
            if of_user.1.is_err() || of_user.0.remaining < counted.0.remaining {
                counted = of_user;
            }
        }
        counted
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
