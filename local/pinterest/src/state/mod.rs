//! What the simulated Pinterest knows and saves.

mod code;
pub(crate) mod listing;
mod objects;
pub(crate) mod policy;
mod scopes;
pub(crate) mod storage;
pub(crate) mod tokens;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    code::AuthorizationCode,
    objects::{
        Account, AiDisclosures, Board, Media, Member, Picture, Pin, Privacy, ReceivedFile, Section, Slide,
        Upload,
    },
    policy::Policy,
    scopes::Scopes,
    tokens::{Digest, Grant, Tokens},
};
use crate::http::{Environment, Id};

/// Everything that survives a restart.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) policy: Policy,
    pub(crate) accounts: Vec<Account>,
    /// Codes of the one consent page. The host that exchanges a code is the host of its tokens.
    pub(crate) codes: BTreeMap<Digest, AuthorizationCode>,
    production: HostState,
    sandbox: HostState,
    last_id: u64,
}

/// The objects of one host.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct HostState {
    pub(crate) tokens: Tokens,
    pub(crate) boards: Vec<Board>,
    /// Oldest first. They are saved in a file of their own, one on each line, because there may be many.
    #[serde(default, skip_serializing)]
    pub(crate) pins: Vec<Pin>,
    pub(crate) uploads: Vec<Upload>,
}

impl State {
    /// The accounts and boards of a first start.
    pub(crate) fn new(now: Timestamp) -> Self {
        let mut state = Self {
            policy: Policy::default(),
            accounts: Vec::new(),
            codes: BTreeMap::new(),
            production: HostState::default(),
            sandbox: HostState::default(),
            last_id: 549_755_885_000,
        };
        state.add_account("demo_account", "Demo Account", now);
        state.add_account("second_account", "Second Account", now);
        state
    }

    /// Adds an account with its first boards on both hosts, unless the name is taken.
    pub(crate) fn add_account(&mut self, username: &str, business_name: &str, now: Timestamp) {
        if self.account_named(username).is_some() {
            return;
        }
        let account = self.next_id();
        self.accounts.push(Account {
            id: account,
            username: username.to_owned(),
            business_name: business_name.to_owned(),
        });
        for environment in Environment::ALL {
            let recipes = self.add_board(environment, account, "Recipes", Privacy::Public, now);
            for name in ["Salads", "Desserts"] {
                self.add_section(environment, recipes, name);
            }
            self.add_board(environment, account, "Travel", Privacy::Public, now);
            self.add_board(environment, account, "Secret ideas", Privacy::Secret, now);
        }
    }

    /// Adds a board without description.
    pub(crate) fn add_board(
        &mut self,
        environment: Environment,
        account: Id,
        name: &str,
        privacy: Privacy,
        now: Timestamp,
    ) -> Id {
        let id = self.next_id();
        self.host_mut(environment).boards.push(Board {
            id,
            account,
            name: name.to_owned(),
            description: None,
            privacy,
            is_ads_only: false,
            sections: Vec::new(),
            members: Vec::new(),
            created_at: now,
        });
        id
    }

    /// Gives an account `count` more boards, with numbers as names; none if there is no such account.
    pub(crate) fn add_boards(
        &mut self,
        environment: Environment,
        username: &str,
        count: usize,
        now: Timestamp,
    ) -> Vec<Id> {
        let Some(account) = self.account_named(username).map(|account| account.id) else {
            return Vec::new();
        };
        let before = self.host(environment).boards.len();
        (1..=count)
            .map(|number| {
                let name = format!("Board {}", before + number);
                self.add_board(environment, account, &name, Privacy::Public, now)
            })
            .collect()
    }

    /// Adds a board of the first account, to which the second is invited.
    pub(crate) fn add_group_board(
        &mut self,
        environment: Environment,
        (owner, member): (&str, &str),
        name: &str,
        may_pin: bool,
        now: Timestamp,
    ) -> Option<Id> {
        let id_of = |name| self.account_named(name).map(|account| account.id);
        let (owner, account) = (id_of(owner)?, id_of(member)?);
        let id = self.add_board(environment, owner, name, Privacy::Public, now);
        let boards = &mut self.host_mut(environment).boards;
        boards.iter_mut().find(|board| board.id == id)?.members.push(Member { account, may_pin });
        Some(id)
    }

    /// Ends all tokens and codes of an account on both hosts, and returns the number of tokens.
    pub(crate) fn revoke_tokens(&mut self, username: &str) -> usize {
        let Some(account) = self.account_named(username).map(|account| account.id) else {
            return 0;
        };
        self.codes.retain(|_, code| code.grant.account != account);
        let hosts = Environment::ALL.into_iter();
        hosts.map(|environment| self.host_mut(environment).tokens.revoke(account)).sum()
    }

    /// Adds a section to a board, if there is such a board.
    pub(crate) fn add_section(&mut self, environment: Environment, board: Id, name: &str) -> Section {
        let section = Section { id: self.next_id(), name: name.to_owned() };
        if let Some(board) =
            self.host_mut(environment).boards.iter_mut().find(|candidate| candidate.id == board)
        {
            board.sections.push(section.clone());
        }
        section
    }

    pub(crate) fn host(&self, environment: Environment) -> &HostState {
        match environment {
            Environment::Production => &self.production,
            Environment::Sandbox => &self.sandbox,
        }
    }

    pub(crate) fn host_mut(&mut self, environment: Environment) -> &mut HostState {
        match environment {
            Environment::Production => &mut self.production,
            Environment::Sandbox => &mut self.sandbox,
        }
    }

    /// Adds a saved Pin. It may be newer than this state, if the process died before it could save a newer state.
    pub(crate) fn restore_pin(&mut self, environment: Environment, pin: Pin) {
        self.last_id = self.last_id.max(pin.id.0);
        let pins = &mut self.host_mut(environment).pins;
        if !pins.iter().any(|existing| existing.id == pin.id) {
            pins.push(pin);
        }
    }

    /// A new id, which no object on either host has.
    pub(crate) fn next_id(&mut self) -> Id {
        self.last_id += 1;
        Id(self.last_id)
    }

    pub(crate) fn account_named(&self, username: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.username == username)
    }

    /// The name of `account`. Accounts are never deleted.
    pub(crate) fn username(&self, account: Id) -> &str {
        self.accounts
            .iter()
            .find(|candidate| candidate.id == account)
            .map_or("", |candidate| candidate.username.as_str())
    }
}

impl HostState {
    pub(crate) fn board(&self, id: Id) -> Option<&Board> {
        self.boards.iter().find(|board| board.id == id)
    }
}
