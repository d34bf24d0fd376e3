//! What a seed decides before its run begins: the world, its faults and the people in it.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Duration;

use crate::{lambda::CallKind, rng::Rng};

/// How many days faults happen. After that a run has none.
pub(crate) const DAYS: i64 = 30;

/// When a refresh token dies that was exchanged. Pinterest does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// When a token of the new pair is used for the first time.
    UntilNewIsUsed,
    /// After this time.
    Grace(SignedDuration),
    /// At once, before anybody has received the new pair.
    DeadAtOnce,
}

/// The order in which a board lists its Pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
    Shuffled,
}

/// What a list changes of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rewriting {
    Nothing,
    Escapes,
    PageTitle,
    TitleSuffix,
    Cut,
    LinkWithoutQuery,
    NoTitle,
    NoDate,
    OtherZone,
    LateClock,
    Everything,
}

const REWRITINGS: [Rewriting; 10] = [
    Rewriting::Escapes,
    Rewriting::PageTitle,
    Rewriting::TitleSuffix,
    Rewriting::Cut,
    Rewriting::LinkWithoutQuery,
    Rewriting::NoTitle,
    Rewriting::NoDate,
    Rewriting::OtherZone,
    Rewriting::LateClock,
    Rewriting::Everything,
];

/// Why Pinterest, or a part of it, cannot be used for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// No connection can be made.
    Unreachable,
    /// Every call is answered 503, and has no effect.
    Down,
    /// Calls have their effect, but no answer comes.
    NoAnswers,
    /// The token endpoint says that the App Secret is wrong.
    WrongSecret,
    /// The app has lost its approval: 401 code 3.
    Unapproved,
    /// Every call about Pins gets a 429 without a reset time.
    RateLimited,
    /// Every Pin is refused as spam.
    SpamBlocked,
    /// App ID and App Secret are not set. This is a fault of the stack, not of Pinterest.
    Unconfigured,
}

const OUTAGES: [Outage; 8] = [
    Outage::Unreachable,
    Outage::Down,
    Outage::NoAnswers,
    Outage::WrongSecret,
    Outage::Unapproved,
    Outage::RateLimited,
    Outage::SpamBlocked,
    Outage::Unconfigured,
];
const HOUR: Duration = Duration::from_hours(1);

/// A time in which an outage lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultWindow {
    pub(crate) outage: Outage,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// The protocol in which a mutant's run has many faults. The run does little else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultProfile {
    /// Publishing Pins.
    Pins,
    /// Refreshing tokens.
    Tokens,
}

/// Everything that a seed decides before its run begins.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent property of Pinterest or of the stack"
)]
pub(crate) struct Scenario {
    pub(crate) rotation: Rotation,
    /// A second exchange of a refresh token ends the pair that the first one gave, unless that pair was used.
    pub(crate) voids_siblings: bool,
    /// Whether Pinterest accepts the grant type `client_credentials`.
    pub(crate) allows_client_credentials: bool,
    pub(crate) order: Order,
    /// A list shows a new Pin late: after the first number of seconds at least, after the second at most.
    pub(crate) list_lag_secs: (u64, u64),
    /// What lists change of what was sent.
    pub(crate) rewriting: Rewriting,
    /// The share of requests for a Pin beside which the owner creates one without Pinwright.
    pub(crate) owners_pin_rate: f64,
    /// Pins on a page of a list.
    pub(crate) page_size: usize,
    pub(crate) access_life: SignedDuration,
    pub(crate) refresh_life: SignedDuration,
    pub(crate) fault_windows: Vec<FaultWindow>,
    /// When people ask for several Pins, counted from the beginning of the run.
    pub(crate) bursts: Vec<Duration>,
    pub(crate) channels: usize,
    pub(crate) pins: usize,
    pub(crate) workers: usize,
    /// The clock of a process is wrong by at most this many seconds.
    pub(crate) clock_skew_secs: i64,
    /// Whether `refresh` makes its daily check.
    pub(crate) daily_checks: bool,
    /// Whether all workers tick in the same second of the minute.
    pub(crate) workers_in_step: bool,
    /// The share of ticks that a worker skips. It must not matter.
    pub(crate) tick_skip_rate: f64,
    /// The share of Pins that have the same texts.
    pub(crate) same_text_rate: f64,
    /// The share of Pins that are scheduled.
    pub(crate) scheduled_rate: f64,
    /// The share of requests for a Pin that are sent twice at the same time.
    pub(crate) double_request_rate: f64,
    /// The share of owners who revoke their grant.
    pub(crate) revoke_rate: f64,
    /// The share of calls to Pinterest that meet a fault.
    pub(crate) pinterest_fault_rate: f64,
    /// The share of calls to a table that meet a fault.
    pub(crate) table_fault_rate: f64,
    /// The share of queries that read an older state of an index.
    pub(crate) stale_index_rate: f64,
    /// The share of invocations that meet a fault of their process.
    pub(crate) process_fault_rate: f64,
    /// The share of starts of a worker that are refused, lost, doubled or late.
    pub(crate) start_fault_rate: f64,
    /// The calls at which a process meets its fault, unless that happens after some number of steps.
    pub(crate) fault_targets: &'static [CallKind],
    /// A process that stands still does so for at least this time.
    pub(crate) min_freeze: Duration,
}

