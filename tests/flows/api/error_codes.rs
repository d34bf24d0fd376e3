//! What codes mean: at `/problems/{code}`, in `docs/errors.md`, and in the code that answers with them.

use std::{fmt::Write as _, path::Path};

use domain::phrases;
use edge::codes::{self, Code};
use serde_json::json;

use crate::harness::TestApp;

const HEAD: &str = "\
# Errors

Every error of the API is a problem document (RFC 9457) with a `code` for programs and a `fix` for people. A code keeps its
meaning. The same text is at `GET /problems/{code}`, which is the address in `type`. Pinterest's own answers, and what each
does to a Pin, are in [ERRORS.md](../shared/pinterest/ERRORS.md).

## Codes

";

const HISTORY: &str = "
## Reasons in a Pin's history

Each entry of a Pin's `timeline` has a `reason` for programs, and the same as a sentence in `detail`. The values in braces
are in `params`, so that a frontend can say the sentence in its own language. A failed Pin has one of the codes above as its
reason.

| reason | detail |
|---|---|
";

fn document() -> String {
    let mut text = HEAD.to_owned();
    for Code { code, meaning, fix, example } in codes::all() {
        write!(text, "### `{code}`\n\n{meaning} {fix}\n\nFor example: {example}\n\n").unwrap();
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text.push_str(HISTORY);
    for phrase in phrases::ALL {
        let detail = if phrase.text.is_empty() { "(nothing more)" } else { phrase.text };
        writeln!(text, "| `{}` | {detail} |", phrase.reason).unwrap();
    }
    text
}

#[test]
fn the_document_explains_every_code_and_every_reason() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/errors.md");
    if std::env::var_os("UPDATE_ERRORS").is_some() {
        std::fs::write(&file, document()).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == document(),
        "docs/errors.md is not what the code says. If the change is wanted, write it anew with \
         UPDATE_ERRORS=1 cargo test -p tests --test flows the_document_explains"
    );
}

#[tokio::test]
async fn each_code_is_explained_at_the_address_in_its_problem() {
    let app = TestApp::start().await;
    let codes = std::iter::once("unauthenticated").chain(codes::all().map(|entry| entry.code));
    let problem = app.client.get(format!("{}/api/v1/pins", app.stack.url())).send().await.unwrap();
    let address = problem.json::<serde_json::Value>().await.unwrap()["type"].as_str().unwrap().to_owned();
    let base = address.strip_suffix("/unauthenticated").unwrap();
    for code in codes {
        let answer = app.client.get(format!("{base}/{code}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{code}");
        let explained: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(explained["code"], code);
        for part in ["meaning", "fix", "example"] {
            assert!(explained[part].as_str().is_some_and(|text| !text.is_empty()), "{code}: {part}");
        }
    }
    let unknown = app.client.get(format!("{base}/nonsense")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<serde_json::Value>().await.unwrap()["code"], json!("not_found"));
}
