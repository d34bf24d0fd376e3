//! What Pinterest would find at an address, as far as the address itself shows it. Nothing is fetched unless the policy
//! requires it: a laptop may have no internet, and a test must not need it.

use std::net::Ipv4Addr;

use url::{Host, Url};

use crate::{http::Refusal, state::policy::ImageAddresses};

/// A host that never answers, to show how Pinterest fails to fetch something.
const UNREACHABLE_HOST: &str = "unreachable.example";
/// A host whose images are all too small.
const SMALL_HOST: &str = "small.example";
/// A host whose images are all broken.
const BROKEN_HOST: &str = "broken.example";

/// File extensions of files that are not images for Pinterest.
const OTHER_FILES: [&str; 17] = [
    "avi", "csv", "doc", "docx", "heic", "heif", "htm", "html", "json", "m4v", "mov", "mp4", "pdf", "svg",
    "txt", "webm", "zip",
];

/// Refuses the destination of a Pin that leads nowhere.
pub(super) fn check_link(address: &str) -> Result<(), Refusal> {
    match web_host(address, "link")? {
        host if host == UNREACHABLE_HOST => Err(Refusal::LinkNotReached),
        _ => Ok(()),
    }
}

/// Refuses the address of an image that Pinterest could not use.
pub(super) fn check_image(address: &str, policy: ImageAddresses) -> Result<(), Refusal> {
    let host = web_host(address, "url")?;
    if policy != ImageAddresses::Judged {
        return Ok(());
    }
    let url = Url::parse(address).map_err(|_| Refusal::ImageNotFetched)?;
    let is_private = match url.host() {
        Some(Host::Ipv4(address)) => !is_public(address),
        Some(Host::Ipv6(_)) | None => true,
        Some(Host::Domain(name)) => is_private_name(name),
    };
    // The stack's own bucket, which this Pinterest can reach.
    let is_signed = url.query_pairs().any(|(name, _)| name == "X-Amz-Signature");
    if (is_private && !is_signed) || host == UNREACHABLE_HOST {
        return Err(Refusal::ImageNotFetched);
    }
    let ending =
        url.path().rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    let is_other_file =
        ending.is_some_and(|ending| OTHER_FILES.contains(&ending.to_ascii_lowercase().as_str()));
    if is_other_file || host == BROKEN_HOST {
        return Err(Refusal::ImageBroken);
    }
    if host == SMALL_HOST { Err(Refusal::ImageTooSmall) } else { Ok(()) }
}

fn web_host(address: &str, field: &str) -> Result<String, Refusal> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let host = url.as_ref().and_then(Url::host_str).map(str::to_owned);
    host.ok_or_else(|| Refusal::invalid(format!("Invalid URL for {field}. Please try another.")))
}

fn is_public(address: Ipv4Addr) -> bool {
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast())
}

/// Names that no public resolver knows.
fn is_private_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    !name.contains('.')
        || ["invalid", "localhost", "local", "internal", "test"]
            .iter()
            .any(|end| name.strip_suffix(end).is_some_and(|front| front.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_whether_pinterest_would_find_an_image_there() {
        let judged = |address: &str| check_image(address, ImageAddresses::Judged);
        for found in [
            "https://images.example.com/salad.jpg",
            "http://images.example.com/photo?id=5",
            "https://cdn.example.com/a.b/PHOTO.WEBP#x",
            "https://93.184.216.34/a.png",
        ] {
            assert_eq!(judged(found), Ok(()), "{found}");
        }
        for unreachable in [
            "https://127.0.0.1/a.jpg",
            "http://localhost:9000/a.jpg",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[::1]/a.jpg",
            "https://images.example.invalid/a.jpg",
            "https://nas/a.jpg",
            "https://unreachable.example/a.jpg",
        ] {
            assert_eq!(judged(unreachable), Err(Refusal::ImageNotFetched), "{unreachable}");
            let is_reserved = unreachable.contains("unreachable.example");
            assert!(
                is_reserved || check_image(unreachable, ImageAddresses::Trusted).is_ok(),
                "{unreachable}"
            );
        }
        for broken in [
            "https://images.example.com/a.txt",
            "https://images.example.com/A.MP4",
            "https://broken.example/",
        ] {
            assert_eq!(judged(broken), Err(Refusal::ImageBroken), "{broken}");
        }
        assert_eq!(judged("https://small.example/a.jpg"), Err(Refusal::ImageTooSmall));
        for invalid in ["ftp://images.example.com/a.jpg", "a.jpg", ""] {
            assert!(matches!(judged(invalid), Err(Refusal::Invalid(_))), "{invalid}");
        }
    }
}
