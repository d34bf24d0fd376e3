//! `channels`: connected accounts, their boards, and where Pins go by default.

mod claim;
mod view;

use domain::{BoardId, ChannelId, Class, DefaultBoard, Refusal, State, TenantId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::{
    claim::Claim,
    view::{BoardView, ChannelView},
};
use super::{Page, accounts::Accounts, pins::cursor};
use crate::{
    Random,
    error::{Error, Result, chain},
    http::{self, Answer, Call, Caller, Response, Site},
    parameters::{LIMIT, SECTIONS},
    routes::Operation,
    setup::Setup,
    store::{MainTable, Put, TokensTable},
    vault::Vault,
    vocabulary::BoardPrivacy,
};

/// How many boards' sections are asked for at once.
const SECTIONS_AT_ONCE: usize = 8;

/// How many Pins are cancelled at once.
const PINS_AT_ONCE: usize = 16;
/// How often Pins that others change at the same moment are tried to be cancelled.
const ROUNDS: usize = 3;

/// What secret boards need beyond the scopes that are asked for unless configured otherwise.
const WRITE_SECRET: &str = "boards:write_secret";

/// A change of a channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdateChannelRequest")]
pub struct ChangeChannel {
    /// A board of the account; `null` for none.
    #[schemars(schema_with = "nullable_board")]
    #[serde(deserialize_with = "named")]
    default_board_id: Option<BoardId>,
}

/// A field that may be `null`, but must be there.
fn named<'de, D: Deserializer<'de>>(value: D) -> Result<Option<BoardId>, D::Error> {
    Option::deserialize(value)
}

/// The type's own schema, for a field that may be `null` but not absent.
fn nullable_board(schemas: &mut SchemaGenerator) -> Schema {
    let board = schemas.subschema_for::<BoardId>();
    json_schema!({ "anyOf": [board, { "type": "null" }] })
}

/// A board to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateBoardRequest")]
pub struct CreateBoard {
    /// 1 to 180 characters. No other board of the account may have this name.
    #[schemars(length(min = 1, max = 180))]
    name: String,
    /// What the board is about: at most 500 characters.
    #[serde(default)]
    #[schemars(length(max = 500))]
    description: Option<String>,
    /// Who may see it. `PUBLIC` unless given.
    #[serde(default)]
    #[schemars(with = "Option<BoardPrivacy>")]
    privacy: Option<Privacy>,
}

/// Who may see a board.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Privacy {
    Public,
    Protected,
    Secret,
}

/// What disconnecting did, and what only the owner can do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DisconnectedChannel")]
pub struct Disconnected {
    detail: String,
    fix: String,
    cancelled_pins: usize,
}

/// What `channels` may touch.
#[derive(Debug)]
pub struct Channels {
    accounts: Accounts,
    site: Site,
    random: Random,
}

impl Channels {
    /// Of its parts.
    #[must_use]
    pub fn new(
        vault: Vault,
        main: MainTable,
        tokens: TokensTable,
        pinterest: pinterest::Client,
        setup: &Setup,
    ) -> Self {
        let accounts = Accounts { vault, main, tokens, pinterest, clock: setup.clock.clone() };
        Self { accounts, site: setup.site(), random: setup.random.clone() }
    }

    async fn list(&self, call: &Call) -> Result<Page<ChannelView>> {
        let caller = call.caller()?;
        let limit = call.number(&LIMIT)?.into();
        let after = cursor::<ChannelId>(call)?;
        let after = after.as_ref().map(ChannelId::as_str);
        let (channels, next) =
            self.accounts.main.channels(&self.accounts.tokens, &caller.tenant, after, limit).await?;
        let items = channels.iter().map(|(channel, token)| ChannelView::of(channel, token)).collect();
        Ok(Page { items, next })
    }

    /// Chooses the default board, once Pinterest has said that it exists.
    async fn change(&self, caller: &Caller, id: &ChannelId, wanted: ChangeChannel) -> Result<ChannelView> {
        let (mut channel, token) = self.accounts.read(&caller.tenant, id).await?;
        let board = match wanted.default_board_id {
            None => None,
            Some(id) => {
                let access = self.accounts.access(&channel, &token).await?;
                let board = self.accounts.pinterest.board(channel.environment, &access, &id).await;
                let board = self.accounts.asked(board, &token).await.map_err(board_gone)?;
                Some(DefaultBoard { pinterest_board_id: board.id, name: board.name })
            }
        };
        if !self.accounts.main.set_default_board(&channel, board.as_ref()).await? {
            return Err(Error::NotFound("channel"));
        }
        channel.default_board = board;
        Ok(ChannelView::of(&channel, &token))
    }

