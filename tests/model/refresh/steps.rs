//! What can happen next, and what it leads to.

use domain::refresh::{CALL_TIMEOUT, Decide, Input, LEASE_DURATION};
use jiff::SignedDuration;

use super::world::{Choice, Given, Own, Pair, Row, Seconds, Secret, Worker, World, Wrong};

/// Long ago.
const DEAD: Seconds = Seconds::MIN;
/// Whoever misses one tick is there at the next.
const TICK: Seconds = 60;
const HOUR: Seconds = 60 * 60;
/// How long a worker has its partitions: it renews that, which keeps others out for longer.
const SHARE: Seconds = 45;
/// An effect comes no later after a call.
const EFFECT_WITHIN: Seconds = 30;
/// How long a save may be on its way: by then a refusal is no echo of it.
const REFUSAL_ECHO: Seconds = 120;

/// What Pinterest does with a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// It lives until the new one is used.
    UntilUsed,
    /// It lives for so long after its first use.
    Grace(Seconds),
    /// It dies.
    AtOnce,
}

/// The drivers around a decision function, and what they are careful about.
#[derive(Clone, Debug)]
pub(super) struct Drivers {
    pub(super) decide: Decide,
    pub(super) policy: Policy,
    /// Of several pairs that Pinterest gave for one token, only the newest lives.
    pub(super) newest_only: bool,
    /// A mistake that the protocol avoids.
    pub(super) mistake: Option<Mistake>,
}

/// What drivers could do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// A save asks for the lease.
    SavesByLease,
    /// Two workers may have the partition.
    SharesWithoutFence,
    /// A channel that is in doubt is refreshed without a lease of its own, too.
    AlwaysLight,
}

/// One step of somebody. Workers are meant by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The clock moves on to the next instant at which something may become due or be over.
    Pass,
    /// Weeks later, the tokens are due again.
    NextRound,
    /// An idle worker takes the partition, and reads the row. If something is in doubt, it takes the channel's lease.
    Claim(usize),
    /// Pinterest hears a worker's call.
    Hear(usize),
    /// Pinterest hears a call that nobody waits for any more.
    HearLate(usize),
    /// It never will.
    Forget(usize),
    /// A worker does what is next for it.
    Go(usize),
    /// A process ends without a word.
    Crash(usize),
    /// The answer that a worker waits for does not come: what it asked for was not done, or may be done yet.
    Lose(usize),
    /// The same, but it was done.
    LoseDone(usize),
    /// A Pin is sent with the newest access token.
    UseAccess,
    /// Somebody corrects the App Secret.
    Correct,
}

impl Drivers {
    pub(super) fn steps(&self, world: &World, steps: &mut Vec<Step>) {
        if world.wrong.is_some() {
            return;
        }
        for (place, worker) in world.workers.iter().enumerate() {
            match worker {
                Worker::Idle if world.workers[..place].contains(worker) => continue, // the other may as well
                Worker::Idle => {
                    if world.is_due() || self.mistake == Some(Mistake::SharesWithoutFence) && world.is_ripe()
                    {
                        steps.push(Step::Claim(place));
                    }
                    continue;
                }
                Worker::Asks { .. } => steps.push(Step::Hear(place)),
                _ => steps.push(Step::Go(place)),
            }
            if world.left.crashes > 0 {
                steps.push(Step::Crash(place));
            }
            if world.left.lost > 0 {
                steps.push(Step::Lose(place));
                if worker.writes() {
                    steps.push(Step::LoseDone(place));
                }
            }
        }
        for call in 0..world.adrift.len() {
            steps.extend([Step::HearLate(call), Step::Forget(call)]);
        }
        let until_used = self.policy == Policy::UntilUsed;
        let parent = world.pairs[world.row.current].parent;
        if until_used && world.lives(world.row.current) && parent.is_some_and(|parent| world.lives(parent)) {
            steps.push(Step::UseAccess);
        }
        if world.left.secret == Secret::Wrong {
            steps.push(Step::Correct);
        }
        match world.next_instant() {
            // By then, somebody has seen what is wrong.
            Some(_) if world.left.secret == Secret::Wrong && world.row.failures > 1 => {}
            Some(action)
                if action - world.now < HOUR * 24 && (!world.is_pressed() || world.left.delays > 0) =>
            {
                steps.push(Step::Pass);
            }
            Some(action)
                if action - world.now >= HOUR * 24
                    && world.rounds > 0
                    && world.idle()
                    && world.adrift.is_empty() =>
            {
                steps.push(Step::NextRound);
            }
            _ => {}
        }
    }

