//! The network: one HTTP client with one TLS stack, which does not use connections that may be closed.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::{Client, Request, Response};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::{task::yield_now, time::Duration};

use crate::{Clock, InvalidVariable, Variables};

/// The time limit for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is not used again. The other side, or something on the way, may have dropped it,
/// and a call that is sent over it cannot be told from one that took effect.
const MAX_IDLE_TIME: Duration = Duration::from_secs(15);

/// The network cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The crypto provider offers no protocol version.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The HTTP client refuses its configuration.
    #[error("the HTTP client cannot be set up")]
    Http(#[from] reqwest::Error),
    /// The additional root certificates cannot be read.
    #[error(transparent)]
    Roots(#[from] InvalidVariable),
}

/// The one HTTP client of a process.
#[derive(Clone, Debug)]
pub struct Network(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tls: ClientConfig,
    clock: Clock,
    pool: Mutex<Pool>,
}

#[derive(Debug)]
struct Pool {
    client: Client,
    used: Timestamp,
}

impl Network {
    /// Trusts the roots that are compiled in, and those in the file that `AWS_CA_BUNDLE` names.
    ///
    /// # Errors
    ///
    /// The roots cannot be read, or the client cannot be built.
    pub fn new(variables: &Variables, clock: Clock) -> Result<Self, Error> {
        let tls = tls(variables)?;
        let pool = Mutex::new(Pool { client: client(&tls)?, used: clock.now() });
        Ok(Self(Arc::new(Shared { tls, clock, pool })))
    }

    /// Sends a request, once: hyper takes one that was never written to another connection, and nothing else is
    /// repeated here.
    pub async fn send(&self, request: Request) -> Result<Response, reqwest::Error> {
        // Lambda freezes a process between requests. Here the client notices connections that were closed in the meantime,
        // before it chooses one.
        yield_now().await;
        self.client().execute(request).await
    }

    /// The client, or a new one after a pause: its own idle timeout goes by a clock that need not run while a process
    /// is frozen.
    pub fn client(&self) -> Client {
        let Shared { tls, clock, pool } = self.0.as_ref();
        let now = clock.now();
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(pool.used).unsigned_abs() > MAX_IDLE_TIME
            && let Ok(new) = client(tls)
        {
            pool.client = new;
        }
        pool.used = now;
        pool.client.clone()
    }
}

/// Proxies and redirects are off, so that a token is sent only to the intended host.
fn client(tls: &ClientConfig) -> Result<Client, reqwest::Error> {
    Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(MAX_IDLE_TIME)
        .tcp_nodelay(true)
        .build()
}

/// The TLS configuration: the root certificates, and the protocol versions.
pub fn tls(variables: &Variables) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = variables.get("AWS_CA_BUNDLE") {
        let wrong = || InvalidVariable::new("AWS_CA_BUNDLE", "a file of certificates in PEM form");
        let certificates = CertificateDer::pem_file_iter(file).map_err(|_| wrong())?;
        for certificate in certificates {
            roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
