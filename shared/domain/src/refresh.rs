//! The protocol of keeping tokens alive: never lose a rotated token, never give up a living one.
//!
//! With each refresh Pinterest gives a new refresh token, and nobody promises that the old one works again.
//! So the save of a new pair depends on the version alone: the lease saves calls, the version saves tokens.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Cause, ChannelId, Connection, Environment, TenantId, backoff};

/// How long one process has a channel's tokens to itself.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// After this long a call to the token endpoint is given up.
pub const CALL_TIMEOUT: SignedDuration = SignedDuration::from_secs(25);
/// What must be left of the lease and of the invocation when the call is sent: the call, and the save.
pub const NEEDED_TO_SEND: SignedDuration = SignedDuration::from_secs(30);

/// A refusal may be the echo of somebody else's success, until their save must have arrived.
const ECHO: SignedDuration = SignedDuration::from_mins(2);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is known of a channel's tokens, without the tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whose.
    pub channel_id: ChannelId,
    /// Whose channel.
    pub tenant: TenantId,
    /// Which host gave them.
    pub environment: Environment,
    /// Whether they work.
    pub connection: Connection,
    /// When the access token dies.
    pub access_expires_at: Timestamp,
    /// When the refresh token dies. Pinterest may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_expires_at: Option<Timestamp>,
    /// Rises with each new pair, and only then. Ciphertexts are bound to it.
    pub version: u64,
    /// Who refreshes right now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Pinterest has refused the refresh token, which is not believed before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub believe_refusal_at: Option<Timestamp>,
    /// How many tries have failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// When to refresh. `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// The last warning given: this many days until the refresh token dies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned_days: Option<u8>,
}

/// One process's turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Random.
    pub id: String,
    /// When somebody else may take over.
    pub until: Timestamp,
}

/// How long a new pair lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// The access token's end.
    pub access_expires_at: Timestamp,
    /// The refresh token's end. `None` if the answer did not say: what was known stays.
    pub refresh_expires_at: Option<Timestamp>,
}

/// Which of the pairs in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The newest that was saved.
    Current,
    /// The one that a process held after the version had moved on.
    Spare,
    /// The one before the newest.
    Previous,
}

/// What is in the row and around it.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// There is a spare pair.
    pub spare: bool,
    /// There is a previous pair.
    pub previous: bool,
    /// Another channel was refreshed with this App Secret within a day: the secret is right.
    pub secret_proven: bool,
    /// Spreads retries: at least 0, less than 1.
    pub jitter: f64,
}

/// What happened to a channel's tokens.
#[derive(Clone, Copy, Debug)]
pub enum Happened {
    /// They are due, and this process holds the lease.
    Claimed,
    /// Pinterest was asked for a new pair with one of the refresh tokens.
    Answered(Which, Renewal),
    /// Pinterest was asked whether App ID and App Secret are right.
    Probed(Probe),
    /// Pinterest was asked who the access token belongs to.
    Asked(Asked),
}

/// What the token endpoint says to a refresh token.
#[derive(Clone, Copy, Debug)]
pub enum Renewal {
    /// A new pair.
    Renewed(Lifetimes),
    /// No, without saying whether the token or the App Secret is wrong.
    Refused,
    /// Nothing that tells about the token: a limit, an outage, an app that is not approved.
    Failed {
        /// When Pinterest wants to be asked again.
        retry_after: Option<SignedDuration>,
    },
}

/// What the token endpoint says to App ID and App Secret alone (`client_credentials`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// They are right.
    Right,
    /// They are wrong.
    Wrong,
    /// It refuses the grant, for which there are other reasons.
    Inconclusive,
    /// It did not answer.
    Unreachable,
}

