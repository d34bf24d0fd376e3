//! Many Pins in one call: every row is checked by the rules of a single Pin, kept, and sent by the next tick.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, Pin, PinId, TenantId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::{Duration, Instant};

use super::{Publish, desk::Desk, request::Checked, rows, rows::Row};
use crate::{
    error::{Error, Result, chain},
    http::{Call, Problem},
    parameters::{DEFAULT_CHANNEL, DRY_RUN},
    store::{Key, Put},
    text,
    vocabulary::ProblemCode,
};

/// What Pinterest has not said by then is not waited for: rows that need none of it have to be written yet.
const ANSWERS: Duration = Duration::from_secs(12);
/// What has not been begun by then is left to the next call: API Gateway waits for 30 s.
const TIME: Duration = Duration::from_secs(20);
/// How many rows are written at once.
const AT_ONCE: usize = 16;
/// How long a row is remembered after its Pin's end: as long as `validate` takes a second Pin like it for a mistake.
const KEY_DAYS: i64 = 30;

/// What became of each row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BulkResult")]
pub struct BulkView {
    /// In the order of the file.
    #[schemars(length(max = rows::MOST))]
    rows: Vec<RowView>,
}

/// What became of a row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BulkRow")]
pub(super) struct RowView {
    /// The line of the file on which it begins; the first is 1.
    line: u64,
    status: RowStatus,
    /// The Pin, if there is one.
    pin_id: Option<PinId>,
    /// For programs.
    #[schemars(with = "Option<ProblemCode>")]
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
#[schemars(rename = "BulkRowStatus")]
enum RowStatus {
    /// There is a new Pin.
    Accepted,
    /// An earlier row, perhaps of an earlier call, said the same: its Pin is named.
    Exists,
    /// It would be accepted: this was a dry run.
    Valid,
    /// It breaks a rule.
    Refused,
    /// The time was up, or something was in the way that passes. Send the file again: rows that are done are not
    /// done twice.
    NotDone,
}

/// What came of a step for a row: why it ended may be told of many rows.
pub(super) type Said<T> = Result<T, Box<Problem>>;

/// A row, and what it says.
struct Asked {
    line: u64,
    /// Of its content.
    hash: String,
    says: Says,
}

/// What a row says.
enum Says {
    /// The same as an earlier row, of which this Pin is.
    Known(PinId),
    /// Nothing that could be a Pin.
    Nonsense(Box<Problem>),
    /// A Pin, perhaps for a board that is named as Pinterest shows it.
    New(Box<Checked>, Option<String>),
}

/// The channels that rows name.
type Desks = BTreeMap<ChannelId, Said<Desk>>;

impl Publish {
    /// Reads all rows, asks once for what they stand on, then takes those that keep the rules. Sends nothing.
    pub(super) async fn bulk(&self, call: &Call) -> Result<BulkView> {
        let began = Instant::now();
        let content_type = call.header("content-type").and_then(Result::ok).unwrap_or_default();
        let dry_run = call.flag(&DRY_RUN)?;
        let tenant = &call.caller()?.tenant;
        let rows = rows::read(content_type, call.body(), call.query(DEFAULT_CHANNEL.name))?;

        let now = self.sender.clock.now();
        let hashes: Vec<_> = rows.iter().map(|row| text::sha256(&format!("bulk\n{}", row.content))).collect();
        let names: Vec<_> = hashes.iter().map(String::as_str).collect();
        let known = self.sender.main.used_keys(tenant, &names, now.as_second()).await?;
        let asked = rows.into_iter().zip(hashes).map(|(row, hash)| Asked {
            line: row.line,
            // What was taken once is not checked again: its time may have come since.
            says: known.get(&hash).cloned().map_or_else(|| self.says(row, now), Says::Known),
            hash,
        });
        let asked: Vec<_> = asked.collect();

        let desks = self.desks(tenant, &asked, began + ANSWERS).await?;
        let (desks, until) = (&desks, began + TIME);
        let rows = stream::iter(asked).map(|row| async move {
            let line = row.line;
            match self.take(tenant, row, desks, until, dry_run).await {
                Ok((status, pin)) => RowView::of(line, status, pin),
                Err(problem) => RowView::ended(line, *problem),
            }
        });
        Ok(BulkView { rows: rows.buffered(AT_ONCE).collect().await })
    }

