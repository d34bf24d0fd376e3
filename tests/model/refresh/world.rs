//! One channel's row, the pairs that Pinterest has given for it, and two workers.

use domain::{
    ChannelId, Connection, Environment, ReconnectCause, TenantId,
    refresh::{Lease, TokenRecord, TokenSlot, TokenState},
};
use jiff::{SignedDuration, Timestamp};

/// After the tokens were due.
pub(super) type Seconds = i32;
/// A pair of tokens, by its place among all pairs that still matter.
pub(super) type Pair = usize;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: Seconds,
    pub(super) row: Row,
    /// Until when a worker has the partition of the channel.
    pub(super) share: Option<Seconds>,
    /// What Pinterest has given.
    pub(super) pairs: Vec<Given>,
    /// Refreshes that nobody waits for any more and that may still take effect: with which pair, until when.
    pub(super) adrift: Vec<(Pair, Seconds)>,
    /// They are alike, so their order is kept the same whoever does what.
    pub(super) workers: [Worker; 2],
    /// How much may still go wrong.
    pub(super) left: Faults,
    /// How many more times the tokens become due.
    pub(super) rounds: u8,
    /// A new pair was lost on its way: with the answer, or with the process that had it.
    pub(super) lost: bool,
    /// What went wrong for good.
    pub(super) wrong: Option<Wrong>,
}

/// How often what may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    /// A process ends without a word, at any step.
    pub(super) crashes: u8,
    /// An answer does not come, be it Pinterest's or the table's. What was asked for is done, or not.
    pub(super) lost: u8,
    /// Time passes for a worker beyond what its calls may take: the next instant comes before it is done.
    pub(super) delays: u8,
    /// For a while, the App Secret is wrong.
    pub(super) secret: Secret,
}

/// Whether Pinterest knows the App Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Secret {
    Right,
    /// Until somebody corrects it: who has read it goes on with it.
    Wrong,
}

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wrong {
    /// A write took the last living pair out of the row.
    Overwritten,
    /// The row holds a living pair, or a process does whose time is not up, and the channel was given up.
    GivenUp,
    /// It was given back, and is due again at once.
    Stuck,
}

/// The channel's tokens in our table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) version: u8,
    /// It has to be connected again.
    pub(super) dead: bool,
    pub(super) current: Pair,
    pub(super) previous: Option<Pair>,
    pub(super) spare: Option<Pair>,
    pub(super) lease: Option<Seconds>,
    pub(super) believe_at: Option<Seconds>,
    pub(super) failures: u8,
    pub(super) due_at: Option<Seconds>,
}

/// A pair that Pinterest has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Given {
    /// For which.
    pub(super) parent: Option<Pair>,
    /// When its refresh token dies, or died.
    pub(super) dies_at: Option<Seconds>,
}

/// How far a worker has come. What it carries is what it has read, not what is there by now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Worker {
    Idle,
    /// It asks, or is about to ask, for a new pair.
    Asks {
        own: Own,
        slot: Choice,
    },
    /// Pinterest has answered: with a new pair, or with a refusal.
    Hears {
        own: Own,
        slot: Choice,
        new: Option<Pair>,
    },
    /// It has heard something else than a new pair, without a lease of the channel's own: it takes one.
    Leases {
        own: Own,
        slot: Choice,
        refused: bool,
    },
    /// It asks whether the App Secret is right.
    Probes {
        own: Own,
    },
    /// It saves a new pair over version `before`, even if the channel was given up.
    Saves {
        own: Own,
        new: Row,
        even_dead: bool,
    },
    /// It reads what is there instead of its save.
    Compares {
        own: Own,
        new: Row,
    },
    /// It saves a pair that came too late to be the current one.
    Spares {
        own: Own,
        pair: Pair,
    },
    /// It gives the lease back.
    Releases {
        own: Own,
        new: Row,
    },
}

/// What a worker has since its claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Own {
    /// As it was read, or claimed.
    pub(super) row: Row,
    /// The end of the share in which it works. Shares have different ends.
    pub(super) share: Seconds,
    /// When its right to ask ends: that of its share, or, later, of the channel's own lease.
    pub(super) until: Seconds,
    /// Whether the lease in the table is still its own.
    pub(super) leased: bool,
    /// The App Secret that it calls with.
    pub(super) secret: Secret,
    /// Somebody has left the turn before this one in the middle.
    pub(super) taken_over: bool,
    /// Pinterest has said in this turn that the App Secret is right.
    pub(super) said_right: bool,
}

impl Own {
    /// Whether it has no lease of the channel's own yet.
    pub(super) fn is_light(&self) -> bool {
        self.until == self.share
    }
}

/// [`TokenSlot`], in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Choice {
    Current,
    Spare,
    Previous,
}

impl From<TokenSlot> for Choice {
    fn from(slot: TokenSlot) -> Self {
        match slot {
            TokenSlot::Current => Self::Current,
            TokenSlot::Spare => Self::Spare,
            TokenSlot::Previous => Self::Previous,
        }
    }
}

impl From<Choice> for TokenSlot {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Current => Self::Current,
            Choice::Spare => Self::Spare,
            Choice::Previous => Self::Previous,
        }
    }
}

