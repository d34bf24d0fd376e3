//! Boards and their sections.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    api::Request,
    paging::page,
    pins,
    refusal::Refusal,
    state::{Board, Id, Privacy, State},
    tokens::Grant,
};

#[derive(Deserialize)]
struct NewBoard {
    name: String,
    description: Option<String>,
    #[serde(default)]
    privacy: Privacy,
    #[serde(default)]
    is_ads_only: bool,
}

#[derive(Deserialize)]
struct NewSection {
    name: String,
}

/// `GET /boards`
pub(crate) fn list(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let wanted: &[Privacy] = match request.query.get("privacy") {
        None | Some("ALL") => &[Privacy::Public, Privacy::Protected, Privacy::Secret],
        Some("PUBLIC") => &[Privacy::Public],
        Some("PROTECTED") => &[Privacy::Protected],
        Some("SECRET") => &[Privacy::Secret],
        Some("PUBLIC_AND_SECRET") => &[Privacy::Public, Privacy::Secret],
        Some(_) => return Err(Refusal::invalid("privacy is not one of those of the contract")),
    };
    let boards = state.world(request.environment).boards.iter();
    let listed = boards
        .filter(|board| is_visible(board, grant) && wanted.contains(&board.privacy))
        .map(|board| (board.id.0, board))
        .collect();
    page(listed, &request.query, |board| document(state, request, board))
}

/// `POST /boards`
pub(crate) fn create(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let new: NewBoard = request.json()?;
    let (name, privacy) =
        if new.is_ads_only { ("Ad-only Pins", Privacy::Protected) } else { (new.name.trim(), new.privacy) };
    if privacy == Privacy::Secret {
        grant.scopes.require(&["boards:write_secret"])?;
    }
    let mut own =
        state.world(request.environment).boards.iter().filter(|board| board.account == grant.account);
    if name.is_empty() || own.any(|board| board.name == name) {
        return Err(Refusal::BoardName);
    }

    let id = state.add_board(request.environment, grant.account, name, privacy, request.now);
    let boards = &mut state.world_mut(request.environment).boards;
    if let Some(board) = boards.iter_mut().find(|board| board.id == id) {
        board.description = new.description;
        board.is_ads_only = new.is_ads_only;
    }
    Ok(Answer::created(&document(state, request, find(state, grant, request, id)?)))
}

/// `GET /boards/{board_id}`
pub(crate) fn get(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find(state, grant, request, request.id()?)?;
    Ok(Answer::ok(&document(state, request, board)))
}

/// `DELETE /boards/{board_id}`: its Pins go with it.
pub(crate) fn delete(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let id = find(state, grant, request, request.id()?)?.id;
    let world = state.world_mut(request.environment);
    world.boards.retain(|board| board.id != id);
    world.pins.retain(|pin| pin.board != id);
    Ok(Answer::no_content())
}

/// `GET /boards/{board_id}/sections`
pub(crate) fn list_sections(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find(state, grant, request, request.id()?)?;
    let sections = board.sections.iter().map(|section| (section.id.0, section)).collect();
    page(sections, &request.query, |section| section_document(section.id, &section.name))
}

/// `POST /boards/{board_id}/sections`
pub(crate) fn create_section(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find(state, grant, request, request.id()?)?.id;
    let new: NewSection = request.json()?;
    if !(1..=180).contains(&new.name.chars().count()) {
        return Err(Refusal::SectionName);
    }
    let section = state.add_section(request.environment, board, &new.name);
    Ok(Answer::created(&section_document(section.id, &section.name)))
}

/// `GET /boards/{board_id}/pins`
pub(crate) fn list_pins(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find(state, grant, request, request.id()?)?;
    pins::list_where(state, grant, request, |pin| pin.board == board.id)
}

/// The board `id`, if the token may see it: one that is another user's, another host's or secret is
/// as good as none.
pub(crate) fn find<'a>(
    state: &'a State,
    grant: &Grant,
    request: &Request,
    id: Id,
) -> Result<&'a Board, Refusal> {
    let board = state.world(request.environment).board(id);
    board.filter(|board| is_visible(board, grant)).ok_or(Refusal::BoardNotFound)
}

fn is_visible(board: &Board, grant: &Grant) -> bool {
    board.account == grant.account
        && (board.privacy != Privacy::Secret || grant.scopes.has("boards:read_secret"))
}

fn document(state: &State, request: &Request, board: &Board) -> Value {
    let world = state.world(request.environment);
    let pins: Vec<_> = world.pins.iter().filter(|pin| pin.board == board.id).collect();
    let thumbnails: Vec<String> =
        pins.iter().rev().take(5).map(|pin| pins::thumbnail(pin, request.origin)).collect();
    json!({
        "id": board.id.to_string(),
        "name": board.name,
        "description": board.description,
        "owner": { "username": state.username(board.account) },
        "privacy": board.privacy,
        "is_ads_only": board.is_ads_only,
        "collaborator_count": 0,
        "follower_count": 0,
        "pin_count": pins.len(),
        "created_at": date_time(board.created_at),
        "board_pins_modified_at": date_time(pins.last().map_or(board.created_at, |pin| pin.created_at)),
        "media": { "image_cover_url": thumbnails.first(), "pin_thumbnail_urls": thumbnails },
    })
}

fn section_document(id: Id, name: &str) -> Value {
    json!({ "id": id.to_string(), "name": name })
}

/// A moment as Pinterest writes it: UTC, but without saying so.
pub(crate) fn date_time(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
