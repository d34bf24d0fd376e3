//! Boards and Pins, as tests, other processes and the pages see them.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    http::{Environment, Id},
    resources::pictures::picture_addresses,
    state::{AiDisclosures, Media, Pin, State},
};

/// A published Pin, with names where the API has ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PinView {
    /// The id that `POST /pins` answered.
    pub id: String,
    /// The host it was published on.
    pub environment: Environment,
    /// The username of its owner.
    pub account: String,
    /// The id of its board.
    pub board_id: String,
    /// The name of its board.
    pub board: String,
    /// The name of its section, if it is in one.
    pub section: Option<String>,
    /// The title, as it was sent.
    pub title: Option<String>,
    /// The description, as it was sent.
    pub description: Option<String>,
    /// The alternative text, as it was sent.
    pub alt_text: Option<String>,
    /// The destination link, as it was sent.
    pub link: Option<String>,
    /// What is disclosed of artificial intelligence, by Pinterest's names.
    pub ai_disclosures: Vec<&'static str>,
    /// `image`, `multiple_images` or `video`.
    pub media_type: &'static str,
    /// The addresses of its pictures, in their order.
    pub pictures: Vec<String>,
    /// When it was published.
    pub created_at: Timestamp,
}

/// A board, secret ones included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BoardView {
    /// Its id.
    pub id: String,
    /// Its name, unique within its account.
    pub name: String,
    /// Its sections, in their order.
    pub sections: Vec<SectionView>,
}

/// A section of a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The Pins of a host, the newest first, without regard to lag and secrecy.
pub(crate) fn pins(state: &State, environment: Environment, origin: &str) -> Vec<PinView> {
    state.host(environment).pins.iter().rev().map(|pin| pin_view(state, environment, origin, pin)).collect()
}

/// The boards of an account, the oldest first.
pub(crate) fn boards(state: &State, environment: Environment, account: Id) -> Vec<BoardView> {
    let boards = state.host(environment).boards.iter().filter(|board| board.account == account);
    boards
        .map(|board| BoardView {
            id: board.id.to_string(),
            name: board.name.clone(),
            sections: board
                .sections
                .iter()
                .map(|section| SectionView { id: section.id.to_string(), name: section.name.clone() })
                .collect(),
        })
        .collect()
}

fn pin_view(state: &State, environment: Environment, origin: &str, pin: &Pin) -> PinView {
    let board = state.host(environment).board(pin.board);
    let section = board.and_then(|board| {
        let section = board.sections.iter().find(|section| Some(section.id) == pin.section);
        section.map(|section| section.name.clone())
    });
    PinView {
        id: pin.id.to_string(),
        environment,
        account: state.username(pin.account).to_owned(),
        board_id: pin.board.to_string(),
        board: board.map(|board| board.name.clone()).unwrap_or_default(),
        section,
        title: pin.title.clone(),
        description: pin.description.clone(),
        alt_text: pin.alt_text.clone(),
        link: pin.link.clone(),
        ai_disclosures: pin.ai_disclosures.as_ref().map_or_else(Vec::new, AiDisclosures::names),
        media_type: match pin.media {
            Media::Image(_) => "image",
            Media::Carousel(_) => "multiple_images",
            Media::Video { .. } => "video",
        },
        pictures: picture_addresses(pin, origin),
        created_at: pin.created_at,
    }
}
