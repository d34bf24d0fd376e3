//! `channels`: connected accounts, their boards, and their default boards.

mod claim;
mod view;

use delivery::Sessions;
use domain::{BoardId, ChannelId, DefaultBoard, TenantId, failures};
use edge::{
    ApiRequest, Body, Caller, Handler, Page, Response, SiteConfig, body_text, created, json, located,
    not_found, ok, ok_text,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use platform::{Clock, Random, chain};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::{
    claim::Claim,
    view::{BoardView, ChannelView},
};
use super::{closed_channel::cancel_pins, recent_answers::RecentAnswers};
use crate::{
    error::{Error, Result},
    limits::{SaveLimits, TenantLimits},
    operations::ChannelsOperation,
    parameters::{LIMIT, SECTIONS, TENANT, cursor},
    setup::Setup,
    vocabulary::BoardPrivacy,
};

/// How many times a claim or a disconnection is tried while others change the same rows.
const MAX_CONFLICT_RETRIES: usize = 5;

/// How many boards' sections are read in parallel.
const MAX_PARALLEL_SECTIONS: usize = 8;

/// How many rounds of reading and cancelling there are for Pins that others change at the same moment.
const MAX_CANCEL_ROUNDS: usize = 3;

/// The scope for secret boards, which is not requested unless configured.
const SECRET_BOARDS_SCOPE: &str = "boards:write_secret";

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

/// A field that may be `null`, but must be present.
fn named<'de, D: Deserializer<'de>>(value: D) -> Result<Option<BoardId>, D::Error> {
    Option::deserialize(value)
}

/// The type's own schema, for a field that may be `null` but not absent.
fn nullable_board(schemas: &mut SchemaGenerator) -> Schema {
    let board = schemas.subschema_for::<BoardId>();
    json_schema!({ "anyOf": [board, { "type": "null" }] })
}

/// A board to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateBoardRequest")]
pub struct CreateBoard {
    /// 1 to 180 characters. No other board of the account may have this name.
    #[schemars(length(min = 1, max = 180))]
    name: String,
    /// The board's description: at most 500 characters.
    #[serde(default)]
    #[schemars(length(max = 500))]
    description: Option<String>,
    /// Who may see it. Default: `PUBLIC`.
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

/// What `channels` may use.
#[derive(Debug)]
pub struct Channels {
    sessions: Sessions,
    limits: TenantLimits,
    /// Lists of boards, with their sections or without.
    boards: RecentAnswers<(ChannelId, bool)>,
    site: SiteConfig,
    clock: Clock,
    random: Random,
}

impl Channels {
    #[must_use]
    pub fn new(sessions: Sessions, setup: &Setup) -> Self {
        let (site, clock, random) = (setup.site(), setup.clock.clone(), setup.random.clone());
        let limits = TenantLimits::new(sessions.main.clone(), setup);
        Self { sessions, limits, boards: RecentAnswers::default(), site, clock, random }
    }

    async fn list(&self, request: &ApiRequest) -> Result<Page<ChannelView>> {
        let tenant = &request.caller()?.tenant;
        let limit = request.number(&LIMIT)?.into();
        let after = cursor::<ChannelId>(request)?;
        let after = after.as_ref().map(ChannelId::as_str);
        let (channels, next) =
            self.sessions.main.channels(&self.sessions.tokens, tenant, after, limit).await?;
        let items = channels.iter().map(|(channel, token)| ChannelView::new(channel, token)).collect();
        Ok(Page { items, next })
    }

    /// Sets the default board, after a check at Pinterest that it exists.
    async fn change(&self, caller: &Caller, id: &ChannelId, wanted: ChangeChannel) -> Result<ChannelView> {
        let (channel, token) = self.sessions.read_channel(&caller.tenant, id).await?;
        let board = match wanted.default_board_id {
            None => None,
            Some(id) => {
                self.limits.use_pinterest_calls(&caller.tenant, 1).await?;
                let session = self.sessions.open(channel.clone(), &token).await?;
                let (_, access) = session.credentials()?;
                let board = self.sessions.pinterest.board(channel.environment, access, &id).await;
                let board = self.sessions.checked(board, &session).await.map_err(board_gone)?;
                Some(DefaultBoard { pinterest_board_id: board.id, name: board.name })
            }
        };
        if !self.sessions.main.set_default_board(&channel, board.as_ref()).await? {
            return Err(not_found("channel"));
        }
        Ok(ChannelView::new(&channel.with_default_board(board), &token))
    }

    /// Deletes the tokens at once, then cancels the waiting Pins. A Pin that is being sent right now is not stopped.
    async fn disconnect(&self, caller: &Caller, id: &ChannelId) -> Result<Disconnected> {
        let mut tries = 0;
        loop {
            let channel = self.sessions.main.channel(&caller.tenant, id).await?;
            let channel = channel.ok_or_else(|| not_found::<Error>("channel"))?;
            if self.sessions.main.delete_channel(&self.sessions.tokens, &channel, self.clock.now()).await? {
                break;
            }
            tries += 1;
            if tries == MAX_CONFLICT_RETRIES {
                return Err(Error::Busy);
            }
        }
        let mut cancelled_pins = 0;
        for _ in 0..MAX_CANCEL_ROUNDS {
            // The tokens are deleted, so this call cannot be repeated. A worker cancels the Pins that are left.
            let (main, now) = (&self.sessions.main, self.clock.now());
            match cancel_pins(main, &caller.tenant, id, now, &mut cancelled_pins).await {
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

    /// All boards of the account, from all pages of Pinterest, as JSON, which may be a few minutes old.
    ///
    /// The channel is read each time, so that the answer goes only to the tenant that has the channel now.
    async fn boards(&self, caller: &Caller, id: &ChannelId, sections: bool) -> Result<String> {
        let (channel, token) = self.sessions.read_channel(&caller.tenant, id).await?;
        let (query, now) = ((id.clone(), sections), self.clock.now());
        if let Some(cached) = self.boards.get(&query, now) {
            return Ok(cached);
        }
        self.limits.use_pinterest_calls(&caller.tenant, 1).await?;
        let session = self.sessions.open(channel, &token).await?;
        let ((channel, access), pinterest) = (session.credentials()?, &self.sessions.pinterest);
        let boards = pinterest.boards(channel.environment, access).await;
        let boards = self.sessions.checked(boards, &session).await?;
        let items = if sections {
            self.limits.use_pinterest_calls(&caller.tenant, boards.len()).await?;
            stream::iter(boards)
                .map(|board| async move {
                    let sections = pinterest.sections(channel.environment, access, &board.id).await?;
                    Ok::<_, Error>(BoardView::new(board, sections))
                })
                .buffered(MAX_PARALLEL_SECTIONS)
                .try_collect()
                .await?
        } else {
            boards.into_iter().map(|board| BoardView::new(board, Vec::new())).collect()
        };
        let answer = body_text(&Page { items, next: None })?;
        self.boards.insert(query, answer.clone(), now);
        Ok(answer)
    }

    /// Creates a board. `false`: a board with this name exists already.
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
        let (channel, token) = self.sessions.read_channel(&caller.tenant, id).await?;
        if matches!(wanted.privacy, Some(Privacy::Secret)) && !channel.scopes.contains(SECRET_BOARDS_SCOPE) {
            return Err(Error::refused(failures::secret_board()));
        }
        self.limits.use_pinterest_calls(&caller.tenant, 1).await?;
        let session = self.sessions.open(channel, &token).await?;
        let ((channel, access), pinterest) = (session.credentials()?, &self.sessions.pinterest);
        let new = pinterest::NewBoard {
            name: name.as_str(),
            description: description.as_ref().map(domain::Text::as_str),
            privacy: wanted.privacy.map(Privacy::as_str),
        };
        let created = pinterest.create_board(channel.environment, access, &new).await;
        self.boards.forget(|(channel, _)| channel == id);
        if let Ok(board) = created {
            return Ok((BoardView::new(board, Vec::new()), true));
        }
        // Pinterest refuses an existing name, and a call whose answer was lost may have created the board. The names of an
        // account are unique, so the list shows what happened. Group boards of others may have the same name.
        let boards = pinterest.boards(channel.environment, access).await;
        let boards = self.sessions.checked(boards, &session).await?;
        let named = boards.into_iter().filter(|board| board.name == name.as_str());
        match named.min_by_key(|board| board.is_of_another(&channel.account.username)) {
            Some(board) => Ok((BoardView::new(board, Vec::new()), false)),
            None => Err(match self.sessions.checked(created, &session).await {
                Err(error) => error.into(),
                Ok(_) => not_found("board"),
            }),
        }
    }
}

impl Privacy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Public => "PUBLIC",
            Self::Protected => "PROTECTED",
            Self::Secret => "SECRET",
        }
    }
}

fn board_gone(error: delivery::Error) -> Error {
    match error {
        delivery::Error::Pinterest(error) if error.is_not_found() => Error::refused(failures::board_gone()),
        other => other.into(),
    }
}

impl Handler for Channels {
    type Operation = ChannelsOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn first_tenant_claim(&self) -> Result<Option<&str>> {
        Ok(self.sessions.main.first_tenant_claim(self.clock.now()).await?)
    }

    async fn prepare(&self) -> Result<()> {
        Ok(self.sessions.prepare().await?)
    }

    async fn handle(&self, operation: ChannelsOperation, request: ApiRequest) -> Result<Response<Body>> {
        let caller = request.caller()?;
        let id = || request.id::<ChannelId>("channel");
        Ok(match operation {
            ChannelsOperation::Claim => {
                let (channel, is_new) = self.claim(caller, json(&request)?).await?;
                let path = format!("/api/v1/channels/{}", channel.id());
                if is_new { located(created(&channel)?, &path) } else { ok(&channel)? }
            }
            ChannelsOperation::ReadLimits => ok(&self.limits.view(&caller.tenant).await?)?,
            ChannelsOperation::ReadTenantLimits => {
                let named = request.query(TENANT.name).map(|tenant| TenantId(tenant.to_owned()));
                ok(&self.limits.view(named.as_ref().unwrap_or(&caller.tenant)).await?)?
            }
            ChannelsOperation::SaveTenantLimits => {
                let (tenant, own) = json::<SaveLimits>(&request)?.read()?;
                ok(&self.limits.save_own(&tenant, &own).await?)?
            }
            ChannelsOperation::List => ok(&self.list(&request).await?)?,
            ChannelsOperation::Read => {
                let (channel, token) = self.sessions.read_channel(&caller.tenant, &id()?).await?;
                ok(&ChannelView::new(&channel, &token))?
            }
            ChannelsOperation::Change => {
                let wanted = json(&request)?;
                ok(&self.change(caller, &id()?, wanted).await?)?
            }
            ChannelsOperation::Disconnect => ok(&self.disconnect(caller, &id()?).await?)?,
            ChannelsOperation::ListBoards => {
                let sections = request.flag(&SECTIONS)?;
                ok_text(self.boards(caller, &id()?, sections).await?)
            }
            ChannelsOperation::CreateBoard => {
                let wanted = json(&request)?;
                let (board, is_new) = self.create_board(caller, &id()?, wanted).await?;
                if is_new { created(&board)? } else { ok(&board)? }
            }
        })
    }
}
