//! Reads Pinterest's responses.

use std::mem;

use domain::ResponseMeta;
use jiff::SignedDuration;
use reqwest::{
    Response,
    header::{CONTENT_ENCODING, HeaderMap},
};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::{
    Error, Fault,
    decompress::decompressed,
    error_body::{ErrorBody, ReadError},
    refusal::refusal,
    retry_after::{first_number, retry_after},
};

/// A page of 250 Pins takes about one megabyte.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// How much of Pinterest's message is stored.
const MAX_MESSAGE_CHARS: usize = 500;
/// The prefixes of Pinterest's tokens: access, refresh, and client credentials.
const TOKEN_PREFIXES: [&str; 3] = ["pina", "pinr", "pinc"];

/// A response that was read to its end.
pub(crate) struct Received {
    status: u16,
    request_id: Option<String>,
    retry_after: Option<SignedDuration>,
    is_last: bool,
    /// Wiped after it was read, because it may contain tokens.
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
        let encoding = header(response.headers(), CONTENT_ENCODING.as_str()).map(str::to_owned);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if received.body.len() + chunk.len() > MAX_BODY_BYTES => {
                    return Err(Error::unknown(received.meta(), Fault::TooLarge));
                }
                Ok(Some(chunk)) => received.body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(Error::unknown(received.meta(), error.into())),
            }
        }
        let body = mem::take(&mut received.body);
        received.body = decompressed(body, encoding.as_deref(), MAX_BODY_BYTES)
            .map_err(|fault| Error::unknown(received.meta(), fault))?;
        Ok(received)
    }

    /// Returns a 2xx, unless it has an error body. Anything else is an error, whose kind depends on the error body that
    /// `read` finds: a 4xx without one is not from Pinterest (a proxy, for instance), and refuses nothing.
    pub(crate) fn accepted(self, read: ReadError) -> Result<Self, Error> {
        let mut meta = self.meta();
        let is_success = (200..300).contains(&self.status);
        let body = if is_success { ErrorBody::read_in_success(&self.body, read) } else { read(&self.body) };
        let Some(body) = body else {
            return if is_success { Ok(self) } else { Err(Error::Unknown { response: meta, source: None }) };
        };
        meta.pinterest_code = body.code;
        meta.message = Some(clean(&body.text)).filter(|text| !text.is_empty());
        Err(match refusal(self.status, body.code, &body.message, self.retry_after) {
            Some(refusal) => Error::Refused { refusal, response: meta },
            None => Error::Unknown { response: meta, source: None },
        })
    }

    /// The body as a `T`. Its error may quote the body, so this is not for bodies with tokens.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let source = Some(error);
            Error::unknown(self.meta(), Fault::Malformed { source })
        })
    }

    /// The same for a body with secrets, which an error must not quote.
    pub(crate) fn secret_json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|_| Error::unknown(self.meta(), Fault::Malformed { source: None }))
    }

    /// Whether the storage, whose answers are XML and not Pinterest's JSON, has accepted a file. It can be sent again.
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

    /// The stored details of the response, except for an error body.
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

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Text that is safe to store and to show: one line, not too long, and without tokens, which should not be in it.
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
        // Also within a word, because nothing else has this form: `token%3Dpina_abc`.
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
}
