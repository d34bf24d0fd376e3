//! Pinterest within this process: it answers as it usually does, unless an input says otherwise.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use pinterest::{Error, Fault, ResponseFuture, Transport};
use reqwest::Request;
use serde_json::{Value, json};

use crate::{dice::Dice, mutate};

/// What comes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This answer.
    Answer(Answer),
    /// No connection could be made.
    NotSent,
    /// The connection broke before an answer began.
    Lost,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// The connection breaks after the body.
    pub(crate) cut: bool,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string().into_bytes(), ..Self::default() }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub(crate) struct SentRequest {
    pub(crate) operation: &'static str,
    pub(crate) body: Vec<u8>,
}

/// What Pinterest is going to say, and what it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// The next replies to an operation, in front of the usual ones.
    pub(crate) action: VecDeque<(&'static str, Reply)>,
    pub(crate) requests: Vec<SentRequest>,
    pins_created: u32,
}

/// The way to a [`Script`].
pub(crate) fn wire(script: &Arc<Mutex<Script>>) -> Transport {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty()) // nothing is ever sent over it
        .with_no_client_auth();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let script = script.clone();
    Transport::new(http, move |request| script.lock().unwrap().respond(&request))
}

impl Script {
    fn respond(&mut self, request: &Request) -> ResponseFuture {
        let operation = operation(request);
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec();
        self.requests.push(SentRequest { operation, body });
        let position = self.action.iter().position(|(scripted, _)| *scripted == operation);
        let reply = match position.and_then(|at| self.action.remove(at)) {
            Some((_, reply)) => reply,
            None => Reply::Answer(self.usual(operation)),
        };
        Box::pin(async move {
            match reply {
                Reply::Answer(answer) => Ok(answer.into_response()),
                Reply::NotSent => Err(Error::NotSent(broken())),
                Reply::Lost => {
                    Err(Error::Unknown { response: domain::ResponseMeta::default(), source: Some(broken()) })
                }
            }
        })
    }

    fn usual(&mut self, operation: &str) -> Answer {
        self.pins_created += 1;
        usual(operation, self.pins_created)
    }
}

fn broken() -> Fault {
    Fault::Connection("the connection is broken".into())
}

/// What a request asks for, by its method and path.
fn operation(request: &Request) -> &'static str {
    let path = request.url().path().trim_start_matches("/v5/");
    match (request.method().as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["oauth", "token"]) => "token",
        ("GET", ["user_account"]) => "user_account",
        ("GET", ["user_account", "analytics"]) => "account_analytics",
        ("GET", ["user_account", "analytics", "top_pins"]) => "top_pins",
        ("GET", ["boards"]) => "boards",
        ("POST", ["boards"]) => "create_board",
        ("GET", ["boards", _]) => "board",
        ("GET", ["boards", _, "pins"]) => "board_pins",
        ("GET", ["boards", _, "sections"]) => "sections",
        ("POST", ["pins"]) => "create_pin",
        ("GET", ["pins"]) => "pin_totals",
        ("GET", ["pins", _, "analytics"]) => "pin_analytics",
        (method, path) => panic!("nothing of ours asks {method} {path:?}"),
    }
}

/// What Pinterest answers on a good day.
pub(crate) fn usual(operation: &str, number: u32) -> Answer {
    let board = json!({ "id": "549755885007", "name": "Salads", "privacy": "PUBLIC" });
    let page = |item: &Value| json!({ "items": [item], "bookmark": null });
    let body = match operation {
        "token" => json!({
            "access_token": format!("pina_planted{number}"), "token_type": "bearer", "expires_in": 2_592_000,
            "refresh_token": format!("pinr_planted{number}"), "refresh_token_expires_in": 5_184_000,
            "refresh_token_expires_at": 1_801_299_600,
            "scope": "boards:read boards:write pins:read pins:write user_accounts:read",
        }),
        "user_account" => json!({ "id": format!("{}", 700_000 + number), "username": "ada" }),
        "boards" => page(&board),
        "board" | "create_board" => board,
        "sections" => page(&json!({ "id": "5", "name": "Lemons" })),
        "board_pins" => page(&json!({
            "id": "549755885023", "created_at": "2026-12-01T09:00:01", "title": "Lemon salad",
            "description": "Ready in ten minutes.", "link": "https://example.com/lemon-salad",
            "alt_text": "A bowl of green leaves with slices of lemon",
        })),
        "account_analytics" | "pin_analytics" => json!({ "all": {
            "daily_metrics": [
                { "date": "2026-11-01", "data_status": "READY", "metrics": { "IMPRESSION": 240, "SAVE_RATE": 0.18 } },
                { "date": "2026-11-30", "data_status": "PROCESSING", "metrics": {} },
            ],
            "summary_metrics": { "IMPRESSION": 240, "SAVE_RATE": 0.18 },
            "lifetime_metrics": { "TOTAL_COMMENTS": 10 },
        }}),
        "top_pins" => json!({
            "date_availability": { "latest_available_timestamp": 1_796_115_599_000_u64, "is_realtime": false },
            "pins": [{ "pin_id": "7", "metrics": { "SAVE": 1 }, "data_status": { "SAVE": "READY" } }],
        }),
        "pin_totals" => page(&json!({
            "id": "7", "title": "Lemon salad",
            "pin_metrics": { "90d": { "pin_click": 7, "impression": 2, "clickthrough": 3 }, "lifetime_metrics": null },
        })),
        _ => json!({ "id": format!("{}", 549_755_000_000_u64 + u64::from(number)) }),
    };
    let status = if operation.starts_with("create") { 201 } else { 200 };
    Answer {
        headers: vec![("x-pinterest-rid", b"5253048906578960747".to_vec())],
        ..Answer::json(status, &body)
    }
}

