//! Tokens: pairs that come of each other, and which of them live.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::{Model, Reply};
use crate::{
    plan::{Rotation, Trouble},
    world::World,
};

/// What an account's owner granted once.
#[derive(Default)]
pub(crate) struct Grant {
    pub(crate) revoked: bool,
    pub(crate) pairs: Vec<Pair>,
}

/// A pair of tokens.
pub(crate) struct Pair {
    /// Which pair it was exchanged for. `None`: the owner's consent.
    pub(crate) parent: Option<usize>,
    pub(crate) given_at: Timestamp,
    pub(crate) exchanged_at: Option<Timestamp>,
    pub(crate) used: bool,
    /// A later exchange of the same parent ended it.
    pub(crate) void: bool,
}

/// Where a pair is: account, grant, pair.
type Address = (usize, usize, usize);

fn name(kind: &str, (account, grant, pair): Address) -> String {
    format!("{kind}_{account}_{grant}_{pair}")
}

fn address(token: &str) -> Option<Address> {
    let mut parts = token.split('_').skip(1).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

impl Model {
    /// The owner consents: what the callback gets.
    pub(crate) fn consent(&mut self, account: usize) -> String {
        self.accounts[account].grants.push(Grant::default());
        format!("code_{account}_{}_0", self.accounts[account].grants.len() - 1)
    }

    /// The owner takes everything back.
    pub(crate) fn revoke(&mut self, account: usize) {
        for grant in &mut self.accounts[account].grants {
            grant.revoked = true;
        }
    }

    /// Which account an access token acts for.
    pub(super) fn bearer(&mut self, token: &str, now: Timestamp) -> Option<usize> {
        let (account, grant, pair) = address(token)?;
        let life = self.plan.access_life;
        let grant = &mut self.accounts[account].grants[grant];
        let pair = &mut grant.pairs[pair];
        let lives = !grant.revoked && !pair.void && now < pair.given_at + life;
        lives.then(|| {
            pair.used = true;
            account
        })
    }

    /// Whether a refresh token can be exchanged.
    pub(crate) fn lives(&self, refresh: &str, now: Timestamp) -> bool {
        let Some((account, grant, number)) = address(refresh) else { return false };
        let grant = &self.accounts[account].grants[grant];
        let pair = &grant.pairs[number];
        let successor_used = || grant.pairs.iter().any(|other| other.parent == Some(number) && other.used);
        !grant.revoked
            && !pair.void
            && now < pair.given_at + self.plan.refresh_life
            && match (pair.exchanged_at, self.plan.rotation) {
                (None, _) => true,
                (Some(_), Rotation::UntilNewIsUsed) => !successor_used(),
                (Some(at), Rotation::Grace(grace)) => now < at + grace,
                (Some(_), Rotation::DeadAtOnce) => false,
            }
    }

    pub(super) fn token(&mut self, world: &World, form: &HashMap<String, String>, now: Timestamp) -> Reply {
        match world.trouble() {
            Some(Trouble::WrongSecret) => return Reply::no(401, 2, "Authentication failed."),
            Some(Trouble::Unapproved) => return Reply::no(401, 3, "Your application is not approved."),
            _ => {}
        }
        match form["grant_type"].as_str() {
            "client_credentials" if self.plan.probes => Reply::ok(json!({"access_token": "pinc_app"})),
            "client_credentials" => Reply::no(403, 29, "Two-factor authentication is needed."),
            "authorization_code" => {
                let (account, grant, _) = address(&form["code"]).unwrap();
                self.give((account, grant), None, now)
            }
            _ => self.exchange(&form["refresh_token"], now),
        }
    }

    fn exchange(&mut self, refresh: &str, now: Timestamp) -> Reply {
        if !self.lives(refresh, now) {
            return Reply::no(401, 2, "Authentication failed.");
        }
        let (account, grant, number) = address(refresh).unwrap();
        let voids = self.plan.voids_siblings;
        let pairs = &mut self.accounts[account].grants[grant].pairs;
        if voids {
            for sibling in pairs.iter_mut().filter(|pair| pair.parent == Some(number) && !pair.used) {
                sibling.void = true;
            }
        }
        pairs[number].used = true;
        pairs[number].exchanged_at.get_or_insert(now);
        self.give((account, grant), Some(number), now)
    }

    fn give(&mut self, (account, grant): (usize, usize), parent: Option<usize>, now: Timestamp) -> Reply {
        let pairs = &mut self.accounts[account].grants[grant].pairs;
        let at = (account, grant, pairs.len());
        pairs.push(Pair { parent, given_at: now, exchanged_at: None, used: false, void: false });
        Reply::ok(json!({
            "access_token": name("pina", at),
            "refresh_token": name("pinr", at),
            "token_type": "bearer",
            "expires_in": self.plan.access_life.as_secs(),
            "refresh_token_expires_in": self.plan.refresh_life.as_secs(),
            "scope": domain::Scopes::needed().names().join(" "),
        }))
    }
}
