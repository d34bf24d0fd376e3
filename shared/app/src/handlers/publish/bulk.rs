//! Many Pins in one call: every row is checked by the rules of a single Pin, stored, and sent by the next tick.

mod boards;
mod cells;
mod columns;
mod names;
mod outcome;
mod rows;
mod spreadsheet;

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, DigitalSource, Invalid, Pin, PinId, State, TenantId};
use edge::{ApiRequest, Problem, not_found};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use platform::encoding;
use schemars::JsonSchema;
use serde::Serialize;
use store::{IdempotencyRecord, WriteOutcome};
use tokio::time::{Duration, Instant, timeout_at};

use self::{
    boards::ChannelBoards,
    outcome::{RowResult, deadline_exceeded, row_problem},
    rows::Row,
};
use super::{
    Publish, accept, check_addresses,
    files::{StoredFiles, check_files, digital_source, uploaded_files},
};
use crate::{
    error::{Error, Result},
    handlers::requests::ValidPin,
    parameters::{DEFAULT_CHANNEL, DRY_RUN},
    vocabulary::{PinState, ProblemCode},
};

/// How long to wait for Pinterest. After that, the rows that do not need its answers still have to be written.
const PINTEREST_BUDGET: Duration = Duration::from_secs(12);
/// Rows that were not started within this time are left to the next call: API Gateway waits for 30 s.
const CALL_BUDGET: Duration = Duration::from_secs(20);
/// How many rows are written in parallel.
const MAX_PARALLEL_ROWS: usize = 16;
/// How many channels that do not exist a file may name before the whole file is refused.
const MAX_UNKNOWN_CHANNELS: usize = 20;
/// How long a row is stored after its Pin's give-up time: as long as `validate` reports an equal Pin as a duplicate.
const ROW_KEY_TTL: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The result of each row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BulkResult")]
pub struct BulkView {
    /// In the order of the file.
    #[schemars(length(max = rows::MAX_ROWS))]
    rows: Vec<RowView>,
}

/// The result of a row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BulkRow")]
pub(super) struct RowView {
    /// The line of the file on which it begins; the first is 1.
    line: u64,
    status: RowStatus,
    /// The Pin, if there is one.
    pin_id: Option<PinId>,
    /// The state of the Pin of an earlier row.
    #[schemars(with = "Option<PinState>")]
    pin_state: Option<&'static str>,
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

/// The status of a row.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BulkRowStatus")]
enum RowStatus {
    /// There is a new Pin.
    Accepted,
    /// An earlier row, perhaps of an earlier call, said the same: its Pin is named, with a `code` if it has failed or was
    /// cancelled.
    Exists,
    /// It would be accepted: this was a dry run.
    Valid,
    /// It breaks a rule.
    Refused,
    /// The time was up, or something was in the way that passes. Send the file again: rows that are done are not
    /// done twice.
    NotDone,
}

/// A row that is not decided yet.
struct PendingRow {
    line: u64,
    /// The hash of its content.
    hash: String,
    kind: RowKind,
}

/// The kind of a row, after the file was read.
enum RowKind {
    /// The same as an earlier row, which has created this Pin.
    Duplicate(PinId),
    /// It breaks a rule.
    Invalid(Box<Problem>),
    /// A new Pin, perhaps with the name of its board.
    New(Box<ValidPin>, Option<String>),
}

/// The channels that rows name.
type Channels = BTreeMap<ChannelId, RowResult<ChannelBoards>>;

impl Publish {
    /// Reads all rows, and their channels and boards once. Then stores the valid rows. Sends nothing.
    pub(super) async fn bulk(&self, request: &ApiRequest) -> Result<BulkView> {
        let began = Instant::now();
        let content_type = request.header("content-type").and_then(Result::ok).unwrap_or_default();
        let dry_run = request.flag(&DRY_RUN)?;
        let tenant = &request.caller()?.tenant;
        let now = self.clock.now();
        let rows = rows::read(content_type, request.body(), request.query(DEFAULT_CHANNEL.name), now)?;

        let hashes: Vec<_> =
            rows.iter().map(|row| encoding::sha256(format!("bulk\n{}", row.content))).collect();
        let names: Vec<_> = hashes.iter().map(String::as_str).collect();
        let known = self.main.used_keys(tenant, &names, now.as_second()).await?;
        let pending = rows.into_iter().zip(hashes).map(|(row, hash)| PendingRow {
            line: row.line,
            // A row that was accepted once is not checked again: its time may be in the past now.
            kind: known.get(&hash).cloned().map_or_else(|| self.classify(row, now), RowKind::Duplicate),
            hash,
        });
        let pending: Vec<_> = pending.collect();
        let new = pending.iter().filter(|row| matches!(row.kind, RowKind::New(..))).count();
        if !dry_run && new > 0 {
            self.limits.use_pins(tenant, new).await?;
        }

        let channels = self.load_channels(tenant, &pending, began + PINTEREST_BUDGET).await?;
        let mut files = BTreeSet::new();
        for row in &pending {
            if let RowKind::New(request, _) = &row.kind
                && request.inline_image.is_none()
            {
                files.extend(uploaded_files(request.media()));
            }
        }
        let files = self.look_at_files(tenant, files).await?;
        let (channels, files, until) = (&channels, &files, began + CALL_BUDGET);
        let rows = stream::iter(pending).map(|row| async move {
            let line = row.line;
            match self.take(tenant, row, channels, files, until, dry_run).await {
                Ok((RowStatus::Exists, Some(pin))) => self.existing(tenant, line, pin, until).await,
                Ok((status, pin)) => RowView::new(line, status, pin),
                Err(problem) => RowView::rejected(line, *problem),
            }
        });
        Ok(BulkView { rows: rows.buffered(MAX_PARALLEL_ROWS).collect().await })
    }

