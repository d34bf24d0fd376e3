//! What holds in every life of a Pin, however its days go.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    steps::{Step, step},
    *,
};

/// An attempt that was sent, what came of it, and whether that is known here.
struct AttemptLog {
    attempt: Attempt,
    outcome: Option<Outcome>,
    is_decided: bool,
}

/// A Pin, its time, and what is true about it.
struct Life {
    pin: Pin,
    now: Timestamp,
    context: Context,
    attempts: Vec<AttemptLog>,
    decisions: u32,
}

impl Life {
    fn new(time_to_publish: i64) -> Self {
        let mut pin = pin(State::Scheduled);
        pin = altered(&pin, |record| record.give_up_at = at(time_to_publish));
        Self { pin, now: at(0), context: ready(), attempts: Vec::new(), decisions: 0 }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Pass(seconds) => self.now += SignedDuration::from_secs(seconds),
            Step::Become(readiness, refresh_impossible) => {
                (self.context.readiness, self.context.refresh_impossible) = (readiness, refresh_impossible);
            }
            Step::Due => drop(self.handle(&Input::Due)),
            Step::ChannelReconnected => drop(self.handle(&Input::ChannelReconnected)),
            Step::Answer(index, outcome) if !self.attempts.is_empty() => {
                let index = index.index(self.attempts.len());
                self.answer(index, outcome);
            }
            Step::Answer(..) => {}
            Step::BoardCheck(BoardCheck::Nothing { .. }, ago) => {
                let began_at = self.now - SignedDuration::from_secs(ago);
                self.handle(&Input::BoardChecked(BoardCheck::Nothing { began_at }));
            }
            Step::BoardCheck(BoardCheck::Possible { matches, .. }, ago) => {
                let began_at = self.now - SignedDuration::from_secs(ago);
                self.handle(&Input::BoardChecked(BoardCheck::Possible { began_at, matches }));
            }
            Step::BoardCheck(board_check, _) => drop(self.handle(&Input::BoardChecked(board_check))),
        }
    }

    fn answer(&mut self, index: usize, outcome: Outcome) {
        let attempts = &mut self.attempts[index];
        let outcome = attempts.outcome.get_or_insert(outcome).clone();
        let fencing_token = attempts.attempt.fencing_token.clone();
        self.handle(&Input::Sent { fencing_token, outcome });
    }

    /// Decides, checks everything that must hold of any decision, and goes on from it.
    fn handle(&mut self, input: &Input) -> Action {
        self.decisions += 1;
        self.context.fencing_token = format!("fence {}", self.decisions);
        let before = self.pin.clone();
        let transition = decide(&before, input, &self.context, self.now);
        self.learn(&before.state, input);

        self.ends_stay(&before, &transition);
        self.sends_are_safe(&before, &transition);
        self.looks_are_for_the_doubted(&transition);
        answers_count(&before, input, &transition);
        self.nothing_is_forgotten(&before, input, &transition);
        changes_are_told(&before, &transition);

        if let Action::Send(attempt) = &transition.action {
            self.attempts.push(AttemptLog { attempt: attempt.clone(), outcome: None, is_decided: false });
        }
        if let SideEffect::PauseChannel(pause) = transition.side_effect {
            self.context.last_pause = Some(pause);
        }
        self.pin = transition.pin;
        transition.action
    }

    /// Notes what is certain now: after an answer with an outcome, or after a list that can no longer lag.
    fn learn(&mut self, before: &State, input: &Input) {
        for attempt_log in &mut self.attempts {
            attempt_log.is_decided |= match input {
                Input::Sent { fencing_token, outcome } => {
                    *fencing_token == attempt_log.attempt.fencing_token
                        && !matches!(outcome, Outcome::Unknown(_))
                }
                Input::BoardChecked(BoardCheck::Nothing { began_at }) => {
                    let enough = attempt_log.attempt.started_at + BOARD_CHECK_DELAYS[2];
                    matches!(before, State::OutcomeUnknown { .. }) && *began_at >= enough
                }
                _ => false,
            };
        }
    }

    fn ends_stay(&self, before: &Pin, transition: &Transition) {
        if before.due_at().is_none() && !is_published(&transition.pin) {
            assert_eq!((&transition.pin, &transition.action), (before, &Action::Rest));
            assert_eq!(transition.side_effect, SideEffect::Nothing);
        }
        let too_late = failure(&transition.pin) == Some("too_late") && failure(before).is_none();
        assert!(!too_late || self.now >= before.give_up_at);
    }

    fn sends_are_safe(&self, before: &Pin, transition: &Transition) {
        let Action::Send(attempt) = &transition.action else {
            let sending = matches!(transition.pin.state, State::Sending(_));
            assert!(!sending || transition.pin.state == before.state, "an attempt that nobody sends");
            return;
        };
        assert_eq!(transition.pin.state, State::Sending(attempt.clone()));
        assert_eq!((&attempt.fencing_token, attempt.started_at), (&self.context.fencing_token, self.now));
        assert_eq!(transition.pin.attempts, before.attempts + 1);
        assert_eq!(self.context.readiness, Readiness::Ready);
        assert!(self.now >= before.publish_at && self.now < before.give_up_at);
        assert!(
            self.attempts.iter().all(|attempts| attempts.is_decided),
            "an earlier attempt may have worked"
        );
    }

    fn looks_are_for_the_doubted(&self, transition: &Transition) {
        if let Action::CheckBoard(wanted) = &transition.action {
            assert!(
                matches!(&transition.pin.state, State::OutcomeUnknown { attempt, .. } if attempt == wanted)
            );
            assert!(self.context.readiness.can_read());
        }
    }

    fn nothing_is_forgotten(&self, before: &Pin, input: &Input, transition: &Transition) {
        let pin = &transition.pin;
        assert_eq!(pin.due_at().is_none(), pin.state.group() != crate::PinGroup::Open);
        let was_due = before.due_at().is_some_and(|due_at| due_at <= self.now);
        if was_due && matches!(input, Input::Due) && transition.action == Action::Rest {
            let still_due = pin.due_at().is_some_and(|due_at| due_at <= self.now);
            let just_doubted = matches!(before.state, State::Sending(_)) && pin.state != before.state;
            assert!(!still_due || just_doubted, "due for ever: {:?}", pin.state);
        }
    }
}