    fn says(&self, row: Row, now: Timestamp) -> Says {
        let request = row.pin.and_then(|pin| Ok(pin.check(now, self.fresh(now))?));
        match request {
            Ok(request) => Says::New(Box::new(request), row.board_name),
            Err(error) => Says::Nonsense(told(&error)),
        }
    }

    /// What the rows stand on. What concerns the whole call ends it.
    async fn desks(&self, tenant: &TenantId, rows: &[Asked], until: Instant) -> Result<Desks> {
        let mut named = BTreeMap::<_, BTreeSet<String>>::new();
        for row in rows {
            if let Says::New(request, board) = &row.says {
                named.entry(request.channel_id.clone()).or_default().extend(board.clone());
            }
        }
        let desks = stream::iter(named).map(|(id, boards)| async move {
            match self.desk(tenant, &id, &boards, until).await {
                Err(error @ (Error::IntegrationDisabled(_) | Error::Store(_) | Error::Vault(_))) => {
                    Err(error)
                }
                desk => Ok((id, desk.map_err(|error| told(&error)))),
            }
        });
        desks.buffered(AT_ONCE).try_collect().await
    }

    /// Decides about a row, looks at its files, and keeps what is new.
    async fn take(
        &self,
        tenant: &TenantId,
        row: Asked,
        desks: &Desks,
        until: Instant,
        dry_run: bool,
    ) -> Said<(RowStatus, Option<PinId>)> {
        let (mut request, board) = match row.says {
            Says::Known(pin) => return Ok((RowStatus::Exists, Some(pin))),
            Says::Nonsense(problem) => return Err(problem),
            Says::New(request, board) => (*request, board),
        };
        let desk = desks.get(&request.channel_id).ok_or_else(|| told(&Error::NotFound("channel")))?;
        let desk = desk.as_ref().map_err(Clone::clone)?;
        if let Some(name) = board {
            let (board, section) = desk.board(&name)?;
            request.go_to(board, section);
        }
        let enclosed = request.enclosed.take();
        let pin = self
            .pin_of(tenant, &desk.channel, request, self.sender.clock.now())
            .map_err(|error| told(&error))?;
        if Instant::now() >= until {
            return Err(time_is_up());
        }
        // A dry run leaves no image behind.
        if !(dry_run && enclosed.is_some()) {
            self.take_files(&pin, enclosed.as_ref()).await.map_err(|error| told(&error))?;
        }
        if dry_run {
            return Ok((RowStatus::Valid, None));
        }
        self.keep(row.hash, pin).await.map_err(|error| told(&error))
    }

    /// Writes a Pin, unless one of the same content was written before.
    async fn keep(&self, hash: String, pin: Pin) -> Result<(RowStatus, Option<PinId>)> {
        let now = self.sender.clock.now().as_second();
        let key = Key {
            body_hash: hash.clone(),
            hash,
            pin_id: pin.id.clone(),
            // However far ahead: the row is known at least until its Pin has come to its end.
            expires_at: pin.give_up_at.as_second().max(now) + KEY_DAYS * 24 * 60 * 60,
        };
        match self.sender.main.create_pin(&pin, Some(&key), now).await? {
            Put::Done => Ok((RowStatus::Accepted, Some(pin.id))),
            Put::Used(used) => Ok((RowStatus::Exists, Some(used.pin_id))),
            Put::Stale | Put::Taken => Err(Error::Busy),
        }
    }
}

/// What is told of a row that met `error`.
pub(super) fn told(error: &Error) -> Box<Problem> {
    let problem = Problem::of(error);
    if problem.status.is_server_error() {
        tracing::error!(error = %chain(error), "rows of a file are left to the next call");
    }
    Box::new(problem)
}

/// What is told of a row that was not begun.
pub(super) fn time_is_up() -> Box<Problem> {
    Box::new(Problem::of(&Error::TimeIsUp))
}

impl RowView {
    fn of(line: u64, status: RowStatus, pin_id: Option<PinId>) -> Self {
        Self { line, status, pin_id, code: None, field: None, detail: None, fix: None }
    }

    /// Of a row that was not taken. What passes without the caller's doing is not the row's fault.
    fn ended(line: u64, problem: Problem) -> Self {
        let status = if problem.passes() { RowStatus::NotDone } else { RowStatus::Refused };
        Self {
            code: Some(problem.code),
            field: problem.field,
            detail: Some(problem.detail),
            fix: Some(problem.fix),
            ..Self::of(line, status, None)
        }
    }
}
