//! The table, Pinterest and two workers, as small as they can be told.

use domain::{
    PinterestPinId, Refusal, ResponseMeta,
    delivery::{Action, BoardCheck, Input, Outcome},
};
use jiff::{SignedDuration, Timestamp};

/// After the first Pin was to be published.
pub(super) type Seconds = u16;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: Seconds,
    /// The rows of our Pins.
    pub(super) pins: Vec<Row>,
    /// The Pins at Pinterest, in the order of their making.
    pub(super) remotes: Vec<Remote>,
    /// When calls were sent that nobody waits for any more, and that may still have an effect.
    pub(super) adrift: Vec<Seconds>,
    /// They are alike, so their order is kept the same whoever does what.
    pub(super) workers: [Worker; 2],
    /// How much may still go wrong.
    pub(super) left: Faults,
    /// A Pin that was due was left as it was.
    pub(super) stuck: bool,
}

/// How often what may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    /// A process ends without a word, at any step.
    pub(super) crashes: u8,
    /// The answer to a send does not come. The send may take effect, or not, or later.
    pub(super) refresh_impossible: u8,
    /// The board does not list a new Pin at once.
    pub(super) lags: u8,
    /// Pinterest refuses a send for a reason that passes.
    pub(super) refusals: u8,
    /// Time passes for a worker between reading and writing, or between writing and sending. (Calls to Pinterest
    /// may take as long as they like.)
    pub(super) delays: u8,
}

/// A Pin in our table. What is for people only is left out, and what no Pin here ever is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) stage: Stage,
    pub(super) attempts: u8,
    pub(super) repeats: u8,
    pub(super) retry_counter: Option<(&'static str, u8)>,
    pub(super) version: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Stage {
    Scheduled,
    Sending(Trial),
    Waiting(Option<Seconds>),
    OutcomeUnknown { trial: Trial, retry_at: Option<Seconds> },
    Published(usize),
    Failed(&'static str),
    Cancelled,
}

/// An attempt. The number is its fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Trial {
    pub(super) fencing_token: u8,
    pub(super) started_at: Seconds,
}

/// A Pin at Pinterest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Remote {
    pub(super) created_at: Seconds,
    pub(super) listed: bool,
    /// Which of our Pins it is bound to.
    pub(super) owner: Option<usize>,
}

/// How far a worker has come. What it carries is what it has read, not what is there by now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Worker {
    Idle,
    /// It has read a Pin that is due, and is about to decide.
    Read {
        pin: usize,
        row: Row,
    },
    /// It has decided, and is about to write over what it has read.
    Decided {
        pin: usize,
        row: Row,
        new: Row,
        then: Then,
        ended: Option<(u8, Ending)>,
        /// What Pinterest has named is bound already, by a write of its own.
        is_bound: bool,
    },
    /// Somebody else was quicker to write: it is about to read again, because it knows how a send ended.
    Outrun {
        pin: usize,
        ended: (u8, Ending),
    },
    /// It has written that it sends, and is about to.
    Sends {
        pin: usize,
        row: Row,
    },
    /// It waits for Pinterest's answer.
    Waits {
        pin: usize,
        row: Row,
        sent_at: Seconds,
        effect: Effect,
    },
    /// It is about to read the board.
    Looks {
        pin: usize,
        row: Row,
    },
    /// It has read the board: these may be its own, and it asks for each whether it is taken.
    Has {
        pin: usize,
        row: Row,
        began_at: Seconds,
        matches: Vec<usize>,
    },
}

/// What is to be done after the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Then {
    Rest,
    Send,
    BoardCheck,
}

/// How a send ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Ending {
    Created(usize),
    Busy,
    NotSent,
    Unknown,
}

/// What Pinterest has done with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Effect {
    Open,
    Made(usize),
    Refused,
}

/// What a worker has learnt.
pub(super) enum News {
    Due,
    Ended(u8, Ending),
    Found(usize),
    Nothing(Seconds),
}

