//! Pins: creating one, and listing those of a board.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    AccessToken, AiDisclosures, BoardId, Cover, Draft, Environment, FileType, PinterestMediaId,
    PinterestPinId, ResponseMeta, SignedUrl, Slide, Text, WebAddress,
    matching::{BoardPin, MediaKind},
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Client, Error, Fault, Page, lenient, page::MAX_PAGE_SIZE};

/// `PinCreate` in the contract. Missing values are left out, because Pinterest prefers that to `null` or "".
#[derive(Serialize)]
struct CreatePin<'a> {
    board_id: &'a BoardId,
    #[serde(skip_serializing_if = "Option::is_none")]
    board_section_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alt_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dominant_color: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ai_disclosures: Option<&'a AiDisclosures>,
    media_source: MediaSource<'a>,
}

/// The media of a Pin: images by the addresses that Pinterest fetches from, or their content.
#[derive(Clone, Debug)]
pub enum PinMedia<'a> {
    /// One image.
    Image(MediaUrl<'a>),
    /// The content of one image.
    ImageData(ImageData),
    /// Several, with their texts.
    Carousel(Vec<(MediaUrl<'a>, &'a Slide)>),
    /// The contents of several, with their texts: Pinterest takes either addresses or contents.
    CarouselData(Vec<(ImageData, &'a Slide)>),
    /// A video that Pinterest has, and its picture.
    Video(&'a PinterestMediaId, &'a Cover),
}

/// An address that Pinterest fetches an image from.
#[derive(Clone, Debug)]
pub enum MediaUrl<'a> {
    /// A public address.
    Public(&'a WebAddress),
    /// A signed address: anybody who has it can read the file.
    Signed(SignedUrl),
}

/// The content of an image.
#[derive(Clone)]
pub struct ImageData {
    content_type: &'static str,
    base64: String,
}

impl ImageData {
    /// The content of a JPEG or a PNG. `None`: by its first bytes, it is neither.
    #[must_use]
    pub fn new(content: &[u8]) -> Option<Self> {
        let kind = FileType::sniff(content).ok()?;
        if !matches!(kind, FileType::Jpeg | FileType::Png) {
            return None;
        }
        Some(Self { content_type: kind.content_type(), base64: STANDARD.encode(content) })
    }
}

impl fmt::Debug for ImageData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {} letters", self.content_type, self.base64.len())
    }
}

impl MediaUrl<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Public(address) => address.as_str(),
            Self::Signed(url) => url.expose(),
        }
    }
}

/// `PinMediaSource` in the contract.
#[derive(Serialize)]
#[serde(tag = "source_type", rename_all = "snake_case")]
enum MediaSource<'a> {
    ImageUrl {
        url: &'a str,
    },
    ImageBase64 {
        #[serde(flatten)]
        image: Content<'a>,
    },
    MultipleImageUrls {
        items: Vec<Item<'a, Address<'a>>>,
    },
    MultipleImageBase64 {
        items: Vec<Item<'a, Content<'a>>>,
    },
    VideoId {
        media_id: &'a PinterestMediaId,
        #[serde(skip_serializing_if = "Option::is_none")]
        cover_image_url: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cover_image_key_frame_time: Option<u32>,
    },
}

/// The address of an image.
#[derive(Serialize)]
struct Address<'a> {
    url: &'a str,
}

/// The content of an image.
#[derive(Serialize)]
struct Content<'a> {
    content_type: &'a str,
    data: &'a str,
}

impl<'a> From<&'a ImageData> for Content<'a> {
    fn from(image: &'a ImageData) -> Self {
        Self { content_type: image.content_type, data: &image.base64 }
    }
}

/// `PinMediaSourceImagesURLItem` and `PinMediaSourceImagesBase64Item` in the contract.
#[derive(Serialize)]
struct Item<'a, Image> {
    #[serde(flatten)]
    image: Image,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

impl<'a, Image> Item<'a, Image> {
    fn new(image: Image, slide: &'a Slide) -> Self {
        Self {
            image,
            title: slide.title.as_ref().map(Text::as_str),
            description: slide.description.as_ref().map(Text::as_str),
            link: slide.link.as_ref().map(WebAddress::as_str),
        }
    }
}

impl<'a> From<&'a PinMedia<'_>> for MediaSource<'a> {
    fn from(media: &'a PinMedia<'_>) -> Self {
        match media {
            PinMedia::Image(address) => Self::ImageUrl { url: address.as_str() },
            PinMedia::ImageData(image) => Self::ImageBase64 { image: image.into() },
            PinMedia::Carousel(slides) => {
                let item = |(url, slide): &'a (MediaUrl<'_>, &Slide)| {
                    Item::new(Address { url: url.as_str() }, slide)
                };
                Self::MultipleImageUrls { items: slides.iter().map(item).collect() }
            }
            PinMedia::CarouselData(slides) => {
                let item = |(image, slide): &'a (ImageData, &Slide)| Item::new(image.into(), slide);
                Self::MultipleImageBase64 { items: slides.iter().map(item).collect() }
            }
            PinMedia::Video(media_id, cover) => {
                let (cover_image_url, cover_image_key_frame_time) = match cover {
                    Cover::Image { url } => (Some(url.as_str()), None),
                    Cover::Frame { frame_seconds } => (None, Some(*frame_seconds)),
                };
                Self::VideoId { media_id, cover_image_url, cover_image_key_frame_time }
            }
        }
    }
}