/// Errors of Pinterest, and of servers in front of it: codes and messages.
const REFUSALS: [(u16, &str); 14] = [
    (401, r#"{"code":2,"message":"Authentication failed: token%3Dpina_planted"}"#),
    (401, r#"{"code":3,"message":"You are missing: ['boards:write']"}"#),
    (403, r#"{"code":29,"message":"Apps with Trial access may not create Pins in production"}"#),
    (429, r#"{"code":8,"message":"This request exceeded a rate limit"}"#),
    (400, r#"{"code":9,"message":"blocked as spam","message_detail":"pina_planted"}"#),
    (404, r#"{"code":40,"message":"Board not found."}"#),
    (404, r#"{"code":2031,"message":"Board section not found."}"#),
    (400, r#"{"code":1,"message":"Sorry, we could not fetch the image."}"#),
    (400, r#"{"code":2787,"message":"Something went wrong on our end"}"#),
    (409, r#"{"code":409,"message":"conflict"}"#),
    (400, r#"{"error":"invalid_grant","error_description":"pinr_planted is unknown"}"#),
    (401, r#"{"error":"invalid_client","error_description":"no such app"}"#),
    (500, r#"{"code":0,"message":"oops"}"#),
    (502, "<html><body>Bad Gateway</body></html>"),
];

/// Numbers as gateways write them, and not.
const WAITS: [&str; 12] = [
    "0",
    "7",
    "60",
    "100, 100;w=60",
    "172800",
    "172801",
    "-5",
    "1e9",
    "9223372036854775807",
    "99999999999999999999",
    "Wed, 21 Oct 2026 07:28:00 GMT",
    " 8 ",
];

/// A reply to `operation`: a good answer, a refusal, or something like one of them.
pub(crate) fn reply(dice: &mut Dice<'_>, operation: &str) -> Reply {
    let mut answer = if dice.once_in(3) {
        let (status, body) = dice.pick(&REFUSALS);
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    } else {
        usual(operation, 1)
    };
    if dice.once_in(4) {
        answer.status = match dice.below(4) {
            0 => u16::try_from(100 + dice.below(900)).unwrap(),
            1 => 200,
            2 => 400,
            _ => 429,
        };
    }
    for name in
        ["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "x-pinterest-rid", "content-type"]
    {
        if dice.once_in(4) {
            let valid = dice.pick(&WAITS);
            answer.headers.push((name, mutate::text(dice, valid).into_bytes()));
        }
    }
    match dice.below(32) {
        0..16 => {
            if let Ok(mut value) = serde_json::from_slice::<Value>(&answer.body) {
                mutate::json(dice, &mut value);
                answer.body = mutate::serialize(dice, &value);
            }
        }
        16 => answer.body = vec![b' '; 8 * 1024 * 1024 + 1],
        17 => answer.body.clear(),
        18 => answer.body = dice.take_up_to(200).to_vec(),
        19 => answer.body = vec![b'['; 100_000],
        20 => return Reply::NotSent,
        21 => return Reply::Lost,
        22 => {
            answer.body.truncate(dice.below(100));
            answer.cut = true;
        }
        _ => {}
    }
    Reply::Answer(answer)
}

impl Answer {
    fn into_response(self) -> reqwest::Response {
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            // What no header can hold does not arrive as one.
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                response = response.header(name, value);
            }
        }
        let frame = Ok(Frame::data(Bytes::from(self.body)));
        let end = self.cut.then(|| Err(io::Error::from(io::ErrorKind::ConnectionReset)));
        let frames = futures_util::stream::iter([Some(frame), end].into_iter().flatten());
        response.body(reqwest::Body::wrap(StreamBody::new(frames))).unwrap().into()
    }
}
