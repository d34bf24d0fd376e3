//! Boards and their sections.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    lookup::{find_board, find_own_board, is_board_visible},
    pictures::thumbnail,
};
use crate::{
    http::{Answer, Id, Refusal, Request, format_date_time, page},
    state::{Board, Grant, Privacy, State},
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
    let privacies: &[Privacy] = match request.query.get("privacy") {
        None | Some("ALL") => &[Privacy::Public, Privacy::Protected, Privacy::Secret],
        Some("PUBLIC") => &[Privacy::Public],
        Some("PROTECTED") => &[Privacy::Protected],
        Some("SECRET") => &[Privacy::Secret],
        Some("PUBLIC_AND_SECRET") => &[Privacy::Public, Privacy::Secret],
        Some(_) => return Err(Refusal::invalid("privacy is not one of those of the contract")),
    };
    let boards = state.host(request.environment).boards.iter();
    let items = boards
        .filter(|board| is_board_visible(board, grant) && privacies.contains(&board.privacy))
        .map(|board| (board.id.0, board))
        .collect();
    page(items, &request.query, |board| board_document(state, request, board))
}

/// `POST /boards`
pub(crate) fn create(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let new: NewBoard = request.parse_json()?;
    let (name, privacy) =
        if new.is_ads_only { ("Ad-only Pins", Privacy::Protected) } else { (new.name.trim(), new.privacy) };
    if privacy == Privacy::Secret {
        grant.scopes.require(&["boards:write_secret"])?;
    }
    let mut own =
        state.host(request.environment).boards.iter().filter(|board| board.account == grant.account);
    if name.is_empty() || own.any(|board| board.name == name) {
        return Err(Refusal::BoardName);
    }

    let id = state.add_board(request.environment, grant.account, name, privacy, request.now);
    let boards = &mut state.host_mut(request.environment).boards;
    if let Some(board) = boards.iter_mut().find(|board| board.id == id) {
        board.description = new.description;
        board.is_ads_only = new.is_ads_only;
    }
    Ok(Answer::created(&board_document(state, request, find_board(state, grant, request, id)?)))
}

/// `GET /boards/{board_id}`
pub(crate) fn get(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find_board(state, grant, request, request.id()?)?;
    Ok(Answer::ok(&board_document(state, request, board)))
}

/// `DELETE /boards/{board_id}`: its Pins are deleted too.
pub(crate) fn delete(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let id = find_own_board(state, grant, request, request.id()?)?.id;
    let host = state.host_mut(request.environment);
    host.boards.retain(|board| board.id != id);
    host.pins.retain(|pin| pin.board != id);
    Ok(Answer::no_content())
}

/// `GET /boards/{board_id}/sections`
pub(crate) fn list_sections(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find_board(state, grant, request, request.id()?)?;
    let sections = board.sections.iter().map(|section| (section.id.0, section)).collect();
    page(sections, &request.query, |section| section_document(section.id, &section.name))
}

/// `POST /boards/{board_id}/sections`
pub(crate) fn create_section(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let board = find_own_board(state, grant, request, request.id()?)?;
    let new: NewSection = request.parse_json()?;
    let is_taken = board.sections.iter().any(|section| section.name == new.name);
    if is_taken || !(1..=180).contains(&new.name.chars().count()) {
        return Err(Refusal::SectionName);
    }
    let section = state.add_section(request.environment, board.id, &new.name);
    Ok(Answer::created(&section_document(section.id, &section.name)))
}

fn board_document(state: &State, request: &Request, board: &Board) -> Value {
    let host = state.host(request.environment);
    let pins: Vec<_> = host.pins.iter().filter(|pin| pin.board == board.id).collect();
    let thumbnails: Vec<String> =
        pins.iter().rev().take(5).map(|pin| thumbnail(pin, request.origin)).collect();
    json!({
        "id": board.id.to_string(),
        "name": board.name,
        "description": board.description,
        "owner": { "username": state.username(board.account) },
        "privacy": board.privacy,
        "is_ads_only": board.is_ads_only,
        "collaborator_count": board.members.len(),
        "follower_count": 0,
        "pin_count": pins.len(),
        "created_at": format_date_time(board.created_at),
        "board_pins_modified_at": format_date_time(pins.last().map_or(board.created_at, |pin| pin.created_at)),
        "media": { "image_cover_url": thumbnails.first(), "pin_thumbnail_urls": thumbnails },
    })
}

fn section_document(id: Id, name: &str) -> Value {
    json!({ "id": id.to_string(), "name": name })
}
