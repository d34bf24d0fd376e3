//! Refreshing: a rotated token is never lost, and a living one never given up.

mod driver;
mod steps;
mod world;

use domain::refresh::{
    self, Action, Context, CredentialCheck, Decide, Input, RefreshResult, TokenRecord, TokenSlot, TokenState,
};
use stateright::{Model, Property};

use self::{
    steps::{Drivers, Mistake, Policy, Step},
    world::{Faults, Secret, World, Wrong},
};
use crate::closed::{breaks, holds};

const KEPT: &str = "no write takes the last living pair out of the row";
const PATIENT: &str = "no channel is given up while a living pair is in the row or on its way";
const MOVES: &str = "what is given back is not due at once";
const ALONE: &str = "one process at a time asks for a channel's new pair";
const EXCUSED: &str = "without a pair that was lost on its way, there is always one that lives";
const ENDS: &str = "every channel is connected with a living pair in the end, or has none and says so";
const ALWAYS_ENDS_WELL: &str = "every channel is connected with a living pair in the end";

struct Refreshing {
    drivers: Drivers,
    left: Faults,
    rounds: u8,
}

const FAULTS: Faults = Faults { crashes: 1, lost: 1, delays: 2, secret: Secret::Right };

fn refreshing(decide: Decide, policy: Policy) -> Refreshing {
    let drivers = Drivers { decide, policy, newest_only: false, mistake: None };
    Refreshing { drivers, left: FAULTS, rounds: 1 }
}

const GRACE: Policy = Policy::Grace(10 * 60);

fn newest_only(mut model: Refreshing) -> Refreshing {
    model.drivers.newest_only = true;
    model
}

impl Refreshing {
    fn over(&self, world: &World) -> bool {
        let mut steps = Vec::new();
        self.drivers.steps(world, &mut steps);
        steps.is_empty()
    }
}

impl Model for Refreshing {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.left, self.rounds)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        self.drivers.steps(world, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        Some(self.drivers.after(world, step))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(KEPT, |_: &Self, world: &World| world.wrong != Some(Wrong::Overwritten)),
            Property::always(PATIENT, |_, world: &World| world.wrong != Some(Wrong::GivenUp)),
            Property::always(MOVES, |_, world: &World| world.wrong != Some(Wrong::Stuck)),
            Property::always(ALONE, |_, world: &World| {
                world.workers.iter().filter(|worker| worker.asks_in_time(world.now)).count() < 2
            }),
            Property::always(EXCUSED, |_, world: &World| {
                let on_its_way = world.workers.iter().filter_map(world::Worker::fresh);
                let lives = world.row_lives() || { on_its_way }.any(|(pair, _)| world.lives(pair));
                lives || world.lost
            }),
            // No step leads back, so where no step is left is where every way ends.
            Property::always(ENDS, |model, world: &World| {
                world.wrong.is_some() || !model.over(world) || world.row.dead != world.row_lives()
            }),
        ];
        if self.drivers.policy != Policy::AtOnce {
            properties.push(Property::always(ALWAYS_ENDS_WELL, |model, world: &World| {
                world.wrong.is_some() || !model.over(world) || !world.row.dead
            }));
        }
        properties
    }
}

#[test]
fn no_refresh_token_is_lost_and_no_living_one_given_up() {
    for policy in [Policy::AtOnce, Policy::UntilUsed, GRACE] {
        holds(&format!("refresh, {policy:?}"), refreshing(refresh::decide, policy));
    }
    let harsh = newest_only(refreshing(refresh::decide, Policy::UntilUsed));
    holds("refresh, UntilUsed, newest only", harsh);
}

#[test]
fn believing_the_first_refusal_gives_up_a_living_channel() {
    let broken: Decide = |state, input, context, now| {
        let state = TokenState::restore(TokenRecord { believe_refusal_at: Some(now), ..state.record() });
        let context = Context { taken_over: false, ..context };
        refresh::decide(&state, input, context, now)
    };

    breaks("refusals believed at once", refreshing(broken, Policy::AtOnce), PATIENT);
}

