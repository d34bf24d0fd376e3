//! Publishing: at most one Pin at Pinterest for each Pin here, and none forgotten.

mod driver;
mod row;
mod steps;
mod world;

use domain::{
    Pin, PinRecord, Reason, State,
    delivery::{
        self, Action, BOARD_CHECK_DELAYS, BoardCheck, Decide, Input, Outcome, SideEffect, Transition,
    },
};
use stateright::{Model, Property};

use self::{
    row::template,
    steps::{Drivers, Step},
    world::{Faults, Stage, World},
};
use crate::closed::{breaks, holds};

const ONE_EACH: &str = "there are never more Pins at Pinterest than here";
const BOUND: &str = "what is published is bound to it alone";
const TRUE_ENDS: &str = "no Pin ends for a reason that is not true";
const DUE: &str = "an open Pin has a time at which it is looked at";
const MOVES: &str = "a Pin that is due is not left as it was";
const ENDS: &str = "every Pin ends";

struct Publishing {
    drivers: Drivers,
    left: Faults,
}

/// What may go wrong in one life.
const FAULTS: Faults = Faults { crashes: 1, refresh_impossible: 1, lags: 1, refusals: 0, delays: 1 };

fn publishing(decide: Decide, pins: usize, patience: u16, left: Faults) -> Publishing {
    let pins = (0..pins).map(|_| template(0, patience)).collect();
    Publishing { drivers: Drivers { decide, pins, binds_first: false }, left }
}

/// As `deliver` does it.
fn binding_first(mut model: Publishing) -> Publishing {
    model.drivers.binds_first = true;
    model
}

impl Publishing {
    fn is_over(&self, world: &World) -> bool {
        let mut steps = Vec::new();
        self.drivers.steps(world, &mut steps);
        steps.is_empty()
    }
}

impl Model for Publishing {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.drivers.pins.len(), self.left)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        self.drivers.steps(world, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        Some(self.drivers.after(world, step))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_EACH, |_, world: &World| world.remotes.len() <= world.pins.len()),
            Property::always(BOUND, |_, world: &World| {
                world.pins.iter().enumerate().all(|(pin, row)| match row.stage {
                    Stage::Published(number) => world.remotes[number].owner == Some(pin),
                    _ => true,
                })
            }),
            Property::always(TRUE_ENDS, |_: &Self, world: &World| {
                let late = world.pins.iter().filter(|row| row.stage == Stage::Failed("too_late")).count();
                let cancelled = world.pins.iter().any(|row| row.stage == Stage::Cancelled);
                let there = world.remotes.len() + world.adrift.len();
                !cancelled && (late == 0 || late + there <= world.pins.len())
            }),
            Property::always(DUE, |model: &Self, world: &World| {
                (0..world.pins.len())
                    .all(|pin| world.pins[pin].has_ended() || model.drivers.due_at(world, pin).is_some())
            }),
            Property::always(MOVES, |_, world: &World| !world.stuck),
            // No step leads back, so where no step is left is where every way ends.
            Property::always(ENDS, |model: &Self, world: &World| {
                !model.is_over(world) || world.pins.iter().all(world::Row::has_ended)
            }),
        ]
    }
}

#[test]
fn a_pin_is_published_once() {
    holds("one Pin", publishing(delivery::decide, 1, 400, FAULTS));
    holds("one Pin, soon too late", publishing(delivery::decide, 1, 30, FAULTS));
    let refused = Faults { refusals: 1, delays: 0, ..FAULTS };
    holds("one Pin, refused once", publishing(delivery::decide, 1, 400, refused));
}

#[test]
fn a_pin_that_is_bound_before_it_is_saved_is_published_once() {
    holds("one Pin, bound first", binding_first(publishing(delivery::decide, 1, 400, FAULTS)));
}

/// The known limit of binding first: a process ends between the two writes, its Pin finds a twin's on the board before the
/// twin's process has its answer, and has two. One write for both leaves it none to begin with.
#[test]
fn a_pin_that_was_bound_and_not_saved_may_take_its_twins() {
    let crash = Faults { refresh_impossible: 0, delays: 0, ..FAULTS };
    breaks("twins, bound first", binding_first(publishing(delivery::decide, 2, 1000, crash)), ONE_EACH);
}

