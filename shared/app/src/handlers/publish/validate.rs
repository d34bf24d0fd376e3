//! Checks if a Pin could be published: always the same checks, by name. Nothing is stored, nothing is sent.

use std::pin::pin;

use delivery::ChannelSession;
use domain::{
    Channel, Connection, DigitalSource, DisclosurePolicy, Draft, Environment, File, Invalid, Pause, Pin,
    PinGroup, PinId, State, TenantId, failures, refresh::TokenState,
};
use edge::{ApiError as _, Caller, Problem, not_found};
use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Publish, check_addresses};
use crate::{
    error::{Error, Result},
    handlers::{NewPin, readable::readable, requests::ValidPin},
    vocabulary::{CheckName, ProblemCode},
};

/// How long an equal Pin on the same board counts as a duplicate.
const DUPLICATE_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether a Pin would be published.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PinValidation")]
pub struct Validated {
    /// No check has failed. Some may not have been made.
    ok: bool,
    /// Always the same checks, in this order.
    #[schemars(length(min = CheckName::ALL.len(), max = CheckName::ALL.len()))]
    checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ValidationCheck")]
pub(super) struct Check {
    #[serde(rename = "check")]
    #[schemars(with = "CheckName")]
    name: &'static str,
    /// `null`: the check could not be made. `detail` says why.
    ok: Option<bool>,
    /// For programs.
    #[schemars(with = "Option<ProblemCode>")]
    code: Option<String>,
    /// What was found.
    detail: String,
    /// What to do next.
    fix: Option<String>,
    /// Each field or file that is wrong.
    errors: Vec<CheckError>,
    /// The Pins of this check: those for a board that is gone, or the one that is equal to this one.
    pin_ids: Vec<PinId>,
}

/// What is wrong with a field or a file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ValidationError")]
pub(super) struct CheckError {
    /// The name of the field, such as `title` or `media.items[1].url`.
    field: String,
    #[schemars(with = "ProblemCode")]
    code: String,
    detail: String,
    fix: String,
}

impl CheckError {
    pub(super) fn new(field: &str, code: &str, detail: impl Into<String>, fix: &str) -> Self {
        let (field, code, fix) = (field.to_owned(), code.to_owned(), fix.to_owned());
        Self { field, code, detail: detail.into(), fix }
    }

    fn of_problem(field: &str, problem: Problem) -> Self {
        Self { field: field.to_owned(), code: problem.code, detail: problem.detail, fix: problem.fix }
    }
}

impl From<Invalid> for CheckError {
    fn from(invalid: Invalid) -> Self {
        let field = invalid.field.clone();
        Self::of_problem(&field, Error::from(invalid).problem())
    }
}

impl Check {
    fn passed(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            ok: Some(true),
            code: None,
            detail: detail.into(),
            fix: None,
            errors: Vec::new(),
            pin_ids: Vec::new(),
        }
    }

    fn skipped(name: &'static str, detail: &str) -> Self {
        Self { ok: None, ..Self::passed(name, detail) }
    }

    fn failed(name: &'static str, problem: Problem) -> Self {
        Self {
            ok: Some(false),
            code: Some(problem.code),
            fix: Some(problem.fix),
            ..Self::passed(name, problem.detail)
        }
    }

    /// The same, with the advice to disclose that a model made a file.
    fn suggesting_disclosure(self, source: DigitalSource) -> Self {
        let detail = format!("{}; one says that a model made it ({})", self.detail, source.name());
        Self {
            code: Some("ai_disclosure_suggested".to_owned()),
            fix: Some("Disclose it: \"ai_disclosures\": {\"values\": [\"AI_MODIFIED\"]}.".to_owned()),
            detail,
            ..self
        }
    }

    /// The check could not be made for this reason.
    fn not_made(name: &'static str, error: &Error) -> Self {
        Self { ok: None, ..Self::failed(name, error.problem()) }
    }

    /// Passed if there is no error. Otherwise the check has the text of the first error.
    fn of_errors(name: &'static str, errors: Vec<CheckError>, passed: &str) -> Self {
        let Some(first) = errors.first() else {
            return Self::passed(name, passed);
        };
        Self {
            ok: Some(false),
            code: Some(first.code.clone()),
            fix: Some(first.fix.clone()),
            detail: format!("{}: {}", first.field, first.detail),
            errors,
            ..Self::passed(name, "")
        }
    }
}

