//! Whether media can be fetched, and are of a type that Pinterest accepts, without fetching them.

use domain::{Cover, File, MAX_IMAGE_BYTES, MAX_VIDEO_BYTES, Media, WebAddress};
use fetch::{Fault, FileInfo, Forbidden};
use platform::chain;
use url::Url;

use super::{Publish, validate::CheckError};
use crate::error::Result;

/// What Pinterest accepts as an image or a video.
#[derive(Clone, Copy)]
struct Accepted {
    name: &'static str,
    content_types: &'static [&'static str],
    max_bytes: u64,
}

/// By what third parties say. Pinterest's contract names JPEG and PNG only.
const IMAGE: Accepted = Accepted {
    name: "image",
    content_types: &["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"],
    max_bytes: MAX_IMAGE_BYTES,
};
const VIDEO: Accepted = Accepted {
    name: "video",
    content_types: &["video/mp4", "video/quicktime", "video/x-m4v"],
    max_bytes: MAX_VIDEO_BYTES,
};

impl Publish {
    /// What is wrong with the files at public addresses.
    pub(super) async fn check_media(&self, media: &Media) -> Result<Vec<CheckError>> {
        let mut files: Vec<(String, &WebAddress, Accepted)> = Vec::new();
        for one in media.files() {
            if let File::Public { url } = one.file {
                files.push((format!("{}.url", one.field), url, if one.is_video { VIDEO } else { IMAGE }));
            }
        }
        if let Media::Video { cover: Cover::Image { url }, .. } = media {
            files.push(("media.cover.url".to_owned(), url, IMAGE));
        }
        let client = self.publisher.fetch.client()?;
        let checks = files.into_iter().map(async |(field, address, accepted)| {
            let info = match address.as_str().parse::<Url>() {
                Ok(address) => client.head(&address).await.map_err(|error| words(&error)),
                Err(error) => Err(error.to_string()),
            };
            check(&field, info, accepted)
        });
        Ok(futures_util::future::join_all(checks).await.into_iter().flatten().collect())
    }
}

/// What is said of a host that gave no file. A private name and one that does not exist are told alike: which names there
/// are inside is nobody's business.
fn words(error: &fetch::Error) -> String {
    match error {
        fetch::Error::Forbidden(Forbidden::Host) | fetch::Error::Unreachable(Fault::UnknownName) => {
            "the host has no public address".to_owned()
        }
        other => chain(other),
    }
}

/// `None`: the file can be used, as far as its host tells.
fn check(field: &str, info: Result<FileInfo, String>, accepted: Accepted) -> Option<CheckError> {
    let info = match info {
        Ok(info) => info,
        Err(reason) => {
            let fix = "Check that the address opens without a login, and from the public internet.";
            return Some(CheckError::new(field, "media_unreachable", reason, fix));
        }
    };
    let named = info.content_type.as_deref().unwrap_or("nothing");
    if !accepted.content_types.contains(&named) {
        let detail = format!("the host calls it {named}, and Pinterest wants an {}", accepted.name);
        let fix = "Have the host send the right Content-Type, or give the address of the file itself.";
        return Some(CheckError::new(field, "media_unsupported", detail, fix));
    }
    let bytes = info.bytes.filter(|bytes| *bytes > accepted.max_bytes)?;
    let detail = format!("it has {bytes} bytes, and at most {} are taken", accepted.max_bytes);
    Some(CheckError::new(field, "media_too_large", detail, "Make it smaller."))
}
