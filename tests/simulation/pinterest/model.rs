//! What Pinterest knows, and what it answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::{Asked, Reply, tokens::Grant};
use crate::{plan::Plan, world::World};

/// An account at Pinterest. Its only board has its number.
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) board: String,
    /// Each time that its owner consented.
    pub(crate) grants: Vec<Grant>,
    pub(crate) board_gone_at: Option<Timestamp>,
}

/// A Pin at Pinterest.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) account: usize,
    pub(crate) title: String,
    /// Tells which Pin of ours it was made of, since no two have the same.
    pub(crate) image: String,
    pub(crate) at: Timestamp,
    /// Lists show it so many seconds late.
    pub(crate) lag: u64,
}

/// The model.
pub(crate) struct Model {
    pub(crate) plan: Plan,
    pub(crate) accounts: Vec<Account>,
    pub(crate) pins: Vec<Made>,
    /// Lists that somebody reads page by page, as they were when the first was asked for.
    pub(super) lists: BTreeMap<usize, Vec<usize>>,
}

impl Model {
    pub(crate) fn new(plan: &Plan, epoch: Timestamp) -> Self {
        let account = |number: usize| Account {
            name: format!("account{number}"),
            board: (9000 + number).to_string(),
            grants: Vec::new(),
            board_gone_at: None,
        };
        let mut model = Self {
            plan: plan.clone(),
            accounts: (0..plan.channels).map(account).collect(),
            pins: Vec::new(),
            lists: BTreeMap::new(),
        };
        // What was there before looks like what is to come.
        for account in 0..plan.channels {
            let at = epoch - jiff::SignedDuration::from_hours(1);
            model.made(account, "twins".to_owned(), format!("old-{account}"), at, 0);
        }
        model
    }

    pub(super) fn made(
        &mut self,
        account: usize,
        title: String,
        image: String,
        at: Timestamp,
        lag: u64,
    ) -> String {
        let id = (700_000 + self.pins.len()).to_string();
        self.pins.push(Made { id: id.clone(), account, title, image, at, lag });
        id
    }

    /// Answers, and does what is to be done.
    pub(super) fn answer(&mut self, world: &World, asked: &Asked, now: Timestamp) -> Reply {
        if asked.path == "oauth/token" {
            return self.token(world, &asked.form(), now);
        }
        let Some(account) = self.bearer(&asked.bearer, now) else {
            return Reply::no(401, 2, "Authentication failed.");
        };
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "user_account") => {
                let name = &self.accounts[account].name;
                Reply::ok(json!({"id": (100 + account).to_string(), "username": name}))
            }
            ("POST", "pins") => self.create(world, account, &asked.body, now),
            ("GET", _) => self.list(account, &asked.path, &asked.query, now),
            _ => panic!("nobody asks for {} {}", asked.method, asked.path),
        }
    }
}
