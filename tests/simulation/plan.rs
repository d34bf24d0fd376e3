//! What a seed has in store.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Duration;

use crate::{dice::Dice, lambda::Deed};

/// A run's span, before everything is let calm down.
pub(crate) const DAYS: i64 = 30;

/// What becomes of a refresh token once it was exchanged: Pinterest does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It lives until a token that came of it is used.
    UntilNewIsUsed,
    /// It lives for so much longer.
    Grace(SignedDuration),
    /// It is dead before the new pair has reached anybody.
    DeadAtOnce,
}

/// In which order a board lists its Pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
    Shuffled,
}

/// Why Pinterest, or a part of it, cannot be used for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No connection can be made.
    Unreachable,
    /// Every call is answered 503, and has no effect.
    Down,
    /// Calls have their effect, and no answer comes.
    Mute,
    /// The token endpoint takes our App Secret for a wrong one.
    WrongSecret,
    /// The app has lost its approval: 401 code 3.
    Unapproved,
    /// Every call about Pins meets a rate limit, and nobody says until when.
    Limited,
    /// Every Pin is taken for spam.
    Blocked,
    /// App ID and App Secret are not set: ours, not Pinterest's.
    Unconfigured,
}

const TROUBLES: [Trouble; 8] = [
    Trouble::Unreachable,
    Trouble::Down,
    Trouble::Mute,
    Trouble::WrongSecret,
    Trouble::Unapproved,
    Trouble::Limited,
    Trouble::Blocked,
    Trouble::Unconfigured,
];
const HOUR: Duration = Duration::from_hours(1);

/// A time of trouble.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spell {
    pub(crate) trouble: Trouble,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// What a mutant's run puts to the test: it goes wrong often there, and little else is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storm {
    /// Publishing.
    Pins,
    /// Renewing.
    Tokens,
}

/// What a seed decides before it begins.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own, of Pinterest or of the stack")]
pub(crate) struct Plan {
    pub(crate) rotation: Rotation,
    /// A second exchange of one refresh token ends the pair of the first, unless that was used.
    pub(crate) voids_siblings: bool,
    /// A grant for App ID and App Secret alone is given.
    pub(crate) probes: bool,
    pub(crate) order: Order,
    /// A list lags by so many seconds, at least and at most.
    pub(crate) lag: (u64, u64),
    /// Pins on a page.
    pub(crate) page: usize,
    pub(crate) access_life: SignedDuration,
    pub(crate) refresh_life: SignedDuration,
    pub(crate) spells: Vec<Spell>,
    /// When people become busy, counted from the beginning.
    pub(crate) bursts: Vec<Duration>,
    pub(crate) channels: usize,
    pub(crate) pins: usize,
    pub(crate) workers: usize,
    /// Processes' clocks are wrong by at most this many seconds.
    pub(crate) skew: i64,
    /// The daily roll-call is held.
    pub(crate) roll_calls: bool,
    /// Workers wake in the same second of the minute.
    pub(crate) in_step: bool,
    /// How often a worker sleeps through its minute, which must not matter.
    pub(crate) skips: f64,
    /// How many Pins look the same.
    pub(crate) twins: f64,
    /// How many Pins are scheduled.
    pub(crate) later: f64,
    /// How often a Pin is asked for twice at once.
    pub(crate) presses_twice: f64,
    /// How many owners take back what they granted.
    pub(crate) revokes: f64,
    /// How often something befalls a call to Pinterest.
    pub(crate) strikes: f64,
    /// How often something befalls a call to a table.
    pub(crate) hiccups: f64,
    /// How often an index is read as it was.
    pub(crate) stale: f64,
    /// How often something befalls an invocation.
    pub(crate) blows: f64,
    /// What blows fall on, if they do not fall anywhere.
    pub(crate) aims: &'static [Deed],
    /// No process stands still for less.
    pub(crate) freeze: Duration,
}

impl Plan {
    /// What a seed decides, in some weather or in a storm.
    pub(crate) fn of(dice: &Dice, epoch: Timestamp, storm: Option<Storm>) -> Self {
        let plan = Self::usual(dice, epoch);
        match storm {
            None => plan,
            Some(Storm::Pins) => plan.with_storm_over_pins(dice, epoch),
            Some(Storm::Tokens) => plan.with_storm_over_tokens(dice, epoch),
        }
    }

