//! Reading responses of Pinterest.

use std::mem;

use domain::ResponseMeta;
use jiff::SignedDuration;
use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{Error, Fault, refusal::refusal};

/// A page of 250 Pins takes about one megabyte.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// How much of Pinterest's message is kept.
const MAX_MESSAGE_CHARS: usize = 500;
/// Pinterest's longest window is a day. A larger number is no number of seconds to wait.
const MAX_WAIT_SECONDS: i64 = 2 * 24 * 60 * 60;
/// How Pinterest's tokens begin: access, refresh, and client credentials.
const TOKEN_PREFIXES: [&str; 3] = ["pina", "pinr", "pinc"];

/// A response that was read to its end.
pub(crate) struct Received {
    status: u16,
    request_id: Option<String>,
    retry_after: Option<SignedDuration>,
    is_last: bool,
    /// Wiped when it has been read: it may hold tokens.
    body: Zeroizing<Vec<u8>>,
}

impl Received {
    /// Reads `response` to its end.
    pub(crate) async fn read(mut response: Response) -> Result<Self, Error> {
        let mut received = Self {
            status: response.status().as_u16(),
            request_id: header(response.headers(), "x-pinterest-rid").map(clean),
            retry_after: retry_after(response.headers()),
            is_last: header(response.headers(), "x-ratelimit-remaining").and_then(first_number) == Some(0),
            body: Zeroizing::default(),
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if received.body.len() + chunk.len() > MAX_BODY_BYTES => {
                    return Err(Error::unknown(received.meta(), Fault::TooLarge));
                }
                Ok(Some(chunk)) => received.body.extend_from_slice(&chunk),
                Ok(None) => return Ok(received),
                Err(error) => return Err(Error::unknown(received.meta(), error.into())),
            }
        }
    }

    /// Returns a 2xx. Anything else is an error, whose kind depends on the error body that `read` finds: a 4xx without
    /// one is not from Pinterest (a proxy, for instance), and refuses nothing.
    pub(crate) fn accepted(self, read: fn(&[u8]) -> Option<ErrorBody>) -> Result<Self, Error> {
        let mut meta = self.meta();
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let Some(body) = read(&self.body) else {
            return Err(Error::Unknown { response: meta, source: None });
        };
        meta.pinterest_code = body.code;
        meta.message = Some(clean(&body.text)).filter(|text| !text.is_empty());
        Err(match refusal(self.status, body.code, &body.text, self.retry_after) {
            Some(refusal) => Error::Refused { refusal, response: meta },
            None => Error::Unknown { response: meta, source: None },
        })
    }

    /// The body, if it is of the form `T`. Its error may quote the body: not for bodies with tokens.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let source = Some(error);
            Error::unknown(self.meta(), Fault::Malformed { source })
        })
    }

    /// The same for a body that holds secrets, of which an error must quote nothing.
    pub(crate) fn secret_json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|_| Error::unknown(self.meta(), Fault::Malformed { source: None }))
    }

    /// Whether a storage, which speaks XML and not as Pinterest does, has taken a file. It can be sent again.
    pub(crate) fn stored(self) -> Result<(), Error> {
        if (200..300).contains(&self.status) {
            return Ok(());
        }
        Err(Error::Unknown { response: self.meta(), source: None })
    }

    /// The bare body.
    pub(crate) fn into_body(mut self) -> Vec<u8> {
        mem::take(&mut *self.body)
    }

    /// What is kept of the response, apart from an error body.
    pub(crate) fn meta(&self) -> ResponseMeta {
        ResponseMeta {
            http_status: Some(self.status),
            request_id: self.request_id.clone(),
            spent_for_seconds: self
                .retry_after
                .filter(|_| self.is_last)
                .and_then(|wait| wait.as_secs().try_into().ok()),
            ..ResponseMeta::default()
        }
    }
}

/// The error body (`Error` in the contract): `{"code": 2, "message": "Authentication failed."}`, live
/// also with `message_detail`.
pub(crate) struct ErrorBody {
    code: Option<i64>,
    text: String,
}

