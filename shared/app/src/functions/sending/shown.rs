//! What a Pin shows, as Pinterest finds it: files of the bucket by addresses that are good for a while.

use std::time::Duration;

use domain::{File, Media, Pin, TenantId};
use pinterest::{Address, Shown};

use super::Sender;
use crate::error::chain;

/// Pinterest fetches when it is asked, and again when that failed.
const VALID_FOR: Duration = Duration::from_hours(1);

impl Sender {
    /// What to tell Pinterest, or why it cannot be told.
    pub(super) fn shown<'a>(&self, pin: &'a Pin) -> Result<Shown<'a>, String> {
        let address = |file: &'a File| self.address(&pin.tenant, file);
        Ok(match &pin.draft.media {
            Media::Image { file } => Shown::Image(address(file)?),
            Media::Carousel { items } => {
                let slides = items.iter().map(|slide| Ok((address(&slide.file)?, slide)));
                Shown::Carousel(slides.collect::<Result<_, String>>()?)
            }
            Media::Video { cover, .. } => {
                let video = pin.video.as_ref().ok_or("the video is not at Pinterest")?;
                Shown::Video(&video.pinterest_media_id, cover)
            }
        })
    }

    fn address<'a>(&self, tenant: &TenantId, file: &'a File) -> Result<Address<'a>, String> {
        match file {
            File::Public { url } => Ok(Address::Public(url)),
            File::Uploaded { media_id } => {
                let signed = self.bucket.address(tenant, media_id, VALID_FOR);
                signed.map(Address::Signed).map_err(|error| chain(&error))
            }
        }
    }
}