impl World {
    pub(super) fn new(pins: usize, left: Faults) -> Self {
        let row = Row { stage: Stage::Scheduled, attempts: 0, repeats: 0, retry_counter: None, version: 1 };
        Self {
            now: 0,
            pins: vec![row; pins],
            remotes: Vec::new(),
            adrift: Vec::new(),
            workers: [Worker::Idle, Worker::Idle],
            left,
            stuck: false,
        }
    }
}

impl Worker {
    /// Which Pin it works on.
    pub(super) fn pin(&self) -> Option<usize> {
        match self {
            Self::Idle => None,
            Self::Read { pin, .. }
            | Self::Decided { pin, .. }
            | Self::Outrun { pin, .. }
            | Self::Sends { pin, .. }
            | Self::Waits { pin, .. }
            | Self::Looks { pin, .. }
            | Self::Has { pin, .. } => Some(*pin),
        }
    }

    pub(super) fn pin_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Idle => None,
            Self::Read { pin, .. }
            | Self::Decided { pin, .. }
            | Self::Outrun { pin, .. }
            | Self::Sends { pin, .. }
            | Self::Waits { pin, .. }
            | Self::Looks { pin, .. }
            | Self::Has { pin, .. } => Some(pin),
        }
    }

    /// The row as it has read or written it.
    pub(super) fn row(&self) -> Option<&Row> {
        match self {
            Self::Idle | Self::Outrun { .. } => None,
            Self::Read { row, .. }
            | Self::Decided { row, .. }
            | Self::Sends { row, .. }
            | Self::Waits { row, .. }
            | Self::Looks { row, .. }
            | Self::Has { row, .. } => Some(row),
        }
    }

    /// All rows that it carries.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = &mut Row> {
        let (row, new) = match self {
            Self::Idle | Self::Outrun { .. } => (None, None),
            Self::Decided { row, new, .. } => (Some(row), Some(new)),
            Self::Read { row, .. }
            | Self::Sends { row, .. }
            | Self::Waits { row, .. }
            | Self::Looks { row, .. }
            | Self::Has { row, .. } => (Some(row), None),
        };
        row.into_iter().chain(new)
    }
}

impl News {
    pub(super) fn told(&self) -> Input {
        match *self {
            Self::Due => Input::Due,
            Self::Ended(number, ending) => Input::Sent {
                fencing_token: fencing_token(number),
                outcome: match ending {
                    Ending::Created(number) => Outcome::Created(remote(number), ResponseMeta::default()),
                    Ending::Busy => Outcome::Refused(Refusal::Busy, ResponseMeta::default()),
                    Ending::NotSent => Outcome::NotSent("held up".to_owned()),
                    Ending::Unknown => Outcome::Unknown(ResponseMeta::default()),
                },
            },
            Self::Found(number) => Input::BoardChecked(BoardCheck::Found(remote(number))),
            Self::Nothing(began_at) => Input::BoardChecked(BoardCheck::Nothing { began_at: at(began_at) }),
        }
    }
}

impl From<Action> for Then {
    fn from(action: Action) -> Self {
        match action {
            Action::Rest => Self::Rest,
            Action::Send(_) => Self::Send,
            Action::CheckBoard(_) => Self::BoardCheck,
            Action::Register | Action::Upload(_) | Action::Poll(_) => panic!("this Pin shows an image"),
        }
    }
}

pub(super) fn at(seconds: Seconds) -> Timestamp {
    start() + SignedDuration::from_secs(seconds.into())
}

/// Whole seconds: fractions would be lost, and with them the order of events.
pub(super) fn seconds(at: Timestamp) -> Seconds {
    let since = at.duration_since(start());
    assert_eq!(since.subsec_nanos(), 0, "{at}");
    since.as_secs().try_into().unwrap()
}

fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

pub(super) fn fencing_token(number: u8) -> String {
    number.to_string()
}

pub(super) fn remote(number: usize) -> PinterestPinId {
    PinterestPinId::try_from(number.to_string()).unwrap()
}

pub(super) fn word(code: &str) -> &'static str {
    let known = ["busy", "look", "not_sent", "outcome_unknown", "too_late"];
    known.into_iter().find(|known| *known == code).unwrap()
}
