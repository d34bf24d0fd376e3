//! What a worker does at each of its awaits.

use domain::refresh::{Decision, Facts, Happened, Lifetimes, NEEDED_TO_SEND, Next, Probe, Renewal};
use jiff::SignedDuration;

use super::{
    steps::{Drivers, whole},
    world::{Own, Pair, Row, Secret, Worker, World, Wrong, at},
};

impl Drivers {
    /// The next await of a worker.
    pub(super) fn go(&self, world: &mut World, worker: Worker) -> Worker {
        match worker {
            Worker::Idle | Worker::Asks { .. } => worker,
            Worker::Hears { own, which, new } => {
                let month = SignedDuration::from_hours(30 * 24);
                let lifetimes =
                    Lifetimes { access_expires_at: at(world.now) + month, refresh_expires_at: None };
                let renewal = new.map_or(Renewal::Refused, |_| Renewal::Renewed(lifetimes));
                let fresh = new.zip(own.row.pair(which));
                self.decide(world, own, Happened::Answered(which.into(), renewal), fresh)
            }
            Worker::Probes { mut own } => {
                let probe = if own.secret == Secret::Wrong { Probe::Wrong } else { Probe::Right };
                own.said_right = probe == Probe::Right;
                self.decide(world, own, Happened::Probed(probe), None)
            }
            Worker::Saves { own, new, even_dead } => {
                if self.saves_by_lease && !own.leased {
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
            Worker::Asks { own, which } | Worker::Hears { own, which, .. } => {
                let failed = Happened::Answered(which.into(), Renewal::Failed { retry_after: None });
                self.decide(world, own, failed, None)
            }
            Worker::Probes { own } => self.decide(world, own, Happened::Probed(Probe::Unreachable), None),
            // It is tried again until it is answered.
            Worker::Saves { .. } | Worker::Compares { .. } => worker,
            // The row is put off; the lease stays.
            Worker::Spares { .. } | Worker::Releases { .. } | Worker::Idle => Worker::Idle,
        }
    }

    pub(super) fn decide(
        &self,
        world: &mut World,
        own: Own,
        happened: Happened,
        fresh: Option<(Pair, Pair)>,
    ) -> Worker {
        let facts = Facts {
            spare: own.row.spare.is_some(),
            previous: own.row.previous.is_some(),
            taken_over: own.taken_over,
            probed: own.said_right.then_some(Probe::Right),
            proven_at: None,
            jitter: 1.0,
        };
        let Decision { grant, next } = (self.decide)(&own.row.grant(), happened, facts, at(world.now));
        match next {
            Next::Try(which) => {
                let left = own.row.lease.unwrap_or_default() - world.now;
                if left < whole(NEEDED_TO_SEND) {
                    return Worker::Idle; // the lease stays, and is as good as over
                }
                Worker::Asks { own, which: which.into() }
            }
            Next::Probe => Worker::Probes { own },
            Next::Ask => unreachable!("the probe is never inconclusive here"),
            Next::SaveRenewed => {
                let Some((current, used)) = fresh else { return Worker::Idle };
                let new = Row { current, previous: Some(used), spare: None, ..own.row.with(&grant) };
                let even_dead = own.row.dead;
                Worker::Saves { own, new, even_dead }
            }
            Next::Release => {
                let new = own.row.with(&grant);
                if new.due_at.is_some_and(|due_at| due_at <= world.now) {
                    world.wrong = Some(Wrong::Stuck);
                }
                Worker::Releases { own, new }
            }
        }
    }
}
