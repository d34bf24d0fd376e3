//! What holds in every life of a Pin, however its days go.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    deeds::{Deed, deed},
    *,
};

/// An attempt that was sent, what came of it, and whether that is known here.
struct Sent {
    attempt: Attempt,
    outcome: Option<Outcome>,
    decided: bool,
}

/// A Pin, its time, and what is true about it.
struct Life {
    pin: Pin,
    now: Timestamp,
    conditions: Conditions,
    sent: Vec<Sent>,
    decisions: u32,
}

impl Life {
    fn new(patience: i64) -> Self {
        let mut pin = pin(State::Scheduled);
        pin.give_up_at = at(patience);
        Self { pin, now: at(0), conditions: ready(), sent: Vec::new(), decisions: 0 }
    }

    fn live(&mut self, deed: Deed) {
        match deed {
            Deed::Pass(seconds) => self.now += SignedDuration::from_secs(seconds),
            Deed::Become(readiness, lost) => {
                (self.conditions.readiness, self.conditions.lost) = (readiness, lost);
            }
            Deed::Due => drop(self.happens(&Happened::Due)),
            Deed::ChannelBack => drop(self.happens(&Happened::ChannelBack)),
            Deed::Answer(which, outcome) if !self.sent.is_empty() => {
                let which = which.index(self.sent.len());
                self.answer(which, outcome);
            }
            Deed::Answer(..) => {}
            Deed::Look(Look::Nothing { .. }, ago) => {
                let began_at = self.now - SignedDuration::from_secs(ago);
                self.happens(&Happened::Looked(Look::Nothing { began_at }));
            }
            Deed::Look(look, _) => drop(self.happens(&Happened::Looked(look))),
        }
    }

    fn answer(&mut self, which: usize, outcome: Outcome) {
        let sent = &mut self.sent[which];
        let outcome = sent.outcome.get_or_insert(outcome).clone();
        let fence = sent.attempt.fence.clone();
        self.happens(&Happened::Sent { fence, outcome });
    }

    /// Decides, checks everything that must hold of any decision, and goes on from it.
    fn happens(&mut self, happened: &Happened) -> Next {
        self.decisions += 1;
        self.conditions.fence = format!("fence {}", self.decisions);
        let before = self.pin.clone();
        let decision = decide(&before, happened, &self.conditions, self.now);
        self.learn(&before.state, happened);

        self.ends_stay(&before, &decision);
        self.sends_are_safe(&before, &decision);
        self.looks_are_for_the_doubted(&decision);
        answers_count(&before, happened, &decision);
        self.nothing_is_forgotten(&before, happened, &decision);
        changes_are_told(&before, &decision);

        if let Next::Send(attempt) = &decision.next {
            self.sent.push(Sent { attempt: attempt.clone(), outcome: None, decided: false });
        }
        if let Also::PauseChannel(pause) = decision.also {
            self.conditions.last_pause = Some(pause);
        }
        self.pin = decision.pin;
        decision.next
    }

    /// What is certain now: an answer that leaves no doubt, or a list that can no longer lag.
    fn learn(&mut self, before: &State, happened: &Happened) {
        for sent in &mut self.sent {
            sent.decided |= match happened {
                Happened::Sent { fence, outcome } => {
                    *fence == sent.attempt.fence && !matches!(outcome, Outcome::Unknown(_))
                }
                Happened::Looked(Look::Nothing { began_at }) => {
                    let enough = sent.attempt.started_at + LOOKS[2];
                    matches!(before, State::InDoubt { .. }) && *began_at >= enough
                }
                _ => false,
            };
        }
    }

    fn ends_stay(&self, before: &Pin, decision: &Decision) {
        if before.due_at().is_none() {
            assert_eq!((&decision.pin, &decision.next), (before, &Next::Rest));
            assert_eq!(decision.also, Also::Nothing);
        }
        let too_late = failure(&decision.pin) == Some("too_late") && failure(before).is_none();
        assert!(!too_late || self.now >= before.give_up_at);
    }

