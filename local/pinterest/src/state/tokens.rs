//! The access and refresh tokens of one host. Only their digests are saved, so that the state and its file hold no
//! usable token.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::{policy::Rotation, scopes::Scopes};
use crate::{http::Id, random::Random};

/// 30 days.
pub(crate) const ACCESS_TOKEN_SECONDS: u32 = 2_592_000;
/// 60 days.
pub(crate) const REFRESH_TOKEN_SECONDS: u32 = 5_184_000;

/// The SHA-256 of a secret, to recognize the secret without storing it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn new(secret: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, secret.as_bytes());
        Self(URL_SAFE_NO_PAD.encode(digest))
    }
}

/// The account that a token acts for, and what it may do.
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
    /// The refresh token that becomes invalid when this token is first used.
    replaces: Option<Digest>,
}

/// A new access token with its refresh token. A token of `client_credentials` has none.
pub(crate) struct TokenPair {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// The valid tokens of one host.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    access: BTreeMap<Digest, Token>,
    refresh: BTreeMap<Digest, Token>,
}

impl Tokens {
    /// Creates the tokens of a new grant.
    pub(crate) fn issue(&mut self, grant: &Grant, now: Timestamp, random: &Random) -> TokenPair {
        self.issue_replacing(None, grant, now, random)
    }

    /// The grant of the access token `access`, while it is valid.
    pub(crate) fn access_grant(&self, access: &str, now: Timestamp) -> Option<&Grant> {
        self.access.get(&Digest::new(access)).filter(|token| token.expires_at > now).map(|token| &token.grant)
    }

    /// Whether the next use of `access` is its first, which ends an older refresh token.
    pub(crate) fn is_unused(&self, access: &str) -> bool {
        self.access.get(&Digest::new(access)).is_some_and(|token| token.replaces.is_some())
    }

    /// Ends the refresh token that `access` has replaced.
    pub(crate) fn record_first_use(&mut self, access: &str) {
        let replaced = self.access.get_mut(&Digest::new(access)).and_then(|token| token.replaces.take());
        if let Some(replaced) = replaced {
            self.refresh.remove(&replaced);
        }
    }

    /// The grant of the refresh token `refresh`, while it is valid.
    pub(crate) fn refresh_grant(&self, refresh: &str, now: Timestamp) -> Option<&Grant> {
        self.refresh
            .get(&Digest::new(refresh))
            .filter(|token| token.expires_at > now)
            .map(|token| &token.grant)
    }

    /// Exchanges a valid `refresh` for a new pair with `grant`. `rotation` decides what happens to the old token.
    pub(crate) fn rotate(
        &mut self,
        refresh: &str,
        grant: &Grant,
        rotation: Rotation,
        now: Timestamp,
        random: &Random,
    ) -> TokenPair {
        let old = Digest::new(refresh);
        if let Some(older) = self.refresh.get_mut(&old).and_then(|token| token.replaces.take()) {
            self.refresh.remove(&older);
        }
        match rotation {
            Rotation::OldUntilNewUsed => return self.issue_replacing(Some(&old), grant, now, random),
            Rotation::Grace { seconds } => {
                if let Some(token) = self.refresh.get_mut(&old) {
                    token.expires_at = token.expires_at.min(add_seconds(now, seconds));
                }
            }
            Rotation::None => {
                let pair = self.issue(grant, now, random);
                if let Some(unneeded) = &pair.refresh {
                    self.refresh.remove(&Digest::new(unneeded));
                }
                return TokenPair { refresh: None, ..pair };
            }
            Rotation::DeadAtOnce => {
                self.refresh.remove(&old);
            }
        }
        self.issue(grant, now, random)
    }

    /// Ends every token of `account`, and returns their number.
    pub(crate) fn revoke(&mut self, account: Id) -> usize {
        let before = self.access.len() + self.refresh.len();
        self.access.retain(|_, token| token.grant.account != account);
        self.refresh.retain(|_, token| token.grant.account != account);
        before - self.access.len() - self.refresh.len()
    }

    /// Removes expired tokens, so that the state stays small over months.
    pub(crate) fn remove_expired(&mut self, now: Timestamp) {
        self.access.retain(|_, token| token.expires_at > now);
        self.refresh.retain(|_, token| token.expires_at > now);
    }

    fn issue_replacing(
        &mut self,
        old: Option<&Digest>,
        grant: &Grant,
        now: Timestamp,
        random: &Random,
    ) -> TokenPair {
        let token = |lifetime| Token {
            grant: grant.clone(),
            expires_at: add_seconds(now, lifetime),
            replaces: old.cloned(),
        };
        let access = random.secret(if grant.is_client { "pinc_" } else { "pina_" });
        self.access.insert(Digest::new(&access), token(ACCESS_TOKEN_SECONDS));
        let refresh = (!grant.is_client).then(|| {
            let refresh = random.secret("pinr_");
            self.refresh.insert(Digest::new(&refresh), token(REFRESH_TOKEN_SECONDS));
            refresh
        });
        TokenPair { access, refresh }
    }
}

/// The time `seconds` after `now`.
pub(crate) fn add_seconds(now: Timestamp, seconds: u32) -> Timestamp {
    Timestamp::from_second(now.as_second().saturating_add(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}
