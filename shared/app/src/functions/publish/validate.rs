//! What would become of a Pin: every check by its name. Nothing is stored, nothing is sent.

use domain::{
    Channel, Class, Connection, Draft, Environment, File, Invalid, Pin, PinId, Refusal, State, TenantId,
    words,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{NewPin, Publish, request::Checked};
use crate::{
    error::{Error, Result},
    functions::sending::Ground,
    http::{Caller, Problem},
    vocabulary::ProblemCode,
};

/// A Pin like another on the same board is taken for a mistake for so long.
const MEMORY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether a Pin would be published.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PinValidation")]
pub struct Validated {
    /// All checks are.
    ok: bool,
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ValidationCheck")]
pub(super) struct Check {
    /// `integration`, `channel`, `scopes`, `tier`, `pause`, `token`, `board`, `section` or `duplicate`; `fields` if every field
    /// keeps the rules, or else the name of a field that breaks one, such as `title` or `media.items[1].url`.
    #[serde(rename = "check")]
    #[schemars(regex(pattern = r"^[a-z_]+(\.[a-z_0-9]+|\[[0-9]+\])*$"))]
    name: String,
    ok: bool,
    /// For programs.
    #[schemars(with = "Option<ProblemCode>")]
    code: Option<String>,
    /// What was found.
    detail: String,
    /// What to do next.
    fix: Option<String>,
    /// The Pins that it is about: those that go to a board that is gone, or the one that is like this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pin_ids: Vec<PinId>,
}

impl Check {
    pub(super) fn good(name: &str, detail: impl Into<String>) -> Self {
        let name = name.to_owned();
        Self { name, ok: true, code: None, detail: detail.into(), fix: None, pin_ids: Vec::new() }
    }

    pub(super) fn wrong(name: &str, code: &str, detail: impl Into<String>, fix: &str) -> Self {
        let (code, fix) = (Some(code.to_owned()), Some(fix.to_owned()));
        Self { ok: false, code, fix, ..Self::good(name, detail) }
    }

    fn bad(name: &str, error: &Error) -> Self {
        let problem = Problem::of(error);
        Self {
            ok: false,
            code: Some(problem.code),
            fix: Some(problem.fix),
            ..Self::good(name, problem.detail)
        }
    }

    fn refused(name: &str, failure: domain::Failure) -> Self {
        Self::bad(name, &Error::refused(failure))
    }
}

impl Publish {
    /// Looks at everything that publishing `wanted` depends on, and at the media itself if asked to. A channel that is
    /// not there is the only error.
    pub(super) async fn validate(
        &self,
        caller: &Caller,
        wanted: NewPin,
        fetch_media: bool,
    ) -> Result<Validated> {
        let now = self.sender.clock.now();
        let id = wanted.channel()?;
        let main = &self.sender.main;
        let briefing = main.briefing(&self.sender.tokens, &caller.tenant, &id, None, now).await?;
        let channel = briefing.channel.clone().ok_or(Error::NotFound("channel"))?;
        let grant = briefing.token.as_ref().map(|token| token.grant.clone());
        let enabled = self.sender.settings.of(briefing.settings.as_ref());
        let ground = self.sender.ground(briefing).await?;

        let mut checks = vec![
            match enabled {
                Ok(_) => Check::good("integration", "it is switched on"),
                Err(why) => Check::bad("integration", &Error::IntegrationDisabled(why)),
            },
            connection(&channel),
            scopes(&channel),
            self.tier(&caller.tenant, &channel).await?,
            pause(&channel, now),
        ];
        match wanted.examine(now, self.fresh(now)) {
            Ok(request) => {
                checks.push(Check::good("fields", "they keep Pinterest's limits"));
                checks.extend(self.files(&caller.tenant, &request).await?);
                checks.extend(grant.map(|grant| token(&channel, &grant, request.publish_at)));
                match request.draft(channel.default_board.as_ref()) {
                    Ok(draft) => {
                        checks.extend(self.places(&caller.tenant, &channel, &ground, &draft).await?);
                        if fetch_media {
                            checks.extend(self.reach(&draft.media).await?);
                        }
                    }
                    Err(invalid) => checks.push(field(invalid)),
                }
            }
            Err(broken) => checks.extend(broken.into_iter().map(field)),
        }
        Ok(Validated { ok: checks.iter().all(|check| check.ok), checks })
    }

    /// Whether Pinterest lets the app publish at all shows when it is tried: the last try tells.
    async fn tier(&self, tenant: &TenantId, channel: &Channel) -> Result<Check> {
        if channel.environment == Environment::Sandbox {
            return Ok(Check::good("tier", "Sandbox takes Pins from every app; only the account sees them"));
        }
        let since = self.sender.clock.now() - MEMORY;
        let latest = async |class| -> Result<Option<Pin>> {
            Ok(self.sender.main.recent_pins(tenant, &channel.id, class, since, 1).await?.pop())
        };
        let (failed, published) = (latest(Class::Failed).await?, latest(Class::Published).await?);
        let refused = failed.filter(|pin| {
            let newest = published.as_ref().is_none_or(|published| published.id < pin.id);
            let scope = words::invalid_scope(channel.environment).code;
            newest && matches!(&pin.state, State::Failed { error } if error.code == scope)
        });
        Ok(match refused {
            Some(pin) => Check {
                pin_ids: vec![pin.id],
                ..Check::refused("tier", words::invalid_scope(channel.environment))
            },
            None => Check::good("tier", "nothing was refused for the app's access tier lately"),
        })
    }

    /// The files that were uploaded before, each by the field that names it.
    async fn files(&self, tenant: &TenantId, request: &Checked) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        for (field, file, is_video) in request.media().files() {
            let File::Uploaded { media_id } = file else { continue };
            if request.enclosed.is_some() {
                continue;
            }
            let stored = self.sender.bucket.look(tenant, media_id).await?;
            let looked = stored.ok_or(Error::NotFound("file")).and_then(|stored| {
                stored.check(&field, is_video)?;
                Ok(stored.bytes)
            });
            checks.push(match looked {
                Ok(bytes) => Check::good(&field, format!("{media_id}, {bytes} bytes")),
                Err(error) => Check::bad(&field, &error),
            });
        }
        Ok(checks)
    }

    /// Where it goes, and whether the like of it is there already.
    async fn places(
        &self,
        tenant: &TenantId,
        channel: &Channel,
        ground: &Ground,
        draft: &Draft,
    ) -> Result<Vec<Check>> {
        let open = self.sender.main.pins_of(tenant, &channel.id, Class::Open).await?;
        let mut checks = vec![self.board(channel, ground, draft, &open).await];
        if draft.section.is_some() && checks.iter().all(|check| check.ok) {
            checks.push(self.section(channel, ground, draft).await);
        }
        let since = self.sender.clock.now() - MEMORY;
        let published =
            self.sender.main.recent_pins(tenant, &channel.id, Class::Published, since, usize::MAX).await?;
        let twin = open.iter().chain(&published).find(|pin| is_like(&pin.draft, draft));
        checks.push(match twin {
            Some(pin) => {
                let detail = "the same was published on this board, or is going to be, within 30 days";
                let fix = "Publish it all the same if that is wanted, or change its text or picture.";
                Check { pin_ids: vec![pin.id.clone()], ..Check::wrong("duplicate", "duplicate", detail, fix) }
            }
            None => Check::good("duplicate", "nothing like it on this board within 30 days"),
        });
        Ok(checks)
    }

    async fn board(&self, channel: &Channel, ground: &Ground, draft: &Draft, open: &[Pin]) -> Check {
        let asked = async {
            let access = ground.access()?;
            let board = self.sender.pinterest.board(channel.environment, access, &draft.board).await;
            self.sender.asked(board, ground).await
        };
        match asked.await {
            Ok(board) => Check::good("board", format!("{}, {}", board.name, board.privacy.to_lowercase())),
            Err(error) if is_gone(&error) => {
                let concerned = open.iter().filter(|pin| pin.draft.board == draft.board);
                let pin_ids = concerned.map(|pin| pin.id.clone()).collect();
                Check { pin_ids, ..Check::refused("board", words::board_gone()) }
            }
            Err(error) => Check::bad("board", &error),
        }
    }

    async fn section(&self, channel: &Channel, ground: &Ground, draft: &Draft) -> Check {
        let asked = async {
            let access = ground.access()?;
            let sections = self.sender.pinterest.sections(channel.environment, access, &draft.board).await;
            self.sender.asked(sections, ground).await
        };
        match asked.await {
            Ok(sections) => match sections.iter().find(|known| Some(&known.id) == draft.section.as_ref()) {
                Some(section) => Check::good("section", section.name.clone()),
                None => Check::refused("section", words::section_gone()),
            },
            Err(error) => Check::bad("section", &error),
        }
    }
}

fn field(invalid: Invalid) -> Check {
    let name = invalid.field.clone();
    Check::bad(&name, &invalid.into())
}

fn connection(channel: &Channel) -> Check {
    match channel.connection {
        Connection::Connected => {
            let account = &channel.account.username;
            Check::good("channel", format!("{account} is connected since {}", channel.connected_at))
        }
        Connection::ReconnectRequired(cause) => {
            Check { detail: cause.advice(), ..Check::bad("channel", &Error::ReconnectRequired) }
        }
    }
}

fn scopes(channel: &Channel) -> Check {
    let missing = channel.scopes.missing();
    if missing.is_empty() {
        return Check::good("scopes", "everything that publishing needs was granted");
    }
    let detail = format!("{}: {} was not granted", words::INVALID_SCOPE, missing.join(", "));
    Check { detail, ..Check::refused("scopes", words::invalid_scope(channel.environment)) }
}

fn pause(channel: &Channel, now: Timestamp) -> Check {
    match channel.pause.filter(|pause| pause.until > now) {
        Some(pause) => Check::bad("pause", &Error::Resting(pause)),
        None => Check::good("pause", "Pinterest has asked for no break"),
    }
}

/// Connected, tokens are renewed for ever; otherwise the access token is all that there is.
fn token(channel: &Channel, grant: &domain::refresh::Grant, publish_at: Timestamp) -> Check {
    let (access, refresh) = (grant.access_expires_at, grant.refresh_expires_at);
    match (channel.connection, refresh) {
        (Connection::Connected, Some(refresh)) => {
            let detail =
                format!("the access token lasts until {access} and is renewed before; {refresh} is the end");
            Check::good("token", detail)
        }
        (Connection::Connected, None) => {
            Check::good("token", format!("the access token lasts until {access} and is renewed before"))
        }
        (Connection::ReconnectRequired(_), _) if publish_at < access => {
            Check::good("token", format!("the access token lasts until {access}"))
        }
        (Connection::ReconnectRequired(_), _) => {
            let detail =
                format!("the access token ends at {access}, before publish_at, and cannot be renewed");
            Check { detail, ..Check::bad("token", &Error::ReconnectRequired) }
        }
    }
}

/// Pinterest says "not found" in several ways.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Pinterest(pinterest::Error::Refused { refusal, answer })
        if *refusal == Refusal::BoardGone || answer.http_status == Some(404))
}

/// Whether two Pins look the same to whoever finds both on a board.
fn is_like(one: &Draft, other: &Draft) -> bool {
    let seen = |draft: &Draft| {
        let Draft { board, title, description, link, media, .. } = draft.clone();
        (board, title, description, link, media)
    };
    seen(one) == seen(other)
}
