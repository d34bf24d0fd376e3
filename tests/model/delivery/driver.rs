//! What a worker does at each of its awaits.

use domain::{PauseReason, delivery::SideEffect};

use super::{
    steps::{Drivers, SEND_WITHIN},
    world::{Effect, Ending, News, Row, Stage, Then, Worker, World, at},
};

impl Drivers {
    /// The next await of a worker.
    pub(super) fn go(&self, world: &mut World, worker: Worker) -> Worker {
        match worker {
            Worker::Idle => Worker::Idle,
            Worker::Read { pin, row } => self.decide(world, pin, row, &News::Due),
            Worker::Decided {
                pin,
                row,
                new,
                then,
                ended: ended @ Some((_, Ending::Created(number))),
                is_bound: false,
            } if self.binds_first && matches!(new.stage, Stage::Published(_)) => {
                if world.remotes[number].owner.is_some_and(|owner| owner != pin) {
                    return self.ended(world, pin, row, Ending::Unknown);
                }
                world.remotes[number].owner = Some(pin);
                Worker::Decided { pin, row, new, then, ended, is_bound: true }
            }
            Worker::Decided { pin, row, new, then, ended, .. } => {
                self.save(world, pin, row, new, then, ended)
            }
            Worker::Outrun { pin, ended: (fencing_token, ending) } => {
                let row = world.pins[pin].clone();
                self.decide(world, pin, row, &News::Ended(fencing_token, ending))
            }
            Worker::Sends { pin, row } => match row.trial() {
                Some(trial) if world.now - trial.started_at < SEND_WITHIN => {
                    Worker::Waits { pin, row, sent_at: world.now, effect: Effect::Open }
                }
                _ => self.ended(world, pin, row, Ending::NotSent),
            },
            Worker::Waits { pin, row, effect, .. } => match effect {
                Effect::Open => unreachable!("an answer that nobody gave"),
                Effect::Made(number) => self.ended(world, pin, row, Ending::Created(number)),
                Effect::Refused => self.ended(world, pin, row, Ending::Busy),
            },
            Worker::Looks { pin, row } => {
                let matches = row.trial().map(|trial| world.matches(trial)).unwrap_or_default();
                Worker::Has { pin, row, began_at: world.now, matches }
            }
            Worker::Has { pin, row, began_at, matches } => match matches.split_first() {
                None => self.decide(world, pin, row, &News::Nothing(began_at)),
                Some((&oldest, _)) if world.remotes[oldest].owner.is_none_or(|owner| owner == pin) => {
                    self.decide(world, pin, row, &News::Found(oldest))
                }
                Some((_, others)) => Worker::Has { pin, row, began_at, matches: others.to_vec() },
            },
        }
    }

    pub(super) fn ended(&self, world: &mut World, pin: usize, row: Row, ending: Ending) -> Worker {
        let fencing_token = row.trial().map_or(0, |trial| trial.fencing_token);
        self.decide(world, pin, row, &News::Ended(fencing_token, ending))
    }

    fn decide(&self, world: &mut World, pin: usize, row: Row, news: &News) -> Worker {
        let read = row.pin(&self.pins[pin]);
        let transition = (self.decide)(&read, &news.told(), &row.context(), at(world.now));
        // The model knows no pauses. A lost answer may let the channel rest, which only delays what comes.
        let is_modelled = match transition.side_effect {
            SideEffect::Nothing => true,
            SideEffect::PauseChannel(pause) => pause.reason == PauseReason::PinterestUnavailable,
            _ => false,
        };
        assert!(is_modelled, "{:?}", transition.side_effect);
        let then = Then::from(transition.action);
        let Some(pin_after) = transition.pin.next_version(&read) else {
            // Nothing new is not written. What was due and is still there as it was will be due for ever.
            world.stuck |= matches!(news, News::Due) && then == Then::Rest && world.pins[pin] == row;
            return act(pin, row, then);
        };
        let ended = match *news {
            News::Ended(fencing_token, ending) => Some((fencing_token, ending)),
            _ => None,
        };
        Worker::Decided { pin, new: Row::of(&pin_after), row, then, ended, is_bound: false }
    }

    /// The write: over the version that was read, and with the binding if there is one.
    fn save(
        &self,
        world: &mut World,
        pin: usize,
        row: Row,
        new: Row,
        then: Then,
        ended: Option<(u8, Ending)>,
    ) -> Worker {
        if let Stage::Published(number) = new.stage
            && world.remotes[number].owner.is_some_and(|owner| owner != pin)
        {
            return match row.stage {
                Stage::OutcomeUnknown { .. } => Worker::Looks { pin, row },
                Stage::Sending(_) => self.ended(world, pin, row, Ending::Unknown),
                _ => Worker::Idle,
            };
        }
        if world.pins[pin].version != row.version {
            return ended.map_or(Worker::Idle, |ended| Worker::Outrun { pin, ended });
        }
        if let Stage::Published(number) = new.stage {
            world.remotes[number].owner = Some(pin);
        }
        world.pins[pin] = new.clone();
        act(pin, new, then)
    }
}

fn act(pin: usize, row: Row, then: Then) -> Worker {
    match then {
        Then::Rest => Worker::Idle,
        Then::Send => Worker::Sends { pin, row },
        Then::BoardCheck => Worker::Looks { pin, row },
    }
}