impl World {
    pub(super) fn new(left: Faults, rounds: u8) -> Self {
        let row = Row {
            version: 1,
            dead: false,
            current: 0,
            previous: None,
            spare: None,
            lease: None,
            believe_at: None,
            failures: 0,
            due_at: Some(0),
        };
        Self {
            now: 0,
            row,
            share: None,
            pairs: vec![Given { parent: None, dies_at: None }],
            adrift: Vec::new(),
            workers: [Worker::Idle, Worker::Idle],
            left,
            rounds,
            lost: false,
            wrong: None,
        }
    }

    pub(super) fn lives(&self, pair: Pair) -> bool {
        self.pairs[pair].dies_at.is_none_or(|dies_at| self.now < dies_at)
    }

    /// Whether the row holds a refresh token that works.
    pub(super) fn row_lives(&self) -> bool {
        self.row.pairs().any(|pair| self.lives(pair))
    }

    pub(super) fn idle(&self) -> bool {
        self.workers == [Worker::Idle, Worker::Idle]
    }
}

impl Worker {
    pub(super) fn own(&mut self) -> Option<&mut Own> {
        match self {
            Self::Idle => None,
            Self::Asks { own, .. }
            | Self::Hears { own, .. }
            | Self::Leases { own, .. }
            | Self::Probes { own }
            | Self::Saves { own, .. }
            | Self::Compares { own, .. }
            | Self::Spares { own, .. }
            | Self::Releases { own, .. } => Some(own),
        }
    }

    /// Every pair that it knows.
    pub(super) fn each(&mut self, deed: &mut impl FnMut(&mut Pair)) {
        match self {
            Self::Hears { new: Some(pair), .. } | Self::Spares { pair, .. } => deed(pair),
            Self::Saves { new, .. } | Self::Compares { new, .. } | Self::Releases { new, .. } => {
                new.each(deed);
            }
            _ => {}
        }
        if let Some(own) = self.own() {
            own.row.each(deed);
        }
    }

    /// Whether its next step is a write that may be done although its answer is lost.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Self::Leases { .. } | Self::Saves { .. } | Self::Spares { .. } | Self::Releases { .. })
    }

    /// Whether it asks for a new pair, and has a right to.
    pub(super) fn asks_in_time(&self, now: Seconds) -> bool {
        matches!(self, Self::Asks { own, .. } if now <= own.until)
    }

    /// The new pair that only this worker has.
    pub(super) fn fresh(&self) -> Option<(Pair, &Own)> {
        match self {
            Self::Hears { own, new: Some(pair), .. } | Self::Spares { own, pair } => Some((*pair, own)),
            Self::Saves { own, new, .. } | Self::Compares { own, new } => Some((new.current, own)),
            _ => None,
        }
    }
}

impl Row {
    /// Every pair in it.
    pub(super) fn each(&mut self, deed: &mut impl FnMut(&mut Pair)) {
        deed(&mut self.current);
        self.spare.as_mut().into_iter().for_each(&mut *deed);
        self.previous.as_mut().into_iter().for_each(deed);
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair> {
        [Some(self.current), self.spare, self.previous].into_iter().flatten()
    }

    pub(super) fn state(&self) -> TokenState {
        let dead = Connection::ReconnectRequired(ReconnectCause::RefreshTokenRejected);
        TokenState::restore(TokenRecord {
            channel_id: ChannelId::new(at(0), [3; 10]),
            tenant: TenantId("t".into()),
            environment: Environment::Sandbox,
            connection: if self.dead { dead } else { Connection::Connected },
            access_expires_at: at(0) + SignedDuration::from_hours(7 * 24),
            refresh_expires_at: None,
            version: self.version.into(),
            lease: self.lease.map(|until| Lease { id: "mine".into(), until: at(until) }),
            believe_refusal_at: self.believe_at.map(at),
            failures: self.failures.into(),
            due_at: self.due_at.map(at),
            warned_days: None,
        })
    }

    /// The row with what was decided: the pairs are the driver's.
    pub(super) fn with(&self, state: &TokenState) -> Self {
        let dead = match state.connection {
            Connection::Connected => false,
            Connection::ReconnectRequired(cause) => {
                assert_eq!(cause, ReconnectCause::RefreshTokenRejected, "the model knows no other");
                true
            }
        };
        Self {
            version: state.version.try_into().unwrap(),
            dead,
            lease: state.lease.as_ref().map(|lease| seconds(lease.until)),
            believe_at: state.believe_refusal_at.map(seconds),
            failures: state.failures.try_into().unwrap(),
            due_at: state.due_at.map(seconds),
            ..self.clone()
        }
    }
}

pub(super) fn at(seconds: Seconds) -> Timestamp {
    start() + SignedDuration::from_secs(seconds.into())
}

/// Rounded up: nothing is done before its time.
pub(super) fn seconds(at: Timestamp) -> Seconds {
    let since = at.duration_since(start());
    (since.as_secs() + i64::from(since.subsec_nanos() > 0)).try_into().unwrap()
}

fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}
