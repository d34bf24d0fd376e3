//! The body of `POST /pins`, and everything for which Pinterest refuses it.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    addresses::{check_image, check_link},
    media,
};
use crate::{
    http::{Environment, Id, Refusal, Request},
    state::{AiDisclosures, Grant, Media, Picture, Pin, Slide, State},
};

#[derive(Deserialize)]
struct Body {
    board_id: Option<String>,
    board_section_id: Option<String>,
    parent_pin_id: Option<String>,
    title: Option<String>,
    description: Option<String>,
    alt_text: Option<String>,
    link: Option<String>,
    dominant_color: Option<String>,
    ai_disclosures: Option<AiDisclosures>,
    media_source: Option<MediaSource>,
}

#[derive(Deserialize)]
#[serde(tag = "source_type", rename_all = "snake_case")]
enum MediaSource {
    ImageUrl {
        url: String,
    },
    ImageBase64 {
        content_type: String,
        data: String,
    },
    MultipleImageUrls {
        items: Vec<AddressItem>,
        index: Option<u32>,
    },
    MultipleImageBase64 {
        items: Vec<DataItem>,
        index: Option<u32>,
    },
    VideoId {
        media_id: String,
        cover_image_url: Option<String>,
        cover_image_content_type: Option<String>,
        cover_image_data: Option<String>,
        cover_image_key_frame_time: Option<u32>,
    },
    PinUrl {},
}

#[derive(Deserialize)]
struct AddressItem {
    url: String,
    #[serde(flatten)]
    text: ItemText,
}

#[derive(Deserialize)]
struct DataItem {
    content_type: String,
    data: String,
    #[serde(flatten)]
    text: ItemText,
}

#[derive(Deserialize)]
struct ItemText {
    title: Option<String>,
    description: Option<String>,
    link: Option<String>,
}

/// A Pin that the contract accepts, before the check of its addresses and its video.
pub(crate) struct NewPin {
    pub(crate) board: Id,
    pub(crate) section: Option<Id>,
    parent: Option<Id>,
    title: Option<String>,
    description: Option<String>,
    alt_text: Option<String>,
    link: Option<String>,
    dominant_color: Option<String>,
    ai_disclosures: Option<AiDisclosures>,
    media: Media,
}

impl NewPin {
    /// Reads the body of a request that the description allows.
    ///
    /// # Errors
    ///
    /// 400 code 1 with the first field that breaks a rule that the description has in words only.
    pub(crate) fn parse(request: &Request) -> Result<Self, Refusal> {
        let body: Body = request.parse_json()?;
        let board = body.board_id.ok_or_else(|| Refusal::invalid("board_id is required"))?;
        let source = body.media_source.ok_or_else(|| Refusal::invalid("media_source is required"))?;
        let optional_id = |text: Option<String>, name| text.map(|text| parse_id(&text, name)).transpose();
        Ok(Self {
            board: parse_id(&board, "board_id")?,
            section: optional_id(body.board_section_id, "board_section_id")?,
            parent: optional_id(body.parent_pin_id, "parent_pin_id")?,
            title: body.title,
            description: body.description,
            alt_text: body.alt_text,
            link: body.link,
            dominant_color: check_hex_color(body.dominant_color)?,
            ai_disclosures: body.ai_disclosures,
            media: source.into_media()?,
        })
    }

    /// Checks that the addresses of the Pin answer, and that its video is ready.
    pub(crate) fn check_media(&self, state: &State, grant: &Grant, request: &Request) -> Result<(), Refusal> {
        let slides = match &self.media {
            Media::Carousel(slides) => slides.as_slice(),
            _ => &[],
        };
        for link in self.link.iter().chain(slides.iter().filter_map(|slide| slide.link.as_ref())) {
            check_link(link)?;
        }
        for picture in self.media.pictures() {
            if let Picture::Address(address) = picture {
                check_image(address, state.policy.image_addresses)?;
            }
        }
        request.fetched.clone()?;
        let pins = &state.host(request.environment).pins;
        if self.parent.is_some_and(|parent| pins.iter().all(|pin| pin.id != parent)) {
            return Err(Refusal::PinNotFound);
        }
        match &self.media {
            Media::Video { .. }
                if request.environment == Environment::Sandbox && !state.policy.sandbox_videos =>
            {
                Err(Refusal::NoVideoInSandbox)
            }
            Media::Video { media_id, .. } => media::require_ready(state, grant, request, *media_id),
            Media::Image(_) | Media::Carousel(_) => Ok(()),
        }
    }