    /// Forgets the tokens at once, then cancels what waits. What is being sent right now is not called back.
    async fn disconnect(&self, caller: &Caller, id: &ChannelId) -> Result<Disconnected> {
        let mut tries = 0;
        loop {
            let channel =
                self.accounts.main.channel(&caller.tenant, id).await?.ok_or(Error::NotFound("channel"))?;
            if self.accounts.main.forget(&self.accounts.tokens, &channel).await? {
                break;
            }
            tries += 1;
            if tries == 5 {
                return Err(Error::Busy);
            }
        }
        let mut cancelled_pins = 0;
        for _ in 0..ROUNDS {
            // The tokens are gone, so this call cannot be repeated: what is left here ends the same way at its time.
            match self.cancel(&caller.tenant, id, &mut cancelled_pins).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = %chain(&error), channel.id = %id, "Pins are left to be cancelled later");
                }
            }
        }
        Ok(Disconnected {
            detail: "The account's tokens are deleted here, and its queued Pins are cancelled.".to_owned(),
            fix: "To take the app's access away at Pinterest too: Settings, Security, Connected apps."
                .to_owned(),
            cancelled_pins,
        })
    }

    /// Ends what waits for a channel that is gone, and says how much of it somebody else has changed meanwhile.
    async fn cancel(&self, tenant: &TenantId, id: &ChannelId, cancelled: &mut usize) -> Result<usize> {
        let main = &self.accounts.main;
        let open = main.pins_of(tenant, id, Class::Open).await?;
        let now = self.accounts.clock.now();
        let ends: Vec<_> = open.iter().filter_map(|pin| pin.leave_channel(now)).collect();
        let saves = stream::iter(ends).map(|pin| async move { (main.save_pin(&pin).await, pin.state) });
        let mut saves = saves.buffer_unordered(PINS_AT_ONCE);
        let mut left = 0;
        while let Some((saved, state)) = saves.next().await {
            match saved {
                Ok(Put::Done) => *cancelled += usize::from(state == State::Cancelled),
                Ok(_) => left += 1,
                Err(error) => {
                    left += 1;
                    tracing::warn!(error = %chain(&error), channel.id = %id, "a Pin is not cancelled yet");
                }
            }
        }
        Ok(left)
    }

    /// All boards of the account, over all of Pinterest's pages.
    async fn boards(&self, caller: &Caller, id: &ChannelId, sections: bool) -> Result<Page<BoardView>> {
        let (channel, token) = self.accounts.read(&caller.tenant, id).await?;
        let access = self.accounts.access(&channel, &token).await?;
        let boards = self.accounts.pinterest.boards(channel.environment, &access).await;
        let boards = self.accounts.asked(boards, &token).await?;
        let items = if sections {
            let (pinterest, access) = (&self.accounts.pinterest, &access);
            stream::iter(boards)
                .map(|board| async move {
                    let sections = pinterest.sections(channel.environment, access, &board.id).await?;
                    Ok::<_, Error>(BoardView::of(board, sections))
                })
                .buffered(SECTIONS_AT_ONCE)
                .try_collect()
                .await?
        } else {
            boards.into_iter().map(|board| BoardView::of(board, Vec::new())).collect()
        };
        Ok(Page { items, next: None })
    }

    /// Makes a board. One with this name that is there already is as good: `false`.
    async fn create_board(
        &self,
        caller: &Caller,
        id: &ChannelId,
        wanted: CreateBoard,
    ) -> Result<(BoardView, bool)> {
        let name =
            domain::Text::<180>::new("name", Some(wanted.name.trim().to_owned()))?.ok_or_else(|| {
                domain::Invalid::new("name", "missing_field", "is empty", "Give the board a name.")
            })?;
        let description = domain::Text::<500>::new("description", wanted.description)?;
        let (channel, token) = self.accounts.read(&caller.tenant, id).await?;
        if matches!(wanted.privacy, Some(Privacy::Secret)) && !channel.scopes.contains(WRITE_SECRET) {
            return Err(Error::refused(domain::words::secret_board()));
        }
        let access = self.accounts.access(&channel, &token).await?;
        let new = pinterest::NewBoard {
            name: name.as_str(),
            description: description.as_ref().map(domain::Text::as_str),
            privacy: wanted.privacy.map(|privacy| match privacy {
                Privacy::Public => "PUBLIC",
                Privacy::Protected => "PROTECTED",
                Privacy::Secret => "SECRET",
            }),
        };
        let made = self.accounts.pinterest.create_board(channel.environment, &access, &new).await;
        if let Ok(board) = made {
            return Ok((BoardView::of(board, Vec::new()), true));
        }
        // A name that is taken is refused, and a lost answer may have made the board: names are unique, so the
        // list knows.
        let boards = self.accounts.pinterest.boards(channel.environment, &access).await;
        let boards = self.accounts.asked(boards, &token).await?;
        match boards.into_iter().find(|board| board.name == name.as_str()) {
            Some(board) => Ok((BoardView::of(board, Vec::new()), false)),
            None => Err(self.accounts.asked(made, &token).await.err().unwrap_or(Error::NotFound("board"))),
        }
    }
}

/// Pinterest says "not found" in several ways: for a board that is asked for by its id, all mean the same.
fn board_gone(error: Error) -> Error {
    match &error {
        Error::Pinterest(pinterest::Error::Refused { refusal, answer })
            if *refusal == Refusal::BoardGone || answer.http_status == Some(404) =>
        {
            Error::refused(domain::words::board_gone())
        }
        _ => error,
    }
}

impl Answer for Channels {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        self.accounts.prepare().await
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        let caller = call.caller()?;
        let id = || call.id::<ChannelId>("channel");
        match call.operation {
            Operation::Claim => {
                let (channel, new) = self.claim(caller, http::json(&call)?).await?;
                if new { http::created(&channel) } else { http::ok(&channel) }
            }
            Operation::ListChannels => http::ok(&self.list(&call).await?),
            Operation::ReadChannel => {
                let (channel, token) = self.accounts.read(&caller.tenant, &id()?).await?;
                http::ok(&ChannelView::of(&channel, &token))
            }
            Operation::ChangeChannel => {
                let wanted = http::json(&call)?;
                http::ok(&self.change(caller, &id()?, wanted).await?)
            }
            Operation::DeleteChannel => http::ok(&self.disconnect(caller, &id()?).await?),
            Operation::ListBoards => {
                let sections = call.flag(&SECTIONS)?;
                http::ok(&self.boards(caller, &id()?, sections).await?)
            }
            Operation::CreateBoard => {
                let wanted = http::json(&call)?;
                let (board, new) = self.create_board(caller, &id()?, wanted).await?;
                if new { http::created(&board) } else { http::ok(&board) }
            }
            _ => Err(Error::NotFound("address")),
        }
    }
}