/// What `GET /user_account` says to the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It works.
    Alive,
    /// It does not.
    Dead,
    /// Nothing is known.
    Unreachable,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask for a new pair with this one. Nothing is saved before.
    Try(Which),
    /// Ask whether the App Secret is right.
    Probe,
    /// Ask whether the access token works.
    Ask,
    /// Save the new pair: nothing else may be awaited before.
    SaveRenewed,
    /// Give the lease back, with what was learnt.
    Release,
}

/// What shall be, and what to do.
#[derive(Clone, Debug)]
pub struct Decision {
    /// To be saved by [`Next::SaveRenewed`] or [`Next::Release`].
    pub grant: Grant,
    /// The next deed.
    pub next: Next,
}

/// A decision function: drivers take it as an argument, so that tests can break it.
pub type Decide = fn(&Grant, Happened, Facts, Timestamp) -> Decision;

/// The protocol.
#[must_use]
pub fn decide(grant: &Grant, happened: Happened, facts: Facts, now: Timestamp) -> Decision {
    let step = Step { grant: grant.clone(), facts, now };
    match happened {
        Happened::Claimed => match grant.connection {
            Connection::Connected | Connection::ReconnectRequired(Cause::TokenRefused) => {
                step.then(Next::Try(Which::Current))
            }
            Connection::ReconnectRequired(_) => step.release(None),
        },
        Happened::Answered(_, Renewal::Renewed(lifetimes)) => step.renewed(lifetimes),
        Happened::Answered(which, Renewal::Refused) => step.refused(which),
        Happened::Answered(_, Renewal::Failed { retry_after }) => step.failed(retry_after),
        Happened::Probed(Probe::Right) => step.dead(Cause::RefreshTokenRejected),
        Happened::Probed(Probe::Inconclusive) => step.then(Next::Ask),
        Happened::Asked(Asked::Dead) => step.dead(Cause::TokenRefused),
        Happened::Probed(Probe::Wrong | Probe::Unreachable)
        | Happened::Asked(Asked::Alive | Asked::Unreachable) => step.failed(None),
    }
}

/// When a pair that was given at `given_at` is due: seven days before the access token dies, or earlier by
/// a part of a day that is the channel's own, so that a day's work has no peaks. Short lives are divided
/// in proportion.
#[must_use]
pub fn due_at(channel: &ChannelId, given_at: Timestamp, lifetimes: Lifetimes) -> Timestamp {
    let due = before(channel, given_at, lifetimes.access_expires_at, DAY * 7);
    let latest = lifetimes.refresh_expires_at.map(|dies| before(channel, given_at, dies, DAY * 7));
    latest.map_or(due, |latest| due.min(latest))
}

fn before(channel: &ChannelId, given_at: Timestamp, dies: Timestamp, lead: SignedDuration) -> Timestamp {
    let life = dies.duration_since(given_at).max(SignedDuration::ZERO);
    let spread = DAY.min(life / 20).mul_f64(share_of_day(channel));
    dies - lead.min(life / 4) - spread
}

