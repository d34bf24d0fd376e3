//! Channels and boards in the form of the API.

use domain::{
    Account, BoardId, Channel, ChannelId, Connection, DefaultBoard, Environment, ReconnectCause, Scopes,
    SectionId,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::TokenRow;

use crate::vocabulary::BoardPrivacy;

/// A connected account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Channel")]
pub struct ChannelView {
    id: ChannelId,
    environment: Environment,
    account: Account,
    status: ConnectionStatus,
    /// Why the account has to be connected again.
    cause: Option<ReconnectCause>,
    /// The same as a text, with the next step.
    detail: Option<String>,
    default_board: Option<DefaultBoard>,
    /// The scopes that the owner granted.
    scopes: Scopes,
    /// The scopes that publishing needs and the owner did not grant.
    missing_scopes: Vec<String>,
    /// When the access token expires; it is refreshed seven days before.
    #[serde(serialize_with = "domain::instant::serialize")]
    access_expires_at: Timestamp,
    /// When the refresh token expires. If it is not refreshed by then, the account has to be connected again.
    #[serde(serialize_with = "domain::instant::optional::serialize")]
    refresh_expires_at: Option<Timestamp>,
    #[serde(serialize_with = "domain::instant::serialize")]
    connected_at: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ConnectionStatus {
    Connected,
    ReconnectRequired,
}

impl ChannelView {
    pub(super) fn id(&self) -> &ChannelId {
        &self.id
    }

    pub(super) fn new(channel: &Channel, token: &TokenRow) -> Self {
        let (status, cause) = match channel.connection {
            Connection::Connected => (ConnectionStatus::Connected, None),
            Connection::ReconnectRequired(cause) => (ConnectionStatus::ReconnectRequired, Some(cause)),
        };
        Self {
            id: channel.id.clone(),
            environment: channel.environment,
            account: channel.account.clone(),
            status,
            cause,
            detail: cause.map(ReconnectCause::advice),
            default_board: channel.default_board.clone(),
            scopes: channel.scopes.clone(),
            missing_scopes: channel.scopes.missing(),
            access_expires_at: token.state.access_expires_at,
            refresh_expires_at: token.state.refresh_expires_at,
            connected_at: channel.connected_at,
        }
    }
}

/// A board of the account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Board")]
pub struct BoardView {
    pinterest_board_id: BoardId,
    name: String,
    /// Who may see it, by Pinterest's name.
    #[schemars(with = "BoardPrivacy")]
    privacy: String,
    /// Empty unless asked for with `?sections=true`.
    sections: Vec<SectionView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BoardSection")]
struct SectionView {
    pinterest_section_id: SectionId,
    name: String,
}

impl BoardView {
    pub(super) fn new(board: pinterest::Board, sections: Vec<pinterest::Section>) -> Self {
        let sections = sections
            .into_iter()
            .map(|section| SectionView { pinterest_section_id: section.id, name: section.name })
            .collect();
        Self { pinterest_board_id: board.id, name: board.name, privacy: board.privacy, sections }
    }
}
