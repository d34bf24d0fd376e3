//! What a refusal has to look like, for all tests of bad input.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::stage::{Answer, PINS, Stage, minutes};

/// What a refusal says, as `<status> <code>`; anything that is not a refusal in the right form says what it is.
pub(crate) fn said(answer: &Answer) -> String {
    let problem = answer.json();
    let status = answer.status.as_u16();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let code = text("code");
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let whole = kind == "application/problem+json"
        && problem["status"] == status
        && ["title", "detail", "fix"].iter().all(|name| !text(name).trim().is_empty())
        && text("type").ends_with(&format!("/problems/{code}"))
        && !code.is_empty()
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && problem["request_id"].is_string();
    if whole { format!("{status} {code}") } else { format!("{status}, and no problem: {}", answer.text) }
}

/// Whether a refusal is the one that is wanted: `422 *` takes any code.
pub(crate) fn is(said: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(status) => said.starts_with(status) && !said.contains(','),
        None => said == wanted,
    }
}

/// Collects what is not as wanted, so that one run shows all of it.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn compare(&mut self, what: &str, answer: &Answer, wanted: &str) {
        let said = said(answer);
        if !is(&said, wanted) {
            self.note(format!("{what}: wanted {wanted}, got {said}"));
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

/// A request with a body of bytes that are sent as they are.
pub(crate) fn raw(
    stage: &Stage,
    method: Method,
    path: &str,
    token: &str,
    body: impl Into<reqwest::Body>,
) -> RequestBuilder {
    let request = stage.client.request(method, format!("{}{path}", stage.stack.url()));
    request.bearer_auth(token).header("content-type", "application/json").body(body)
}

/// Neither now nor later is there a Pin, here or at Pinterest.
pub(crate) async fn nothing_was_written(stage: &Stage) {
    assert_eq!(stage.get(PINS, "ada").await.expect(200), json!({"items": [], "next": null}));
    stage.advance(minutes(2)).await;
    assert_eq!(stage.sent(), 0);
    let kinds = stage.event_kinds().await;
    assert!(!kinds.iter().any(|kind| kind.starts_with("pin.")), "{kinds:?}");
}

/// An id of the same kind that nothing has.
pub(crate) fn missing(id: &str) -> String {
    let (front, last) = id.split_at(id.len() - 1);
    format!("{front}{}", if last == "0" { "1" } else { "0" })
}
