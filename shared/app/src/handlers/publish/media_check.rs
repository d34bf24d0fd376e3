//! Checks by their first bytes that media can be fetched and have the right type.

use delivery::{SeenFile, look_at};
use domain::{Cover, DigitalSource, File, FileType, Invalid, Media, WebAddress, WrongFile};
use fetch::{Fault, Forbidden};
use platform::chain;
use url::Url;

use super::{Publish, validate::CheckError};
use crate::error::Result;

/// What to do about an address that cannot be opened.
const OPEN_IT: &str = "Check that the address opens without a login, and from the public internet.";

/// An address of a request.
struct Source<'a> {
    field: String,
    address: &'a WebAddress,
    is_video: bool,
}

/// Refuses an obviously private address before any call to Pinterest.
pub(in crate::handlers) fn check_addresses(
    media: &Media,
    fetch: &delivery::MediaFetch,
) -> Result<(), Invalid> {
    let private = sources(media).into_iter().find(|source| !fetch.may_be_fetched(source.address));
    private.map_or(Ok(()), |Source { field, .. }| {
        let fix =
            "Give a public https address, upload the file, or have its host added to PINWRIGHT_FETCH_ALLOW.";
        let detail = "has a host that is not on the public internet";
        Err(Invalid::new(field, "media_forbidden", detail, fix))
    })
}

/// The addresses of media, and of the cover.
fn sources(media: &Media) -> Vec<Source<'_>> {
    let mut all: Vec<Source<'_>> = Vec::new();
    for one in media.files() {
        if let File::Public { url } = one.file {
            all.push(Source { field: format!("{}.url", one.field), address: url, is_video: one.is_video });
        }
    }
    if let Media::Video { cover: Cover::Image { url }, .. } = media {
        all.push(Source { field: "media.cover.url".to_owned(), address: url, is_video: false });
    }
    all
}

impl Publish {
    /// The errors of the files at public addresses, and their marks that a model made them.
    pub(super) async fn check_media(
        &self,
        media: &Media,
    ) -> Result<(Vec<CheckError>, Option<DigitalSource>)> {
        let client = self.publisher.fetch.client()?;
        let checks = sources(media).into_iter().map(async |Source { field, address, is_video }| {
            let seen = match address.as_str().parse::<Url>() {
                Ok(address) => look_at(client, &address).await.map_err(|error| words(&error)),
                Err(_) => Err("it is not an address".to_owned()),
            };
            match seen {
                Ok(seen) => (check(&field, &seen, is_video), seen.digital_source),
                Err(reason) => (Some(CheckError::new(&field, "media_unreachable", reason, OPEN_IT)), None),
            }
        });
        let (errors, sources): (Vec<_>, Vec<_>) =
            futures_util::future::join_all(checks).await.into_iter().unzip();
        Ok((errors.into_iter().flatten().collect(), sources.into_iter().flatten().next()))
    }
}

/// The error of a host that returned no file. A private name and one that does not exist get the same text, so that nobody
/// can find out internal names.
fn words(error: &fetch::Error) -> String {
    match error {
        fetch::Error::Forbidden(Forbidden::Host) | fetch::Error::Unreachable(Fault::UnknownName) => {
            "the host has no public address".to_owned()
        }
        other => {
            tracing::info!(error = %chain(other), "a file could not be looked at");
            other.detail()
        }
    }
}

/// `None`: this check found no error in the file.
fn check(field: &str, seen: &SeenFile, is_video: bool) -> Option<CheckError> {
    let kind = match FileType::wanted(seen.kind, is_video) {
        Ok(kind) => kind,
        Err(WrongFile { detail, fix }) => {
            return Some(CheckError::new(field, "media_unsupported", format!("the file {detail}"), fix));
        }
    };
    // A video is sent to Pinterest from here. Pinterest fetches an image itself, and trusts the content type of its host.
    let named = seen.content_type.as_deref().unwrap_or("nothing");
    if !is_video && FileType::of_content_type(named).is_none_or(FileType::is_video) {
        let detail = format!("the host calls it {named}, and Pinterest wants an image");
        let fix = "Have the host send the right Content-Type, or give the address of the file itself.";
        return Some(CheckError::new(field, "media_unsupported", detail, fix));
    }
    if seen.is_unfinished {
        let WrongFile { detail, fix } = WrongFile::unfinished();
        return Some(CheckError::new(field, "video_unfinished", format!("the file {detail}"), fix));
    }
    let bytes = seen.bytes.filter(|bytes| *bytes > kind.max_bytes())?;
    let detail = format!("it has {bytes} bytes, and at most {} are taken", kind.max_bytes());
    Some(CheckError::new(field, "media_too_large", detail, "Make it smaller."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_host_name_and_an_unknown_one_get_the_same_answer() {
        let private = words(&fetch::Error::Forbidden(Forbidden::Host));
        assert_eq!(private, words(&fetch::Error::Unreachable(Fault::UnknownName)));
    }

    #[test]
    fn messages_of_libraries_are_not_shown() {
        let failed =
            fetch::Error::Unreachable(Fault::Connection("invalid peer certificate: UnknownIssuer".into()));
        let detail = words(&failed);
        assert!(!detail.contains("UnknownIssuer") && detail.contains("certificate"), "{detail}");
    }
}
