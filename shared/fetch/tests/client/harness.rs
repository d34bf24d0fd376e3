//! Hosts and names as the tests play them, and the client between.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use fetch::{Allowed, Error, Forbidden, SafeClient};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

/// A client that allows `allowed` and believes `resolve`.
pub(crate) fn client(allowed: &str, resolve: impl Resolve + 'static) -> SafeClient {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    SafeClient::new(tls, allowed.parse::<Allowed>().unwrap(), resolve).unwrap()
}

pub(crate) fn url(address: &str) -> Url {
    Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"))
}

/// Why `outcome` is an error of the address, if that is what it is.
pub(crate) fn forbidden<T>(outcome: &Result<T, Error>) -> Option<Forbidden> {
    match outcome {
        Err(Error::Forbidden(why)) => Some(*why),
        _ => None,
    }
}

/// The full text of an error: its message, its causes, and its debug output.
pub(crate) fn full_text(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.map(|error| format!("{error} {error:?}")).collect::<Vec<_>>().join(" ")
}

/// A resolver that gives its answers one after the other, whatever the name, and the last one forever.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeResolver {
    answers: Arc<Vec<Vec<SocketAddr>>>,
    lookups: Arc<AtomicUsize>,
}

impl FakeResolver {
    /// Answers with the addresses in each of `answers`, which are separated by spaces. A `PORT` in them is that
    /// of `trap`.
    pub(crate) fn new(answers: &[&str], trap: &Trap) -> Self {
        let address = |text: &str| text.replace("PORT", &trap.port().to_string()).parse().unwrap();
        let answer = |text: &&str| text.split(' ').map(address).collect();
        Self { answers: Arc::new(answers.iter().map(answer).collect()), lookups: Arc::default() }
    }

    /// How often it was asked.
    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

impl Resolve for FakeResolver {
    fn resolve(&self, _: Name) -> Resolving {
        let turn = self.lookups.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(turn).or(self.answers.last()).cloned();
        Box::pin(async move {
            let addresses = answer.ok_or("nobody knows this name")?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// A listener to which nobody may ever connect.
pub(crate) struct Trap(TcpListener);

impl Trap {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Who has connected since this was last asked: the kernel has completed those connections by itself.
    pub(crate) fn connections(&self) -> usize {
        std::iter::from_fn(|| self.0.accept().ok()).count()
    }
}

/// A host that speaks `http`, and records what it is asked.
#[derive(Clone)]
pub(crate) struct Site {
    /// Its address and port.
    pub(crate) authority: String,
    heads: Arc<Mutex<Vec<String>>>,
}

/// What a site does after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterAnswer {
    HangUp,
    /// Says no more, until the other side hangs up.
    Hold,
}

impl Site {
    /// A site that writes what `answer` makes of a request's head, byte for byte.
    pub(crate) async fn new(
        answer: impl Fn(&str) -> String + Send + 'static,
        after_answer: AfterAnswer,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let record = Arc::clone(&heads);
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let head = read_head(&mut connection).await;
                let response = answer(&head);
                record.lock().unwrap().push(head);
                // Whoever has heard enough hangs up on it.
                let write_result = connection.write_all(response.as_bytes()).await;
                if after_answer == AfterAnswer::Hold && write_result.is_ok() {
                    assert_eq!(connection.read(&mut [0]).await.unwrap_or(0), 0);
                }
            }
        });
        Self { authority, heads }
    }

    pub(crate) async fn with_answer(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::new(move |_| answer.clone(), AfterAnswer::HangUp).await
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        url(&format!("http://{}{path}", self.authority))
    }

    /// A client that allows this site and nothing else.
    pub(crate) fn client(&self) -> SafeClient {
        client(&self.authority, FakeResolver::default())
    }

    /// The heads of all requests so far, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().iter().map(|head| head.to_lowercase()).collect()
    }
}

/// Reads up to the end of a request's head, or the first byte of what is no request: TLS, for one.
pub(crate) async fn read_head(connection: &mut tokio::net::TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) if byte.is_ascii_alphabetic() || !head.is_empty() => head.push(byte),
            _ => break,
        }
    }
    String::from_utf8(head).unwrap()
}
