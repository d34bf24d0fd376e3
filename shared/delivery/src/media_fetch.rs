//! Fetching media from the addresses that callers gave.

use std::sync::{Arc, OnceLock};

use domain::{DigitalSource, FileType, MovieScan, NextLook, OtherFile, WebAddress};
use platform::{InvalidVariable, Variables, network};
use tokio::time::Instant;
use url::Url;

/// A file at an address, as far as its first bytes show it.
#[derive(Clone, Debug)]
pub struct SeenFile {
    /// The content type that its host sends.
    pub content_type: Option<String>,
    /// Its size, if its host sends it.
    pub bytes: Option<u64>,
    /// Its type by its own bytes.
    pub kind: Result<FileType, OtherFile>,
    /// Whether it is a video without its index, as far as the host lets us read it.
    pub is_unfinished: bool,
    /// The mark in the file that a model made it, if there is one.
    pub digital_source: Option<DigitalSource>,
}

/// A client of its own for media, which is built when it is first needed: most processes never fetch anything.
#[derive(Clone, Debug)]
pub struct MediaFetch {
    variables: Variables,
    allowed: fetch::Allowed,
    client: Arc<OnceLock<fetch::SafeClient>>,
}

impl MediaFetch {
    pub fn new(variables: &Variables) -> Result<Self, InvalidVariable> {
        let hosts = "hosts, each with a port if need be, separated by commas";
        let allowed = variables.parse("PINWRIGHT_FETCH_ALLOW", hosts)?.unwrap_or_default();
        Ok(Self { variables: variables.clone(), allowed, client: Arc::default() })
    }

    /// Whether an address may be fetched, as far as the address itself shows it. Nothing is sent.
    #[must_use]
    pub fn may_be_fetched(&self, address: &WebAddress) -> bool {
        address.as_str().parse::<Url>().is_ok_and(|address| self.allowed.may_be_fetched(&address))
    }

    /// The client, which fetches nothing from private addresses.
    pub fn client(&self) -> Result<&fetch::SafeClient, network::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let tls = network::tls(&self.variables)?;
        let client = fetch::SafeClient::new(tls, self.allowed.clone(), fetch::SystemResolver)?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// Reads the beginning of a file and, for a video, its boxes, if the host supports ranges and is fast enough.
pub async fn look_at(client: &fetch::SafeClient, address: &Url) -> Result<SeenFile, fetch::Error> {
    let began = Instant::now();
    let first = client.peek(address, 0, DigitalSource::READ_BYTES).await?;
    let kind = FileType::sniff(&first.content);
    let mut seen = SeenFile {
        content_type: first.content_type,
        bytes: first.bytes,
        kind,
        is_unfinished: false,
        digital_source: DigitalSource::find(&first.content),
    };
    let Some(bytes) = first.bytes.filter(|_| kind.is_ok_and(FileType::is_video)) else { return Ok(seen) };
    let mut scan = MovieScan::default();
    scan.read(&first.content);
    for _ in 1..MovieScan::MAX_LOOKS {
        match scan.next(bytes) {
            NextLook::Playable => break,
            NextLook::Unfinished => {
                seen.is_unfinished = true;
                break;
            }
            NextLook::At(_) if began.elapsed() >= fetch::ANSWER_TIMEOUT => break,
            NextLook::At(from) => {
                let part = client.peek(address, from, FileType::SNIFF_BYTES).await?;
                if !part.is_part {
                    break;
                }
                scan.read(&part.content);
            }
        }
    }
    Ok(seen)
}
