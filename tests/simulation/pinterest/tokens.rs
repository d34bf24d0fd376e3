//! Tokens: pairs that were exchanged for each other, and which of them are valid.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::{Model, Reply};
use crate::{
    env::SimEnv,
    scenario::{Outage, Rotation},
};

/// One consent of an account's owner.
#[derive(Default)]
pub(crate) struct TokenState {
    pub(crate) revoked: bool,
    pub(crate) pairs: Vec<Pair>,
}

/// A pair of tokens.
pub(crate) struct Pair {
    /// The pair that was exchanged for this one. `None`: this pair came of the consent.
    pub(crate) parent: Option<usize>,
    pub(crate) given_at: Timestamp,
    pub(crate) exchanged_at: Option<Timestamp>,
    pub(crate) used: bool,
    /// Whether a later exchange of the same parent has ended it.
    pub(crate) void: bool,
}

/// The indexes of a pair: account, grant, pair.
type PairIndex = (usize, usize, usize);

fn name(kind: &str, (account, grant, pair): PairIndex) -> String {
    format!("{kind}_{account}_{grant}_{pair}")
}

fn parse(token: &str) -> Option<PairIndex> {
    let mut parts = token.split('_').skip(1).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

impl Model {
    /// Adds a grant of the owner. Returns the code for the callback.
    pub(crate) fn consent(&mut self, account: usize) -> String {
        self.accounts[account].grants.push(TokenState::default());
        format!("code_{account}_{}_0", self.accounts[account].grants.len() - 1)
    }

    /// Revokes all grants of the owner.
    pub(crate) fn revoke(&mut self, account: usize) {
        for grant in &mut self.accounts[account].grants {
            grant.revoked = true;
        }
    }

    /// The account of an access token, if it is valid.
    pub(super) fn bearer(&mut self, token: &str, now: Timestamp) -> Option<usize> {
        let (account, grant, pair) = parse(token)?;
        let life = self.scenario.access_life;
        let grant = &mut self.accounts[account].grants[grant];
        let pair = &mut grant.pairs[pair];
        let lives = !grant.revoked && !pair.void && now < pair.given_at + life;
        lives.then(|| {
            pair.used = true;
            account
        })
    }

    /// Whether a refresh token is valid.
    pub(crate) fn lives(&self, refresh: &str, now: Timestamp) -> bool {
        let Some((account, grant, number)) = parse(refresh) else { return false };
        let grant = &self.accounts[account].grants[grant];
        let pair = &grant.pairs[number];
        let successor_used = || grant.pairs.iter().any(|other| other.parent == Some(number) && other.used);
        !grant.revoked
            && !pair.void
            && now < pair.given_at + self.scenario.refresh_life
            && match (pair.exchanged_at, self.scenario.rotation) {
                (None, _) => true,
                (Some(_), Rotation::UntilNewIsUsed) => !successor_used(),
                (Some(at), Rotation::Grace(grace)) => now < at + grace,
                (Some(_), Rotation::DeadAtOnce) => false,
            }
    }

    pub(super) fn token(&mut self, env: &SimEnv, form: &HashMap<String, String>, now: Timestamp) -> Reply {
        match env.outage() {
            Some(Outage::WrongSecret) => return Reply::error(401, 2, "Authentication failed."),
            Some(Outage::Unapproved) => return Reply::error(401, 3, "Your application is not approved."),
            _ => {}
        }
        match form["grant_type"].as_str() {
            "client_credentials" if self.scenario.allows_client_credentials => {
                Reply::ok(json!({"access_token": "pinc_app"}))
            }
            "client_credentials" => Reply::error(403, 29, "Two-factor authentication is needed."),
            "authorization_code" => {
                let (account, grant, _) = parse(&form["code"]).unwrap();
                self.issue((account, grant), None, now)
            }
            _ => self.exchange(&form["refresh_token"], now),
        }
    }

    fn exchange(&mut self, refresh: &str, now: Timestamp) -> Reply {
        if !self.lives(refresh, now) {
            return Reply::error(401, 2, "Authentication failed.");
        }
        let (account, grant, number) = parse(refresh).unwrap();
        let voids = self.scenario.voids_siblings;
        let pairs = &mut self.accounts[account].grants[grant].pairs;
        if voids {
            for sibling in pairs.iter_mut().filter(|pair| pair.parent == Some(number) && !pair.used) {
                sibling.void = true;
            }
        }
        pairs[number].used = true;
        pairs[number].exchanged_at.get_or_insert(now);
        self.issue((account, grant), Some(number), now)
    }

    fn issue(&mut self, (account, grant): (usize, usize), parent: Option<usize>, now: Timestamp) -> Reply {
        let pairs = &mut self.accounts[account].grants[grant].pairs;
        let at = (account, grant, pairs.len());
        pairs.push(Pair { parent, given_at: now, exchanged_at: None, used: false, void: false });
        Reply::ok(json!({
            "access_token": name("pina", at),
            "refresh_token": name("pinr", at),
            "token_type": "bearer",
            "expires_in": self.scenario.access_life.as_secs(),
            "refresh_token_expires_in": self.scenario.refresh_life.as_secs(),
            "scope": domain::Scopes::required().names().join(" "),
        }))
    }
}
