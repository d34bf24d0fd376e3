//! What a worker does at each of its awaits.

use domain::refresh::{
    Action, Context, CredentialCheck, Input, Lifetimes, MIN_TIME_TO_SEND, RefreshResult, Transition,
};
use jiff::SignedDuration;

use super::{
    steps::{Drivers, Mistake, whole},
    world::{Own, Pair, Row, Secret, Worker, World, Wrong, at},
};

impl Drivers {
    /// The next await of a worker.
    pub(super) fn go(&self, world: &mut World, worker: Worker) -> Worker {
        match worker {
            Worker::Idle | Worker::Asks { .. } => worker,
            Worker::Hears { own, slot, new } => {
                let month = SignedDuration::from_hours(30 * 24);
                let lifetimes =
                    Lifetimes { access_expires_at: at(world.now) + month, refresh_expires_at: None };
                let result = new.map_or(RefreshResult::Refused, |_| RefreshResult::NewTokens(lifetimes));
                let fresh = new.zip(own.row.pair(slot));
                self.decide(world, own, Input::RefreshAnswered(slot.into(), result), fresh)
            }
            Worker::Leases { own, slot, refused } => {
                let is_free = world.row.lease.is_none_or(|until| until < world.now);
                let is_as_read = (world.row.version, world.row.due_at) == (own.row.version, own.row.due_at);
                if !(is_free && is_as_read) {
                    return Worker::Idle; // somebody else is at it
                }
                let own = world.lease(&own);
                let result = if refused {
                    RefreshResult::Refused
                } else {
                    RefreshResult::Failed { retry_after: None }
                };
                self.decide(world, own, Input::RefreshAnswered(slot.into(), result), None)
            }
            Worker::Probes { mut own } => {
                let probe =
                    if own.secret == Secret::Wrong { CredentialCheck::Wrong } else { CredentialCheck::Right };
                own.said_right = probe == CredentialCheck::Right;
                self.decide(world, own, Input::CredentialsChecked(probe), None)
            }
            Worker::Saves { own, new, even_dead } => {
                if self.mistake == Some(Mistake::SavesByLease) && !own.leased {
                    return Worker::Idle;
                }
                if world.row.version == own.row.version && (even_dead || !world.row.dead) {
                    world.write(new);
                    return Worker::Idle;
                }
                Worker::Compares { own, new }
            }
            Worker::Compares { own, new } => {
                if world.row.current == new.current {
                    Worker::Idle
                } else if world.row.version == own.row.version {
                    Worker::Saves { own, new, even_dead: true }
                } else {
                    Worker::Spares { own, pair: new.current }
                }
            }
            Worker::Spares { pair, .. } => {
                world.row.spare = Some(pair);
                Worker::Idle
            }
            Worker::Releases { own, new } => {
                if world.row.version == own.row.version && own.leased {
                    let spare = world.row.spare;
                    world.write(Row { spare, ..new });
                }
                Worker::Idle
            }
        }
    }

    /// A call of this worker ends without an answer.
    pub(super) fn unanswered(&self, world: &mut World, worker: Worker) -> Worker {
        world.lose(&worker);
        match worker {
            Worker::Asks { own, slot } | Worker::Hears { own, slot, .. } => {
                let failed = Input::RefreshAnswered(slot.into(), RefreshResult::Failed { retry_after: None });
                self.decide(world, own, failed, None)
            }
            Worker::Probes { own } => {
                self.decide(world, own, Input::CredentialsChecked(CredentialCheck::Unreachable), None)
            }
            // It is tried again until it is answered.
            Worker::Saves { .. } | Worker::Compares { .. } => worker,
            // The row is put off; the lease stays.
            Worker::Leases { .. } | Worker::Spares { .. } | Worker::Releases { .. } | Worker::Idle => {
                Worker::Idle
            }
        }
    }

    pub(super) fn decide(
        &self,
        world: &mut World,
        own: Own,
        input: Input,
        fresh: Option<(Pair, Pair)>,
    ) -> Worker {
        let context = Context {
            spare: own.row.spare.is_some(),
            previous: own.row.previous.is_some(),
            taken_over: own.taken_over,
            credential_check: own.said_right.then_some(CredentialCheck::Right),
            verified_at: None,
            jitter: 1.0,
        };
        let Transition { state, action } = (self.decide)(&own.row.state(), input, context, at(world.now));
        if own.is_light() && !matches!(action, Action::Refresh(_) | Action::SaveNewTokens) {
            let Input::RefreshAnswered(slot, result) = input else { unreachable!("it has asked first") };
            let refused = matches!(result, RefreshResult::Refused);
            return Worker::Leases { own, slot: slot.into(), refused };
        }
        match action {
            Action::Refresh(slot) => {
                let left = own.until - world.now;
                if left < whole(MIN_TIME_TO_SEND) {
                    return Worker::Idle; // the lease stays, and is as good as over
                }
                Worker::Asks { own, slot: slot.into() }
            }
            Action::CheckCredentials => Worker::Probes { own },
            Action::CheckAccessToken => unreachable!("the probe is never inconclusive here"),
            Action::SaveNewTokens => {
                let Some((current, used)) = fresh else { return Worker::Idle };
                let new = Row { current, previous: Some(used), spare: None, ..own.row.with(&state) };
                let even_dead = own.row.dead;
                Worker::Saves { own, new, even_dead }
            }
            Action::ReleaseLease => {
                let new = own.row.with(&state);
                if new.due_at.is_some_and(|due_at| due_at <= world.now) {
                    world.wrong = Some(Wrong::Stuck);
                }
                Worker::Releases { own, new }
            }
        }
    }
}
