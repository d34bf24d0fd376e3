//! What the simulated Pinterest knows, and keeps.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    authorize::Code,
    environment::Environment,
    policy::Policy,
    tokens::{Digest, Tokens},
};

/// A decimal id, which the API writes as a string. Ids grow, so a greater one is a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Id(pub(crate) u64);

impl Id {
    /// Reads the id of a path or a body; one too large to be ours is as good as unknown.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_decimal.then(|| Self(text.parse().unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Everything that survives a restart.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) policy: Policy,
    pub(crate) accounts: Vec<Account>,
    /// Codes of the one consent page: the host that exchanges a code decides what its tokens are for.
    pub(crate) codes: BTreeMap<Digest, Code>,
    production: World,
    sandbox: World,
    last_id: u64,
}

/// What exists on one host only.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) tokens: Tokens,
    pub(crate) boards: Vec<Board>,
    /// Oldest first. Kept line by line, in a file of their own: there may be many.
    #[serde(default, skip_serializing)]
    pub(crate) pins: Vec<Pin>,
    pub(crate) uploads: Vec<Upload>,
}

/// A user of Pinterest, the same on both hosts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: Id,
    pub(crate) username: String,
    pub(crate) business_name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Board {
    pub(crate) id: Id,
    pub(crate) account: Id,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) privacy: Privacy,
    pub(crate) is_ads_only: bool,
    pub(crate) sections: Vec<Section>,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Privacy {
    #[default]
    Public,
    Protected,
    Secret,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) id: Id,
    pub(crate) name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pin {
    pub(crate) id: Id,
    pub(crate) account: Id,
    pub(crate) board: Id,
    pub(crate) section: Option<Id>,
    pub(crate) parent: Option<Id>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) alt_text: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) dominant_color: Option<String>,
    pub(crate) media: Media,
    pub(crate) created_at: Timestamp,
}

/// What a Pin shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Media {
    Image(Picture),
    Carousel(Vec<Slide>),
    Video { media_id: Id, cover: Option<Picture> },
}

/// One image of a carousel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Slide {
    pub(crate) picture: Picture,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) link: Option<String>,
}

/// An image, where it is or what it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Picture {
    Address(String),
    Data { content_type: String, base64: String },
}

/// A video upload, from its registration on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) id: Id,
    pub(crate) account: Id,
    /// The parameters that the form must repeat, as one digest: they are credentials.
    pub(crate) parameters: Digest,
    pub(crate) received: Option<Received>,
}

/// A file has come for an [`Upload`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Received {
    pub(crate) at: Timestamp,
    pub(crate) is_video: bool,
}

impl State {
    /// The accounts and boards of a first start.
    pub(crate) fn first(now: Timestamp) -> Self {
        let mut state = Self {
            policy: Policy::default(),
            accounts: Vec::new(),
            codes: BTreeMap::new(),
            production: World::default(),
            sandbox: World::default(),
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
        self.world_mut(environment).boards.push(Board {
            id,
            account,
            name: name.to_owned(),
            description: None,
            privacy,
            is_ads_only: false,
            sections: Vec::new(),
            created_at: now,
        });
        id
    }

    /// Adds a section to a board, if there is such a board.
    pub(crate) fn add_section(&mut self, environment: Environment, board: Id, name: &str) -> Section {
        let section = Section { id: self.next_id(), name: name.to_owned() };
        if let Some(board) = self.world_mut(environment).boards.iter_mut().find(|known| known.id == board) {
            board.sections.push(section.clone());
        }
        section
    }

    pub(crate) fn world(&self, environment: Environment) -> &World {
        match environment {
            Environment::Production => &self.production,
            Environment::Sandbox => &self.sandbox,
        }
    }

    pub(crate) fn world_mut(&mut self, environment: Environment) -> &mut World {
        match environment {
            Environment::Production => &mut self.production,
            Environment::Sandbox => &mut self.sandbox,
        }
    }

    /// Puts back a Pin that was kept, perhaps with this state, perhaps just before a newer one could be.
    pub(crate) fn restore(&mut self, environment: Environment, pin: Pin) {
        self.last_id = self.last_id.max(pin.id.0);
        let pins = &mut self.world_mut(environment).pins;
        if !pins.iter().any(|known| known.id == pin.id) {
            pins.push(pin);
        }
    }

    /// An id that no object on either host has.
    pub(crate) fn next_id(&mut self) -> Id {
        self.last_id += 1;
        Id(self.last_id)
    }

    pub(crate) fn account_named(&self, username: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.username == username)
    }

    /// The name of `account`, which is never gone.
    pub(crate) fn username(&self, account: Id) -> &str {
        self.accounts.iter().find(|known| known.id == account).map_or("", |known| known.username.as_str())
    }
}

impl World {
    pub(crate) fn board(&self, id: Id) -> Option<&Board> {
        self.boards.iter().find(|board| board.id == id)
    }
}