impl<'a> CreatePin<'a> {
    fn new(draft: &'a Draft, media: &'a PinMedia<'_>) -> Self {
        Self {
            board_id: &draft.board,
            board_section_id: draft.section.as_ref().map(domain::SectionId::as_str),
            title: draft.title.as_ref().map(Text::as_str),
            description: draft.description.as_ref().map(Text::as_str),
            link: draft.link.as_ref().map(WebAddress::as_str),
            alt_text: draft.alt_text.as_ref().map(Text::as_str),
            dominant_color: draft.dominant_color.as_ref().map(domain::Color::as_str),
            ai_disclosures: draft.ai_disclosures.as_ref(),
            media_source: media.into(),
        }
    }
}

/// `Pin` in the contract.
#[derive(Deserialize)]
struct Pin {
    /// `None`: it cannot be read. Such a Pin may be ours, so it must not be left out silently.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    id: Option<PinterestPinId>,
    #[serde(default)]
    created_at: Value,
    #[serde(default, deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    link: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    alt_text: Option<String>,
    #[serde(default)]
    media: Value,
    #[serde(default)]
    is_owner: Value,
    #[serde(default)]
    parent_pin_id: Value,
}

impl Pin {
    fn on_board(self) -> Option<BoardPin> {
        Some(BoardPin {
            id: self.id?,
            created_at: instant(&self.created_at),
            media: media_kind(&self.media),
            is_foreign: self.is_owner == Value::Bool(false) || self.parent_pin_id.is_string(),
            title: self.title,
            description: self.description,
            link: self.link,
            alt_text: self.alt_text,
        })
    }
}

/// Reads `2022-10-13T01:40:29`, which the contract calls a `date-time`, although it names no zone: it is UTC. The other forms
/// were seen in answers of other versions: a time with a zone, one as in mails, and seconds since 1970.
fn instant(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64() {
        return Timestamp::from_second(seconds).ok();
    }
    let text = value.as_str()?;
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let as_in_mails = || jiff::fmt::rfc2822::parse(text).ok();
    let with_zone = text.parse().ok();
    with_zone.or_else(|| without_zone().or_else(as_in_mails).map(|time| time.timestamp()))
}

/// `PinMedia` in the contract. Nothing is concluded from a kind that is not known.
fn media_kind(media: &Value) -> Option<MediaKind> {
    match media["media_type"].as_str()? {
        "image" => Some(MediaKind::Image),
        "multiple_images" => Some(MediaKind::Carousel),
        "video" => Some(MediaKind::Video),
        _ => None,
    }
}

/// The fields of the response to a new Pin that are used.
#[derive(Deserialize)]
struct Created {
    #[serde(deserialize_with = "lenient::id")]
    id: PinterestPinId,
}

impl Client {
    /// Publishes `draft` with its `media`, and returns the id of the new Pin
    /// ([`POST /pins`](https://developers.pinterest.com/docs/api/v5/pins-create)).
    ///
    /// # Errors
    ///
    /// After [`Error::Unknown`] the Pin may exist. Pinterest has no idempotency key, so a second call may create a second
    /// Pin.
    pub async fn create_pin(
        &self,
        environment: Environment,
        token: &AccessToken,
        draft: &Draft,
        media: &PinMedia<'_>,
    ) -> Result<(PinterestPinId, ResponseMeta), Error> {
        let request = self.post(environment, token, "pins", &CreatePin::new(draft, media));
        let received = self.send(request).await?;
        let Created { id } = received.json()?;
        Ok((id, received.meta()))
    }

    /// One page of a board's Pins, those of its sections included
    /// ([`GET /boards/{board_id}/pins`](https://developers.pinterest.com/docs/api/v5/boards-list_pins)).
    /// Pinterest does not say in which order.
    ///
    /// # Errors
    ///
    /// [`Fault::Malformed`] if a Pin has no id that can be read. An item that is not a Pin at all, such as `null`, is left
    /// out.
    pub async fn board_pins(
        &self,
        environment: Environment,
        token: &AccessToken,
        board: &BoardId,
        bookmark: Option<&str>,
    ) -> Result<Page<BoardPin>, Error> {
        let list = self.get(environment, token, &format!("boards/{board}/pins"));
        let Page { items, bookmark } = self.page::<Pin>(list, MAX_PAGE_SIZE, bookmark).await?;
        let items: Option<_> = items.into_iter().map(Pin::on_board).collect();
        let malformed = || Error::unknown(ResponseMeta::default(), Fault::Malformed { source: None });
        Ok(Page { items: items.ok_or_else(malformed)?, bookmark })
    }
}
