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
    parameters::{CHANNEL, CURSOR, LIMIT, STATE},
    routes::Operation,
    setup::Setup,
    store::{MainTable, Put, Wanted},
    vocabulary::PinState,
};

/// How many things a page of a list holds unless asked otherwise, and at most.
pub(crate) const PAGE: (u16, u16) = (50, 200);
/// In seconds.
const DAY: i64 = 24 * 60 * 60;

/// A Pin as callers see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pin")]
pub struct PinView {
    id: PinId,
    channel_id: ChannelId,
    #[serde(flatten)]
    draft: Draft,
    #[schemars(with = "PinState")]
    state: String,
    /// What it waits for.
    reason: Option<Reason>,
    /// When it is tried again, if that is known.
    retry_at: Option<Timestamp>,
    publish_at: Timestamp,
    /// After how long late is too late (ISO 8601).
    #[schemars(extend("format" = "duration"))]
    publish_within: String,
    /// That instant: after it, the Pin ends as failed.
    give_up_at: Timestamp,
    pinterest_pin_id: Option<PinterestPinId>,
    #[schemars(url)]
    pinterest_pin_url: Option<String>,
    error: Option<Failure>,
    created_at: Timestamp,
    published_at: Option<Timestamp>,
    /// What happened to it, the oldest entry first: the last 100 entries.
    #[schemars(length(max = 100))]
    timeline: Vec<Entry>,
    /// How many older entries were dropped.
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
        let channel = call.query(CHANNEL.name).map(|id| CHANNEL.channel(id)).transpose()?;
        let after = cursor::<PinId>(call)?;
        let state = call.query(STATE.name).map(|state| STATE.word(state)).transpose()?;
        let wanted = Wanted { channel: channel.as_ref(), state, limit: call.number(&LIMIT)?.into() };
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
        if self.main.save_pin(&pin).await? != Put::Done {
            let detail = "the Pin has been changed by somebody else meanwhile".to_owned();
            return Err(WrongState { detail, fix: "Read it again." }.into());
        }
        Ok(pin)
    }
}

/// The id after which a page begins.
pub(super) fn cursor<T: TryFrom<String>>(call: &Call) -> Result<Option<T>> {
    let id = call.query(CURSOR.name).map(|id| T::try_from(id.to_owned())).transpose();
    Ok(id.map_err(|_| CURSOR.wrong("leads to no page", "Use `next` of the page before."))?)
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
