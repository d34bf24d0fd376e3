//! The media of a requested Pin.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{
    Cover, Description, File, FileType, Invalid, MEDIA_TOO_LARGE, Media, MediaId, Slide, Slides, Title,
    WebAddress, WrongFile,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::optional::non_empty;
use crate::vocabulary::ImageContentType;

/// The largest file within a request: Lambda accepts 6 MB, and base64 makes a file a third larger.
const MAX_INLINE_BYTES: usize = 4 * 1024 * 1024;
/// The advice for an image that cannot be sent within a request.
pub(super) const UPLOAD_IT: &str = "Upload it by POST /api/v1/media, and name its media_id.";

/// What a Pin shows.
#[derive(Clone, Debug, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)] // for the contract: it is read by `Fields`
pub(super) enum NewMedia {
    /// One image: at an address, uploaded before, or within the request.
    Image {
        /// Its public address, from which Pinterest fetches it.
        #[serde(default)]
        #[schemars(with = "Option<WebAddress>")]
        url: Option<String>,
        /// Its id in the stack's bucket, as `POST /api/v1/media` returned it.
        #[serde(default)]
        #[schemars(with = "Option<MediaId>")]
        media_id: Option<String>,
        /// The type of `base64`: `image/jpeg` or `image/png`.
        #[serde(default)]
        #[schemars(with = "Option<ImageContentType>")]
        content_type: Option<String>,
        /// The image itself: at most 4 MB before encoding.
        #[serde(default)]
        #[schemars(length(max = MAX_INLINE_BYTES.div_ceil(3) * 4))]
        base64: Option<String>,
    },
    /// 2 to 5 images, side by side.
    Carousel {
        /// In the order in which they are shown.
        #[schemars(length(min = 2, max = 5))]
        items: Vec<NewSlide>,
    },
    /// A video, which is uploaded to Pinterest before the Pin is created.
    Video {
        /// Its public address.
        #[serde(default)]
        #[schemars(with = "Option<WebAddress>")]
        url: Option<String>,
        /// Its id in the stack's bucket.
        #[serde(default)]
        #[schemars(with = "Option<MediaId>")]
        media_id: Option<String>,
        /// The cover that is shown until the video plays. Default: its first frame.
        #[serde(default)]
        #[schemars(with = "NewCover")]
        cover: Option<NewCover>,
    },
}

/// The fields of all kinds. Serde would read a tagged union from a buffer, which loses the position of an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    kind: Kind,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    media_id: Option<String>,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    base64: Option<String>,
    #[serde(default)]
    items: Option<Vec<NewSlide>>,
    #[serde(default, deserialize_with = "cover_object")]
    cover: Option<NewCover>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Image,
    Carousel,
    Video,
}

impl<'de> Deserialize<'de> for NewMedia {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let Fields { kind, url, media_id, content_type, base64, items, cover } = Fields::deserialize(value)?;
        let of_other_kinds = match kind {
            Kind::Image => vec![("items", items.is_some()), ("cover", cover.is_some())],
            Kind::Carousel => vec![
                ("url", url.is_some()),
                ("media_id", media_id.is_some()),
                ("content_type", content_type.is_some()),
                ("base64", base64.is_some()),
                ("cover", cover.is_some()),
            ],
            Kind::Video => vec![
                ("content_type", content_type.is_some()),
                ("base64", base64.is_some()),
                ("items", items.is_some()),
            ],
        };
        if let Some((name, _)) = of_other_kinds.into_iter().find(|(_, is_given)| *is_given) {
            return Err(D::Error::unknown_field(name, &[]));
        }
        Ok(match kind {
            Kind::Image => Self::Image { url, media_id, content_type, base64 },
            Kind::Carousel => {
                Self::Carousel { items: items.ok_or_else(|| D::Error::missing_field("items"))? }
            }
            Kind::Video => Self::Video { url, media_id, cover },
        })
    }
}

/// The cover of a video: a separate image, or a frame of the video.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCover {
    /// The public address of an image.
    #[serde(default)]
    #[schemars(with = "Option<WebAddress>")]
    url: Option<String>,
    /// Counted from the beginning; past the end, the last frame.
    #[serde(default)]
    #[schemars(range(max = 4_294_967_295_u32))]
    frame_seconds: Option<u32>,
}

fn cover_object<'de, D: Deserializer<'de>>(value: D) -> Result<Option<NewCover>, D::Error> {
    edge::object(value).map(Some)
}

/// One image of a carousel.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewCarouselImage")]
pub(super) struct NewSlide {
    /// Its public address.
    #[serde(default)]
    #[schemars(with = "Option<WebAddress>")]
    url: Option<String>,
    /// Its id in the stack's bucket.
    #[serde(default)]
    #[schemars(with = "Option<MediaId>")]
    media_id: Option<String>,
    /// At most 100 characters.
    #[serde(default)]
    #[schemars(with = "Option<Title>")]
    title: Option<String>,
    /// At most 800 characters.
    #[serde(default)]
    #[schemars(with = "Option<Description>")]
    description: Option<String>,
    /// The destination of a click on this image.
    #[serde(default)]
    #[schemars(with = "Option<WebAddress>")]
    link: Option<String>,
}

/// An image within the request.
#[derive(Clone, Debug)]
pub(in crate::handlers) struct InlineImage {
    /// The id under which it is stored.
    pub(in crate::handlers) id: MediaId,
    /// Its type.
    pub(in crate::handlers) kind: FileType,
    /// Its bytes.
    pub(in crate::handlers) content: Bytes,
}