impl ErrorBody {
    /// Reads the error body of the API. `None`: the body is not from Pinterest.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        Self::from_object(&serde_json::from_slice(body).ok()?)
    }

    /// Reads the error body of the token endpoint, which is the API's, unless it is that of
    /// [RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): some clients guard against it.
    pub(crate) fn read_oauth(body: &[u8]) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        if !body.get("error").is_some_and(Value::is_string) {
            return Self::from_object(&body);
        }
        Some(Self {
            code: body.get("code").and_then(Value::as_i64),
            text: join(&body, &["error", "error_description", "message", "message_detail"]),
        })
    }

    fn from_object(body: &Map<String, Value>) -> Option<Self> {
        let code = body.get("code").and_then(Value::as_i64);
        let speaks = code.is_some() || body.get("message").is_some_and(Value::is_string);
        speaks.then(|| Self { code, text: join(body, &["message", "message_detail"]) })
    }
}

fn join(body: &Map<String, Value>, fields: &[&str]) -> String {
    let texts = fields.iter().filter_map(|field| body.get(*field)?.as_str());
    texts.collect::<Vec<_>>().join(" ")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// When Pinterest wants to be asked again: `retry-after`, which it does not document, or `x-ratelimit-reset`,
/// which counts seconds, and whose gateway (Envoy) may write a list: `100, 100;w=60`.
fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let seconds = |name| first_number(header(headers, name)?);
    let seconds = seconds(RETRY_AFTER.as_str()).or_else(|| seconds("x-ratelimit-reset"))?;
    Some(SignedDuration::from_secs(seconds))
}

fn first_number(text: &str) -> Option<i64> {
    let first = text.split([',', ';']).next()?.trim();
    let number = first.parse().ok()?;
    (0..=MAX_WAIT_SECONDS).contains(&number).then_some(number)
}

/// Text that is safe to keep and to show: on one line, not too long, and without tokens, which should not be
/// there in the first place.
fn clean(text: &str) -> String {
    let plain: String = text
        .split_ascii_whitespace()
        .flat_map(|word| [" ", word])
        .skip(1)
        .flat_map(str::chars)
        .filter(|letter| !letter.is_control())
        .collect();
    redact(&plain).chars().take(MAX_MESSAGE_CHARS).collect()
}

fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let (mut rest, mut within_word) = (text, false);
    while let Some(letter) = rest.chars().next() {
        // Within a word too where nothing else is spelled so: `token%3Dpina_abc`.
        let begins = |after: &str| !within_word || after.starts_with('_');
        let is_token = TOKEN_PREFIXES.iter().any(|prefix| rest.strip_prefix(prefix).is_some_and(begins));
        let length = if is_token {
            redacted.push_str("[REDACTED]");
            rest.find(ends_token).unwrap_or(rest.len())
        } else {
            redacted.push(letter);
            letter.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
        within_word = letter.is_alphanumeric();
    }
    redacted
}

fn ends_token(letter: char) -> bool {
    letter.is_whitespace() || "\"'`,;&()[]{}<>".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_words_is_redacted_wherever_it_stands() {
        let text = "pina_abc.d-e/f= is bad; token=pinr_x, \"pinc_y\" (pina_z) but a pin and happina stay";
        assert_eq!(
            clean(text),
            "[REDACTED] is bad; token=[REDACTED], \"[REDACTED]\" ([REDACTED]) but a pin and happina stay"
        );
    }

    #[test]
    fn a_token_is_redacted_within_an_encoded_address_too() {
        assert_eq!(clean("/v5/pins?token%3Dpina_abc is bad"), "/v5/pins?token%3D[REDACTED] is bad");
    }

    #[test]
    fn words_are_kept_on_one_line_and_not_too_long() {
        assert_eq!(clean("a\r\n b\u{7}c\t\u{1b}[31md "), "a bc [31md");
        assert_eq!(clean(&"é".repeat(501)), "é".repeat(500));
    }

    #[test]
    fn the_first_number_is_the_seconds_to_wait() {
        assert_eq!(first_number("67150"), Some(67150));
        assert_eq!(first_number("100, 100;w=60"), Some(100));
        assert_eq!(first_number("7;w=60"), Some(7));
    }

    #[test]
    fn what_is_no_number_of_seconds_is_no_hint() {
        for garbage in ["", "soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "1730227664"] {
            assert_eq!(first_number(garbage), None, "{garbage}");
        }
    }
}