impl Publish {
    /// Checks everything that publishing depends on, and the media themselves if requested. The only error is a channel
    /// that does not exist.
    pub(super) async fn validate(
        &self,
        caller: &Caller,
        new_pin: NewPin,
        fetch_media: bool,
    ) -> Result<Validated> {
        let (now, id, sessions) = (self.clock.now(), new_pin.channel()?, &self.publisher.sessions);
        let snapshot = sessions.read_snapshot(&caller.tenant, &id, None).await?;
        let channel = snapshot.channel.clone().ok_or_else(|| not_found::<Error>("channel"))?;
        let token = snapshot.token.as_ref().map(|token| token.state.clone());
        let integration = match sessions.settings.resolve(snapshot.settings.as_ref()) {
            Ok(_) => Check::passed("integration", "it is switched on"),
            Err(disabled) => {
                let error = delivery::Error::IntegrationDisabled(disabled);
                Check::failed("integration", Error::from(error).problem())
            }
        };
        let session = sessions.open_snapshot(snapshot).await?;
        let mut checks = vec![
            integration,
            connection(&channel),
            scopes(&channel),
            self.tier(&caller.tenant, &channel, new_pin.is_video()).await?,
            pause(&channel, now),
        ];
        let request = new_pin.validate_all(now, self.new_media_id(now)).and_then(|request| {
            let addresses = check_addresses(request.media(), &self.publisher.fetch);
            addresses.map_or_else(|invalid| Err(vec![invalid]), |()| Ok(request))
        });
        match request {
            Ok(request) => {
                let files = self.files(&caller.tenant, &request).await?;
                let token = token.map_or_else(
                    || Check::skipped("token", "the channel has no tokens"),
                    |token| token_lifetime(&channel, &token, request.publish_at),
                );
                let is_disclosed = request.discloses_ai();
                match request.draft(channel.default_board.as_ref()) {
                    Ok(draft) => {
                        checks.extend([
                            Check::of_errors(
                                "fields",
                                blocked_links(&channel, &draft, now),
                                "they keep Pinterest's limits",
                            ),
                            files,
                            token,
                        ]);
                        checks.extend(self.board_checks(&caller.tenant, &channel, &session, &draft).await?);
                        checks.push(if fetch_media {
                            let (errors, source) = self.check_media(&draft.media).await?;
                            let check = Check::of_errors("media", errors, "their hosts have them");
                            self.with_suggestion(check, source, is_disclosed)
                        } else {
                            Check::skipped("media", "the hosts are asked with fetch_media=true only")
                        });
                    }
                    Err(no_board) => {
                        checks.extend([Check::of_errors("fields", vec![no_board.into()], ""), files, token]);
                        checks.extend(after_fields(["board", "section", "duplicate", "media"]));
                    }
                }
            }
            Err(violations) => {
                let errors = violations.into_iter().map(CheckError::from).collect();
                checks.push(Check::of_errors("fields", errors, ""));
                checks.extend(after_fields(["files", "token", "board", "section", "duplicate", "media"]));
            }
        }
        Ok(Validated { ok: checks.iter().all(|check| check.ok != Some(false)), checks })
    }

    /// Only sending a Pin shows if the app's access tier allows publishing, so the result of the last Pin is used.
    async fn tier(&self, tenant: &TenantId, channel: &Channel, is_video: bool) -> Result<Check> {
        if channel.environment == Environment::Sandbox {
            if is_video {
                let problem = Problem::new(
                    http::StatusCode::UNPROCESSABLE_ENTITY,
                    "no_video_in_sandbox",
                    "by Pinterest's documents, its Sandbox takes no video Pins",
                    "Try an image here. For videos, set Environment to Production and connect the account again.",
                );
                return Ok(Check::failed("tier", problem));
            }
            return Ok(Check::passed(
                "tier",
                "Sandbox takes Pins from every app; only the account sees them",
            ));
        }
        let since = self.clock.now() - DUPLICATE_WINDOW;
        let latest = async |group| -> Result<Option<Pin>> {
            Ok(self.main.latest_pin(tenant, &channel.id, group, since).await?)
        };
        let (failed, published) = (latest(PinGroup::Failed).await?, latest(PinGroup::Published).await?);
        let refused = failed.filter(|pin| {
            let is_newest = published.as_ref().is_none_or(|published| published.id < pin.id);
            let scope = failures::invalid_scope(channel.environment).code;
            is_newest && matches!(&pin.state, State::Failed { error } if error.code == scope)
        });
        Ok(match refused {
            Some(pin) => {
                let problem = Problem::refused(&failures::invalid_scope(channel.environment));
                Check { pin_ids: vec![pin.id.clone()], ..Check::failed("tier", problem) }
            }
            None => Check::passed("tier", "nothing was refused for the app's access tier lately"),
        })
    }

