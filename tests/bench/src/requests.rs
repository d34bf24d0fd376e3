//! Events as API Gateway makes them of people's requests.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::servers::{BASE_URL, Channels};

/// Who asks: the owner of the one channel.
const SOMEBODY: &str = "ada";

/// A request of somebody who is signed in.
pub(crate) fn request(method: &str, path_and_query: &str, key: Option<&str>, body: &Value) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let host = BASE_URL.trim_start_matches("https://");
    let mut headers = json!({
        "accept": "application/json",
        "accept-encoding": "gzip, deflate, br",
        "content-type": "application/json",
        "host": host,
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
        "x-amzn-trace-id": "Root=1-6a2d5f10-3c1b0a9f8e7d6c5b4a392817",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    if let Some(key) = key {
        headers["idempotency-key"] = json!(key);
    }
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5", "domainName": host, "domainPrefix": "api",
            "requestId": "UqDwMh3SliAEJgA=", "routeKey": "$default", "stage": "$default",
            "time": "01/Dec/2026:09:00:00 +0000", "timeEpoch": 1_796_115_600_000_u64,
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
            },
            "authorizer": {"jwt": {"claims": {"sub": SOMEBODY}, "scopes": null}},
        },
        "body": if body.is_null() { Value::Null } else { json!(body.to_string()) },
        "isBase64Encoded": false,
    })
}

/// What is asked of a program, over and over.
#[derive(Debug)]
pub(crate) enum Work {
    /// Anything: it greets.
    Greet,
    /// To take Pins, in all ways that there are.
    Publish(Requests),
    /// To publish Pins at once, which is all that it can.
    Tutorial(Requests),
    /// To read this Pin, and to list them.
    Read(String),
}

impl Work {
    /// What is compared: publishing from the address of an image.
    pub(crate) fn usual(&mut self) -> Value {
        match self {
            Self::Publish(requests) | Self::Tutorial(requests) => requests.publish(),
            Self::Read(pin) => read(pin),
            Self::Greet => list(),
        }
    }

    /// The `number`th of a mixture, and the status of its answer.
    pub(crate) fn mixed(&mut self, number: usize) -> (Value, u16) {
        match self {
            Self::Publish(requests) => match number % 5 {
                0 => (requests.publish(), 201),
                1 => (requests.again(), 201),
                2 => (requests.validate(), 200),
                3 => (requests.schedule(), 202),
                _ => (requests.bad(), 422),
            },
            Self::Tutorial(requests) => (requests.publish(), 201),
            Self::Read(pin) if number.is_multiple_of(2) => (read(pin), 200),
            Self::Read(_) | Self::Greet => (list(), 200),
        }
    }
}

/// Requests for Pins. No two of them carry the same key, unless they are to.
#[derive(Debug)]
pub(crate) struct Requests {
    channels: Channels,
    name: &'static str,
    asked: usize,
}

impl Requests {
    /// For Pins of `channels`. No other requests have this name.
    pub(crate) fn new(channels: Channels, name: &'static str) -> Self {
        Self { channels, name, asked: 0 }
    }

    fn key(&self) -> String {
        format!("{}-{}", self.name, self.asked)
    }

    fn pin(&self) -> Value {
        json!({
            "channel_id": self.channels.busy,
            "title": format!("Lemon salad {}", self.asked),
            "description": "Ready in ten minutes.",
            "link": "https://example.com/lemon-salad",
            "alt_text": "A bowl of green leaves with slices of lemon",
            "media": {"kind": "image", "url": "https://images.example.com/salad.jpg"},
        })
    }

    fn new_pin(&mut self, path: &str, change: impl FnOnce(&mut Value)) -> Value {
        self.asked += 1;
        let mut pin = self.pin();
        change(&mut pin);
        request("POST", path, Some(&self.key()), &pin)
    }

    /// Publishes a Pin from the address of its image, now.
    pub(crate) fn publish(&mut self) -> Value {
        self.new_pin("/api/v1/pins", |_| ())
    }

    /// The last one of these once more: the same key, the same body.
    pub(crate) fn again(&self) -> Value {
        request("POST", "/api/v1/pins", Some(&self.key()), &self.pin())
    }

    /// Asks whether a Pin would be taken.
    pub(crate) fn validate(&mut self) -> Value {
        let quiet = self.channels.quiet.clone();
        self.new_pin("/api/v1/pins/validate", |pin| pin["channel_id"] = json!(quiet))
    }

    /// Publishes a Pin in an hour.
    pub(crate) fn schedule(&mut self) -> Value {
        let at = Timestamp::now() + SignedDuration::from_hours(1);
        self.new_pin("/api/v1/pins", |pin| pin["publish_at"] = json!(at))
    }

    /// A Pin that nobody could publish.
    pub(crate) fn bad(&mut self) -> Value {
        self.new_pin("/api/v1/pins", |pin| pin["media"] = json!({"kind": "image", "url": "salad.jpg"}))
    }
}

/// Reads a Pin.
pub(crate) fn read(pin: &str) -> Value {
    request("GET", &format!("/api/v1/pins/{pin}"), None, &Value::Null)
}

/// Lists Pins.
pub(crate) fn list() -> Value {
    request("GET", "/api/v1/pins?limit=20", None, &Value::Null)
}