    /// Turns this into a Pin.
    pub(crate) fn into_pin(self, id: Id, account: Id, now: Timestamp) -> Pin {
        Pin {
            id,
            account,
            board: self.board,
            section: self.section,
            parent: self.parent,
            title: self.title,
            description: self.description,
            alt_text: self.alt_text,
            link: self.link,
            dominant_color: self.dominant_color,
            ai_disclosures: self.ai_disclosures,
            media: self.media,
            created_at: now,
        }
    }
}

impl MediaSource {
    fn into_media(self) -> Result<Media, Refusal> {
        match self {
            Self::ImageUrl { url } => Ok(Media::Image(Picture::Address(url))),
            Self::ImageBase64 { content_type, data } => Ok(Media::Image(parse_picture(content_type, data)?)),
            Self::MultipleImageUrls { items, index } => build_carousel(
                items.into_iter().map(|item| Ok((Picture::Address(item.url), item.text))).collect(),
                index,
            ),
            Self::MultipleImageBase64 { items, index } => build_carousel(
                items
                    .into_iter()
                    .map(|item| Ok((parse_picture(item.content_type, item.data)?, item.text)))
                    .collect(),
                index,
            ),
            Self::VideoId {
                media_id,
                cover_image_url,
                cover_image_content_type,
                cover_image_data,
                cover_image_key_frame_time,
            } => {
                let cover = match (cover_image_url, cover_image_content_type, cover_image_data) {
                    (Some(url), ..) => Some(Picture::Address(url)),
                    (None, Some(content_type), Some(data)) => Some(parse_picture(content_type, data)?),
                    _ if cover_image_key_frame_time.is_some() => None,
                    _ => return Err(Refusal::invalid("A cover image is required for a video Pin")),
                };
                Ok(Media::Video { media_id: parse_id(&media_id, "media_id")?, cover })
            }
            // Beta: "only available to a list of beta users".
            Self::PinUrl {} => Err(Refusal::NotPermitted),
        }
    }
}

fn build_carousel(
    items: Result<Vec<(Picture, ItemText)>, Refusal>,
    index: Option<u32>,
) -> Result<Media, Refusal> {
    let items = items?;
    if index.is_some_and(|index| items.len() <= index as usize) {
        return Err(Refusal::invalid("index must be that of an item"));
    }
    let slide = |(picture, text): (Picture, ItemText)| Slide {
        picture,
        title: text.title,
        description: text.description,
        link: text.link,
    };
    Ok(Media::Carousel(items.into_iter().map(slide).collect()))
}

/// Reads plain base64 of a JPEG or a PNG: without `data:`, line breaks and URL-safe letters.
fn parse_picture(content_type: String, base64: String) -> Result<Picture, Refusal> {
    let bytes = STANDARD.decode(&base64).map_err(|_| Refusal::ImageBroken)?;
    let is_image = match content_type.as_str() {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        _ => bytes.starts_with(b"\xff\xd8\xff"),
    };
    if is_image { Ok(Picture::Data { content_type, base64 }) } else { Err(Refusal::ImageBroken) }
}

fn parse_id(text: &str, name: &str) -> Result<Id, Refusal> {
    Id::parse(text).ok_or_else(|| Refusal::invalid(format!("{name} does not match '^\\d+$'")))
}

fn check_hex_color(color: Option<String>) -> Result<Option<String>, Refusal> {
    let is_hex = |color: &String| {
        color
            .strip_prefix('#')
            .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    if color.as_ref().is_some_and(|color| !is_hex(color)) {
        return Err(Refusal::invalid("dominant_color must be a hex number, e.g. #6E7874"));
    }
    Ok(color)
}
