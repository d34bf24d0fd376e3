//! Answers of ours, and what holds for each of them whatever was asked.

use http::HeaderMap;
use lambda_http::{Body, Response};
use serde_json::Value;

/// The secrets that an answer could show by mistake.
const PLANTED: [&str; 3] = ["pina_planted", "pinr_planted", "s3cret_planted"];

pub(crate) fn tells_a_secret(text: &str) -> bool {
    PLANTED.iter().any(|secret| text.contains(secret))
}

/// An answer of a function.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body, or `null`.
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn of(response: &Response<Body>) -> Self {
        let text = String::from_utf8(response.body().to_vec()).expect("every body of ours is text");
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status: response.status().as_u16(), headers: response.headers().clone(), text, json }
    }

    /// Success is JSON, a redirect has an address, and a refusal says what happened and what to do. Nothing ends
    /// with a 5xx but what `allowed` names: where Pinterest does not make sense, that is not ours.
    pub(crate) fn check(&self, allowed: &[u16]) {
        let excerpt: String = self.text.chars().take(2000).collect();
        assert!(!tells_a_secret(&self.text), "a secret leaves: {excerpt}");
        match self.status {
            200..=202 => assert!(self.json.is_object(), "{} {excerpt}", self.status),
            302 => drop(self.location()),
            400..500 => self.check_problem(),
            status if allowed.contains(&status) => self.check_problem(),
            status => panic!("{status} {excerpt}"),
        }
    }

    fn check_problem(&self) {
        let problem = &self.json;
        assert_eq!(self.headers["content-type"], "application/problem+json", "{problem}");
        assert_eq!(problem["status"], self.status, "{problem}");
        for field in ["type", "title", "detail", "code", "fix"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
        }
        let code = self.code();
        assert!(code.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'), "{code}");
        assert!(problem["type"].as_str().unwrap().ends_with(code), "{problem}");
    }

    /// A problem's code, or nothing.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body of an answer with this status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    pub(crate) fn location(&self) -> &str {
        self.headers["location"].to_str().unwrap()
    }
}
