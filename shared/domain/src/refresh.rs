//! The protocol of refreshing tokens: never lose a rotated token, and never give up a valid one.
//!
//! With each refresh Pinterest issues a new refresh token, and does not promise that the old one works again. So the save
//! of a new pair depends on the version alone. Leases only avoid calls; the version protects the tokens.
//!
//! A healthy channel is refreshed under the lease of its partition of the due index, with one write: the save. If Pinterest
//! returns anything but a new pair, the worker takes a lease in the channel's own row. A refusal takes several steps, and the
//! next process has to know whether another one has stopped in the middle.
//!
//! # The purpose of each rule
//!
//! | rule | without it |
//! |---|---|
//! | one process at a time refreshes a channel: under the lease of its partition or, after any answer but a new pair, under its own [`Lease`], which only its holder releases | tokens are exchanged twice, which may revoke the pair that came first |
//! | a new pair is saved by version, whoever holds the lease by then | a process that was delayed loses the only living pair |
//! | a pair that comes too late is kept as a spare, and the pair before the newest stays in the row | the one that Pinterest still honours is gone |
//! | a refusal is believed two minutes after the last call that may have caused it | somebody else's success looks like the token's death |
//! | before a refusal ends a channel, App ID and App Secret are asked about, and every pair in the row is tried | a secret that was changed at Pinterest ends every channel |
//! | an outage, a limit and 401 code 3 say nothing about the token | a bad day at Pinterest disconnects everybody |
//!
//! `tests/simulation/mutants/refresh.rs` and `mutants/table.rs` remove the rules one by one and show what breaks;
//! `tests/model/refresh.rs` visits every state that they allow.
//!
//! # The limit
//!
//! After the last byte of the token endpoint's answer and before the acknowledged save, the new pair is only in the memory
//! of one process. If Pinterest revokes the old token at once and the process dies then, the account has to be connected
//! again. There is one await in this window, the save itself; everything else that is slow or may fail comes before the
//! call. `tests/flows/refresh/save_window.rs` counts and measures it.

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Channel, ChannelId, Connection, Environment, TenantId};

mod due;
mod protocol;
#[cfg(test)]
mod tests;

pub use due::{REFRESH_LEAD, WARNING_DAYS, due_at, is_about_to_expire, warning};
pub use protocol::decide;

/// How long a lease lasts.
pub const LEASE_DURATION: SignedDuration = SignedDuration::from_secs(60);
/// The time limit of a call to the token endpoint.
pub const CALL_TIMEOUT: SignedDuration = SignedDuration::from_secs(25);
/// How much time must be left of the lease when the call is sent: for the call, and for the save.
pub const MIN_TIME_TO_SEND: SignedDuration = SignedDuration::from_secs(30);

/// A refusal may be caused by another process's success. This is the time until that process must have saved its new pair.
const REFUSAL_ECHO: SignedDuration = SignedDuration::from_mins(2);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Everything that is stored about a channel's tokens, without the tokens. A [`TokenState`] is read like its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The channel.
    pub channel_id: ChannelId,
    /// The tenant that owns the channel.
    pub tenant: TenantId,
    /// The host that issued the tokens.
    pub environment: Environment,
    /// Whether the tokens work.
    pub connection: Connection,
    /// When the access token expires.
    pub access_expires_at: Timestamp,
    /// When the refresh token expires. Pinterest may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_expires_at: Option<Timestamp>,
    /// Increases with each new pair, and only then. Ciphertexts are bound to it.
    pub version: u64,
    /// The lease of the process that refreshes right now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Pinterest has refused the refresh token. The refusal does not count before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub believe_refusal_at: Option<Timestamp>,
    /// How many tries have failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// When to refresh. `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// The last warning: so many days until the refresh token expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned_days: Option<u8>,
}

/// The state of a channel's tokens.
///
/// It can be read like its [`TokenRecord`]. It is created by [`TokenState::connect`] and changed by [`decide`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenState(TokenRecord);

impl Deref for TokenState {
    type Target = TokenRecord;

    fn deref(&self) -> &TokenRecord {
        &self.0
    }
}

impl TokenState {
    /// The state of tokens that were issued just now, independent of older ones.
    #[must_use]
    pub fn connect(channel: &Channel, lifetimes: Lifetimes, issued_at: Timestamp, version: u64) -> Self {
        Self(TokenRecord {
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
            due_at: Some(due_at(&channel.id, issued_at, lifetimes)),
            warned_days: None,
        })
    }

