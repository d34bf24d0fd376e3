//! Pinterest's two hosts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of Pinterest's two hosts. Each has its own tokens, boards and Pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// `https://api.pinterest.com` in the real world; `/v5` here.
    Production,
    /// `https://api-sandbox.pinterest.com` in the real world; `/sandbox/v5` here.
    Sandbox,
}

impl Environment {
    /// Both hosts, in the order of the pages.
    pub(crate) const ALL: [Self; 2] = [Self::Production, Self::Sandbox];

    /// The beginning of this host's paths on our server.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Production => "/v5",
            Self::Sandbox => "/sandbox/v5",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        })
    }
}
