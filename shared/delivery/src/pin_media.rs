//! The media of a Pin for Pinterest: uploaded files get signed addresses.

use std::time::Duration;

use domain::{File, Media, Pin, TenantId};
use pinterest::{MediaUrl, PinMedia};
use platform::chain;

use crate::PinPublisher;

/// How long the addresses are valid. Pinterest fetches when the Pin is created, and again if that failed.
const SIGNED_URL_VALIDITY: Duration = Duration::from_hours(1);

impl PinPublisher {
    /// The media, or why they cannot be named.
    pub(crate) fn pin_media<'a>(&self, pin: &'a Pin) -> Result<PinMedia<'a>, String> {
        let address = |file: &'a File| self.media_url(&pin.tenant, file);
        Ok(match &pin.draft.media {
            Media::Image { file } => PinMedia::Image(address(file)?),
            Media::Carousel { items } => {
                let slides = items.iter().map(|slide| Ok((address(&slide.file)?, slide)));
                PinMedia::Carousel(slides.collect::<Result<_, String>>()?)
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
}
