//! Sending a call and waiting for its answer.

use std::{sync::Arc, time::Duration};

use domain::{AccessToken, Environment, refresh};
use reqwest::{
    Request, RequestBuilder,
    header::{ACCEPT_ENCODING, HeaderValue},
};
use serde::Serialize;

use crate::{Error, Transport, error_body::ErrorBody, response::Received};

/// After this long a read is given up: it can be repeated at will.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// After this long nobody waits for a connection that is made ahead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// After this long a call that changes something is given up.
pub(crate) const WRITE_TIMEOUT: Duration = refresh::CALL_TIMEOUT.unsigned_abs();

/// Where Pinterest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The API of the real Pinterest, with `/v5`.
    pub production: String,
    /// The API of the sandbox, with `/v5`.
    pub sandbox: String,
    /// The page where people consent, for both.
    pub authorize: String,
}

impl Default for Addresses {
    fn default() -> Self {
        Self {
            production: "https://api.pinterest.com/v5".to_owned(),
            sandbox: "https://api-sandbox.pinterest.com/v5".to_owned(),
            authorize: "https://www.pinterest.com/oauth/".to_owned(),
        }
    }
}

/// Calls Pinterest, once for each method call.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    pub(crate) addresses: Arc<Addresses>,
}

impl Client {
    /// Calls over `transport`.
    #[must_use]
    pub fn new(transport: Transport, addresses: Addresses) -> Self {
        let addresses = Arc::new(addresses);
        Self { transport, addresses }
    }

    /// Makes a connection, so that the first call need not wait for it: asks for nothing, and takes any answer.
    pub async fn connect(&self, environment: Environment) -> Result<(), Error> {
        let request = self.transport.http.head(self.address(environment, "")).timeout(CONNECT_TIMEOUT);
        self.execute(request.build().map_err(Error::before_answer)?).await?;
        Ok(())
    }

    /// Where `path` is in `environment`.
    pub(crate) fn address(&self, environment: Environment, path: &str) -> String {
        let base = match environment {
            Environment::Sandbox => &self.addresses.sandbox,
            Environment::Production => &self.addresses.production,
        };
        format!("{}/{path}", base.trim_end_matches('/'))
    }

    /// Reads `path` for the bearer of `token`.
    pub(crate) fn get(&self, environment: Environment, token: &AccessToken, path: &str) -> RequestBuilder {
        let request = self.transport.http.get(self.address(environment, path));
        request.bearer_auth(token.expose()).timeout(READ_TIMEOUT)
    }

    /// Makes something of `body` at `path` for the bearer of `token`.
    pub(crate) fn post(
        &self,
        environment: Environment,
        token: &AccessToken,
        path: &str,
        body: &impl Serialize,
    ) -> RequestBuilder {
        let request = self.transport.http.post(self.address(environment, path));
        request.bearer_auth(token.expose()).timeout(WRITE_TIMEOUT).json(body)
    }

    /// Sends something to an address that Pinterest gave, with what it gave as the only credentials.
    pub(crate) fn upload(&self, url: &str) -> RequestBuilder {
        self.transport.http.post(url)
    }

    /// Sends `request`, and returns what Pinterest accepted it with.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Received, Error> {
        let request = request.build().map_err(Error::before_answer)?;
        self.execute(request).await?.accepted(ErrorBody::read)
    }

    /// Sends `request`, and returns the answer, whatever it says.
    pub(crate) async fn execute(&self, mut request: Request) -> Result<Received, Error> {
        // Without this header, any coding would do (RFC 9110, section 12.5.3).
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Received::read(self.transport.send(request).await?).await
    }
}
