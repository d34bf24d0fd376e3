//! `pins`: Pins as they are, with how they came there.

mod board;

use ::http::StatusCode;
use domain::{
    ChannelId, Draft, Entry, Failure, MediaId, Pin, PinId, PinterestPinId, Reason, State, WrongState,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

pub use self::board::{MovePins, MovedPins};
use super::{ChangePin, Page};
use crate::{
    Clock, Random,
    error::{Error, Result},
    http::{self, Answer, Call, Response, Site},
    routes::Operation,
    setup::Setup,
    store::{MainTable, Put, Wanted},
};

/// How many things a page of a list holds unless asked otherwise, and at most.
pub(super) const PAGE: (u16, u16) = (50, 200);
/// In seconds.
const DAY: i64 = 24 * 60 * 60;
/// The words by which Pins are listed.
const STATES: [&str; 6] = ["scheduled", "sending", "waiting", "published", "failed", "cancelled"];

/// A Pin as callers see it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PinView {
    id: PinId,
    channel_id: ChannelId,
    #[serde(flatten)]
    draft: Draft,
    /// `scheduled`, `sending`, `waiting`, `published`, `failed` or `cancelled`.
    state: String,
    /// What it waits for.
    reason: Option<Reason>,
    /// When it is tried again, if that is known.
    retry_at: Option<Timestamp>,
    publish_at: Timestamp,
    /// After how long late is too late (ISO 8601).
    publish_within: String,
    /// That instant: after it, the Pin ends as failed.
    give_up_at: Timestamp,
    pinterest_pin_id: Option<PinterestPinId>,
    pinterest_pin_url: Option<String>,
    error: Option<Failure>,
    created_at: Timestamp,
    published_at: Option<Timestamp>,
    /// How it came here: the last 100 lines.
    timeline: Vec<Entry>,
    /// How many older lines were dropped.
    timeline_dropped: u32,
}

impl PinView {
    pub(super) fn of(pin: &Pin) -> Self {
        let (remote, published_at) = match &pin.state {
            State::Published { pinterest_pin_id, published_at } => {
                (Some(pinterest_pin_id.clone()), Some(*published_at))
            }
            _ => (None, None),
        };
        let error = match &pin.state {
            State::Failed { error } => Some(error.clone()),
            _ => None,
        };
        let waits = pin.state.waits_for();
        Self {
            id: pin.id.clone(),
            channel_id: pin.channel_id.clone(),
            draft: pin.draft.clone(),
            state: pin.state.name().to_owned(),
            reason: waits.map(|(reason, _)| reason),
            retry_at: waits.and_then(|(_, retry_at)| retry_at),
            publish_at: pin.publish_at,
            publish_within: iso_8601(pin.give_up_at.duration_since(pin.publish_at)),
            give_up_at: pin.give_up_at,
            pinterest_pin_url: remote.as_ref().map(PinterestPinId::url),
            pinterest_pin_id: remote,
            error,
            created_at: pin.created_at,
            published_at,
            timeline: pin.timeline.entries.clone(),
            timeline_dropped: pin.timeline.dropped,
        }
    }
}

/// In days if it is a number of them, as most people write it.
fn iso_8601(duration: SignedDuration) -> String {
    let (days, rest) = (duration.as_secs() / DAY, duration.as_secs() % DAY);
    if rest == 0 && duration.subsec_nanos() == 0 { format!("P{days}D") } else { duration.to_string() }
}

/// What `pins` may touch.
#[derive(Debug)]
pub struct Pins {
    main: MainTable,
    site: Site,
    clock: Clock,
    random: Random,
}

impl Pins {
    /// Of its parts.
    #[must_use]
    pub fn new(main: MainTable, setup: &Setup) -> Self {
        Self { main, site: setup.site(), clock: setup.clock.clone(), random: setup.random.clone() }
    }

    async fn list(&self, call: &Call) -> Result<Page<PinView>> {
        let tenant = &call.caller()?.tenant;
        let channel = call.query("channel_id").map(|id| ChannelId::try_from(id.to_owned())).transpose()?;
        let after = call.query("cursor").map(|id| PinId::try_from(id.to_owned())).transpose()?;
        let state = call.query("state");
        if let Some(state) = state.filter(|state| !STATES.contains(state)) {
            let detail = format!("is not a state: {state}");
            let fix = format!("Use one of {}.", STATES.join(", "));
            return Err(domain::Invalid::new("state", "invalid_state", detail, fix).into());
        }
        let wanted = Wanted { channel: channel.as_ref(), state, limit: limit(call, PAGE)?.into() };
        let (pins, next) = self.main.pins(tenant, &wanted, after.as_ref()).await?;
        Ok(Page { items: pins.iter().map(PinView::of).collect(), next: next.map(String::from) })
    }

    async fn read(&self, call: &Call) -> Result<Pin> {
        let pin = self.main.pin(&call.caller()?.tenant, &call.id("Pin")?).await?;
        pin.ok_or(Error::NotFound("Pin"))
    }

    async fn cancel(&self, call: &Call) -> Result<Pin> {
        let pin = self.read(call).await?;
        let cancelled = pin.cancel(self.clock.now())?;
        self.save_if_changed(pin, cancelled).await
    }

    async fn change(&self, call: &Call) -> Result<Pin> {
        let change: ChangePin = http::json(call)?;
        let pin = self.read(call).await?;
        let now = self.clock.now();
        let changed = pin.edit(now, |pin| {
            change.apply(pin, now, MediaId::new(now, self.random.entropy())).map_err(Error::from)
        })?;
        self.save_if_changed(pin, changed).await
    }

    async fn retry(&self, call: &Call) -> Result<Pin> {
        let pin = self.read(call).await?;
        self.save(pin.retry(self.clock.now())?).await
    }

    async fn save_if_changed(&self, before: Pin, after: Option<Pin>) -> Result<Pin> {
        match after {
            Some(after) => self.save(after).await,
            None => Ok(before),
        }
    }

    async fn save(&self, pin: Pin) -> Result<Pin> {
        match self.main.save_pin(&pin).await? {
            Put::Done => Ok(pin),
            _ => {
                let detail = "the Pin has been changed by somebody else meanwhile".to_owned();
                Err(WrongState { detail, fix: "Read it again." }.into())
            }
        }
    }
}

/// How many things the caller wants on a page, where so many are usual and so many the most.
pub(super) fn limit(call: &Call, (usual, most): (u16, u16)) -> Result<u16> {
    let Some(text) = call.query("limit") else {
        return Ok(usual);
    };
    text.parse().ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(|| {
        let detail = format!("is not a number from 1 to {most}");
        domain::Invalid::new("limit", "invalid_limit", detail, format!("Leave it out for {usual}.")).into()
    })
}

impl Answer for Pins {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        self.main.settings(self.clock.now()).await?;
        Ok(())
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        match call.operation {
            Operation::ListPins => http::ok(&self.list(&call).await?),
            Operation::ReadPin => http::ok(&PinView::of(&self.read(&call).await?)),
            Operation::ChangePin => http::ok(&PinView::of(&self.change(&call).await?)),
            Operation::MovePins => {
                http::ok(&self.move_board(&call.caller()?.tenant, http::json(&call)?).await?)
            }
            Operation::CancelPin => http::ok(&PinView::of(&self.cancel(&call).await?)),
            Operation::RetryPin => {
                http::with_status(StatusCode::ACCEPTED, &PinView::of(&self.retry(&call).await?))
            }
            _ => Err(Error::NotFound("address")),
        }
    }
}
