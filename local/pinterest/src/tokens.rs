//! Access and refresh tokens of one host. Only digests are kept: the state and its file hold no
//! token that works.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::{policy::Rotation, random::Random, scopes::Scopes, state::Id};

/// 30 days, in seconds.
pub(crate) const ACCESS_LIFETIME: u32 = 2_592_000;
/// 60 days, in seconds.
pub(crate) const REFRESH_LIFETIME: u32 = 5_184_000;

/// The SHA-256 of a secret, which finds it again without holding it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn of(secret: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, secret.as_bytes());
        Self(URL_SAFE_NO_PAD.encode(digest))
    }
}

/// For whom a token acts, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) account: Id,
    pub(crate) scopes: Scopes,
    /// Whether it came from the `client_credentials` grant.
    pub(crate) is_client: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    grant: Grant,
    expires_at: Timestamp,
    /// The refresh token that dies when this token is first used.
    replaces: Option<Digest>,
}

/// A new access token and, unless the client acts for itself, its refresh token.
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// The living tokens of one host.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    access: BTreeMap<Digest, Token>,
    refresh: BTreeMap<Digest, Token>,
}

impl Tokens {
    /// Makes the tokens of a new grant.
    pub(crate) fn issue(&mut self, grant: &Grant, now: Timestamp, random: &Random) -> Pair {
        self.issue_in_place_of(None, grant, now, random)
    }

    /// What a bearer of `access` may do, while the token lives.
    pub(crate) fn bearer(&self, access: &str, now: Timestamp) -> Option<&Grant> {
        self.access.get(&Digest::of(access)).filter(|token| token.expires_at > now).map(|token| &token.grant)
    }

    /// Whether the next use of `access` is the first, and so the end of an older refresh token.
    pub(crate) fn is_unused(&self, access: &str) -> bool {
        self.access.get(&Digest::of(access)).is_some_and(|token| token.replaces.is_some())
    }

    /// Ends the refresh token that `access` has replaced.
    pub(crate) fn first_use(&mut self, access: &str) {
        let replaced = self.access.get_mut(&Digest::of(access)).and_then(|token| token.replaces.take());
        if let Some(replaced) = replaced {
            self.refresh.remove(&replaced);
        }
    }

    /// What `refresh` may be exchanged for, while it lives.
    pub(crate) fn refreshable(&self, refresh: &str, now: Timestamp) -> Option<&Grant> {
        self.refresh
            .get(&Digest::of(refresh))
            .filter(|token| token.expires_at > now)
            .map(|token| &token.grant)
    }

    /// Exchanges a living `refresh` for a new pair with `grant`, and does to the old token what
    /// `rotation` says.
    pub(crate) fn rotate(
        &mut self,
        refresh: &str,
        grant: &Grant,
        rotation: Rotation,
        now: Timestamp,
        random: &Random,
    ) -> Pair {
        let old = Digest::of(refresh);
        if let Some(older) = self.refresh.get_mut(&old).and_then(|token| token.replaces.take()) {
            self.refresh.remove(&older);
        }
        match rotation {
            Rotation::OldUntilNewUsed => return self.issue_in_place_of(Some(&old), grant, now, random),
            Rotation::Grace { seconds } => {
                if let Some(token) = self.refresh.get_mut(&old) {
                    token.expires_at = token.expires_at.min(later(now, seconds));
                }
            }
            Rotation::DeadAtOnce => {
                self.refresh.remove(&old);
            }
        }
        self.issue(grant, now, random)
    }

    /// Ends every token of `account`, and counts them.
    pub(crate) fn revoke(&mut self, account: Id) -> usize {
        let before = self.access.len() + self.refresh.len();
        self.access.retain(|_, token| token.grant.account != account);
        self.refresh.retain(|_, token| token.grant.account != account);
        before - self.access.len() - self.refresh.len()
    }

    /// Forgets what has expired, so that a stack that runs for months stays small.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        self.access.retain(|_, token| token.expires_at > now);
        self.refresh.retain(|_, token| token.expires_at > now);
    }

    fn issue_in_place_of(
        &mut self,
        old: Option<&Digest>,
        grant: &Grant,
        now: Timestamp,
        random: &Random,
    ) -> Pair {
        let token = |lifetime| Token {
            grant: grant.clone(),
            expires_at: later(now, lifetime),
            replaces: old.cloned(),
        };
        let access = random.secret(if grant.is_client { "pinc_" } else { "pina_" });
        self.access.insert(Digest::of(&access), token(ACCESS_LIFETIME));
        let refresh = (!grant.is_client).then(|| {
            let refresh = random.secret("pinr_");
            self.refresh.insert(Digest::of(&refresh), token(REFRESH_LIFETIME));
            refresh
        });
        Pair { access, refresh }
    }
}

/// So many seconds after `now`.
pub(crate) fn later(now: Timestamp, seconds: u32) -> Timestamp {
    Timestamp::from_second(now.as_second().saturating_add(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}