    pub(super) fn after(&self, world: &World, step: Step) -> World {
        let mut world = world.clone();
        match step {
            Step::Pass if world.is_pressed() => {
                world.left.delays -= 1;
                world.now = world.next_instant().unwrap_or(world.now);
            }
            Step::Pass => world.now = world.next_instant().unwrap_or(world.now),
            Step::NextRound => {
                world.rounds -= 1;
                world.now = world.row.due_at.unwrap_or(world.now);
            }
            Step::Claim(place) => {
                let (share, secret) = (world.now + SHARE, world.left.secret);
                world.share = Some(share);
                let own = Own {
                    row: world.row.clone(),
                    share,
                    until: share,
                    leased: false,
                    secret,
                    taken_over: false,
                    said_right: false,
                };
                let is_light = self.mistake == Some(Mistake::AlwaysLight) || !world.row.state().is_in_doubt();
                let own = if is_light { own } else { world.lease(&own) };
                world.workers[place] = self.decide(&mut world, own, Input::LeaseAcquired, None);
            }
            Step::Hear(place) => {
                let worker = std::mem::replace(&mut world.workers[place], Worker::Idle);
                if let Worker::Asks { own, slot } = worker {
                    let new = own
                        .row
                        .pair(slot)
                        .filter(|_| own.secret == Secret::Right)
                        .and_then(|pair| self.give(&mut world, pair));
                    world.workers[place] = Worker::Hears { own, slot, new };
                }
            }
            Step::HearLate(call) => {
                let (pair, _) = world.adrift.remove(call);
                if self.give(&mut world, pair).is_some() {
                    world.lost = true;
                }
            }
            Step::Forget(call) => drop(world.adrift.remove(call)),
            Step::Go(place) => {
                let worker = std::mem::replace(&mut world.workers[place], Worker::Idle);
                let share = worker.clone().own().map(|own| own.share);
                world.workers[place] = self.go(&mut world, worker);
                if world.workers[place] == Worker::Idle && world.share == share {
                    world.share = None; // it is given back
                }
            }
            Step::Crash(place) => {
                world.left.crashes -= 1;
                let gone = std::mem::replace(&mut world.workers[place], Worker::Idle);
                world.lost |= gone.fresh().is_some();
                world.lose(&gone);
            }
            Step::Lose(place) => {
                world.left.lost -= 1;
                let worker = std::mem::replace(&mut world.workers[place], Worker::Idle);
                world.workers[place] = self.unanswered(&mut world, worker);
            }
            Step::LoseDone(place) => {
                world.left.lost -= 1;
                let worker = std::mem::replace(&mut world.workers[place], Worker::Idle);
                self.go(&mut world, worker.clone());
                world.workers[place] = self.unanswered(&mut world, worker);
            }
            Step::UseAccess => {
                if let Some(parent) = world.pairs[world.row.current].parent {
                    world.pairs[parent].dies_at = Some(world.now);
                }
            }
            Step::Correct => world.left.secret = Secret::Right,
        }
        world.tidy();
        world
    }

    /// Pinterest's answer to a refresh token: a new pair, or none.
    fn give(&self, world: &mut World, used: Pair) -> Option<Pair> {
        if !world.lives(used) {
            return None;
        }
        let now = world.now;
        match self.policy {
            Policy::UntilUsed => {
                if let Some(parent) = world.pairs[used].parent {
                    world.pairs[parent].dies_at = Some(now);
                }
            }
            Policy::Grace(time) => {
                world.pairs[used].dies_at.get_or_insert(now + time);
            }
            Policy::AtOnce => world.pairs[used].dies_at = Some(now),
        }
        if self.newest_only {
            for given in world.pairs.iter_mut().filter(|given| given.parent == Some(used)) {
                given.dies_at = Some(now);
            }
        }
        world.pairs.push(Given { parent: Some(used), dies_at: None });
        Some(world.pairs.len() - 1)
    }
}

impl World {
    /// When something may become due or be over next, unless something has to happen before.
    fn next_instant(&self) -> Option<Seconds> {
        let limits = || self.adrift.iter().map(|(_, until)| *until);
        if limits().any(|limit| limit <= self.now) {
            return None;
        }
        let leases = [self.row.lease, self.share].map(|until| until.map(|until| until + 1));
        let row = leases.into_iter().chain([self.row.due_at]).flatten();
        let ends = self.pairs.iter().filter_map(|given| given.dies_at);
        let tick = self.is_due().then_some(self.now + TICK);
        row.chain(tick).chain(ends).chain(limits()).filter(|instant| *instant > self.now).min()
    }

