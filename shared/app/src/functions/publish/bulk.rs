//! Many Pins in one call: every row is checked by the rules of a single Pin, kept, and sent by the next tick.

use std::collections::BTreeMap;

use domain::{BoardId, Channel, ChannelId, Invalid, Pin, PinId, SectionId, TenantId};
use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::{Duration, Instant};

use super::{NewPin, Publish, media::Enclosed, rows, rows::Row};
use crate::{
    error::{Error, Result},
    functions::sending::{Ground, Sender},
    http::{Call, Problem},
    store::{Key, Put},
    text,
};

/// What has not been begun by then is left to the next call: API Gateway waits for 30 s.
const TIME: Duration = Duration::from_secs(20);
/// How many rows are written at once.
const AT_ONCE: usize = 16;
/// How long a row is remembered after its Pin's end: as long as `validate` takes a second Pin like it for a mistake.
const KEY_DAYS: i64 = 30;

/// What became of each row.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BulkView {
    /// In the order of the file.
    rows: Vec<RowView>,
}

/// What became of a row.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RowView {
    /// The line of the file on which it begins; the first is 1.
    line: u64,
    status: RowStatus,
    /// The Pin, if there is one.
    pin_id: Option<PinId>,
    /// Stable and `snake_case`, for programs.
    code: Option<String>,
    /// Which value is wrong.
    field: Option<String>,
    /// What happened.
    detail: Option<String>,
    /// What to do next.
    fix: Option<String>,
}

/// How a row ended.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RowStatus {
    /// There is a new Pin.
    Accepted,
    /// An earlier row, perhaps of an earlier call, said the same: its Pin is named.
    Exists,
    /// It would be accepted: this was a dry run.
    Valid,
    /// It breaks a rule.
    Refused,
    /// The time was up. Send the file again: rows that are done are not done twice.
    NotDone,
}

/// What a row comes to, before it is taken.
enum Found {
    /// An earlier row said the same.
    Known(PinId),
    /// It breaks a rule.
    Wrong(Error),
    /// A Pin, and the image that came with it.
    New(Box<Pin>, Option<Enclosed>),
}

/// A channel as far as rows need it.
struct Desk {
    channel: Channel,
    ground: Ground,
    /// Read at Pinterest when a row names a board first.
    boards: Option<Vec<pinterest::Board>>,
    /// The sections of those boards that rows name.
    sections: BTreeMap<BoardId, Vec<pinterest::Section>>,
}

impl Publish {
    /// Checks all rows that were not taken before, then takes those that keep the rules. Sends nothing.
    pub(super) async fn bulk(&self, call: &Call) -> Result<BulkView> {
        let until = Instant::now() + TIME;
        let content_type = call.header("content-type").and_then(Result::ok).unwrap_or_default();
        let dry_run = call.query("dry_run") == Some("true");
        let tenant = &call.caller()?.tenant;
        let rows = rows::read(content_type, call.body(), call.query("channel_id"))?;

        // What was taken once is not checked again: its time may have come since.
        let hashes: Vec<_> = rows.iter().map(|row| text::sha256(&format!("bulk\n{}", row.content))).collect();
        let names: Vec<_> = hashes.iter().map(String::as_str).collect();
        let now = self.sender.clock.now().as_second();
        let known = self.sender.main.used_keys(tenant, &names, now).await?;

        let mut desks = BTreeMap::new();
        let mut checked = Vec::with_capacity(rows.len());
        for (row, hash) in rows.into_iter().zip(hashes) {
            let line = row.line;
            let found = match known.get(&hash) {
                Some(pin) => Found::Known(pin.clone()),
                None => match self.check(tenant, row, &mut desks).await {
                    Ok((pin, enclosed)) => Found::New(Box::new(pin), enclosed),
                    // What concerns the whole call ends it.
                    Err(error @ (Error::IntegrationDisabled(_) | Error::Store(_) | Error::Vault(_))) => {
                        return Err(error);
                    }
                    Err(error) => Found::Wrong(error),
                },
            };
            checked.push((line, hash, found));
        }
        let rows = stream::iter(checked).map(|(line, hash, found)| async move {
            match found {
                Found::Known(pin) => RowView::of(line, RowStatus::Exists, Some(pin)),
                Found::Wrong(error) => RowView::refused(line, &error),
                Found::New(..) if Instant::now() >= until => RowView::of(line, RowStatus::NotDone, None),
                Found::New(pin, enclosed) => self.take(line, hash, *pin, enclosed, dry_run).await,
            }
        });
        Ok(BulkView { rows: rows.buffered(AT_ONCE).collect().await })
    }

