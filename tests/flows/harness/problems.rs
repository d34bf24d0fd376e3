//! The form of a problem answer, for all tests of bad input.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::{Answer, PINS, TestApp, minutes};

/// Status and code of a problem, as `<status> <code>`. For an answer that is no problem in the right form: what it is.
pub(crate) fn status_and_code(answer: &Answer) -> String {
    let problem = answer.json();
    let status = answer.status.as_u16();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let code = text("code");
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let well_formed = kind == "application/problem+json"
        && problem["status"] == status
        && ["title", "detail", "fix"].iter().all(|name| !text(name).trim().is_empty())
        && text("type").ends_with(&format!("/problems/{code}"))
        && !code.is_empty()
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && problem["request_id"].is_string();
    if well_formed {
        format!("{status} {code}")
    } else {
        format!("{status}, and no problem: {}", answer.text)
    }
}

/// Whether a problem is the expected one. `422 *` means any code.
pub(crate) fn matches_expected(actual: &str, expected: &str) -> bool {
    match expected.strip_suffix('*') {
        Some(status) => actual.starts_with(status) && !actual.contains(','),
        None => actual == expected,
    }
}

/// Collects all differences, so that one run shows all of them.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn compare(&mut self, case: &str, answer: &Answer, expected: &str) {
        let actual = status_and_code(answer);
        if !matches_expected(&actual, expected) {
            self.note(format!("{case}: expected {expected}, got {actual}"));
        }
    }

    pub(crate) fn note(&mut self, finding: String) {
        self.0.push(finding.chars().take(400).collect());
    }
}

impl Drop for Findings {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{} findings:\n{}", self.0.len(), self.0.join("\n"));
        }
    }
}

/// Sends a request with these bytes as its body.
pub(crate) fn raw(
    app: &TestApp,
    method: Method,
    path: &str,
    token: &str,
    body: impl Into<reqwest::Body>,
) -> RequestBuilder {
    let request = app.client.request(method, format!("{}{path}", app.stack.url()));
    request.bearer_auth(token).header("content-type", "application/json").body(body)
}

/// Checks that there is no Pin here or at Pinterest, neither now nor later.
pub(crate) async fn nothing_was_written(app: &TestApp) {
    assert_eq!(app.get(PINS, "ada").await.expect(200), json!({"items": [], "next": null}));
    app.advance(minutes(2)).await;
    assert_eq!(app.send_count(), 0);
    let kinds = app.event_kinds().await;
    assert!(!kinds.iter().any(|kind| kind.starts_with("pin.")), "{kinds:?}");
}

/// An id of the same kind that does not exist.
pub(crate) fn missing(id: &str) -> String {
    let (front, last) = id.split_at(id.len() - 1);
    format!("{front}{}", if last == "0" { "1" } else { "0" })
}