    /// Whether a worker that is started takes the partition, and finds the channel.
    fn is_due(&self) -> bool {
        self.share.is_none_or(|until| until < self.now) && self.is_ripe()
    }

    /// Whether whoever has the partition refreshes the channel.
    fn is_ripe(&self) -> bool {
        let free = self.row.lease.is_none_or(|until| until < self.now);
        free && self.row.due_at.is_some_and(|due_at| due_at <= self.now)
    }

    /// Gives a worker the channel's own lease.
    pub(super) fn lease(&mut self, own: &Own) -> Own {
        let taken_over = self.row.lease.is_some();
        let until = self.now + whole(LEASE_DURATION);
        self.row.lease = Some(until);
        for worker in &mut self.workers {
            worker.own().into_iter().for_each(|own| own.leased = false);
        }
        Own { row: self.row.clone(), until, leased: true, taken_over, ..own.clone() }
    }

    /// Whether somebody has something to do.
    fn is_pressed(&self) -> bool {
        !self.idle() || self.is_due()
    }

    /// Writes the whole row, and finds what is wrong with that.
    pub(super) fn write(&mut self, new: Row) {
        let lived = self.row_lives();
        let given_up = new.dead && !self.row.dead;
        if new.lease.is_none() {
            for worker in &mut self.workers {
                worker.own().into_iter().for_each(|own| own.leased = false);
            }
        }
        self.row = new;
        if lived && !self.row_lives() {
            self.wrong = Some(Wrong::Overwritten);
        } else if given_up && (self.row_lives() || self.is_on_its_way()) {
            self.wrong = Some(Wrong::GivenUp);
        }
    }

    /// Whether a process has a living pair, and may be expected to save it yet.
    fn is_on_its_way(&self) -> bool {
        self.workers.iter().filter_map(Worker::fresh).any(|(pair, own)| {
            let expected = own.until + whole(CALL_TIMEOUT) + REFUSAL_ECHO;
            self.lives(pair) && self.now < expected
        })
    }

    /// What this worker has, or would have heard, nobody gets.
    pub(super) fn lose(&mut self, worker: &Worker) {
        match worker {
            Worker::Asks { own, slot } => {
                let pair = own.row.pair(*slot).filter(|_| own.secret == Secret::Right);
                self.adrift.extend(pair.map(|pair| (pair, self.now + EFFECT_WITHIN)));
            }
            Worker::Hears { new: Some(_), .. } | Worker::Spares { .. } => self.lost = true,
            _ => {}
        }
    }

    /// Worlds from which the same can follow are the same: pairs that nobody has are forgotten.
    fn tidy(&mut self) {
        let version = self.row.version;
        for worker in &mut self.workers {
            let outrun = worker
                .own()
                .is_some_and(|own| (!own.leased && !own.is_light()) || own.row.version != version);
            let has_learnt =
                matches!(worker, Worker::Leases { .. } | Worker::Probes { .. } | Worker::Releases { .. });
            if outrun && has_learnt {
                *worker = Worker::Idle; // nobody will know what
            }
        }
        self.workers.sort();
        self.adrift.sort_unstable();
        let mut kept: Vec<Pair> = Vec::new();
        let mut keep = |pair: &mut Pair| {
            *pair = kept.iter().position(|known| known == pair).unwrap_or_else(|| {
                kept.push(*pair);
                kept.len() - 1
            });
        };
        self.row.each(&mut keep);
        self.adrift.iter_mut().for_each(|(pair, _)| keep(pair));
        for worker in &mut self.workers {
            worker.each(&mut keep);
        }
        let now = self.now;
        self.pairs = kept
            .iter()
            .map(|&pair| {
                let Given { parent, dies_at } = self.pairs[pair];
                let parent = parent.and_then(|parent| kept.iter().position(|known| *known == parent));
                Given { parent, dies_at: dies_at.map(|dies_at| if dies_at <= now { DEAD } else { dies_at }) }
            })
            .collect();
    }
}

impl Row {
    pub(super) fn pair(&self, slot: Choice) -> Option<Pair> {
        match slot {
            Choice::Current => Some(self.current),
            Choice::Spare => self.spare,
            Choice::Previous => self.previous,
        }
    }
}

pub(super) fn whole(time: SignedDuration) -> Seconds {
    time.as_secs().try_into().unwrap()
}
