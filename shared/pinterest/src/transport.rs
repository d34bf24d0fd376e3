//! The transport of requests to Pinterest.

use std::{fmt, pin::Pin, sync::Arc};

use reqwest::{Request, Response};

use crate::Error;

/// The response to a request that was sent.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// Sends requests to Pinterest: over the network, or over the replacement of a simulation.
#[derive(Clone)]
pub struct Transport {
    /// Builds requests.
    pub(crate) http: reqwest::Client,
    send: Arc<dyn Fn(Request) -> ResponseFuture + Send + Sync>,
}

impl Transport {
    /// The network: `send` sends each request that `http` builds. It
    ///
    /// - follows no redirects: a failure of the second host would look like one of the first, and tokens would be sent to
    ///   it;
    /// - repeats nothing that may have been sent;
    /// - gives up connecting well before the call's own time is up (10 s for reads, 25 s for everything else),
    ///   so that a host that does not answer becomes [`Error::NotSent`] and not [`Error::Unknown`].
    pub fn network<Sent>(
        http: reqwest::Client,
        send: impl Fn(Request) -> Sent + Send + Sync + 'static,
    ) -> Self
    where
        Sent: Future<Output = reqwest::Result<Response>> + Send + 'static,
    {
        Self::new(http, move |request| {
            let answer = send(request);
            Box::pin(async move { answer.await.map_err(Error::before_answer) })
        })
    }

    /// A custom transport, which must respect the timeout of each request. Requests are built by `http`, which sends
    /// nothing.
    pub fn new(
        http: reqwest::Client,
        send: impl Fn(Request) -> ResponseFuture + Send + Sync + 'static,
    ) -> Self {
        Self { http, send: Arc::new(send) }
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Response, Error> {
        (self.send)(request).await
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Transport")
    }
}