impl Scenario {
    /// The scenario of a seed, with the faults of `profile` if there is one.
    pub(crate) fn new(rng: &Rng, epoch: Timestamp, profile: Option<FaultProfile>) -> Self {
        let scenario = Self::without_profile(rng, epoch);
        match profile {
            None => scenario,
            Some(FaultProfile::Pins) => scenario.with_pin_faults(rng, epoch),
            Some(FaultProfile::Tokens) => scenario.with_token_faults(rng, epoch),
        }
    }

    fn without_profile(rng: &Rng, epoch: Timestamp) -> Self {
        let rotation = rng.choose(&[
            Rotation::UntilNewIsUsed,
            Rotation::Grace(hours(rng.choose(&[1, 24, 72]))),
            Rotation::DeadAtOnce,
        ]);
        let (access, refresh) = rng.choose(&[(30, 60), (12, 30), (6, 15), (3, 8)]);
        let rate = |max: f64| max * rng.choose(&[0.0, 0.0, 0.1, 0.4, 0.4, 1.0]);
        let fault_windows = random_windows(rng, epoch);
        Self {
            rotation,
            voids_siblings: rng.chance(0.5),
            allows_client_credentials: rng.chance(0.7),
            order: rng.choose(&[Order::NewestFirst, Order::OldestFirst, Order::Shuffled]),
            list_lag_secs: rng.choose(&[(0, 0), (0, 20), (0, 120)]),
            rewriting: if rng.chance(0.4) { rng.choose(&REWRITINGS) } else { Rewriting::Nothing },
            owners_pin_rate: rng.choose(&[0.0, 0.3]),
            page_size: rng.choose(&[1, 3, 250]),
            access_life: hours(access * 24),
            refresh_life: hours(refresh * 24),
            bursts: bursts(rng, epoch, &fault_windows, 4),
            fault_windows,
            channels: rng.choose(&[3, 3, 4]),
            pins: rng.choose(&[10, 12, 16]),
            workers: rng.choose(&[2, 2, 3]),
            clock_skew_secs: rng.choose(&[0, 0, 20, 60]),
            daily_checks: rng.chance(0.2),
            workers_in_step: rng.chance(0.5),
            tick_skip_rate: rng.choose(&[0.3, 0.7, 0.9]),
            same_text_rate: 0.35,
            scheduled_rate: 0.5,
            double_request_rate: 0.1,
            revoke_rate: 0.4,
            pinterest_fault_rate: rate(0.3),
            table_fault_rate: rate(0.04),
            stale_index_rate: rate(0.3),
            process_fault_rate: rate(0.4),
            start_fault_rate: rate(0.4),
            fault_targets: &[
                CallKind::WriteSending,
                CallKind::WritePublished,
                CallKind::OtherPinWrite,
                CallKind::SendPin,
                CallKind::StartWorker,
                CallKind::ListBoard,
                CallKind::RefreshTokens,
                CallKind::SaveTokenPair,
                CallKind::OtherTokenWrite,
            ],
            min_freeze: Duration::from_secs(1),
        }
    }