/// A second tick for one Pin is left to the model of one: here each worker has a Pin of its own.
#[test]
fn two_pins_with_the_same_texts_stay_two() {
    let (refresh_impossible, crash) =
        (Faults { crashes: 0, delays: 0, ..FAULTS }, Faults { refresh_impossible: 0, delays: 0, ..FAULTS });
    holds("twins, an answer is lost", publishing(delivery::decide, 2, 1000, refresh_impossible));
    holds("twins, a process crashes", publishing(delivery::decide, 2, 1000, crash));
}

#[test]
fn sending_again_without_a_board_check_publishes_twice() {
    let broken: Decide = |pin, input, context, now| match input {
        Input::Sent { fencing_token, outcome: Outcome::Unknown(_) } => {
            let outcome = Outcome::NotSent("no answer".to_owned());
            let input = Input::Sent { fencing_token: fencing_token.clone(), outcome };
            delivery::decide(pin, &input, context, now)
        }
        _ => delivery::decide(pin, input, context, now),
    };

    breaks("sent again without looking", publishing(broken, 1, 1000, FAULTS), ONE_EACH);
}

#[test]
fn a_pin_whose_process_fell_silent_may_have_been_sent() {
    let broken: Decide = |pin, input, context, now| match (&pin.state, input) {
        (State::Sending(attempt), Input::Due) if now >= attempt.started_at + Pin::SENDING_LIMIT => {
            let state = State::Waiting { reason: Reason::PinterestUnavailable, retry_at: Some(now) };
            delivery::decide(&Pin::restore(PinRecord { state, ..pin.record() }), input, context, now)
        }
        _ => delivery::decide(pin, input, context, now),
    };

    breaks("silence means nothing was sent", publishing(broken, 1, 1000, FAULTS), ONE_EACH);
}

#[test]
fn one_board_check_is_not_enough() {
    let broken: Decide = |pin, input, context, now| match (&pin.state, input) {
        (State::OutcomeUnknown { attempt, .. }, Input::BoardChecked(BoardCheck::Nothing { .. })) => {
            let nothing = BoardCheck::Nothing { began_at: attempt.started_at + BOARD_CHECK_DELAYS[2] };
            delivery::decide(pin, &Input::BoardChecked(nothing), context, now)
        }
        _ => delivery::decide(pin, input, context, now),
    };

    breaks("one look only", publishing(broken, 1, 1000, FAULTS), ONE_EACH);
}

#[test]
fn a_board_check_counts_from_its_start() {
    let broken: Decide = |pin, input, context, now| match input {
        Input::BoardChecked(BoardCheck::Nothing { .. }) => {
            delivery::decide(pin, &Input::BoardChecked(BoardCheck::Nothing { began_at: now }), context, now)
        }
        _ => delivery::decide(pin, input, context, now),
    };

    breaks("a look counts from its end", publishing(broken, 1, 1000, FAULTS), ONE_EACH);
}

#[test]
fn a_pin_whose_process_ended_is_taken_over() {
    let broken: Decide = |pin, input, context, now| match (&pin.state, input) {
        (State::Sending(_), Input::Due) => {
            Transition { pin: pin.clone(), action: Action::Rest, side_effect: SideEffect::Nothing }
        }
        _ => delivery::decide(pin, input, context, now),
    };

    breaks("never taken over", publishing(broken, 1, 1000, FAULTS), MOVES);
}

#[test]
fn a_pin_that_nobody_cancelled_is_not_cancelled() {
    let broken: Decide = |pin, input, context, now| {
        let mut transition = delivery::decide(pin, input, context, now);
        if matches!(input, Input::BoardChecked(BoardCheck::Nothing { .. }))
            && transition.action == Action::Rest
        {
            transition.pin = Pin::restore(PinRecord { state: State::Cancelled, ..transition.pin.record() });
        }
        transition
    };

    breaks("an end that nobody asked for", publishing(broken, 1, 1000, FAULTS), TRUE_ENDS);
}
