//! Whether media can be fetched, and are of a kind that Pinterest takes, without fetching them.

use domain::{Cover, File, Media, WebAddress};
use fetch::Seen;
use url::Url;

use super::{Publish, validate::Check};
use crate::error::Result;

/// What Pinterest takes as the file of an image, by what third parties say (its contract names JPEG and PNG only).
const IMAGES: (&str, &[&str], u64) =
    ("image", &["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"], 20 << 20);
/// What Pinterest takes as a video.
const VIDEOS: (&str, &[&str], u64) = ("video", &["video/mp4", "video/quicktime", "video/x-m4v"], 2 << 30);

impl Publish {
    /// One check for each file at a public address.
    pub(super) async fn reach(&self, media: &Media) -> Result<Vec<Check>> {
        let mut files: Vec<(String, &WebAddress, _)> = Vec::new();
        for (field, file, is_video) in media.files() {
            if let File::Public { url } = file {
                files.push((format!("{field}.url"), url, if is_video { VIDEOS } else { IMAGES }));
            }
        }
        if let Media::Video { cover: Cover::Image { url }, .. } = media {
            files.push(("media.cover.url".to_owned(), url, IMAGES));
        }
        let guard = self.sender.fetch.guard()?;
        let looks = files.into_iter().map(async |(field, address, taken)| {
            let seen = match address.as_str().parse::<Url>() {
                Ok(address) => guard.look(&address).await.map_err(|error| crate::error::chain(&error)),
                Err(error) => Err(error.to_string()),
            };
            judged(&field, seen, taken)
        });
        Ok(futures_util::future::join_all(looks).await)
    }
}

fn judged(field: &str, seen: Result<Seen, String>, (kind, types, most): (&str, &[&str], u64)) -> Check {
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => {
            let fix = "Check that the address opens without a login, and from the public internet.";
            return Check::wrong(field, "media_unreachable", why, fix);
        }
    };
    let named = seen.content_type.as_deref().unwrap_or("nothing");
    if !types.contains(&named) {
        let detail = format!("the host calls it {named}, and Pinterest wants an {kind}");
        let fix = "Have the host send the right Content-Type, or give the address of the file itself.";
        return Check::wrong(field, "media_unsupported", detail, fix);
    }
    match seen.bytes {
        Some(bytes) if bytes > most => {
            let detail = format!("it has {bytes} bytes, and at most {most} are taken");
            Check::wrong(field, "media_too_large", detail, "Make it smaller.")
        }
        Some(bytes) => Check::good(field, format!("{named}, {bytes} bytes")),
        None => Check::good(field, format!("{named}, of a size that the host does not tell")),
    }
}