    /// The files that were uploaded before, and their marks that a model made them.
    async fn files(&self, tenant: &TenantId, request: &ValidPin) -> Result<Check> {
        let mut errors = Vec::new();
        let mut source = request.inline_image.as_ref().and_then(|image| DigitalSource::find(&image.content));
        for media in request.media().files() {
            let File::Uploaded { media_id } = media.file else { continue };
            if request.inline_image.is_some() {
                continue;
            }
            let stored = self.publisher.bucket.head(tenant, media_id).await?;
            source = source.or(stored.and_then(|stored| stored.digital_source));
            let checked = stored
                .ok_or_else(|| not_found::<Error>("file"))
                .and_then(|stored| Ok(stored.check(&media.field, media.is_video)?));
            if let Err(error) = checked {
                errors.push(CheckError::of_problem(&media.field, error.problem()));
            }
        }
        let check = Check::of_errors("files", errors, "the uploaded files are there");
        Ok(self.with_suggestion(check, source, request.discloses_ai()))
    }

    /// A check that has passed, with the advice to disclose that a model made a file.
    fn with_suggestion(&self, check: Check, source: Option<DigitalSource>, is_disclosed: bool) -> Check {
        let is_told = check.ok == Some(true) && self.disclosures != DisclosurePolicy::Off && !is_disclosed;
        match source.filter(|_| is_told) {
            Some(source) => check.suggesting_disclosure(source),
            None => check,
        }
    }

    async fn board_checks(
        &self,
        tenant: &TenantId,
        channel: &Channel,
        session: &ChannelSession,
        draft: &Draft,
    ) -> Result<[Check; 3]> {
        let (mut of_same_board, mut duplicate) = (Vec::new(), None);
        let since = self.clock.now() - DUPLICATE_WINDOW;
        for (group, since) in [(PinGroup::Open, Timestamp::UNIX_EPOCH), (PinGroup::Published, since)] {
            let mut pins = pin!(readable(self.main.pins_of_channel(tenant, &channel.id, group, since)));
            while let Some(pin) = pins.try_next().await? {
                if duplicate.is_none() && looks_equal(&pin.draft, draft) {
                    duplicate = Some(pin.id.clone());
                }
                if group == PinGroup::Open && pin.draft.board == draft.board {
                    of_same_board.push(pin.id.clone());
                }
            }
        }
        let board = self.board(tenant, session, draft, of_same_board).await;
        let section = if draft.section.is_none() {
            Check::passed("section", "the Pin names none")
        } else if board.ok == Some(true) {
            self.section(tenant, session, draft).await
        } else {
            Check::skipped("section", "the board has to be right first")
        };
        let duplicate = match duplicate {
            Some(id) => {
                let problem = Problem::new(
                    http::StatusCode::CONFLICT,
                    "duplicate",
                    "the same was published on this board, or is going to be, within 30 days",
                    "Publish it all the same if that is wanted, or change its text or picture.",
                );
                Check { pin_ids: vec![id], ..Check::failed("duplicate", problem) }
            }
            None => Check::passed("duplicate", "nothing like it on this board within 30 days"),
        };
        Ok([board, section, duplicate])
    }

    async fn board(
        &self,
        tenant: &TenantId,
        session: &ChannelSession,
        draft: &Draft,
        pin_ids: Vec<PinId>,
    ) -> Check {
        if let Err(reached) = self.limits.use_pinterest_calls(tenant, 1).await {
            return Check::not_made("board", &reached);
        }
        let sessions = &self.publisher.sessions;
        let board = async {
            let (channel, access) = session.credentials()?;
            let board = sessions.pinterest.board(channel.environment, access, &draft.board).await;
            sessions.checked(board, session).await
        };
        match board.await {
            Ok(board) => Check::passed("board", format!("{}, {}", board.name, board.privacy.to_lowercase())),
            Err(delivery::Error::Pinterest(error)) if error.is_not_found() => {
                Check { pin_ids, ..Check::failed("board", Problem::refused(&failures::board_gone())) }
            }
            Err(error) => Check::not_made("board", &error.into()),
        }
    }

