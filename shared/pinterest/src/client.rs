//! Sends calls and waits for their answers.

use std::{sync::Arc, time::Duration};

use domain::{AccessToken, Environment, refresh};
use reqwest::{
    Request, RequestBuilder,
    header::{ACCEPT_ENCODING, HeaderValue},
};
use serde::Serialize;

use crate::{Error, Transport, error_body::ErrorBody, response::Received};

/// The time limit of a read, which can be repeated without harm.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for a connection that is opened in advance.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit of a call that changes something.
pub(crate) const WRITE_TIMEOUT: Duration = refresh::CALL_TIMEOUT.unsigned_abs();

/// Pinterest's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The API of the real Pinterest, with `/v5`.
    pub production: String,
    /// The API of the sandbox, with `/v5`.
    pub sandbox: String,
    /// The consent page, for both environments.
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

/// A client for Pinterest: each method makes one call.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    pub(crate) addresses: Arc<Addresses>,
}

impl Client {
    /// A client that uses `transport`.
    #[must_use]
    pub fn new(transport: Transport, addresses: Addresses) -> Self {
        let addresses = Arc::new(addresses);
        Self { transport, addresses }
    }

    /// Opens a connection, so that the first call need not wait for it. It requests nothing, and accepts any answer.
    pub async fn connect(&self, environment: Environment) -> Result<(), Error> {
        let request = self.transport.http.head(self.address(environment, "")).timeout(CONNECT_TIMEOUT);
        self.execute(request.build().map_err(Error::before_answer)?).await?;
        Ok(())
    }

    /// The address of `path` in `environment`.
    pub(crate) fn address(&self, environment: Environment, path: &str) -> String {
        let base = match environment {
            Environment::Sandbox => &self.addresses.sandbox,
            Environment::Production => &self.addresses.production,
        };
        format!("{}/{path}", base.trim_end_matches('/'))
    }

    /// Sends a GET request to `path` with `token`.
    pub(crate) fn get(&self, environment: Environment, token: &AccessToken, path: &str) -> RequestBuilder {
        let request = self.transport.http.get(self.address(environment, path));
        request.bearer_auth(token.expose()).timeout(READ_TIMEOUT)
    }

    /// Sends a POST request with `body` to `path` with `token`.
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

    /// Sends a request to an address from Pinterest; its parameters are the only credentials.
    pub(crate) fn upload(&self, url: &str) -> RequestBuilder {
        self.transport.http.post(url)
    }

    /// Sends `request`, and returns the answer of a success.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Received, Error> {
        let request = request.build().map_err(Error::before_answer)?;
        self.execute(request).await?.accepted(ErrorBody::read)
    }

    /// Sends `request`, and returns any answer.
    pub(crate) async fn execute(&self, mut request: Request) -> Result<Received, Error> {
        // Without this header, any content coding would be acceptable (RFC 9110, section 12.5.3).
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Received::read(self.transport.send(request).await?).await
    }
}
