//! The request to edit a Pin.

use domain::{
    AltText, BoardId, Color, Description, Draft, Invalid, Media, MediaId, Pin, PinEdit, SectionId, Title,
    WebAddress,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{
    ai_disclosures::{NewAiDisclosures, object_or_null},
    media::{NewMedia, UPLOAD_IT},
    new_pin::publish_within,
    optional::non_empty,
    publish_at::PublishAt,
};

/// A change of a Pin. An absent field keeps its value; `null` removes a text, and is refused for a required field.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdatePinRequest")]
pub struct ChangePin {
    /// Another board. The section of the old board is dropped.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "BoardId")]
    board_id: Option<String>,
    /// A section of the board.
    #[serde(default)]
    #[schemars(with = "Option<SectionId>")]
    board_section_id: TextChange,
    /// At most 100 characters.
    #[serde(default)]
    #[schemars(with = "Option<Title>")]
    title: TextChange,
    /// At most 800 characters.
    #[serde(default)]
    #[schemars(with = "Option<Description>")]
    description: TextChange,
    /// The destination of a click: an `http` or `https` address of at most 2,048 characters.
    #[serde(default)]
    #[schemars(with = "Option<WebAddress>")]
    link: TextChange,
    /// Alternative text for people who cannot see the picture: at most 500 characters.
    #[serde(default)]
    #[schemars(with = "Option<AltText>")]
    alt_text: TextChange,
    /// Shown while the picture loads: `#RRGGBB`.
    #[serde(default)]
    #[schemars(with = "Option<Color>")]
    dominant_color: TextChange,
    /// Disclosures about artificial intelligence. `null` removes them.
    #[serde(default, deserialize_with = "changed")]
    #[schemars(with = "Option<NewAiDisclosures>")]
    ai_disclosures: Change<NewAiDisclosures>,
    /// Another picture.
    #[serde(default, deserialize_with = "media_object")]
    #[schemars(with = "NewMedia")]
    media: Option<NewMedia>,
    /// Another time, up to 366 days ahead.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "PublishAt")]
    publish_at: Option<PublishAt>,
    /// For how long after `publish_at` it may still be published (ISO 8601), between one minute and 366 days.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String", extend("format" = "duration"))]
    publish_within: Option<String>,
}

impl ChangePin {
    /// Applies the change, with the checks of a new Pin.
    pub(in crate::handlers) fn apply(
        self,
        pin: &Pin,
        now: Timestamp,
        new_media_id: MediaId,
    ) -> Result<PinEdit, Invalid> {
        let patience = match self.publish_within {
            Some(wanted) => publish_within(Some(&wanted))?,
            None => pin.give_up_at.duration_since(pin.publish_at),
        };
        let publish_at = self.publish_at.map_or(Ok(pin.publish_at), |when| when.instant(now))?;
        let Draft {
            board,
            section,
            title,
            description,
            link,
            alt_text,
            dominant_color,
            ai_disclosures,
            media,
        } = pin.draft.clone();
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
            ai_disclosures: self
                .ai_disclosures
                .or(ai_disclosures, |new| new.map_or(Ok(None), NewAiDisclosures::check))?,
            media: self.media.map_or(Ok(media), |media| without_inline_image(media, new_media_id))?,
        };
        Ok(PinEdit { draft: draft.check_size()?, publish_at, give_up_at: publish_at + patience })
    }
}

/// `pins` has no access to the bucket: a missing file is noticed when the Pin is sent.
fn without_inline_image(media: NewMedia, new_media_id: MediaId) -> Result<Media, Invalid> {
    let (media, inline_image) = media.check(new_media_id)?;
    if inline_image.is_some() {
        let detail = "cannot come with a change";
        return Err(Invalid::new("media.base64", "upload_first", detail, UPLOAD_IT));
    }
    Ok(media)
}

/// A change of a field. `null` removes the value; an absent field keeps it.
#[derive(Clone, Debug, Default)]
enum Change<T> {
    #[default]
    Unchanged,
    Set(Option<T>),
}

/// A change of a text. An empty text removes it, too.
type TextChange = Change<String>;

impl<T> Change<T> {
    /// The new value, checked, or the old one.
    fn or<U>(
        self,
        was: Option<U>,
        check: impl FnOnce(Option<T>) -> Result<Option<U>, Invalid>,
    ) -> Result<Option<U>, Invalid> {
        match self {
            Self::Unchanged => Ok(was),
            Self::Set(new) => check(new),
        }
    }
}

impl<'de> Deserialize<'de> for TextChange {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Option::deserialize(value).map(|text| Self::Set(non_empty(text)))
    }
}

/// A value that may be left out, but not removed.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// A field that is present, even if it is `null`.
fn changed<'de, D: Deserializer<'de>>(value: D) -> Result<Change<NewAiDisclosures>, D::Error> {
    object_or_null(value).map(Change::Set)
}

fn media_object<'de, D: Deserializer<'de>>(value: D) -> Result<Option<NewMedia>, D::Error> {
    edge::object(value).map(Some)
}