    /// The template, with a video for tomorrow.
    pub(super) fn bulk_template(&self) -> String {
        let tomorrow = self.clock.now() + SignedDuration::from_hours(24);
        columns::template(tomorrow.to_zoned(TimeZone::UTC).date())
    }

    fn classify(&self, row: Row, now: Timestamp) -> RowKind {
        let request = row.pin.and_then(|pin| {
            let request = pin.validate(now, self.new_media_id(now))?;
            check_addresses(request.media(), &self.publisher.fetch)?;
            Ok(request)
        });
        match request {
            Ok(request) => RowKind::New(Box::new(request), row.board_name),
            Err(error) => RowKind::Invalid(row_problem(&error)),
        }
    }

    /// Reads the channels and boards of the rows. An error that concerns the whole call ends it.
    async fn load_channels(
        &self,
        tenant: &TenantId,
        rows: &[PendingRow],
        until: Instant,
    ) -> Result<Channels> {
        let mut named = BTreeMap::<_, BTreeSet<String>>::new();
        for row in rows {
            if let RowKind::New(request, board) = &row.kind {
                named.entry(request.channel_id.clone()).or_default().extend(board.clone());
            }
        }
        let channels = stream::iter(named).map(|(id, boards)| async move {
            match self.load_boards(tenant, &id, &boards, until).await {
                Err(error) if concerns_the_call(&error) => Err(error),
                channel => Ok((id, channel.map_err(|error| row_problem(&error)))),
            }
        });
        let mut channels = channels.buffered(MAX_PARALLEL_ROWS);
        let (mut loaded, mut unknown) = (Channels::new(), 0);
        while let Some((id, channel)) = channels.try_next().await? {
            unknown += usize::from(channel.as_ref().is_err_and(|problem| problem.code == "not_found"));
            if unknown > MAX_UNKNOWN_CHANNELS {
                let detail = format!("names more than {MAX_UNKNOWN_CHANNELS} channels that do not exist");
                let fix = "Use the ids of `GET /api/v1/channels`.";
                return Err(Invalid::new("body", "unknown_channels", detail, fix).into());
            }
            loaded.insert(id, channel);
        }
        Ok(loaded)
    }

