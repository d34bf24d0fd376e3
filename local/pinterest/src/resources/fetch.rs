//! Fetches the images of a new Pin, as Pinterest does, if the policy requires it.

use std::{io, sync::Arc, time::Duration};

use reqwest::Client;
use serde_json::Value;

use crate::http::Refusal;

/// How long an image may take to begin.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The first bytes of image files.
const IMAGES: [&[u8]; 6] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM", b"II*\0"];

/// A client of its own, because images may be at any address.
pub(crate) fn client() -> io::Result<Client> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(TIMEOUT);
    client.build().map_err(io::Error::other)
}

/// Fetches all images that the body of `POST /pins` names, and refuses a file that is not an image.
pub(crate) async fn check_images(client: &Client, body: &[u8]) -> Result<(), Refusal> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let source = &body["media_source"];
    let items = source["items"].as_array().into_iter().flatten().map(|item| &item["url"]);
    let addresses = [&source["url"], &source["cover_image_url"]].into_iter().chain(items);
    for address in addresses.filter_map(Value::as_str) {
        check_image(client, address).await?;
    }
    Ok(())
}

async fn check_image(client: &Client, address: &str) -> Result<(), Refusal> {
    let unreachable = |_| Refusal::ImageNotFetched;
    let answer = client.get(address).send().await.map_err(unreachable)?;
    let mut answer = answer.error_for_status().map_err(unreachable)?;
    let first = answer.chunk().await.map_err(unreachable)?.unwrap_or_default();
    if IMAGES.iter().any(|image| first.starts_with(image)) { Ok(()) } else { Err(Refusal::ImageBroken) }
}
