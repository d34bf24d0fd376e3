//! What a caller sends to edit a Pin.

use domain::{
    AltText, BoardId, Color, Description, Draft, Invalid, Media, MediaId, Pin, PinEdit, SectionId, Title,
    WebAddress,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{
    media::{NewMedia, UPLOAD_IT},
    request::{given, publish_within},
    when::When,
};

/// A change of a Pin. What is absent stays as it is; `null` takes a text away.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdatePinRequest")]
pub struct ChangePin {
    /// Another board. A section of the old one is left behind.
    #[serde(default)]
    #[schemars(with = "Option<BoardId>")]
    board_id: Option<String>,
    /// A section of the board.
    #[serde(default)]
    #[schemars(with = "Option<SectionId>")]
    board_section_id: Wanted,
    /// At most 100 characters.
    #[serde(default)]
    #[schemars(with = "Option<Title>")]
    title: Wanted,
    /// At most 800 characters.
    #[serde(default)]
    #[schemars(with = "Option<Description>")]
    description: Wanted,
    /// Where a click leads: an `http` or `https` address of at most 2,048 characters.
    #[serde(default)]
    #[schemars(with = "Option<WebAddress>")]
    link: Wanted,
    /// What the picture shows, for those who cannot see it: at most 500 characters.
    #[serde(default)]
    #[schemars(with = "Option<AltText>")]
    alt_text: Wanted,
    /// Shown while the picture loads: `#RRGGBB`.
    #[serde(default)]
    #[schemars(with = "Option<Color>")]
    dominant_color: Wanted,
    /// Another picture.
    #[serde(default, deserialize_with = "an_object")]
    #[schemars(with = "NewMedia")]
    media: Option<NewMedia>,
    /// Another time, up to 366 days ahead.
    #[serde(default)]
    publish_at: Option<When>,
    /// For how long after `publish_at` it may still be published (ISO 8601), between one minute and 366 days.
    #[serde(default)]
    #[schemars(extend("format" = "duration"))]
    publish_within: Option<String>,
}

impl ChangePin {
    /// Makes the change, by the rules that a new Pin passes through.
    pub(in crate::functions) fn apply(
        self,
        pin: &Pin,
        now: Timestamp,
        fresh: MediaId,
    ) -> Result<PinEdit, Invalid> {
        let patience = match self.publish_within {
            Some(wanted) => publish_within(Some(&wanted))?,
            None => pin.give_up_at.duration_since(pin.publish_at),
        };
        let publish_at = self.publish_at.map_or(Ok(pin.publish_at), |when| when.instant(now))?;
        let Draft { board, section, title, description, link, alt_text, dominant_color, media } =
            pin.draft.clone();
        let (moved, board) = match self.board_id.map(BoardId::try_from).transpose()? {
            Some(other) => (other != board, other),
            None => (false, board),
        };
        let section = section.filter(|_| !moved);
        let draft = Draft {
            board,
            section: self.board_section_id.or(section, |id| id.map(SectionId::try_from).transpose())?,
            title: self.title.or(title, |text| Title::new("title", text))?,
            description: self.description.or(description, |text| Description::new("description", text))?,
            link: self.link.or(link, |text| text.map(|link| WebAddress::new("link", link)).transpose())?,
            alt_text: self.alt_text.or(alt_text, |text| AltText::new("alt_text", text))?,
            dominant_color: self
                .dominant_color
                .or(dominant_color, |text| text.map(Color::new).transpose())?,
            media: self.media.map_or(Ok(media), |media| not_enclosed(media, fresh))?,
        };
        Ok(PinEdit { draft, publish_at, give_up_at: publish_at + patience })
    }
}

/// Whoever changes Pins has no access to the bucket: a file that is named is looked for, or missed, when the Pin is sent.
fn not_enclosed(media: NewMedia, fresh: MediaId) -> Result<Media, Invalid> {
    let (media, enclosed) = media.check(fresh)?;
    if enclosed.is_some() {
        let detail = "cannot come with a change";
        return Err(Invalid::new("media.base64", "upload_first", detail, UPLOAD_IT));
    }
    Ok(media)
}

/// A text that may be taken away: `null` is something else than nothing.
#[derive(Clone, Debug, Default)]
enum Wanted {
    #[default]
    TheSame,
    Another(Option<String>),
}

impl Wanted {
    /// What is wanted, checked, or what there was.
    fn or<T>(
        self,
        was: Option<T>,
        check: impl FnOnce(Option<String>) -> Result<Option<T>, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        match self {
            Self::TheSame => Ok(was),
            Self::Another(text) => check(given(text)),
        }
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Option::deserialize(value).map(Self::Another)
    }
}

fn an_object<'de, D: Deserializer<'de>>(value: D) -> Result<Option<NewMedia>, D::Error> {
    crate::http::object(value).map(Some)
}
