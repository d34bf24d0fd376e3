//! What can happen next, and what it leads to.

use domain::{
    Pin,
    delivery::{BOARD_CHECK_DELAYS, Decide},
    matching,
};

use super::world::{Effect, Ending, Remote, Row, Seconds, Then, Trial, Worker, World, at, seconds};

/// A send begins within this time of its decision, or not at all.
pub(super) const SEND_WITHIN: Seconds = 5;
/// An effect comes no later after a send.
const EFFECT_WITHIN: Seconds = 30;
/// A list shows no later what is there.
const LAG: Seconds = 120;

/// The drivers around a decision function.
#[derive(Clone, Debug)]
pub(super) struct Drivers {
    pub(super) decide: Decide,
    /// Each of our Pins as it was asked for.
    pub(super) pins: Vec<Pin>,
    /// What Pinterest has just named is bound by a write of its own, before the Pin is saved, as `deliver` does.
    pub(super) binds_first: bool,
}

/// One step of somebody. Workers are meant by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The clock moves on to the next instant at which something may become due or be over.
    Pass,
    /// An idle worker reads a Pin that is due: a tick, or a second one at the same time.
    Read(usize, usize),
    /// A worker does what is next for it.
    Go(usize),
    /// A process ends without a word.
    Crash(usize),
    /// The answer that a worker waits for does not come.
    Lose(usize),
    /// Pinterest makes the Pin that a worker asked for. Its board may list it later.
    Make(usize, BoardPin),
    /// Pinterest refuses to make it.
    Refuse(usize),
    /// Pinterest makes a Pin for a call that nobody waits for any more.
    MakeLate(usize, BoardPin),
    /// It never will.
    Forget(usize),
    /// The board has caught up.
    List(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BoardPin {
    AtOnce,
    Later,
}

impl Drivers {
    pub(super) fn steps(&self, world: &World, steps: &mut Vec<Step>) {
        if world.stuck {
            return;
        }
        let may_lag = world.left.lags > 0;
        let made = |steps: &mut Vec<Step>, step: fn(usize, BoardPin) -> Step, which: usize| {
            steps.push(step(which, BoardPin::AtOnce));
            if may_lag {
                steps.push(step(which, BoardPin::Later));
            }
        };
        for (place, worker) in world.workers.iter().enumerate() {
            match worker {
                Worker::Idle if world.workers[..place].contains(worker) => continue, // the other may as well
                Worker::Idle => {
                    // A second tick for the same Pin is left to the model of one.
                    let alone = |pin| {
                        self.pins.len() == 1 || world.workers.iter().all(|other| other.pin() != Some(pin))
                    };
                    let due = (0..self.pins.len()).filter(|&pin| self.is_due(world, pin) && alone(pin));
                    steps.extend(due.map(|pin| Step::Read(place, pin)));
                    continue;
                }
                Worker::Waits { effect, .. } => {
                    if *effect == Effect::Open {
                        made(steps, Step::Make, place);
                        if world.left.refusals > 0 {
                            steps.push(Step::Refuse(place));
                        }
                    } else {
                        steps.push(Step::Go(place));
                    }
                    if world.left.refresh_impossible > 0 {
                        steps.push(Step::Lose(place));
                    }
                }
                _ => steps.push(Step::Go(place)),
            }
            if world.left.crashes > 0 {
                steps.push(Step::Crash(place));
            }
        }
        for call in 0..world.adrift.len() {
            made(steps, Step::MakeLate, call);
            steps.push(Step::Forget(call));
        }
        let hidden = world.remotes.iter().enumerate().filter(|(_, remote)| !remote.listed);
        steps.extend(hidden.map(|(number, _)| Step::List(number)));
        if (world.left.delays > 0 || !world.is_in_haste()) && self.next_instant(world).is_some() {
            steps.push(Step::Pass);
        }
    }

    /// Whether the index hands a Pin out.
    fn is_due(&self, world: &World, pin: usize) -> bool {
        self.due_at(world, pin).is_some_and(|due_at| due_at <= world.now)
    }

    /// When a worker has to look at a Pin.
    pub(super) fn due_at(&self, world: &World, pin: usize) -> Option<Seconds> {
        world.pins[pin].pin(&self.pins[pin]).due_at().map(seconds)
    }

    /// When something may become due or be over next, unless something has to happen before.
    fn next_instant(&self, world: &World) -> Option<Seconds> {
        let mut instants: Vec<Seconds> =
            (0..self.pins.len()).filter_map(|pin| self.due_at(world, pin)).collect();
        let mut limits: Vec<Seconds> = world.adrift.iter().map(|sent_at| sent_at + EFFECT_WITHIN).collect();
        for worker in &world.workers {
            match worker {
                Worker::Decided { new: row, then: Then::Send, .. } | Worker::Sends { row, .. } => {
                    let started_at = row.trial().map_or(0, |trial| trial.started_at);
                    instants.extend([started_at + SEND_WITHIN - 1, started_at + SEND_WITHIN]);
                }
                Worker::Waits { sent_at, effect: Effect::Open, .. } => limits.push(sent_at + EFFECT_WITHIN),
                _ => {}
            }
        }
        let margin = Seconds::try_from(matching::CLOCK_SKEW.as_secs()).unwrap();
        for remote in &world.remotes {
            if !remote.listed {
                limits.push(remote.created_at + LAG);
            }
            if self.pins.len() > 1 && !world.pins.iter().all(Row::has_ended) {
                instants.push(remote.created_at + margin); // from then on it cannot be taken for a newer one's
            }
        }
        instants.extend(limits.iter().map(|limit| limit - 1)); // as late as can be
        let action = instants.into_iter().filter(|instant| *instant > world.now).min();
        let limit = limits.into_iter().min();
        // What is to happen within a time happens before its end.
        action.filter(|action| limit.is_none_or(|limit| *action < limit))
    }

    pub(super) fn after(&self, world: &World, step: Step) -> World {
        let mut world = world.clone();
        match step {
            Step::Pass => {
                world.left.delays -= u8::from(world.is_in_haste());
                world.now = self.next_instant(&world).unwrap_or(world.now);
            }
            Step::Read(place, pin) => {
                world.workers[place] = Worker::Read { pin, row: world.pins[pin].clone() };
            }
            Step::Go(place) => {
                let worker = std::mem::replace(&mut world.workers[place], Worker::Idle);
                world.workers[place] = self.go(&mut world, worker);
            }
            Step::Crash(place) => {
                world.left.crashes -= 1;
                let gone = std::mem::replace(&mut world.workers[place], Worker::Idle);
                world.cut_loose(&gone);
            }
            Step::Lose(place) => {
                world.left.refresh_impossible -= 1;
                let worker = std::mem::replace(&mut world.workers[place], Worker::Idle);
                world.cut_loose(&worker);
                if let Worker::Waits { pin, row, .. } = worker {
                    world.workers[place] = self.ended(&mut world, pin, row, Ending::Unknown);
                }
            }
            Step::Make(place, listed) => {
                let number = world.make(listed);
                if let Worker::Waits { effect, .. } = &mut world.workers[place] {
                    *effect = Effect::Made(number);
                }
            }
            Step::Refuse(place) => {
                world.left.refusals -= 1;
                if let Worker::Waits { effect, .. } = &mut world.workers[place] {
                    *effect = Effect::Refused;
                }
            }
            Step::MakeLate(call, listed) => {
                world.adrift.remove(call);
                world.make(listed);
            }
            Step::Forget(call) => drop(world.adrift.remove(call)),
            Step::List(number) => world.remotes[number].listed = true,
        }
        world.tidy();
        world
    }
}

impl World {
    /// Worlds from which the same can follow are the same. A worker whose write will come too late, and who has
    /// nothing to tell about a send, can change nothing any more: it is as good as idle.
    fn tidy(&mut self) {
        for worker in &mut self.workers {
            if let Worker::Read { pin, row }
            | Worker::Decided { pin, row, ended: None, .. }
            | Worker::Looks { pin, row }
            | Worker::Has { pin, row, .. } = worker
                && self.pins[*pin].version != row.version
            {
                *worker = Worker::Idle;
            }
        }
        for pin in 0..self.pins.len() {
            self.renumber(pin);
        }
        if self.pins.iter().all(Row::has_ended)
            && self.workers == [Worker::Idle, Worker::Idle]
            && self.adrift.is_empty()
        {
            self.now = 0; // nothing depends on times any more
            self.remotes.iter_mut().for_each(|remote| (remote.created_at, remote.listed) = (0, true));
        }
        // Twins are alike too.
        if let [one, other] = &mut self.pins[..]
            && one > other
        {
            std::mem::swap(one, other);
            self.workers.iter_mut().filter_map(Worker::pin_mut).for_each(|pin| *pin = 1 - *pin);
            self.remotes
                .iter_mut()
                .filter_map(|remote| remote.owner.as_mut())
                .for_each(|pin| *pin = 1 - *pin);
        }
        self.workers.sort();
        self.adrift.sort_unstable();
    }

    /// Versions and fences are compared, never counted: if nobody holds an old one, they begin anew.
    fn renumber(&mut self, pin: usize) {
        let now = self.pins[pin].version;
        let fencing_token = self.pins[pin].trial().map(|trial| trial.fencing_token);
        let workers = || self.workers.iter().filter(|worker| worker.pin() == Some(pin));
        let old = workers().any(|worker| worker.row().is_none_or(|row| row.version != now));
        if old {
            return;
        }
        let shift = self.pins[pin].version - 1;
        let drop = self.pins[pin].attempts - u8::from(fencing_token.is_some());
        self.pins[pin].renumber(shift, drop);
        for worker in &mut self.workers {
            if worker.pin() == Some(pin) {
                for row in worker.rows() {
                    row.renumber(shift, drop);
                }
                if let Worker::Decided { ended: Some((fencing_token, _)), .. } = worker {
                    *fencing_token -= drop;
                }
            }
        }
    }

    /// Whether a worker is between two calls of the table, or about to send.
    fn is_in_haste(&self) -> bool {
        self.workers.iter().any(|worker| match worker {
            Worker::Idle | Worker::Waits { .. } | Worker::Looks { .. } | Worker::Has { .. } => false,
            Worker::Read { .. } | Worker::Decided { .. } | Worker::Outrun { .. } | Worker::Sends { .. } => {
                true
            }
        })
    }

    /// Nobody hears what becomes of this worker's call.
    fn cut_loose(&mut self, worker: &Worker) {
        if let Worker::Waits { sent_at, effect: Effect::Open, .. } = worker {
            self.adrift.push(*sent_at);
        }
    }

    fn make(&mut self, listed: BoardPin) -> usize {
        let listed = listed == BoardPin::AtOnce;
        self.left.lags -= u8::from(!listed);
        self.remotes.push(Remote { created_at: self.now, listed, owner: None });
        self.remotes.len() - 1
    }

    /// What the board lists that this attempt may have made, oldest first. All Pins here look the same.
    pub(super) fn matches(&self, trial: Trial) -> Vec<usize> {
        let started_at = at(trial.started_at);
        let [.., last_check] = BOARD_CHECK_DELAYS;
        let time = started_at - matching::CLOCK_SKEW..=started_at + last_check + matching::CLOCK_SKEW;
        let listed = self.remotes.iter().enumerate().filter(|(_, remote)| remote.listed);
        listed.filter(|(_, remote)| time.contains(&at(remote.created_at))).map(|(number, _)| number).collect()
    }
}
