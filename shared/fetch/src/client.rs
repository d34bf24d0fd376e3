//! Asking a host, and following where it points.

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

/// How long finding a host, connecting to it and agreeing on TLS may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take until a file's first byte could be read, with all redirects on the way.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many redirects are followed.
pub const MAX_REDIRECTS: usize = 3;
/// What hosts know us by.
const USER_AGENT: &str = concat!("Pinwright/", env!("CARGO_PKG_VERSION"));

/// Fetches from addresses that anybody may have given.
#[derive(Clone, Debug)]
pub struct SafeClient {
    stranger: Client,
    trusting: Client,
    allowed: Arc<Allowed>,
}

/// What is asked of a host.
#[derive(Clone, Copy, Debug)]
enum Request {
    /// The bytes from the first number on, as many as the second. Many hosts send all of the file instead.
    Part(u64, usize),
    /// The file.
    Whole,
}

impl SafeClient {
    /// A client that looks names up with `resolve`: [`SystemResolver`](crate::SystemResolver), unless a test has to lie. A port
    /// other than 0 in its answers takes the place of the request's.
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

    /// Asks what the file at `address` is, and for `length` bytes of it from byte `from` on. A host that knows no parts
    /// answers the first ones whatever `from` is: see [`FileInfo::is_part`].
    ///
    /// By GET and not by HEAD: some hosts refuse what they do not know, a link can be signed for GET alone, and what a host
    /// says of a file is not what it is.
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

    /// Begins to fetch the file at `address`, which may have `max_bytes` bytes and has to be read by `deadline`.
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

    /// Asks `address`, and then whatever it points to: each is judged before anything is sent there.
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
        // What is counted and passed on are the bytes of the file itself.
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
            // Of an empty file there is no part.
            (Self::Part(..), StatusCode::RANGE_NOT_SATISFIABLE) if is_past_end(&answer) => Ok(answer),
            (_, status) => Err(Error::Refused { status: status.as_u16() }),
        }
    }
}

/// A client that does nothing by itself.
fn plain(tls: rustls::ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        // Another crate's feature must not make the client ask for, and unpack, what it counts here.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        // Each connection is to an address that was judged for it; and few hosts are asked twice.
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
