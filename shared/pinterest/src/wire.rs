//! What carries requests to Pinterest and answers back.

use std::{fmt, pin::Pin, sync::Arc};

use reqwest::{Request, Response};

use crate::Error;

/// A request on its way.
pub type Carried = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// The way to Pinterest: the network, or whatever a simulation puts in its place.
#[derive(Clone)]
pub struct Wire {
    /// Puts requests together.
    pub(crate) http: reqwest::Client,
    carry: Arc<dyn Fn(Request) -> Carried + Send + Sync>,
}

impl Wire {
    /// The network: `send` carries each request that `http` puts together, and sees to it that it
    ///
    /// - follows no redirects: the second stop's failure would pass for the first's, and tokens would travel;
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

    /// A way of the caller's making, which keeps to the time that each request allows. Requests are put together
    /// by `http`, which sends nothing.
    pub fn new(http: reqwest::Client, carry: impl Fn(Request) -> Carried + Send + Sync + 'static) -> Self {
        Self { http, carry: Arc::new(carry) }
    }

    pub(crate) async fn carry(&self, request: Request) -> Result<Response, Error> {
        (self.carry)(request).await
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Wire")
    }
}
