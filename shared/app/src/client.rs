//! The one HTTP client: for Pinterest, and, as a connector, for the AWS SDK. One connection pool, one TLS stack,
//! one crypto provider.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use crate::media;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A frozen Lambda wakes up with sockets that the other side has closed: idle ones are not kept for long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// The client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The crypto provider offers no protocol version.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The HTTP client refuses its configuration.
    #[error("the HTTP client cannot be set up")]
    Http(#[from] reqwest::Error),
}

/// How a function reaches the world: over the network, or over whatever a simulation puts in its place.
#[derive(Clone, Debug)]
pub struct Wires {
    /// To AWS.
    pub aws: SharedHttpClient,
    /// To Pinterest.
    pub pinterest: pinterest::Wire,
    /// To the media bucket.
    pub media: media::Wire,
}

impl Wires {
    /// The network, through one client for all.
    pub fn network() -> Result<Self, crate::Error> {
        let http = http()?;
        Ok(Self {
            aws: for_aws(http.clone()),
            media: media::Wire::network(http.clone()),
            pinterest: pinterest::Wire::network(http),
        })
    }
}

/// Whom we trust, and in which words: the roots are compiled in.
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Builds the client. Proxies and redirects are off: a token goes where it is meant to.
fn http() -> Result<reqwest::Client, Error> {
    let tls = tls()?;
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
        .build()?)
}

/// Fetches media from where their owners keep them, by a client of its own, which is built when it is first needed:
/// most processes never fetch anything.
#[derive(Clone, Debug)]
pub struct Fetch {
    allowed: fetch::Allowed,
    guard: Arc<OnceLock<fetch::Guard>>,
}

impl Fetch {
    pub(crate) fn new(allowed: fetch::Allowed) -> Self {
        Self { allowed, guard: Arc::default() }
    }

    /// What stands between us and addresses that anybody can give.
    pub fn guard(&self) -> Result<&fetch::Guard, Error> {
        if let Some(guard) = self.guard.get() {
            return Ok(guard);
        }
        let guard = fetch::Guard::new(tls()?, self.allowed.clone(), fetch::System)?;
        Ok(self.guard.get_or_init(|| guard))
    }
}

/// The same client, for the AWS SDK.
fn for_aws(client: reqwest::Client) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(client));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { send(&client, request).await })
    }
}

async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    // Our calls are small and in memory; a body that streams has no business here.
    let bytes = body
        .bytes()
        .map(<[u8]>::to_vec)
        .ok_or_else(|| ConnectorError::user("a streaming body cannot be sent".into()))?;
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, bytes))
        .map_err(|error| ConnectorError::user(error.into()))?;

    let answer = client.execute(request).await.map_err(failed)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.map_err(failed)?;

    let status =
        StatusCode::try_from(status.as_u16()).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(bytes));
    for (name, value) in &headers {
        if let Ok(value) = value.to_str() {
            response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}

fn failed(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
