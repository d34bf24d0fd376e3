//! Boards and their sections.

use domain::{AccessToken, BoardId, Environment, SectionId};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Client, Error, lenient};

/// Where Pins go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Board {
    /// Stays the same when the board is renamed.
    #[serde(deserialize_with = "lenient::id")]
    pub id: BoardId,
    /// As its owner named it.
    pub name: String,
    /// `PUBLIC`, `PROTECTED`, `SECRET`, or a new value of Pinterest's.
    #[serde(default = "public", deserialize_with = "privacy")]
    pub privacy: String,
    /// Its owner. Lists contain group boards too, which belong to others.
    #[serde(default)]
    pub owner: Option<Owner>,
}

/// The owner of a board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// The current username: users can change it.
    #[serde(default)]
    pub username: Option<String>,
}

impl Board {
    /// Whether it is known to belong to another account than that of `username`.
    #[must_use]
    pub fn is_of_another(&self, username: &str) -> bool {
        let owner = self.owner.as_ref().and_then(|owner| owner.username.as_deref());
        owner.is_some_and(|owner| owner != username)
    }
}

/// A part of a board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Section {
    /// Stays the same when the section is renamed.
    #[serde(deserialize_with = "lenient::id")]
    pub id: SectionId,
    /// As its owner named it.
    pub name: String,
}

/// A board to create.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NewBoard<'a> {
    /// Pinterest refuses a name that the account already has.
    pub name: &'a str,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// `PUBLIC` (the default), `PROTECTED` or `SECRET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<&'a str>,
}

/// The contract's default.
fn public() -> String {
    "PUBLIC".to_owned()
}

fn privacy<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Ok(lenient::text(value)?.unwrap_or_else(public))
}

impl Client {
    /// All boards of the account, and the group boards that it may use ([`GET
    /// /boards`](https://developers.pinterest.com/docs/api/v5/boards-list)).
    pub async fn boards(&self, environment: Environment, token: &AccessToken) -> Result<Vec<Board>, Error> {
        self.pages(|| self.get(environment, token, "boards")).await
    }

    /// One board ([`GET /boards/{board_id}`](https://developers.pinterest.com/docs/api/v5/boards-get)).
    pub async fn board(
        &self,
        environment: Environment,
        token: &AccessToken,
        id: &BoardId,
    ) -> Result<Board, Error> {
        let request = self.get(environment, token, &format!("boards/{id}"));
        self.send(request).await?.json()
    }

    /// All sections of a board
    /// ([`GET /boards/{board_id}/sections`](https://developers.pinterest.com/docs/api/v5/board_sections-list)).
    pub async fn sections(
        &self,
        environment: Environment,
        token: &AccessToken,
        board: &BoardId,
    ) -> Result<Vec<Section>, Error> {
        let path = format!("boards/{board}/sections");
        self.pages(|| self.get(environment, token, &path)).await
    }

    /// Creates a board ([`POST /boards`](https://developers.pinterest.com/docs/api/v5/boards-create)).
    ///
    /// After [`Error::Unknown`] the board may exist. Names are unique, so a second try is refused and creates no second
    /// board.
    pub async fn create_board(
        &self,
        environment: Environment,
        token: &AccessToken,
        new: &NewBoard<'_>,
    ) -> Result<Board, Error> {
        let request = self.post(environment, token, "boards", new);
        self.send(request).await?.json()
    }
}
