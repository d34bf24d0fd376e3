//! Sends requests to hosts, and follows redirects.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use reqwest::{
    Client, ClientBuilder, Response, StatusCode,
    dns::Resolve,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, LOCATION, RANGE},
    redirect, retry,
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    Allowed, Download, Error, Fault, FileInfo, Forbidden,
    check_url::{Trust, check_url},
    file_info::is_past_end,
    resolve::PublicOnly,
};

/// The time limit for the name lookup, the connection and the TLS handshake.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit until the first byte of a file, with all redirects.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many redirects are followed.
pub const MAX_REDIRECTS: usize = 3;
/// The `User-Agent` that hosts see.
const USER_AGENT: &str = concat!("Pinwright/", env!("CARGO_PKG_VERSION"));

/// Fetches from untrusted addresses.
#[derive(Clone, Debug)]
pub struct SafeClient {
    stranger: Client,
    trusting: Client,
    allowed: Arc<Allowed>,
}

/// The part of a file to request.
#[derive(Clone, Copy, Debug)]
enum Request {
    /// The start and the number of bytes. Many hosts send the whole file instead.
    Part(u64, usize),
    /// The file.
    Whole,
}

impl SafeClient {
    /// A client that looks names up with `resolve`: [`SystemResolver`](crate::SystemResolver), except in tests that need
    /// other answers. A port other than 0 in its answers replaces the request's.
    ///
    /// # Errors
    ///
    /// The HTTP client refuses its configuration.
    pub fn new(
        tls: rustls::ClientConfig,
        allowed: Allowed,
        resolve: impl Resolve + 'static,
    ) -> Result<Self, reqwest::Error> {
        let resolve: Arc<dyn Resolve> = Arc::new(resolve);
        let public_only = PublicOnly(Arc::clone(&resolve));
        Ok(Self {
            stranger: plain(tls.clone()).dns_resolver(public_only).https_only(true).build()?,
            trusting: plain(tls).dns_resolver(resolve).build()?,
            allowed: Arc::new(allowed),
        })
    }

    /// Reads the type and size of the file at `address`, and `length` bytes of it from byte `from` on. A host without range
    /// support returns the first bytes for any `from`: see [`FileInfo::is_part`].
    ///
    /// It uses GET and not HEAD: some hosts refuse HEAD, a link may be signed for GET only, and the declared type of a file
    /// may be wrong.
    pub async fn peek(&self, address: &Url, from: u64, length: usize) -> Result<FileInfo, Error> {
        let until = Instant::now() + ANSWER_TIMEOUT;
        let mut answer = self.ask(Request::Part(from, length), address, until).await?;
        let mut content = BytesMut::new();
        let is_empty = answer.status() == StatusCode::RANGE_NOT_SATISFIABLE;
        while !is_empty && content.len() < length {
            let piece = timeout_at(until, answer.chunk()).await.map_err(|_| Error::Cut(Fault::Timeout))?;
            let Some(piece) = piece.map_err(|error| Error::Cut(error.into()))? else { break };
            content.extend_from_slice(&piece);
        }
        content.truncate(length);
        Ok(FileInfo::new(answer.status(), answer.headers(), content.freeze()))
    }

    /// Starts to fetch the file at `address`, which may have `max_bytes` bytes and must be read by `deadline`.
    pub async fn download(
        &self,
        address: &Url,
        max_bytes: u64,
        deadline: Instant,
    ) -> Result<Download, Error> {
        let until = deadline.min(Instant::now() + ANSWER_TIMEOUT);
        let answer = self.ask(Request::Whole, address, until).await?;
        Download::new(answer, max_bytes, deadline)
    }

    async fn ask(&self, question: Request, address: &Url, until: Instant) -> Result<Response, Error> {
        let answer = timeout_at(until, self.follow(question, address.clone())).await;
        answer.unwrap_or(Err(Error::Unreachable(Fault::Timeout)))
    }

    /// Sends a request to `address`, and follows its redirects: each address is checked before anything is sent to it.
    async fn follow(&self, question: Request, mut address: Url) -> Result<Response, Error> {
        for _ in 0..=MAX_REDIRECTS {
            let client = match check_url(&address, &self.allowed)? {
                Trust::Untrusted => &self.stranger,
                Trust::Allowed => &self.trusting,
            };
            let request = client.get(address.clone()).headers(question.headers());
            let answer = request.send().await.map_err(Error::before_answer)?;
            let Some(next) = pointed_to(&answer, &address)? else {
                return question.accepted(answer);
            };
            address = next;
        }
        Err(Forbidden::Redirects.into())
    }
}

impl Request {
    fn headers(self) -> HeaderMap {
        // The counted bytes are those of the file itself.
        let mut headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        if let Self::Part(from, length) = self {
            let last = from.saturating_add(length as u64).saturating_sub(1);
            headers.extend(HeaderValue::try_from(format!("bytes={from}-{last}")).map(|range| (RANGE, range)));
        }
        headers
    }

    fn accepted(self, answer: Response) -> Result<Response, Error> {
        match (self, answer.status()) {
            (_, StatusCode::OK) | (Self::Part(..), StatusCode::PARTIAL_CONTENT) => Ok(answer),
            // An empty file has no ranges.
            (Self::Part(..), StatusCode::RANGE_NOT_SATISFIABLE) if is_past_end(&answer) => Ok(answer),
            (_, status) => Err(Error::Refused { status: status.as_u16() }),
        }
    }
}

/// An HTTP client without redirects, proxies and cookies.
fn plain(tls: rustls::ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        // A feature that another crate enables must not make the client request and unpack compressed bodies, whose bytes
        // are counted here.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        // Connections are not reused: each one is to an address that was checked for it, and few hosts get a second
        // request.
        .pool_max_idle_per_host(0)
        .tcp_nodelay(true)
}

/// Where `answer` from `address` redirects to, if it does
/// ([RFC 9110, section 15.4](https://www.rfc-editor.org/rfc/rfc9110#section-15.4)).
fn pointed_to(answer: &Response, address: &Url) -> Result<Option<Url>, Forbidden> {
    let location = match answer.status().as_u16() {
        301 | 302 | 303 | 307 | 308 => answer.headers().get(LOCATION),
        _ => None,
    };
    let Some(location) = location else { return Ok(None) };
    let location = str::from_utf8(location.as_bytes()).map_err(|_| Forbidden::Location)?;
    address.join(location).map(Some).map_err(|_| Forbidden::Location)
}
