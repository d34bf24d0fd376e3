//! The protocol of keeping tokens alive: never lose a rotated token, never give up a living one.
//!
//! With each refresh Pinterest gives a new refresh token, and nobody promises that the old one works again.
//! So the save of a new pair depends on the version alone: the lease saves calls, the version saves tokens.
//!
//! # What each rule is for
//!
//! | rule | without it |
//! |---|---|
//! | one process at a time has the [`Lease`], and only its holder gives it back | tokens are exchanged twice, which may end the pair that came first |
//! | a new pair is saved by version, whoever holds the lease by then | a process that was held up throws away the only pair that lives |
//! | a pair that comes too late is kept as a spare, and the pair before the newest stays in the row | the one that Pinterest still honours is gone |
//! | a refusal is believed two minutes after the last call that may have caused it | somebody else's success looks like the token's death |
//! | before a refusal ends a channel, App ID and App Secret are asked about, and every pair in the row is tried | a secret that was changed at Pinterest ends every channel |
//! | an outage, a limit and 401 code 3 say nothing about the token | a bad day at Pinterest disconnects everybody |
//!
//! `tests/simulation/mutants/refresh.rs` and `mutants/table.rs` take them away one by one and show what breaks;
//! `tests/model/refresh.rs` visits every state that they allow.
//!
//! # The limit
//!
//! Between the last byte of the token endpoint's answer and the acknowledged save, the new pair is in one
//! process's memory only. If Pinterest kills the old token at once and the process dies right there, the account
//! has to be connected again. There is one await in this window, the save itself; whatever else is slow or may
//! fail comes before the call. `tests/flows/refresh/save_window.rs` counts and measures it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Channel, ChannelId, Connection, Environment, TenantId};

mod due;
mod protocol;
#[cfg(test)]
mod tests;

pub use due::{due_at, is_dying, warning};
pub use protocol::decide;

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

impl Grant {
    /// The tokens of a channel that was connected just now: due in their time, whatever was known of older ones.
    #[must_use]
    pub fn connect(channel: &Channel, lifetimes: Lifetimes, given_at: Timestamp, version: u64) -> Self {
        Self {
            channel_id: channel.id.clone(),
            tenant: channel.tenant.clone(),
            environment: channel.environment,
            connection: channel.connection,
            access_expires_at: lifetimes.access_expires_at,
            refresh_expires_at: lifetimes.refresh_expires_at,
            version,
            lease: None,
            believe_refusal_at: None,
            failures: 0,
            due_at: Some(due_at(&channel.id, given_at, lifetimes)),
            warned_days: None,
        }
    }
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
    /// The turn before this one was left in the middle: whoever had it may hold a new pair.
    pub taken_over: bool,
    /// What Pinterest said in this turn about App ID and App Secret, if it was asked.
    pub probed: Option<Probe>,
    /// When another channel was refreshed with this App Secret last.
    pub proven_at: Option<Timestamp>,
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
