//! `GET /user_account`.

use serde_json::json;

use crate::{
    http::{Answer, Refusal, Request},
    state::{Grant, State},
};

/// The account that the token acts for.
pub(crate) fn get(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let account = state.accounts.iter().find(|account| account.id == grant.account);
    let account = account.ok_or(Refusal::NotAuthenticated)?;
    let host = state.host(request.environment);
    Ok(Answer::ok(&json!({
        "id": account.id.to_string(),
        "account_type": "BUSINESS",
        "username": account.username,
        "business_name": account.business_name,
        "about": "An account of the simulated Pinterest",
        "profile_image": format!("{}/sim/avatar.svg", request.origin),
        "website_url": "example.com",
        "board_count": host.boards.iter().filter(|board| board.account == account.id).count(),
        "pin_count": host.pins.iter().filter(|pin| pin.account == account.id).count(),
        "follower_count": 0,
        "following_count": 0,
        "monthly_views": 0,
    })))
}
