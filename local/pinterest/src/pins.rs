//! Pins: published, listed, read and deleted.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    analytics,
    answer::Answer,
    api::Request,
    boards::{self, date_time},
    environment::Environment,
    new_pin::NewPin,
    paging::page,
    policy::{AccessTier, PinOrder},
    refusal::Refusal,
    state::{Media, Picture, Pin, Privacy, State},
    tokens::Grant,
};

/// `POST /pins`: the same body twice makes two Pins.
pub(crate) fn create(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    if state.policy.access_tier == AccessTier::Trial && request.environment == Environment::Production {
        return Err(Refusal::TrialAccess);
    }
    let new = NewPin::read(request)?;
    let board = boards::find(state, grant, request, new.board)?;
    if board.privacy == Privacy::Secret {
        grant.scopes.require(&["boards:write_secret", "pins:read_secret", "pins:write_secret"])?;
    }
    if new.section.is_some_and(|id| board.sections.iter().all(|section| section.id != id)) {
        return Err(Refusal::SectionNotFound);
    }
    new.check_media(state, grant, request)?;

    let pin = new.publish(state.next_id(), grant.account, request.now);
    let document = document(state, request, &pin);
    state.world_mut(request.environment).pins.push(pin);
    Ok(Answer::created(&document))
}

/// `GET /pins`
pub(crate) fn list(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    list_where(state, grant, request, |_| true)
}

/// The Pins that the token may see and `is_wanted` takes, as far as they have reached the lists.
pub(crate) fn list_where(
    state: &State,
    grant: &Grant,
    request: &Request,
    is_wanted: impl Fn(&Pin) -> bool,
) -> Result<Answer, Refusal> {
    let lag = SignedDuration::from_secs(i64::from(state.policy.lag_seconds));
    let is_listed = |pin: &Pin| request.now.duration_since(pin.created_at) >= lag;
    let pins = state.world(request.environment).pins.iter();
    let listed = pins
        .filter(|pin| is_wanted(pin) && is_listed(pin) && is_visible(state, grant, request, pin))
        .map(|pin| (place(state.policy.pin_order, pin), pin))
        .collect();
    page(listed, &request.query, |pin| document(state, request, pin))
}

/// `GET /pins/{pin_id}`
pub(crate) fn get(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(&document(state, request, find(state, grant, request)?)))
}

/// `DELETE /pins/{pin_id}`
pub(crate) fn delete(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let id = find(state, grant, request)?.id;
    state.world_mut(request.environment).pins.retain(|pin| pin.id != id);
    Ok(Answer::no_content())
}

pub(crate) fn find<'a>(state: &'a State, grant: &Grant, request: &Request) -> Result<&'a Pin, Refusal> {
    let id = request.id()?;
    let pin = state.world(request.environment).pins.iter().find(|pin| pin.id == id);
    pin.filter(|pin| is_visible(state, grant, request, pin)).ok_or(Refusal::PinNotFound)
}

pub(crate) fn is_visible(state: &State, grant: &Grant, request: &Request, pin: &Pin) -> bool {
    let is_secret = || {
        let board = state.world(request.environment).board(pin.board);
        board.is_some_and(|board| board.privacy == Privacy::Secret)
    };
    pin.account == grant.account && (grant.scopes.has("pins:read_secret") || !is_secret())
}

/// Where a Pin stands in a list.
fn place(order: PinOrder, pin: &Pin) -> u64 {
    match order {
        PinOrder::NewestFirst => u64::MAX - pin.id.0,
        PinOrder::OldestFirst => pin.id.0,
        // Multiplying by an odd number mixes the order and keeps places apart.
        PinOrder::Shuffled => pin.id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

fn document(state: &State, request: &Request, pin: &Pin) -> Value {
    json!({
        "id": pin.id.to_string(),
        "created_at": date_time(pin.created_at),
        "link": pin.link,
        "title": pin.title,
        "description": pin.description,
        "dominant_color": pin.dominant_color.as_deref().unwrap_or("#6E7874"),
        "alt_text": pin.alt_text,
        "creative_type": match pin.media {
            Media::Image(_) => "REGULAR",
            Media::Carousel(_) => "CAROUSEL",
            Media::Video { .. } => "VIDEO",
        },
        "board_id": pin.board.to_string(),
        "board_section_id": pin.section.map(|id| id.to_string()),
        "board_owner": { "username": state.username(pin.account) },
        "is_owner": true,
        "is_standard": true,
        "has_been_promoted": false,
        "parent_pin_id": pin.parent.map(|id| id.to_string()),
        "pin_metrics": analytics::in_short(request, pin),
        "media": media_document(pin, request.origin),
    })
}

fn media_document(pin: &Pin, origin: &str) -> Value {
    let pictures = picture_addresses(pin, origin);
    match &pin.media {
        Media::Image(_) => json!({ "media_type": "image", "images": sizes(&thumbnail(pin, origin)) }),
        Media::Carousel(slides) => {
            let items: Vec<Value> = slides
                .iter()
                .zip(&pictures)
                .map(|(slide, address)| {
                    json!({
                        "item_type": "image",
                        "title": slide.title,
                        "description": slide.description,
                        "link": slide.link,
                        "images": sizes(address),
                    })
                })
                .collect();
            json!({ "media_type": "multiple_images", "items": items })
        }
        Media::Video { .. } => json!({
            "media_type": "video",
            "images": sizes(&thumbnail(pin, origin)),
            "cover_image_url": thumbnail(pin, origin),
            "duration": null,
            "width": null,
            "height": null,
            "video_url": null,
        }),
    }
}

/// The sizes that Pinterest offers; nothing is scaled here, so all are the original.
fn sizes(address: &str) -> Value {
    let size = |width: u32, height: u32| json!({ "width": width, "height": height, "url": address });
    json!({
        "150x150": size(150, 150),
        "400x300": size(400, 300),
        "600x": size(600, 900),
        "1200x": size(1000, 1500),
    })
}

/// What stands for a Pin in a small place.
pub(crate) fn thumbnail(pin: &Pin, origin: &str) -> String {
    let first = picture_addresses(pin, origin).into_iter().next();
    first.unwrap_or_else(|| format!("{origin}/sim/video.svg"))
}

/// Where each picture of a Pin can be seen: at its own address, or with us if it came as data.
pub(crate) fn picture_addresses(pin: &Pin, origin: &str) -> Vec<String> {
    let address = |(index, picture): (usize, &Picture)| match picture {
        Picture::Address(address) => address.clone(),
        Picture::Data { .. } => format!("{origin}/sim/pictures/{}/{index}", pin.id),
    };
    pin.media.pictures().into_iter().enumerate().map(address).collect()
}

impl Media {
    /// The pictures, in the order in which they are shown.
    pub(crate) fn pictures(&self) -> Vec<&Picture> {
        match self {
            Self::Image(picture) => vec![picture],
            Self::Carousel(slides) => slides.iter().map(|slide| &slide.picture).collect(),
            Self::Video { cover, .. } => cover.iter().collect(),
        }
    }
}