    /// Decides about a row, checks its files, and stores a new Pin.
    async fn take(
        &self,
        tenant: &TenantId,
        row: PendingRow,
        channels: &Channels,
        files: &StoredFiles,
        until: Instant,
        dry_run: bool,
    ) -> RowResult<(RowStatus, Option<PinId>)> {
        let (mut request, board) = match row.kind {
            RowKind::Duplicate(pin) => return Ok((RowStatus::Exists, Some(pin))),
            RowKind::Invalid(problem) => return Err(problem),
            RowKind::New(request, board) => (*request, board),
        };
        let channel = channels.get(&request.channel_id).ok_or_else(|| row_problem(&not_found("channel")))?;
        let channel = channel.as_ref().map_err(Clone::clone)?;
        if let Some(name) = board {
            let (board, section) = channel.board(&name)?;
            request.set_board(board, section);
        }
        let inline_image = request.inline_image.take();
        let (id, now) = (self.new_pin_id(self.clock.now()), self.clock.now());
        let mut pin =
            accept(id, tenant, &channel.channel, request, now).map_err(|error| row_problem(&error))?;
        if Instant::now() >= until {
            return Err(deadline_exceeded());
        }
        let source = if let Some(image) = &inline_image {
            DigitalSource::find(&image.content)
        } else {
            check_files(&pin, files).map_err(|error| row_problem(&error))?;
            digital_source(&pin.draft.media, files)
        };
        if let Some(source) = source {
            pin = pin.note_digital_source(source, self.disclosures, now);
        }
        if !dry_run {
            let taken = self.take_files(&pin, inline_image.as_ref()).await;
            taken.map_err(|error| row_problem(&error))?;
        }
        if dry_run {
            return Ok((RowStatus::Valid, None));
        }
        self.keep(row.hash, pin).await.map_err(|error| row_problem(&error))
    }

    /// A row whose Pin exists already. The result has the Pin's state if there is time to read it and it can be read.
    async fn existing(&self, tenant: &TenantId, line: u64, id: PinId, until: Instant) -> RowView {
        let pin = timeout_at(until, self.main.pin(tenant, &id)).await.ok().and_then(Result::ok).flatten();
        let state = pin.as_ref().map(|pin| &pin.state);
        let end = match state {
            Some(State::Cancelled) => Some((
                "pin_cancelled",
                "the Pin of this row was cancelled, and this file makes no other",
                "Change the row, its title or its time for instance, and send the file again.",
            )),
            Some(State::Failed { .. }) => Some((
                "pin_failed",
                "the Pin of this row has failed, and this file makes no other",
                "Read the Pin's `error`, and retry it by POST /api/v1/pins/{id}/retry; or change the row.",
            )),
            _ => None,
        };
        RowView {
            pin_state: state.map(State::name),
            code: end.map(|(code, ..)| code.to_owned()),
            detail: end.map(|(_, detail, _)| detail.to_owned()),
            fix: end.map(|(.., fix)| fix.to_owned()),
            ..RowView::new(line, RowStatus::Exists, Some(id))
        }
    }

    /// Writes a Pin, unless one of the same content was written before.
    async fn keep(&self, hash: String, mut pin: Pin) -> Result<(RowStatus, Option<PinId>)> {
        let now = self.clock.now();
        let key = IdempotencyRecord {
            body_hash: hash.clone(),
            hash,
            pin_id: pin.id.clone(),
            // The row is stored at least until its Pin has ended, however far ahead that is.
            expires_at: (pin.give_up_at.max(now) + ROW_KEY_TTL).as_second(),
        };
        if let Some(used) = self.main.claim_key(&pin.tenant, &key, now.as_second()).await?
            && used.pin_id != pin.id
        {
            if self.main.pin(&pin.tenant, &used.pin_id).await?.is_some() {
                return Ok((RowStatus::Exists, Some(used.pin_id)));
            }
            pin = pin.with_id(used.pin_id);
        }
        match self.main.create_pin(&pin).await? {
            WriteOutcome::Done => Ok((RowStatus::Accepted, Some(pin.id.clone()))),
            WriteOutcome::VersionConflict | WriteOutcome::RemotePinTaken => {
                Ok((RowStatus::Exists, Some(pin.id.clone())))
            }
        }
    }
}

/// Whether an error ends the whole call, and not only the rows of one channel.
fn concerns_the_call(error: &Error) -> bool {
    use delivery::Error as E;
    matches!(
        error,
        Error::Store(_)
            | Error::Vault(_)
            | Error::Delivery(E::IntegrationDisabled(_) | E::Store(_) | E::Vault(_))
    )
}

impl RowView {
    fn new(line: u64, status: RowStatus, pin_id: Option<PinId>) -> Self {
        Self { line, status, pin_id, pin_state: None, code: None, field: None, detail: None, fix: None }
    }

    /// The status of a row that was not accepted. A temporary problem is not the row's fault.
    fn rejected(line: u64, problem: Problem) -> Self {
        let status = if problem.is_passing() { RowStatus::NotDone } else { RowStatus::Refused };
        Self {
            code: Some(problem.code),
            field: problem.field,
            detail: Some(problem.detail),
            fix: Some(problem.fix),
            ..Self::new(line, status, None)
        }
    }
}