fn answers_count(before: &Pin, input: &Input, transition: &Transition) {
    let Input::Sent { fencing_token, outcome } = input else {
        return;
    };
    let current = match &before.state {
        State::Sending(attempt) | State::OutcomeUnknown { attempt, .. } => {
            attempt.fencing_token == *fencing_token
        }
        _ => false,
    };
    match outcome {
        Outcome::Created(..) => assert!(is_published(&transition.pin)),
        Outcome::Refused(..) | Outcome::NotSent(_) if current => {
            assert!(!matches!(transition.pin.state, State::OutcomeUnknown { .. } | State::Sending(_)));
        }
        Outcome::Unknown(_) if current => {
            assert!(matches!(transition.pin.state, State::OutcomeUnknown { .. }));
        }
        _ => assert_eq!(&transition.pin, before),
    }
    assert!(!matches!(transition.action, Action::Send(_) | Action::CheckBoard(_)));
}

fn changes_are_told(before: &Pin, transition: &Transition) {
    let phase = |state: &State| (std::mem::discriminant(state), state.waits_for().map(|(reason, _)| reason));
    if phase(&before.state) != phase(&transition.pin.state) {
        assert!(lines(&transition.pin) > lines(before), "a change that nobody can read about");
    }
    assert!(lines(&transition.pin) <= lines(before) + 2);
    assert_eq!((transition.pin.version, transition.pin.give_up_at), (before.version, before.give_up_at));
}

fn time_to_publish() -> impl Strategy<Value = i64> {
    select(vec![60, 3600, WEEK])
}

fn often() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) }
}

proptest! {
    #![proptest_config(often())]

    #[test]
    fn no_sequence_of_inputs_breaks_a_rule(time_to_publish in time_to_publish(), steps in vec(step(), 0..80)) {
        let mut life = Life::new(time_to_publish);
        for step in steps {
            life.apply(step);
        }
    }

    #[test]
    fn every_pin_ends_soon_after_its_time_if_pinterest_answers(
        time_to_publish in time_to_publish(),
        steps in vec(step(), 0..60),
        there in any::<bool>(),
        answers in any::<bool>(),
    ) {
        let mut life = Life::new(time_to_publish);
        for step in steps {
            life.apply(step);
        }
        life.apply(Step::Become(Readiness::Ready, false));
        life.now = life.now.max(life.pin.give_up_at);

        let mut ticks = 0;
        while life.pin.due_at().is_some() {
            ticks += 1;
            prop_assert!(ticks <= 30, "still {:?}", life.pin.state);
            if let Action::CheckBoard(_) = life.handle(&Input::Due) && answers {
                let board_check = if there { BoardCheck::Found(remote()) } else { nothing_found(0) };
                life.apply(Step::BoardCheck(board_check, 0));
            }
            life.now += if answers { SignedDuration::from_mins(1) } else { SignedDuration::from_mins(6) };
        }
    }
}
