//! Finds boards and Pins, as far as a token may see them.

use crate::{
    http::{Id, Refusal, Request},
    state::{Board, Grant, Pin, Privacy, State},
};

/// The board `id`, if the token may see it. A board of another user or host, or a secret one, is not found.
pub(crate) fn find_board<'a>(
    state: &'a State,
    grant: &Grant,
    request: &Request,
    id: Id,
) -> Result<&'a Board, Refusal> {
    let board = state.host(request.environment).board(id);
    board.filter(|board| is_board_visible(board, grant)).ok_or(Refusal::BoardNotFound)
}

/// The board `id`, which the token may change. A group board belongs to another account.
pub(crate) fn find_own_board<'a>(
    state: &'a State,
    grant: &Grant,
    request: &Request,
    id: Id,
) -> Result<&'a Board, Refusal> {
    let board = find_board(state, grant, request, id)?;
    if board.account == grant.account { Ok(board) } else { Err(Refusal::NotPermitted) }
}

/// Whether the token may see `board`.
pub(crate) fn is_board_visible(board: &Board, grant: &Grant) -> bool {
    board.is_seen_by(grant.account)
        && (board.privacy != Privacy::Secret || grant.scopes.has("boards:read_secret"))
}

/// The Pin whose id is in the path, if the token may see it.
pub(crate) fn find_pin<'a>(state: &'a State, grant: &Grant, request: &Request) -> Result<&'a Pin, Refusal> {
    let id = request.id()?;
    let pin = state.host(request.environment).pins.iter().find(|pin| pin.id == id);
    pin.filter(|pin| is_pin_visible(state, grant, request, pin)).ok_or(Refusal::PinNotFound)
}

/// Whether the token may see `pin`.
pub(crate) fn is_pin_visible(state: &State, grant: &Grant, request: &Request, pin: &Pin) -> bool {
    let board = state.host(request.environment).board(pin.board);
    let is_secret = board.is_some_and(|board| board.privacy == Privacy::Secret);
    let is_in_group = board.is_some_and(|board| board.is_seen_by(grant.account));
    (pin.account == grant.account || is_in_group) && (grant.scopes.has("pins:read_secret") || !is_secret)
}