    async fn section(&self, tenant: &TenantId, session: &ChannelSession, draft: &Draft) -> Check {
        if let Err(reached) = self.limits.use_pinterest_calls(tenant, 1).await {
            return Check::not_made("section", &reached);
        }
        let sessions = &self.publisher.sessions;
        let sections = async {
            let (channel, access) = session.credentials()?;
            let sections = sessions.pinterest.sections(channel.environment, access, &draft.board).await;
            sessions.checked(sections, session).await
        };
        match sections.await {
            Ok(sections) => match sections.iter().find(|known| Some(&known.id) == draft.section.as_ref()) {
                Some(section) => Check::passed("section", section.name.clone()),
                None => Check::failed("section", Problem::refused(&failures::section_gone())),
            },
            Err(error) => Check::not_made("section", &error.into()),
        }
    }
}

/// The checks that need valid fields.
fn after_fields<const N: usize>(names: [&'static str; N]) -> [Check; N] {
    names.map(|name| Check::skipped(name, "the fields have to be right first"))
}

fn connection(channel: &Channel) -> Check {
    match channel.connection {
        Connection::Connected => {
            let account = &channel.account.username;
            Check::passed("channel", format!("{account} is connected since {}", channel.connected_at))
        }
        Connection::ReconnectRequired(cause) => Check {
            detail: cause.advice(),
            ..Check::failed("channel", Error::from(delivery::Error::ReconnectRequired).problem())
        },
    }
}

fn scopes(channel: &Channel) -> Check {
    let missing = channel.scopes.missing();
    if missing.is_empty() {
        return Check::passed("scopes", "everything that publishing needs was granted");
    }
    let detail = format!("{}: {} was not granted", failures::INVALID_SCOPE, missing.join(", "));
    Check {
        detail,
        ..Check::failed("scopes", Problem::refused(&failures::invalid_scope(channel.environment)))
    }
}

/// The links that would not be sent, because Pinterest has blocked several links to their hosts in a row.
fn blocked_links(channel: &Channel, draft: &Draft, now: Timestamp) -> Vec<CheckError> {
    let resting = |host: String| {
        let failure = failures::host_rests(&host, channel.blocked_links.rest_of(&host, now)?);
        Some(CheckError::new("link", &failure.code, failure.detail, &failure.fix))
    };
    draft.link_hosts().into_iter().filter_map(resting).collect()
}

fn pause(channel: &Channel, now: Timestamp) -> Check {
    match channel.pause.filter(|pause| pause.until > now) {
        Some(pause) => Check::failed("pause", Error::from(paused(pause, now)).problem()),
        None => Check::passed("pause", "Pinterest has asked for no break"),
    }
}

fn paused(pause: Pause, now: Timestamp) -> delivery::Error {
    delivery::Error::Paused { pause, seconds: pause.until.duration_since(now).as_secs() + 1 }
}

/// The tokens of a connected channel are refreshed without end. Otherwise only the access token is left.
fn token_lifetime(channel: &Channel, token: &TokenState, publish_at: Timestamp) -> Check {
    let (access, refresh) = (token.access_expires_at, token.refresh_expires_at);
    match (channel.connection, refresh) {
        (Connection::Connected, Some(refresh)) => {
            let detail =
                format!("the access token lasts until {access} and is renewed before; {refresh} is the end");
            Check::passed("token", detail)
        }
        (Connection::Connected, None) => {
            Check::passed("token", format!("the access token lasts until {access} and is renewed before"))
        }
        (Connection::ReconnectRequired(_), _) if publish_at < access => {
            Check::passed("token", format!("the access token lasts until {access}"))
        }
        (Connection::ReconnectRequired(_), _) => {
            let detail =
                format!("the access token ends at {access}, before publish_at, and cannot be renewed");
            Check {
                detail,
                ..Check::failed("token", Error::from(delivery::Error::ReconnectRequired).problem())
            }
        }
    }
}

/// Whether two Pins would look the same on a board.
fn looks_equal(one: &Draft, other: &Draft) -> bool {
    let visible = |draft: &Draft| {
        let Draft { board, title, description, link, media, .. } = draft.clone();
        (board, title, description, link, media)
    };
    visible(one) == visible(other)
}