    /// Whether these tokens work and are newer than a pair with other lifetimes: then that pair must not replace them. All
    /// pairs of an app have the same lifetime.
    #[must_use]
    pub fn outlives(&self, lifetimes: Lifetimes) -> bool {
        self.is_connected() && self.0.access_expires_at > lifetimes.access_expires_at
    }

    /// The state of a record that was stored.
    #[must_use]
    pub fn restore(record: TokenRecord) -> Self {
        Self(record)
    }

    /// A copy of what is stored, to be changed.
    #[must_use]
    pub fn record(&self) -> TokenRecord {
        self.0.clone()
    }

    /// Takes the lease, and returns the one that it replaces: its holder did not release it.
    pub fn take_lease(&mut self, lease: Lease) -> Option<Lease> {
        self.0.lease.replace(lease)
    }

    /// Whether something stands open: a lease that was not given back, or a refusal that is not believed yet. Such a
    /// channel is refreshed under a lease of its own, which tells the next one if this turn is left in the middle.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.0.lease.is_some() || self.0.believe_refusal_at.is_some()
    }

    /// Whether new tokens can still be had: the refresh token is not known to be dead.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.0.connection == Connection::Connected
    }
}

/// The right of one process to refresh a channel's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Random: only its holder can release the lease.
    pub id: String,
    /// When another process may take over.
    pub until: Timestamp,
}

/// The lifetimes of a new pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// The access token's end.
    pub access_expires_at: Timestamp,
    /// The refresh token's end. `None`: the answer did not contain it, and the old value stays.
    pub refresh_expires_at: Option<Timestamp>,
}

/// One of the pairs in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSlot {
    /// The newest that was saved.
    Current,
    /// One that a process received after the version had changed.
    Spare,
    /// The one before the newest.
    Previous,
}

/// The further data for a decision.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// There is a spare pair.
    pub spare: bool,
    /// There is a previous pair.
    pub previous: bool,
    /// The last lease was not released: its holder may have received a new pair.
    pub taken_over: bool,
    /// The result of the credential check under this lease, if there was one.
    pub credential_check: Option<CredentialCheck>,
    /// When another channel was refreshed with this App Secret last.
    pub verified_at: Option<Timestamp>,
    /// Spreads retries: at least 0, less than 1.
    pub jitter: f64,
}

/// An input of the protocol: what has happened to a channel's tokens.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// They are due, and this process has the lease.
    LeaseAcquired,
    /// A new pair was requested with the refresh token in this slot.
    RefreshAnswered(TokenSlot, RefreshResult),
    /// App ID and App Secret were checked.
    CredentialsChecked(CredentialCheck),
    /// The access token was checked.
    AccessTokenChecked(AccessTokenCheck),
}

/// The token endpoint's answer to a refresh token.
#[derive(Clone, Copy, Debug)]
pub enum RefreshResult {
    /// A new pair, with these lifetimes.
    NewTokens(Lifetimes),
    /// A refusal, which does not say if the token or the App Secret is wrong.
    Refused,
    /// An answer without meaning for the token: a limit, an outage, an app that is not approved.
    Failed {
        /// When Pinterest allows the next request.
        retry_after: Option<SignedDuration>,
    },
}

/// The token endpoint's answer to App ID and App Secret alone (`client_credentials`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialCheck {
    /// They are right.
    Right,
    /// They are wrong.
    Wrong,
    /// It refuses the grant, which may have other reasons.
    Inconclusive,
    /// It did not answer.
    Unreachable,
}

/// The answer of `GET /user_account` to the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessTokenCheck {
    /// It works.
    Alive,
    /// It does not work.
    Dead,
    /// Nothing is known.
    Unreachable,
}

/// What the driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Request a new pair with the refresh token in this slot. Nothing is saved before.
    Refresh(TokenSlot),
    /// Check App ID and App Secret.
    CheckCredentials,
    /// Check the access token.
    CheckAccessToken,
    /// Save the new pair. Nothing else may be awaited before.
    SaveNewTokens,
    /// Save the state, and release the lease.
    ReleaseLease,
}

/// A decision: the state to be saved, and the next action.
#[derive(Clone, Debug)]
pub struct Transition {
    /// To be saved by [`Action::SaveNewTokens`] or [`Action::ReleaseLease`].
    pub state: TokenState,
    /// The next action.
    pub action: Action,
}

/// A decision function: drivers take it as an argument, so that tests can break it.
pub type Decide = fn(&TokenState, Input, Context, Timestamp) -> Transition;