    fn sends_are_safe(&self, before: &Pin, decision: &Decision) {
        let Next::Send(attempt) = &decision.next else {
            let sending = matches!(decision.pin.state, State::Sending(_));
            assert!(!sending || decision.pin.state == before.state, "an attempt that nobody sends");
            return;
        };
        assert_eq!(decision.pin.state, State::Sending(attempt.clone()));
        assert_eq!((&attempt.fence, attempt.started_at), (&self.conditions.fence, self.now));
        assert_eq!(decision.pin.attempts, before.attempts + 1);
        assert_eq!(self.conditions.readiness, Readiness::Ready);
        assert!(self.now >= before.publish_at && self.now < before.give_up_at);
        assert!(self.sent.iter().all(|sent| sent.decided), "an earlier attempt may have worked");
    }

    fn looks_are_for_the_doubted(&self, decision: &Decision) {
        if let Next::Look(wanted) = &decision.next {
            assert!(matches!(&decision.pin.state, State::InDoubt { attempt, .. } if attempt == wanted));
            assert_eq!(self.conditions.readiness, Readiness::Ready);
        }
    }

    fn nothing_is_forgotten(&self, before: &Pin, happened: &Happened, decision: &Decision) {
        let pin = &decision.pin;
        let ended = matches!(pin.state, State::Published { .. } | State::Failed { .. } | State::Cancelled);
        assert_eq!(pin.due_at().is_none(), ended);
        let was_due = before.due_at().is_some_and(|due_at| due_at <= self.now);
        if was_due && matches!(happened, Happened::Due) && decision.next == Next::Rest {
            let still_due = pin.due_at().is_some_and(|due_at| due_at <= self.now);
            let just_doubted = matches!(before.state, State::Sending(_)) && pin.state != before.state;
            assert!(!still_due || just_doubted, "due for ever: {:?}", pin.state);
        }
    }
}

fn answers_count(before: &Pin, happened: &Happened, decision: &Decision) {
    let Happened::Sent { fence, outcome } = happened else {
        return;
    };
    let current = match &before.state {
        State::Sending(attempt) | State::InDoubt { attempt, .. } => attempt.fence == *fence,
        _ => false,
    };
    match outcome {
        Outcome::Created(..) => assert!(is_published(&decision.pin) || before.due_at().is_none()),
        Outcome::Refused(..) | Outcome::NotSent(_) if current => {
            assert!(!matches!(decision.pin.state, State::InDoubt { .. } | State::Sending(_)));
        }
        Outcome::Unknown(_) if current => assert!(matches!(decision.pin.state, State::InDoubt { .. })),
        _ => assert_eq!(&decision.pin, before),
    }
    assert!(!matches!(decision.next, Next::Send(_) | Next::Look(_)));
}

fn changes_are_told(before: &Pin, decision: &Decision) {
    let phase = |state: &State| (std::mem::discriminant(state), state.waits_for().map(|(reason, _)| reason));
    if phase(&before.state) != phase(&decision.pin.state) {
        assert!(lines(&decision.pin) > lines(before), "a change that nobody can read about");
    }
    assert!(lines(&decision.pin) <= lines(before) + 2);
    assert_eq!((decision.pin.version, decision.pin.give_up_at), (before.version, before.give_up_at));
}

fn patience() -> impl Strategy<Value = i64> {
    select(vec![60, 3600, WEEK])
}

fn often() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) }
}

proptest! {
    #![proptest_config(often())]

    #[test]
    fn no_life_of_a_pin_breaks_a_rule(patience in patience(), deeds in vec(deed(), 0..80)) {
        let mut life = Life::new(patience);
        for deed in deeds {
            life.live(deed);
        }
    }

    #[test]
    fn every_pin_ends_soon_after_its_time_if_pinterest_answers(
        patience in patience(),
        deeds in vec(deed(), 0..60),
        there in any::<bool>(),
        answers in any::<bool>(),
    ) {
        let mut life = Life::new(patience);
        for deed in deeds {
            life.live(deed);
        }
        life.live(Deed::Become(Readiness::Ready, false));
        life.now = life.now.max(life.pin.give_up_at);

        let mut ticks = 0;
        while life.pin.due_at().is_some() {
            ticks += 1;
            prop_assert!(ticks <= 30, "still {:?}", life.pin.state);
            if let Next::Look(_) = life.happens(&Happened::Due) && answers {
                let look = if there { Look::Found(remote()) } else { nothing(0) };
                life.live(Deed::Look(look, 0));
            }
            life.now += if answers { SignedDuration::from_mins(1) } else { SignedDuration::from_mins(6) };
        }
    }
}