    fn usual(dice: &Dice, epoch: Timestamp) -> Self {
        let rotation = dice.one_of(&[
            Rotation::UntilNewIsUsed,
            Rotation::Grace(hours(dice.one_of(&[1, 24, 72]))),
            Rotation::DeadAtOnce,
        ]);
        let (access, refresh) = dice.one_of(&[(30, 60), (12, 30), (6, 15), (3, 8)]);
        let rate = |most: f64| most * dice.one_of(&[0.0, 0.0, 0.1, 0.4, 0.4, 1.0]);
        let spells = spells(dice, epoch);
        Self {
            rotation,
            voids_siblings: dice.happens(0.5),
            probes: dice.happens(0.7),
            order: dice.one_of(&[Order::NewestFirst, Order::OldestFirst, Order::Shuffled]),
            lag: dice.one_of(&[(0, 0), (0, 20), (0, 120)]),
            page: dice.one_of(&[1, 3, 250]),
            access_life: hours(access * 24),
            refresh_life: hours(refresh * 24),
            bursts: bursts(dice, epoch, &spells, 4),
            spells,
            channels: dice.one_of(&[3, 3, 4]),
            pins: dice.one_of(&[10, 12, 16]),
            workers: dice.one_of(&[2, 2, 3]),
            skew: dice.one_of(&[0, 0, 20, 60]),
            roll_calls: dice.happens(0.2),
            in_step: dice.happens(0.5),
            skips: dice.one_of(&[0.3, 0.7, 0.9]),
            twins: 0.35,
            later: 0.5,
            presses_twice: 0.1,
            revokes: 0.4,
            strikes: rate(0.3),
            hiccups: rate(0.04),
            stale: rate(0.3),
            blows: rate(0.4),
            aims: &[
                Deed::Begin,
                Deed::Publish,
                Deed::Pin,
                Deed::Send,
                Deed::Look,
                Deed::Renew,
                Deed::SavePair,
                Deed::Tokens,
            ],
            freeze: Duration::from_secs(1),
        }
    }

    /// Publishing goes wrong: answers get lost, lists are late, owners take everything back, and many Pins look
    /// the same.
    fn with_storm_over_pins(self, dice: &Dice, epoch: Timestamp) -> Self {
        let kinds = [Trouble::Mute, Trouble::Mute, Trouble::Unapproved, dice.one_of(&TROUBLES)];
        let spells: Vec<_> =
            kinds.into_iter().map(|trouble| spell(dice, epoch, trouble, &[HOUR * 4])).collect();
        Self {
            lag: (90, 120),
            access_life: hours(30 * 24),
            refresh_life: hours(60 * 24),
            bursts: bursts(dice, epoch, &spells, 2),
            spells,
            in_step: true,
            skips: 0.0,
            twins: 0.7,
            later: 0.2,
            presses_twice: 0.5,
            revokes: 0.8,
            aims: &[Deed::Begin, Deed::Publish, Deed::Pin, Deed::Send, Deed::Look],
            ..self.harsher()
        }
    }

    /// Renewing goes wrong: tokens are short-lived, and processes die or stand still for longer than a lease with
    /// new ones in their hands.
    fn with_storm_over_tokens(self, dice: &Dice, epoch: Timestamp) -> Self {
        let (access, refresh) = dice.one_of(&[(3, 8), (2, 5)]);
        let spells: Vec<_> =
            TROUBLES.into_iter().map(|trouble| spell(dice, epoch, trouble, &[HOUR * 24])).collect();
        Self {
            voids_siblings: dice.happens(0.9),
            access_life: hours(access * 24),
            refresh_life: hours(refresh * 24),
            bursts: bursts(dice, epoch, &spells, 4),
            spells,
            pins: 3,
            skips: 0.3,
            aims: &[Deed::Renew, Deed::Renew, Deed::SavePair, Deed::Tokens],
            freeze: Duration::from_secs(55),
            ..self.harsher()
        }
    }

    fn harsher(self) -> Self {
        Self {
            strikes: self.strikes.max(0.2),
            hiccups: self.hiccups.max(0.03),
            stale: self.stale.max(0.2),
            blows: self.blows.max(0.3),
            ..self
        }
    }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn spells(dice: &Dice, epoch: Timestamp) -> Vec<Spell> {
    // Weeks are rare, minutes common.
    let longest = [HOUR, HOUR, HOUR * 4, HOUR * 8, HOUR * 24, HOUR * 24 * 21];
    let one = |_| spell(dice, epoch, dice.one_of(&TROUBLES), &longest);
    (0..dice.one_of(&[0, 0, 1, 2, 4])).map(one).collect()
}

fn spell(dice: &Dice, epoch: Timestamp, trouble: Trouble, longest: &[Duration]) -> Spell {
    let from = epoch + SignedDuration::from_secs(i64::try_from(dice.between(3600, 86_400 * 25)).unwrap());
    let mut longest = dice.one_of(longest);
    if trouble == Trouble::Unconfigured {
        longest = longest.min(HOUR * 24); // every minute looks at what cannot be done: weeks of that teach nothing
    }
    let span = SignedDuration::try_from(dice.span(Duration::from_secs(30), longest)).unwrap();
    Spell { trouble, from, to: from + span }
}

/// When several Pins are asked for at once: often just when there is trouble.
fn bursts(dice: &Dice, epoch: Timestamp, spells: &[Spell], many: usize) -> Vec<Duration> {
    let burst = |_| {
        if !spells.is_empty() && dice.happens(0.6) {
            let spell = dice.one_of(spells);
            let into = dice.one_of(&[-200, -60, -5, 0, 30, 600]);
            let at = spell.from.duration_since(epoch) + SignedDuration::from_secs(into);
            return Duration::try_from(at).unwrap_or_default();
        }
        Duration::from_secs(dice.between(600, 86_400 * 20))
    };
    (0..many).map(burst).collect()
}
