//! The media of a Pin for Pinterest: uploaded files get signed addresses, or go as data where Pinterest cannot reach the
//! bucket.

use std::time::Duration;

use bytes::Bytes;
use domain::{File, FileType, MAX_IMAGE_BYTES, Media, Pin, TenantId, WebAddress};
use futures_util::{Stream, TryStreamExt as _, future::try_join_all};
use pinterest::{ImageData, MediaUrl, PinMedia};
use platform::chain;
use tokio::time::Instant;
use url::Url;

use crate::PinPublisher;

/// How long the addresses are valid. Pinterest fetches when the Pin is created, and again if that failed.
const SIGNED_URL_VALIDITY: Duration = Duration::from_hours(1);
/// How long Pinwright may take to fetch an image of a carousel that also has uploaded images: the Pin has to be sent soon.
const FETCH_TIME: Duration = Duration::from_secs(4);

impl PinPublisher {
    /// The media, or why they cannot be named.
    pub(crate) async fn pin_media<'a>(&self, pin: &'a Pin) -> Result<PinMedia<'a>, String> {
        let tenant = &pin.tenant;
        let is_own = |file: &File| matches!(file, File::Uploaded { .. });
        let needs_data = |file: &File| is_own(file) && !self.bucket.is_public();
        let address = |file: &'a File| self.media_url(tenant, file);
        Ok(match &pin.draft.media {
            Media::Image { file } => {
                let data = if needs_data(file) { self.image_data(tenant, file).await? } else { None };
                match data {
                    Some(data) => PinMedia::ImageData(data),
                    None => PinMedia::Image(address(file)?),
                }
            }
            Media::Carousel { items } => {
                let slides = || items.iter();
                let data = if slides().any(|slide| needs_data(&slide.file)) {
                    let images = slides().map(|slide| self.image_data(tenant, &slide.file));
                    try_join_all(images).await?.into_iter().collect::<Option<Vec<_>>>()
                } else {
                    None
                };
                if let Some(images) = data {
                    PinMedia::CarouselData(images.into_iter().zip(slides()).collect())
                } else {
                    let addresses = slides().map(|slide| Ok((address(&slide.file)?, slide)));
                    PinMedia::Carousel(addresses.collect::<Result<_, String>>()?)
                }
            }
            Media::Video { cover, .. } => {
                let video = pin.video.as_ref().ok_or("the video is not at Pinterest")?;
                PinMedia::Video(&video.pinterest_media_id, cover)
            }
        })
    }

    fn media_url<'a>(&self, tenant: &TenantId, file: &'a File) -> Result<MediaUrl<'a>, String> {
        match file {
            File::Public { url } => Ok(MediaUrl::Public(url)),
            File::Uploaded { media_id } => {
                let signed = self.bucket.signed_url(tenant, media_id, SIGNED_URL_VALIDITY);
                signed.map(MediaUrl::Signed).map_err(|error| chain(&error))
            }
        }
    }

    /// `None`: Pinterest accepts only JPEG and PNG as data, and fetches the other types itself.
    async fn image_data(&self, tenant: &TenantId, file: &File) -> Result<Option<ImageData>, String> {
        let content = match file {
            File::Public { url } => self.fetch_image(url).await?,
            File::Uploaded { media_id } => {
                let found = self.bucket.get(tenant, media_id).await.map_err(|error| chain(&error))?;
                read(found.ok_or("the uploaded file is gone")?.content).await?
            }
        };
        let kind = FileType::sniff(&content).map_err(|other| format!("the file {other}"))?;
        if kind.is_video() {
            return Err("the file is a video".to_owned());
        }
        Ok(ImageData::new(&content))
    }

    async fn fetch_image(&self, address: &WebAddress) -> Result<Vec<u8>, String> {
        let address: Url = address.as_str().parse().map_err(|error: url::ParseError| error.to_string())?;
        let client = self.fetch.client().map_err(|error| chain(&error))?;
        let until = Instant::now() + FETCH_TIME;
        let file = client.download(&address, MAX_IMAGE_BYTES, until).await.map_err(|error| chain(&error))?;
        read(file.into_body()).await
    }
}

/// The whole image, up to the maximum size.
async fn read<E: std::error::Error>(
    content: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Vec<u8>, String> {
    let whole = content.map_err(|error| chain(&error)).try_fold(Vec::new(), async |mut whole, piece| {
        if whole.len() + piece.len() > usize::try_from(MAX_IMAGE_BYTES).unwrap_or(usize::MAX) {
            return Err("the image is larger than 20 MB".to_owned());
        }
        whole.extend_from_slice(&piece);
        Ok(whole)
    });
    whole.await
}