impl NewMedia {
    pub(super) fn is_video(&self) -> bool {
        matches!(self, Self::Video { .. })
    }

    /// Checks everything except the media themselves. An image within the request becomes the file `id`.
    pub(super) fn check(self, id: MediaId) -> Result<(Media, Option<InlineImage>), Invalid> {
        let media = match self {
            Self::Image { url, media_id, content_type, base64: Some(base64) } => {
                if url.is_some() || media_id.is_some() {
                    return Err(not_one("media", "`url`, `media_id` or `base64`"));
                }
                let inline_image = inline_image(content_type.as_deref().unwrap_or_default(), &base64, id)?;
                let file = File::Uploaded { media_id: inline_image.id.clone() };
                return Ok((Media::Image { file }, Some(inline_image)));
            }
            Self::Image { url, media_id, .. } => Media::Image { file: file("media", url, media_id, false)? },
            Self::Carousel { items } => {
                let slides = items.into_iter().enumerate().map(|(index, slide)| slide.check(index));
                Media::Carousel { items: Slides::new(slides.collect::<Result<_, _>>()?)? }
            }
            Self::Video { url, media_id, cover } => {
                let file = file("media", url, media_id, true)?;
                let cover = cover.map_or(Ok(Cover::Frame { frame_seconds: 0 }), NewCover::check)?;
                Media::Video { file, cover }
            }
        };
        Ok((media, None))
    }
}

impl NewCover {
    fn check(self) -> Result<Cover, Invalid> {
        match (self.url, self.frame_seconds) {
            (Some(url), None) => Ok(Cover::Image { url: address("media.cover.url", url, false)? }),
            (None, Some(frame_seconds)) => Ok(Cover::Frame { frame_seconds }),
            _ => Err(not_one("media.cover", "`url` or `frame_seconds`")),
        }
    }
}

impl NewSlide {
    fn check(self, index: usize) -> Result<Slide, Invalid> {
        let field = |name: &str| format!("media.items[{index}].{name}");
        Ok(Slide {
            file: file(&format!("media.items[{index}]"), self.url, self.media_id, false)?,
            title: Title::new(&field("title"), self.title)?,
            description: Description::new(&field("description"), self.description)?,
            link: non_empty(self.link).map(|link| WebAddress::new(&field("link"), link)).transpose()?,
        })
    }
}

fn file(field: &str, url: Option<String>, media_id: Option<String>, is_video: bool) -> Result<File, Invalid> {
    match (url, media_id) {
        (Some(url), None) => Ok(File::Public { url: address(&format!("{field}.url"), url, is_video)? }),
        (None, Some(id)) => {
            let wrong = |invalid| Invalid { field: format!("{field}.media_id"), ..invalid };
            Ok(File::Uploaded { media_id: MediaId::try_from(id).map_err(wrong)? })
        }
        _ => Err(not_one(field, "`url` or `media_id`")),
    }
}

/// An address whose file extension does not belong to the other kind.
fn address(field: &str, url: String, is_video: bool) -> Result<WebAddress, Invalid> {
    let address = WebAddress::new(field, url)?;
    if let Some(kind) = FileType::of_address(address.as_str()) {
        FileType::wanted(Ok(kind), is_video).map_err(|WrongFile { detail, fix }| {
            let detail = format!("ends as that of a file that {detail}");
            Invalid::new(field, "unsupported_media_type", detail, fix)
        })?;
    }
    Ok(address)
}

fn not_one(field: &str, choices: &str) -> Invalid {
    Invalid::new(
        field,
        "not_one_source",
        "has no source, or more than one",
        format!("Give one of {choices}."),
    )
}

fn inline_image(content_type: &str, base64: &str, id: MediaId) -> Result<InlineImage, Invalid> {
    let kind = FileType::of_content_type(content_type).filter(|kind| FileType::INLINE.contains(kind));
    let kind = kind.ok_or_else(|| {
        let fix = "Send image/jpeg or image/png. Any other file is uploaded by POST /api/v1/media.";
        let detail = "is none that may come within a request";
        Invalid::new("media.content_type", "unsupported_media_type", detail, fix)
    })?;
    let wrong = |code, detail: &str, fix: &str| Invalid::new("media.base64", code, detail, fix);
    let too_large = || wrong(MEDIA_TOO_LARGE, "has more than 4 MB", UPLOAD_IT);
    if base64.len() / 4 * 3 > MAX_INLINE_BYTES + 2 {
        return Err(too_large());
    }
    let content = STANDARD.decode(base64).map_err(|_| {
        let fix =
            "Encode it by RFC 4648, section 4: padded, without line breaks and without `data:` in front.";
        wrong("invalid_base64", "is not base 64", fix)
    })?;
    if content.len() > MAX_INLINE_BYTES {
        return Err(too_large());
    }
    if FileType::wanted(FileType::sniff(&content), false)
        .map_err(|WrongFile { detail, fix }| wrong("unsupported_media_type", &detail, fix))?
        != kind
    {
        let detail = "is not an image of the kind that content_type names";
        return Err(wrong("unsupported_media_type", detail, "Send a JPEG or a PNG, and name it so."));
    }
    Ok(InlineImage { id, kind, content: content.into() })
}
