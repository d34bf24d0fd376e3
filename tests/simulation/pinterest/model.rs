//! The state of Pinterest, and its answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::{PinterestRequest, Reply, tokens::TokenState};
use crate::{env::SimEnv, scenario::Scenario};

/// An account at Pinterest. It has one board.
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) board: String,
    /// One grant for each consent of the owner.
    pub(crate) grants: Vec<TokenState>,
    pub(crate) board_gone_at: Option<Timestamp>,
}

/// A Pin at Pinterest.
#[derive(Clone, Debug)]
pub(crate) struct RemotePin {
    pub(crate) id: String,
    pub(crate) account: usize,
    pub(crate) title: String,
    pub(crate) link: String,
    pub(crate) description: String,
    /// No two of our Pins have the same image, so it shows which one this is.
    pub(crate) image: String,
    pub(crate) at: Timestamp,
    /// How many seconds later the lists show it.
    pub(crate) list_lag_secs: u64,
}

/// The link of a Pin with this title. All lead to one host, as those of a shop do.
pub(crate) fn link(title: &str) -> String {
    format!("https://shop.example/{title}?utm_source=pins")
}

/// The description of a Pin with this title.
pub(crate) fn description(title: &str) -> String {
    format!("{title} & everything that one should know about it, in so many words")
}

/// The model of Pinterest.
pub(crate) struct Model {
    pub(crate) scenario: Scenario,
    pub(crate) accounts: Vec<Account>,
    pub(crate) pins: Vec<RemotePin>,
    /// Lists that somebody reads page by page, as they were when the first page was read.
    pub(super) lists: BTreeMap<usize, Vec<usize>>,
}

impl Model {
    pub(crate) fn new(scenario: &Scenario, epoch: Timestamp) -> Self {
        let account = |number: usize| Account {
            name: format!("account{number}"),
            board: (9000 + number).to_string(),
            grants: Vec::new(),
            board_gone_at: None,
        };
        let mut model = Self {
            scenario: scenario.clone(),
            accounts: (0..scenario.channels).map(account).collect(),
            pins: Vec::new(),
            lists: BTreeMap::new(),
        };
        // Old Pins have the same title as some of the new ones.
        for account in 0..scenario.channels {
            model.add_pin(RemotePin {
                id: String::new(),
                account,
                title: "twins".to_owned(),
                link: link("twins"),
                description: description("twins"),
                image: format!("old-{account}"),
                at: epoch - jiff::SignedDuration::from_hours(1),
                list_lag_secs: 0,
            });
        }
        model
    }

    pub(super) fn add_pin(&mut self, pin: RemotePin) -> String {
        let id = (700_000 + self.pins.len()).to_string();
        self.pins.push(RemotePin { id: id.clone(), ..pin });
        id
    }

    /// The owner of an account creates a Pin without Pinwright, with the texts that ours have or with others.
    pub(crate) fn add_owners_pin(&mut self, account: usize, title: &str, at: Timestamp) {
        let number = self.pins.len();
        self.add_pin(RemotePin {
            id: String::new(),
            account,
            title: title.to_owned(),
            link: format!("https://shop.example/{title}/{number}"),
            description: format!("what the owner says of it, number {number}"),
            image: format!("old-{account}-{number}"),
            at,
            list_lag_secs: 0,
        });
    }

    /// Executes a request, and answers it.
    pub(super) fn answer(&mut self, env: &SimEnv, request: &PinterestRequest, now: Timestamp) -> Reply {
        if request.path == "oauth/token" {
            return self.token(env, &request.form(), now);
        }
        let Some(account) = self.bearer(&request.bearer, now) else {
            return Reply::error(401, 2, "Authentication failed.");
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "user_account") => {
                let name = &self.accounts[account].name;
                Reply::ok(json!({"id": (100 + account).to_string(), "username": name}))
            }
            ("POST", "pins") => self.create(env, account, &request.body, now),
            ("GET", _) => self.list(account, &request.path, &request.query, now),
            _ => panic!("the model does not know {} {}", request.method, request.path),
        }
    }
}