/// A number from 0 to 1 that is the channel's own: FNV-1a of its id, stirred so that every bit counts.
#[expect(clippy::cast_precision_loss, reason = "53 bits of a hash are plenty to divide a day by")]
fn share_of_day(channel: &ChannelId) -> f64 {
    let hash = channel.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let stirred = (hash ^ (hash >> 31)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (stirred >> 11) as f64 / (1_u64 << 53) as f64
}

/// The warning that is due: 14, 7 or 1 days before the refresh token dies, each once.
#[must_use]
pub fn warning(grant: &Grant, now: Timestamp) -> Option<u8> {
    let left = grant.refresh_expires_at?.duration_since(now);
    let days = [1_u8, 7, 14].into_iter().find(|days| left <= DAY * i32::from(*days))?;
    let news = grant.connection == Connection::Connected && grant.warned_days.is_none_or(|last| days < last);
    news.then_some(days)
}

struct Step {
    grant: Grant,
    facts: Facts,
    now: Timestamp,
}

impl Step {
    fn then(self, next: Next) -> Decision {
        Decision { grant: self.grant, next }
    }

    fn release(mut self, due_at: Option<Timestamp>) -> Decision {
        self.grant.lease = None;
        self.grant.due_at = due_at;
        self.then(Next::Release)
    }

    fn renewed(mut self, lifetimes: Lifetimes) -> Decision {
        let due_at = due_at(&self.grant.channel_id, self.now, lifetimes);
        self.grant.connection = Connection::Connected;
        self.grant.access_expires_at = lifetimes.access_expires_at;
        self.grant.refresh_expires_at = lifetimes.refresh_expires_at.or(self.grant.refresh_expires_at);
        self.grant.version += 1;
        self.grant.lease = None;
        self.grant.believe_refusal_at = None;
        self.grant.failures = 0;
        self.grant.warned_days = None;
        self.grant.due_at = Some(due_at);
        self.then(Next::SaveRenewed)
    }

    /// A refusal is the truth only if nobody else can have used the token: the row is read again, and every
    /// pair in it is tried.
    fn refused(mut self, which: Which) -> Decision {
        let lease_end = self.grant.lease.as_ref().map_or(self.now, |lease| lease.until);
        let believe_at = self.grant.believe_refusal_at.unwrap_or(lease_end + CALL_TIMEOUT + ECHO);
        if self.now < believe_at {
            self.grant.believe_refusal_at = Some(believe_at);
            return self.release(Some(believe_at));
        }
        match which {
            Which::Current if self.facts.spare => self.then(Next::Try(Which::Spare)),
            Which::Current | Which::Spare if self.facts.previous => self.then(Next::Try(Which::Previous)),
            _ if self.facts.secret_proven => self.dead(Cause::RefreshTokenRejected),
            _ => self.then(Next::Probe),
        }
    }

    /// The account has to be connected again. The version stays: a later save of that version, by a process
    /// that was held up, sets the channel back.
    fn dead(mut self, cause: Cause) -> Decision {
        self.grant.connection = Connection::ReconnectRequired(cause);
        // Where the App Secret may have been at fault, it is tried daily, and a success undoes this.
        let due_at = (cause == Cause::TokenRefused).then(|| self.now + DAY);
        self.release(due_at)
    }

    /// Nothing was learnt about the token: its status stays, and it is tried again as long as it may live.
    fn failed(mut self, retry_after: Option<SignedDuration>) -> Decision {
        if self.grant.refresh_expires_at.is_some_and(|dies| dies + ECHO < self.now) {
            return self.dead(Cause::RefreshTokenExpired);
        }
        self.grant.failures = self.grant.failures.saturating_add(1);
        let (first, most) = (SignedDuration::from_mins(1), SignedDuration::from_hours(6));
        let wait = backoff(first, most, self.grant.failures, self.facts.jitter);
        let due_at = self.now + wait.max(retry_after.unwrap_or_default().min(DAY));
        self.release(Some(due_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(now: Timestamp) -> Grant {
        Grant {
            channel_id: ChannelId::new(now, [3; 10]),
            tenant: TenantId("t".into()),
            environment: Environment::Sandbox,
            connection: Connection::Connected,
            access_expires_at: now + DAY * 7,
            refresh_expires_at: Some(now + DAY * 37),
            version: 4,
            lease: Some(Lease { id: "l".into(), until: now + LEASE }),
            believe_refusal_at: None,
            failures: 0,
            due_at: Some(now),
            warned_days: None,
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    const ALONE: Facts = Facts { spare: false, previous: false, secret_proven: false, jitter: 0.0 };

    #[test]
    fn a_new_pair_raises_the_version_and_is_due_again_before_the_day_seven_days_before_its_end() {
        let lifetimes =
            Lifetimes { access_expires_at: now() + DAY * 30, refresh_expires_at: Some(now() + DAY * 60) };
        let decision = decide(
            &grant(now()),
            Happened::Answered(Which::Current, Renewal::Renewed(lifetimes)),
            ALONE,
            now(),
        );

        assert_eq!((decision.next, decision.grant.version), (Next::SaveRenewed, 5));
        let due = decision.grant.due_at.unwrap();
        assert!(due <= now() + DAY * 23 && due >= now() + DAY * 22);
    }

    #[test]
    fn the_first_refusal_is_not_believed() {
        let decision =
            decide(&grant(now()), Happened::Answered(Which::Current, Renewal::Refused), ALONE, now());

        assert_eq!((decision.next, decision.grant.connection), (Next::Release, Connection::Connected));
        assert!(decision.grant.due_at.unwrap() >= now() + LEASE + CALL_TIMEOUT + ECHO);
    }

    #[test]
    fn a_believed_refusal_tries_every_pair_before_the_secret_is_questioned() {
        let mut grant = grant(now());
        grant.believe_refusal_at = Some(now());
        let facts = Facts { spare: true, previous: true, ..ALONE };
        let next = |which| decide(&grant, Happened::Answered(which, Renewal::Refused), facts, now()).next;

        assert_eq!(next(Which::Current), Next::Try(Which::Spare));
        assert_eq!(next(Which::Spare), Next::Try(Which::Previous));
        assert_eq!(next(Which::Previous), Next::Probe);
    }

    #[test]
    fn a_wrong_secret_or_an_outage_never_changes_the_status() {
        for happened in [
            Happened::Probed(Probe::Wrong),
            Happened::Probed(Probe::Unreachable),
            Happened::Asked(Asked::Alive),
            Happened::Asked(Asked::Unreachable),
            Happened::Answered(Which::Current, Renewal::Failed { retry_after: None }),
        ] {
            let decision = decide(&grant(now()), happened, ALONE, now());
            assert_eq!(decision.grant.connection, Connection::Connected, "{happened:?}");
            assert!(decision.grant.due_at.unwrap() > now());
            assert_eq!((decision.grant.lease, decision.grant.version), (None, 4));
        }
    }

    #[test]
    fn a_dead_token_keeps_its_version_so_that_a_late_save_can_undo_it() {
        let decision = decide(&grant(now()), Happened::Probed(Probe::Right), ALONE, now());
        assert_eq!(decision.grant.connection, Connection::ReconnectRequired(Cause::RefreshTokenRejected));
        assert_eq!((decision.grant.version, decision.grant.due_at), (4, None));
    }

    #[test]
    fn a_doubtful_death_is_tried_daily() {
        let decision = decide(&grant(now()), Happened::Asked(Asked::Dead), ALONE, now());
        assert_eq!(decision.grant.connection, Connection::ReconnectRequired(Cause::TokenRefused));
        assert_eq!(decision.grant.due_at, Some(now() + DAY));
        assert_eq!(decide(&decision.grant, Happened::Claimed, ALONE, now()).next, Next::Try(Which::Current));
    }

    #[test]
    fn each_warning_is_given_once() {
        let mut grant = grant(now());
        let given: Vec<_> = (0..60)
            .filter_map(|day| {
                let days = warning(&grant, now() + DAY * day)?;
                grant.warned_days = Some(days);
                Some(days)
            })
            .collect();
        assert_eq!(given, [14, 7, 1]);
    }

    #[test]
    fn due_times_of_channels_that_were_connected_together_fill_the_day_evenly() {
        let lifetimes = Lifetimes { access_expires_at: now() + DAY * 30, refresh_expires_at: None };
        let mut hours = [0_u32; 24];
        for number in 0..10_000_u16 {
            let [high, low] = number.to_be_bytes();
            let channel = ChannelId::new(now(), [0, 0, 0, 0, 0, 0, 0, 0, high, low]);
            let due = due_at(&channel, now(), lifetimes).duration_since(now() + DAY * 22);
            hours[usize::try_from(due.as_hours()).unwrap()] += 1;
        }
        assert!(hours.iter().all(|&count| count <= 600), "{hours:?}");
    }
}
