//! TLS for the loopback servers: a certificate of their own, and listeners that speak it.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::Failure;

/// The name that the servers are reached by: it has to be resolved, as every server's.
pub(crate) const HOST: &str = "localhost";

/// Where distributions keep the certificates that a program trusts which brings none.
const SYSTEM_ROOTS: &[&str] =
    &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// An authority that is made for one run, and what it has certified.
#[derive(Debug)]
pub(crate) struct Trust {
    server: Arc<ServerConfig>,
    client: ClientConfig,
    /// The authority alone, in PEM, for programs that bring their own roots.
    pub(crate) extra_roots: PathBuf,
    /// The system's authorities and this one, in PEM, for programs that read the system's.
    pub(crate) all_roots: PathBuf,
}

impl Trust {
    /// Makes the authority and the servers' certificate, and leaves its roots in `folder`.
    pub(crate) fn make(folder: &TempDir) -> Result<Self, Failure> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate()?;
        let root = authority.self_signed(&authority_key)?;
        let key = KeyPair::generate()?;
        let issuer = Issuer::new(authority, authority_key);
        let certificate = CertificateParams::new([HOST.to_owned()])?.signed_by(&key, &issuer)?;

        let extra_roots = folder.path().join("extra-roots.pem");
        std::fs::write(&extra_roots, root.pem())?;
        let all_roots = folder.path().join("all-roots.pem");
        let system = SYSTEM_ROOTS.iter().find_map(|file| std::fs::read_to_string(file).ok());
        std::fs::write(&all_roots, format!("{}\n{}", system.unwrap_or_default(), root.pem()))?;

        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone())?;
        let provider = Arc::new(ring::default_provider());
        Ok(Self {
            server: Arc::new(server(provider.clone(), certificate.der().clone(), &key)?),
            client: ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth(),
            extra_roots,
            all_roots,
        })
    }

    /// A client that trusts the servers and follows no redirect.
    pub(crate) fn client(&self) -> Result<reqwest::Client, Failure> {
        let client = reqwest::Client::builder().tls_backend_preconfigured(self.client.clone()).no_proxy();
        Ok(client.redirect(reqwest::redirect::Policy::none()).build()?)
    }

    /// Listens on a port of the system's choice.
    pub(crate) async fn listen(&self) -> Result<Listener, Failure> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (ready, incoming) = mpsc::channel(64);
        tokio::spawn(shake_hands(listener, TlsAcceptor::from(self.server.clone()), ready));
        Ok(Listener { address, incoming })
    }
}

/// HTTP/1.1 alone, as DynamoDB does: what the functions speak too.
fn server(
    provider: Arc<CryptoProvider>,
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> Result<ServerConfig, Failure> {
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth();
    let mut config = config.with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Each in a task of its own: one that is slow, or says nothing, keeps nobody waiting.
async fn shake_hands(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    while let Ok((stream, from)) = listener.accept().await {
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            // As AWS's servers do: otherwise half an answer waits 40 ms for an acknowledgement.
            let undelayed = stream.set_nodelay(true);
            if undelayed.is_ok()
                && let Ok(stream) = acceptor.accept(stream).await
            {
                ready.send((stream, from)).await.ok(); // the server is gone, and the connection with it
            }
        });
    }
}

/// Takes connections whose handshake is done.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    incoming: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Listener {
    /// What clients begin their addresses with.
    pub(crate) fn origin(&self) -> String {
        format!("https://{HOST}:{}", self.address.port())
    }
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.incoming.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await, // the port is gone: there will be no other
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