#[test]
fn silence_that_counts_as_a_refusal_gives_up_a_living_channel() {
    let broken: Decide = |state, input, context, now| match input {
        Input::RefreshAnswered(_, RefreshResult::Failed { .. }) => {
            let context = Context { credential_check: Some(CredentialCheck::Right), ..context };
            let believing =
                TokenState::restore(TokenRecord { believe_refusal_at: Some(now), ..state.record() });
            refresh::decide(
                &believing,
                Input::RefreshAnswered(TokenSlot::Previous, RefreshResult::Refused),
                context,
                now,
            )
        }
        _ => refresh::decide(state, input, context, now),
    };

    breaks("silence as refusal", refreshing(broken, Policy::UntilUsed), PATIENT);
}

#[test]
fn a_channel_is_given_up_if_its_previous_pair_is_not_tried() {
    let broken: Decide = |state, input, context, now| {
        refresh::decide(state, input, Context { previous: false, ..context }, now)
    };

    breaks("previous pair forgotten", newest_only(refreshing(broken, Policy::UntilUsed)), PATIENT);
}

#[test]
fn releasing_a_channel_as_due_refreshes_it_without_end() {
    let broken: Decide = |state, input, context, now| {
        let mut transition = refresh::decide(state, input, context, now);
        if transition.action == Action::ReleaseLease {
            transition.state =
                TokenState::restore(TokenRecord { due_at: Some(now), ..transition.state.record() });
        }
        transition
    };

    breaks("given back as due", refreshing(broken, Policy::UntilUsed), MOVES);
}

#[test]
fn a_save_with_a_lease_condition_loses_a_pair() {
    let mut broken = refreshing(refresh::decide, Policy::AtOnce);
    broken.drivers.mistake = Some(Mistake::SavesByLease);

    breaks("saves by lease", broken, EXCUSED);
}

#[test]
fn two_workers_with_one_partition_ask_at_once() {
    let mut broken = refreshing(refresh::decide, Policy::AtOnce);
    broken.drivers.mistake = Some(Mistake::SharesWithoutFence);

    breaks("a share without a fence", broken, ALONE);
}

#[test]
fn a_refusal_without_a_lease_of_the_channels_own_gives_up_a_living_one() {
    let mut broken = refreshing(refresh::decide, Policy::AtOnce);
    (broken.drivers.mistake, broken.left.secret) = (Some(Mistake::AlwaysLight), Secret::Wrong);

    breaks("in doubt, and without a lease", broken, PATIENT);
}

#[test]
fn a_wrong_app_secret_costs_no_channel() {
    let wrong = Faults { crashes: 0, lost: 0, delays: 3, secret: Secret::Wrong };
    let model = Refreshing { left: wrong, ..refreshing(refresh::decide, Policy::AtOnce) };
    holds("refresh, the secret is wrong for a while", model);
}

#[test]
fn a_turn_that_was_left_in_the_middle_may_have_given_a_new_pair() {
    let broken: Decide = |state, input, context, now| {
        refresh::decide(state, input, Context { taken_over: false, ..context }, now)
    };
    let wrong = Faults { crashes: 0, lost: 0, delays: 3, secret: Secret::Wrong };
    let model = Refreshing { left: wrong, ..refreshing(broken, Policy::AtOnce) };

    breaks("a left turn is not minded", model, PATIENT);
}

#[test]
fn refreshing_without_a_credential_check_ends_living_channels() {
    let broken: Decide = |state, input, context, now| {
        refresh::decide(
            state,
            input,
            Context { credential_check: Some(CredentialCheck::Right), ..context },
            now,
        )
    };
    let wrong = Faults { crashes: 0, lost: 0, delays: 0, secret: Secret::Wrong };
    let model = Refreshing { left: wrong, ..refreshing(broken, Policy::AtOnce) };

    breaks("the secret is not asked about", model, PATIENT);
}
