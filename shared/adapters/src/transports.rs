//! How a function reaches the world: one HTTP client for Pinterest, the media bucket, Lambda and the AWS SDK.

use std::{fmt, pin::Pin, sync::Arc};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use platform::{
    Clock, Variables,
    network::{self, Network},
};
use reqwest::{Request, Response};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The response to a request that was sent.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

/// Sends requests that are signed here: over the network, or over whatever a simulation puts in its place.
#[derive(Clone)]
pub struct Transport(Arc<dyn Fn(Request) -> ResponseFuture + Send + Sync>);

impl Transport {
    /// The network.
    #[must_use]
    pub fn network(network: Network) -> Self {
        Self::new(move |request| {
            let network = network.clone();
            Box::pin(async move { network.send(request).await.map_err(|error| error.without_url().into()) })
        })
    }

    /// A transport of the caller's making, whose errors show no query of an address.
    pub fn new(send: impl Fn(Request) -> ResponseFuture + Send + Sync + 'static) -> Self {
        Self(Arc::new(send))
    }

    pub(crate) fn send(&self, request: Request) -> ResponseFuture {
        (self.0)(request)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Transport")
    }
}

/// How a function reaches the world: over the network, or over whatever a simulation puts in its place.
#[derive(Clone, Debug)]
pub struct Transports {
    /// To AWS.
    pub aws: SharedHttpConnector,
    /// To Pinterest.
    pub pinterest: pinterest::Transport,
    /// To the media bucket.
    pub media: Transport,
    /// To Lambda, which starts workers.
    pub lambda: Transport,
}

impl Transports {
    /// The network, with one client for all.
    pub fn network(variables: &Variables, clock: Clock) -> Result<Self, network::Error> {
        let network = Network::new(variables, clock)?;
        let to_pinterest = network.clone();
        Ok(Self {
            media: Transport::network(network.clone()),
            lambda: Transport::network(network.clone()),
            pinterest: pinterest::Transport::network(network.client(), move |request| {
                let network = to_pinterest.clone();
                async move { network.send(request).await }
            }),
            aws: SharedHttpConnector::new(Connector(network)),
        })
    }
}

/// The same client, as the AWS SDK calls it.
#[derive(Debug)]
struct Connector(Network);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let network = self.0.clone();
        HttpConnectorFuture::new(async move { send(&network, request).await })
    }
}

async fn send(network: &Network, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    // Our calls are small and in memory; a body that streams has no business here.
    let bytes = body
        .bytes()
        .map(<[u8]>::to_vec)
        .ok_or_else(|| ConnectorError::user("a streaming body cannot be sent".into()))?;
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, bytes))
        .map_err(|error| ConnectorError::user(error.into()))?;

    let answer = network.send(request).await.map_err(failed)?;
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
