//! The media of a Pin: one image, a carousel, or a video.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Description, Invalid, MediaId, Title, WebAddress};

/// What a Pin shows. Pinterest fetches images itself; a video is uploaded to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Media {
    /// One image.
    Image {
        /// Where it is.
        #[serde(flatten)]
        #[schemars(with = "FileSource")]
        file: File,
    },
    /// Several images, side by side.
    Carousel {
        /// In the order in which they are shown.
        items: Slides,
    },
    /// A video, which is uploaded to Pinterest before the Pin is created.
    Video {
        /// Where it is.
        #[serde(flatten)]
        #[schemars(with = "FileSource")]
        file: File,
        /// The cover that is shown until the video plays.
        cover: Cover,
    },
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum File {
    /// At a public address.
    Public {
        /// The address.
        url: WebAddress,
    },
    /// In the bucket of the stack.
    Uploaded {
        /// The id of the upload.
        media_id: MediaId,
    },
}

/// The fields of a [`File`] in the contract, which are among the fields of the media.
#[derive(Serialize, JsonSchema)]
struct FileSource {
    /// Its public address, if it was not uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<WebAddress>,
    /// Its id in the stack's bucket, if it was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<MediaId>,
}

impl Media {
    /// The files that Pinterest gets, except for a video's cover.
    #[must_use]
    pub fn files(&self) -> Vec<MediaFile<'_>> {
        let media = |file, is_video| vec![MediaFile { field: "media".to_owned(), file, is_video }];
        match self {
            Self::Image { file } => media(file, false),
            Self::Carousel { items } => {
                let files = items.iter().map(|slide| &slide.file).enumerate();
                let field = |index| format!("media.items[{index}]");
                files.map(|(index, file)| MediaFile { field: field(index), file, is_video: false }).collect()
            }
            Self::Video { file, .. } => media(file, true),
        }
    }
}

/// One file of a Pin.
#[derive(Clone, Debug)]
pub struct MediaFile<'a> {
    /// The field of the request that names the file.
    pub field: String,
    /// Where the file is.
    pub file: &'a File,
    /// Whether it has to be a video, and not an image.
    pub is_video: bool,
}

/// The cover of a video (`PinMediaSourceVideoID` in the v5 contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Cover {
    /// A separate image.
    Image {
        /// Where Pinterest finds it.
        url: WebAddress,
    },
    /// A frame of the video; past its end, the last one.
    Frame {
        /// Counted from the beginning.
        frame_seconds: u32,
    },
}

/// The 2 to 5 images of a carousel (`PinMediaSourceImagesURL` in the v5 contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "CarouselImages")]
pub struct Slides(#[schemars(length(min = 2, max = 5))] Vec<Slide>);

impl Slides {
    /// Checks the number of images.
    pub fn new(slides: Vec<Slide>) -> Result<Self, Invalid> {
        if (2..=5).contains(&slides.len()) {
            return Ok(Self(slides));
        }
        Err(Invalid::new(
            "media.items",
            "carousel_size",
            format!("has {} images, and a carousel has 2 to 5", slides.len()),
            "Give 2 to 5 images, or publish one image as `\"kind\":\"image\"`.",
        ))
    }

    /// In the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = &Slide> {
        self.0.iter()
    }
}

/// One image of a carousel. Its texts have the limits of a Pin's texts, because Pinterest documents no others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CarouselImage")]
pub struct Slide {
    /// Where the image is.
    #[serde(flatten)]
    #[schemars(with = "FileSource")]
    pub file: File,
    /// At most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// At most 800 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The destination of a click on this image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<WebAddress>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slides(count: usize) -> Result<Slides, Invalid> {
        let file =
            File::Public { url: WebAddress::new("url", "https://example.com/a.jpg".to_owned()).unwrap() };
        Slides::new(vec![Slide { file, title: None, description: None, link: None }; count])
    }

    #[test]
    fn a_carousel_has_two_to_five_images() {
        for good in 2..=5 {
            assert_eq!(slides(good).unwrap().iter().count(), good);
        }
        for bad in [0, 1, 6] {
            assert_eq!(slides(bad).unwrap_err().code, "carousel_size", "{bad}");
        }
    }
}
