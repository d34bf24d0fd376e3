//! Lists of Pins, in the order of one of their times.

use domain::PinId;
use edge::{ApiRequest, body_text};
use platform::chain;
use schemars::JsonSchema;
use serde::Serialize;
use store::{ListedPin, PinList, PinOrder, PinPosition};

use super::Pins;
use crate::{
    error::Result,
    handlers::PinView,
    parameters::{CHANNEL, CURSOR, LIMIT, PINS_FROM, PINS_TO, SORT, STATE, cursor},
};

/// How much the Pins of one answer may weigh as JSON. Lambda carries 6 MB, and writes the answer as a text within its own
/// JSON, where each quotation mark takes two bytes.
const MAX_PAGE_BYTES: usize = 3 * 1024 * 1024;

/// A page of a list of Pins.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PinPage")]
pub struct PinPageView {
    /// The Pins. Together with those of `unreadable` they are as many as `limit` says, unless nothing follows or they are
    /// very large.
    items: Vec<PinView>,
    /// Pins that this version cannot read, because a later one has written them. They are kept as they are, and belong to
    /// this page as far as can be told. Left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<PinId>,
    /// Where the next page begins: the `cursor` of the next request. `null`: this is the last.
    next: Option<String>,
}

impl Pins {
    pub(super) async fn list(&self, request: &ApiRequest) -> Result<PinPageView> {
        let tenant = &request.caller()?.tenant;
        let channel = request.query(CHANNEL.name).map(|id| CHANNEL.channel(id)).transpose()?;
        let sort = request.query(SORT.name).map(|sort| SORT.word(sort)).transpose()?.unwrap_or("-created_at");
        let list = PinList {
            channel: channel.as_ref(),
            state: request.query(STATE.name).map(|state| STATE.word(state)).transpose()?,
            from: request.instant(&PINS_FROM)?,
            to: request.instant(&PINS_TO)?,
            order: if sort.ends_with("publish_at") { PinOrder::PublishAt } else { PinOrder::CreatedAt },
            latest_first: sort.starts_with('-'),
            limit: request.number(&LIMIT)?.into(),
        };
        let after = cursor::<PinPosition>(request)?;
        if after.as_ref().is_some_and(|after| !after.fits(list.order)) {
            let detail = "is of a list that was sorted otherwise";
            return Err(CURSOR.wrong(detail, "Keep `sort` from page to page.").into());
        }
        let page = self.main.pins(tenant, &list, after.as_ref(), self.clock.now()).await?;
        into_view(page.pins, page.next)
    }
}

fn into_view(pins: Vec<ListedPin>, next: Option<PinPosition>) -> Result<PinPageView> {
    let (mut left, mut last) = (MAX_PAGE_BYTES, None);
    let mut view =
        PinPageView { items: Vec::new(), unreadable: Vec::new(), next: next.map(|next| next.to_string()) };
    for ListedPin { position, pin } in pins {
        match pin {
            Ok(pin) => {
                let pin = PinView::new(&pin);
                left = match left.checked_sub(body_text(&pin)?.len()) {
                    Some(rest) => rest,
                    // What does not fit begins the next page. One always fits.
                    None if last.is_some() => return Ok(PinPageView { next: last, ..view }),
                    None => 0,
                };
                view.items.push(pin);
            }
            Err(error) => {
                let id = position.id();
                tracing::error!(error = %chain(&error), pin.id = %id, "a Pin cannot be read");
                view.unreadable.push(id.clone());
            }
        }
        last = Some(position.to_string());
    }
    Ok(view)
}
