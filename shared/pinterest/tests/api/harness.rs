//! Pinterest as the tests play it, and the client under test.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, LazyLock},
    thread,
};

use domain::{AccessToken, BoardId, Draft, WebAddress};
use jiff::Timestamp;
use pinterest::{Addresses, Client, MediaUrl, PinMedia, Transport};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde::Serialize;
use serde_json::json;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

/// A client whose production is at `/v5` of `origin`, and whose sandbox is at `/sandbox/v5`.
pub(crate) fn client(origin: &str) -> Client {
    let addresses = Addresses {
        production: format!("{origin}/v5"),
        sandbox: format!("{origin}/sandbox/v5/"),
        authorize: format!("{origin}/oauth/"),
    };
    let (http, sender) = (http(), http());
    Client::new(Transport::network(http, move |request| sender.execute(request)), addresses)
}

/// The one way to build reqwest without a crypto provider of its own.
fn http() -> reqwest::Client {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()
        .unwrap()
}

/// A Pinterest that gives `response` to each `verb` at `at`, and the client that talks to it.
pub(crate) async fn answering(verb: &str, at: &str, response: ResponseTemplate) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let mock = Mock::given(method(verb)).and(path(at)).respond_with(response);
    mock.mount(&server).await;
    let client = client(&server.uri());
    (server, client)
}

/// The one request that was sent.
pub(crate) async fn only_request(server: &MockServer) -> Request {
    let requests = server.received_requests().await.unwrap();
    let [request] = requests.as_slice() else {
        panic!("{} requests were sent", requests.len());
    };
    request.clone()
}

pub(crate) fn header(request: &Request, name: &str) -> String {
    request.headers[name].to_str().unwrap().to_owned()
}

pub(crate) fn json(status: u16, body: impl Serialize) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

/// A Pinterest that reads one request whole, writes `response` byte for byte, and closes the connection. What the
/// connection carried first is not looked at: this also plays a host that does not speak TLS.
pub(crate) fn raw(response: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        read_request(&mut connection);
        connection.write_all(response.as_bytes()).unwrap();
    });
    origin
}

/// An address at which nobody listens.
pub(crate) fn closed_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Reads up to the end of a request, or of what is no request.
pub(crate) fn read_request(connection: &mut TcpStream) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let length = connection.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let is_http = text.starts_with("POST") || text.starts_with("GET");
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if length == 0 || !is_http {
                return;
            }
            continue;
        };
        let announced =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= announced.unwrap_or(0) {
            return;
        }
    }
}

pub(crate) fn token() -> AccessToken {
    AccessToken::new("pina_planted".to_owned())
}

pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn board(id: &str) -> BoardId {
    BoardId::try_from(id.to_owned()).unwrap()
}

/// A Pin with nothing but a picture.
pub(crate) fn draft() -> Draft {
    let image = json!({"kind": "image", "url": "https://cdn.example.com/p/abc.jpg"});
    serde_json::from_value(json!({"board_id": "549755885175", "media": image})).unwrap()
}

/// The picture of [`draft`].
pub(crate) fn media() -> PinMedia<'static> {
    static PICTURE: LazyLock<WebAddress> =
        LazyLock::new(|| WebAddress::new("url", "https://cdn.example.com/p/abc.jpg".to_owned()).unwrap());
    PinMedia::Image(MediaUrl::Public(&PICTURE))
}

/// The token endpoint of production.
pub(crate) const TOKEN: &str = "/v5/oauth/token";

/// The app 1234567 with the secret `s3cret` has sent this form.
pub(crate) fn assert_form(request: &Request, body: &str) {
    assert_eq!(header(request, "authorization"), "Basic MTIzNDU2NzpzM2NyZXQ="); // 1234567:s3cret
    assert_eq!(header(request, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(std::str::from_utf8(&request.body).unwrap(), body);
}
