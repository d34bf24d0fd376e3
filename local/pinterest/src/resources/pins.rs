//! Pins: create, list, read and delete.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    analytics::pin_metrics,
    listing::show_as,
    lookup::{find_board, find_pin, is_pin_visible},
    new_pin::NewPin,
    pictures::{picture_addresses, picture_sizes, thumbnail},
};
use crate::{
    http::{Answer, Environment, Refusal, Request, format_date_time, page},
    state::{
        Grant, Media, Pin, Privacy, State,
        policy::{AccessTier, PinOrder},
    },
};

/// `POST /pins`: the same body twice creates two Pins.
pub(crate) fn create(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    if state.policy.access_tier == AccessTier::Trial && request.environment == Environment::Production {
        return Err(Refusal::TrialAccess);
    }
    let new = NewPin::parse(request)?;
    let board = find_board(state, grant, request, new.board)?;
    if !board.takes_pins_of(grant.account) {
        return Err(Refusal::NotPermitted);
    }
    if board.privacy == Privacy::Secret {
        grant.scopes.require(&["boards:write_secret", "pins:read_secret", "pins:write_secret"])?;
    }
    if new.section.is_some_and(|id| board.sections.iter().all(|section| section.id != id)) {
        return Err(Refusal::SectionNotFound);
    }
    new.check_media(state, grant, request)?;

    let pin = new.into_pin(state.next_id(), grant.account, request.now);
    let document = pin_document(state, grant, request, &pin);
    state.host_mut(request.environment).pins.push(pin);
    Ok(Answer::created(&document))
}

/// `GET /pins`
pub(crate) fn list(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    list_matching(state, grant, request, |_| true)
}

/// `GET /boards/{board_id}/pins`
pub(crate) fn list_of_board(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find_board(state, grant, request, request.id()?)?;
    list_matching(state, grant, request, |pin| pin.board == board.id)
}

/// The Pins that the token may see and that match, except those that are not listed yet.
fn list_matching(
    state: &State,
    grant: &Grant,
    request: &Request,
    matches: impl Fn(&Pin) -> bool,
) -> Result<Answer, Refusal> {
    let lag = SignedDuration::from_secs(i64::from(state.policy.lag_seconds));
    let is_listed = |pin: &Pin| request.now.duration_since(pin.created_at) >= lag;
    let kinds = request.query.all("creative_types");
    let is_wanted = |pin: &Pin| kinds.is_empty() || kinds.contains(&pin.media.creative_type());
    let pins = state.host(request.environment).pins.iter();
    let items = pins
        .filter(|pin| {
            matches(pin) && is_wanted(pin) && is_listed(pin) && is_pin_visible(state, grant, request, pin)
        })
        .map(|pin| (list_place(state.policy.pin_order, pin), pin))
        .collect();
    page(items, &request.query, |pin| listed_document(state, grant, request, pin))
}

/// `GET /pins/{pin_id}`
pub(crate) fn get(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(&listed_document(state, grant, request, find_pin(state, grant, request)?)))
}

/// `DELETE /pins/{pin_id}`
pub(crate) fn delete(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let pin = find_pin(state, grant, request)?;
    if pin.account != grant.account {
        return Err(Refusal::NotPermitted);
    }
    let id = pin.id;
    state.host_mut(request.environment).pins.retain(|pin| pin.id != id);
    Ok(Answer::no_content())
}

/// The place of a Pin in lists.
fn list_place(order: PinOrder, pin: &Pin) -> u64 {
    match order {
        PinOrder::NewestFirst => u64::MAX - pin.id.0,
        PinOrder::OldestFirst => pin.id.0,
        // The product with an odd number changes the order, and gives each Pin its own place.
        PinOrder::Shuffled => pin.id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

/// A Pin that is read again.
fn listed_document(state: &State, grant: &Grant, request: &Request, pin: &Pin) -> Value {
    show_as(&state.policy.listing, pin, pin_document(state, grant, request, pin))
}

/// A Pin as it was sent.
fn pin_document(state: &State, grant: &Grant, request: &Request, pin: &Pin) -> Value {
    let owner = state.host(request.environment).board(pin.board).map_or(pin.account, |board| board.account);
    let mut document = json!({
        "id": pin.id.to_string(),
        "created_at": format_date_time(pin.created_at),
        "link": pin.link,
        "title": pin.title,
        "description": pin.description,
        "dominant_color": pin.dominant_color.as_deref().unwrap_or("#6E7874"),
        "alt_text": pin.alt_text,
        "creative_type": pin.media.creative_type(),
        "board_id": pin.board.to_string(),
        "board_section_id": pin.section.map(|id| id.to_string()),
        "board_owner": { "username": state.username(owner) },
        "is_owner": pin.account == grant.account,
        "is_standard": true,
        "has_been_promoted": false,
        "parent_pin_id": pin.parent.map(|id| id.to_string()),
        "pin_metrics": pin_metrics(request, pin),
        "media": media_document(pin, request.origin),
    });
    if let Some(disclosures) = &pin.ai_disclosures {
        document["ai_disclosures"] = json!(disclosures);
    }
    document
}

fn media_document(pin: &Pin, origin: &str) -> Value {
    let pictures = picture_addresses(pin, origin);
    match &pin.media {
        Media::Image(_) => json!({ "media_type": "image", "images": picture_sizes(&thumbnail(pin, origin)) }),
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
                        "images": picture_sizes(address),
                    })
                })
                .collect();
            json!({ "media_type": "multiple_images", "items": items })
        }
        Media::Video { .. } => json!({
            "media_type": "video",
            "images": picture_sizes(&thumbnail(pin, origin)),
            "cover_image_url": thumbnail(pin, origin),
            "duration": null,
            "width": null,
            "height": null,
            "video_url": null,
        }),
    }
}