    /// The Pin that a row asks for, and the image that came with it.
    async fn check(
        &self,
        tenant: &TenantId,
        row: Row,
        desks: &mut BTreeMap<ChannelId, Desk>,
    ) -> Result<(Pin, Option<Enclosed>)> {
        let now = self.sender.clock.now();
        let mut request = NewPin::check(row.pin?, now, self.fresh(now))?;
        let id = request.channel_id.clone();
        if !desks.contains_key(&id) {
            desks.insert(id.clone(), self.desk(tenant, &id).await?);
        }
        let desk = desks.get_mut(&id).ok_or(Error::NotFound("channel"))?;
        if let Some(name) = &row.board_name {
            let (board, section) = self.board_of(desk, name).await?;
            request.go_to(board, section);
        }
        let enclosed = request.enclosed.take();
        Ok((self.pin_of(tenant, &desk.channel, request, now)?, enclosed))
    }

    /// Looks at the row's files, and keeps what is new.
    async fn take(
        &self,
        line: u64,
        hash: String,
        pin: Pin,
        enclosed: Option<Enclosed>,
        dry_run: bool,
    ) -> RowView {
        // A dry run leaves no image behind.
        let files = match enclosed {
            Some(_) if dry_run => Ok(()),
            enclosed => self.take_files(&pin, enclosed.as_ref()).await,
        };
        match files {
            Err(error @ Error::Media(_)) => {
                tracing::error!(error = %crate::error::chain(&error), "a row's file could not be looked at");
                RowView::of(line, RowStatus::NotDone, None)
            }
            Err(error) => RowView::refused(line, &error),
            Ok(()) if dry_run => RowView::of(line, RowStatus::Valid, None),
            Ok(()) => self.keep(line, hash, pin).await,
        }
    }

    async fn desk(&self, tenant: &TenantId, id: &ChannelId) -> Result<Desk> {
        let Sender { main, tokens, clock, .. } = &self.sender;
        let briefing = main.briefing(tokens, tenant, id, None, clock.now()).await?;
        let (channel, ground) = self.open(briefing).await?;
        Ok(Desk { channel, ground, boards: None, sections: BTreeMap::new() })
    }

    /// The board of a name, and the section whose name follows a slash.
    async fn board_of(&self, desk: &mut Desk, name: &str) -> Result<(BoardId, Option<SectionId>)> {
        let access = desk.ground.access()?;
        let (pinterest, environment) = (&self.sender.pinterest, desk.channel.environment);
        let boards = match &mut desk.boards {
            Some(boards) => boards,
            none => none.insert(pinterest.boards(environment, access).await?),
        };
        let of_name = |name: &str| boards.iter().find(|board| board.name == name).map(|board| &board.id);
        if let Some(board) = of_name(name) {
            return Ok((board.clone(), None));
        }
        let unknown = || {
            let fix = "Write it as Pinterest shows it, with a section after a slash: `Recipes/Salads`.";
            Invalid::new("pinterest board", "board_id_invalid", "is no board of the account", fix)
        };
        let (board, section) = name.split_once('/').ok_or_else(unknown)?;
        let board = of_name(board.trim()).ok_or_else(unknown)?.clone();
        if !desk.sections.contains_key(&board) {
            let sections = pinterest.sections(environment, access, &board).await?;
            desk.sections.insert(board.clone(), sections);
        }
        let sections = desk.sections.get(&board).into_iter().flatten();
        let section = sections.into_iter().find(|known| known.name == section.trim()).ok_or_else(unknown)?;
        Ok((board, Some(section.id.clone())))
    }

    /// Writes a Pin, unless one of the same content was written before.
    async fn keep(&self, line: u64, hash: String, pin: Pin) -> RowView {
        let now = self.sender.clock.now().as_second();
        let key = Key {
            body_hash: hash.clone(),
            hash,
            pin_id: pin.id.clone(),
            // However far ahead: the row is known at least until its Pin has come to its end.
            expires_at: pin.give_up_at.as_second().max(now) + KEY_DAYS * 24 * 60 * 60,
        };
        match self.sender.main.create_pin(&pin, Some(&key), now).await {
            Ok(Put::Done) => RowView::of(line, RowStatus::Accepted, Some(pin.id)),
            Ok(Put::Used(used)) => RowView::of(line, RowStatus::Exists, Some(used.pin_id)),
            Ok(Put::Stale | Put::Taken) => RowView::of(line, RowStatus::NotDone, None),
            Err(error) => {
                tracing::error!(error = %crate::error::chain(&error), "a row could not be kept");
                RowView::of(line, RowStatus::NotDone, None)
            }
        }
    }
}

impl RowView {
    fn of(line: u64, status: RowStatus, pin_id: Option<PinId>) -> Self {
        Self { line, status, pin_id, code: None, field: None, detail: None, fix: None }
    }

    fn refused(line: u64, error: &Error) -> Self {
        let problem = Problem::of(error);
        Self {
            code: Some(problem.code),
            field: problem.field,
            detail: Some(problem.detail),
            fix: Some(problem.fix),
            ..Self::of(line, RowStatus::Refused, None)
        }
    }
}