    /// Faults of publishing: answers get lost, lists are late, owners revoke their grants, and many Pins have the
    /// same texts.
    fn with_pin_faults(self, rng: &Rng, epoch: Timestamp) -> Self {
        let outages = [Outage::NoAnswers, Outage::NoAnswers, Outage::Unapproved, rng.choose(&OUTAGES)];
        let fault_windows: Vec<_> =
            outages.into_iter().map(|outage| random_window(rng, epoch, outage, &[HOUR * 4])).collect();
        Self {
            list_lag_secs: (90, 120),
            access_life: hours(30 * 24),
            refresh_life: hours(60 * 24),
            bursts: bursts(rng, epoch, &fault_windows, 2),
            fault_windows,
            workers_in_step: true,
            tick_skip_rate: 0.0,
            same_text_rate: 0.7,
            scheduled_rate: 0.2,
            double_request_rate: 0.5,
            revoke_rate: 0.8,
            fault_targets: &[
                CallKind::WriteSending,
                CallKind::WritePublished,
                CallKind::OtherPinWrite,
                CallKind::SendPin,
                CallKind::ListBoard,
            ],
            ..self.with_more_faults()
        }
    }

    /// Faults of refreshing: tokens live for a few days, and processes die or stand still for longer than a lease
    /// while they hold new tokens.
    fn with_token_faults(self, rng: &Rng, epoch: Timestamp) -> Self {
        let (access, refresh) = rng.choose(&[(3, 8), (2, 5)]);
        let fault_windows: Vec<_> =
            OUTAGES.into_iter().map(|outage| random_window(rng, epoch, outage, &[HOUR * 24])).collect();
        Self {
            voids_siblings: rng.chance(0.9),
            access_life: hours(access * 24),
            refresh_life: hours(refresh * 24),
            bursts: bursts(rng, epoch, &fault_windows, 4),
            fault_windows,
            pins: 3,
            tick_skip_rate: 0.3,
            fault_targets: &[
                CallKind::RefreshTokens,
                CallKind::RefreshTokens,
                CallKind::SaveTokenPair,
                CallKind::OtherTokenWrite,
            ],
            min_freeze: Duration::from_secs(55),
            ..self.with_more_faults()
        }
    }

    fn with_more_faults(self) -> Self {
        Self {
            pinterest_fault_rate: self.pinterest_fault_rate.max(0.2),
            table_fault_rate: self.table_fault_rate.max(0.03),
            stale_index_rate: self.stale_index_rate.max(0.2),
            process_fault_rate: self.process_fault_rate.max(0.3),
            ..self
        }
    }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn random_windows(rng: &Rng, epoch: Timestamp) -> Vec<FaultWindow> {
    // Most windows last for minutes, few for weeks.
    let max_lengths = [HOUR, HOUR, HOUR * 4, HOUR * 8, HOUR * 24, HOUR * 24 * 21];
    let window = |_| random_window(rng, epoch, rng.choose(&OUTAGES), &max_lengths);
    (0..rng.choose(&[0, 0, 1, 2, 4])).map(window).collect()
}

fn random_window(rng: &Rng, epoch: Timestamp, outage: Outage, max_lengths: &[Duration]) -> FaultWindow {
    let from = epoch + SignedDuration::from_secs(i64::try_from(rng.between(3600, 86_400 * 25)).unwrap());
    let mut max_length = rng.choose(max_lengths);
    if outage == Outage::Unconfigured {
        max_length = max_length.min(HOUR * 24); // each tick of these weeks would do the same nothing
    }
    let length = SignedDuration::try_from(rng.log_uniform(Duration::from_secs(30), max_length)).unwrap();
    FaultWindow { outage, from, to: from + length }
}

/// When people ask for several Pins at once. This is often near the beginning of an outage.
fn bursts(rng: &Rng, epoch: Timestamp, fault_windows: &[FaultWindow], count: usize) -> Vec<Duration> {
    let burst = |_| {
        if !fault_windows.is_empty() && rng.chance(0.6) {
            let window = rng.choose(fault_windows);
            let offset_secs = rng.choose(&[-200, -60, -5, 0, 30, 600]);
            let at = window.from.duration_since(epoch) + SignedDuration::from_secs(offset_secs);
            return Duration::try_from(at).unwrap_or_default();
        }
        Duration::from_secs(rng.between(600, 86_400 * 20))
    };
    (0..count).map(burst).collect()
}
