//! The page at `/`: what runs here, and what to do next.

use std::sync::Arc;

use axum::{extract::State, response::Html};

use crate::context::Context;

pub(crate) async fn show_page(State(context): State<Arc<Context>>) -> Html<String> {
    let pinterest = match &context.pinterest {
        Some(pinterest) => format!(
            "simulated, at <a href=\"{url}/\">{url}</a> — App ID <code>{id}</code>, App Secret <code>{secret}</code>",
            url = pinterest.url(),
            id = simulated_pinterest::APP_ID,
            secret = simulated_pinterest::APP_SECRET,
        ),
        None => "the one that the variables <code>PINTEREST_…</code> name".to_owned(),
    };
    let data = match &context.folder {
        Some(folder) => escape(&folder.display().to_string()),
        None => "in memory".to_owned(),
    };
    Html(format!(
        "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Pinwright on this machine</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif }}
  body {{ max-width: 46rem; margin: 3rem auto; padding: 0 1rem }}
  dt {{ font-weight: 600; margin-top: 1rem }} dd {{ margin: 0 }}
  code {{ font: .95em ui-monospace, monospace }}
</style>
<h1>Pinwright is running on this machine</h1>
<p>These are the handlers that run on Lambda, with the same routes. Everything is in this one process.</p>
<dl>
  <dt>Console</dt><dd><a href=\"/admin/api-integration/pinterest\">settings</a>, <a href=\"/app/channels\">channels</a>,
    <a href=\"/app/publishing\">publishing</a>, <a href=\"/app/analytics\">analytics</a></dd>
  <dt>API reference</dt><dd><a href=\"/api-reference\">/api-reference</a>,
    <a href=\"/openapi.json\">/openapi.json</a> (OpenAPI 3.1)</dd>
  <dt>Health</dt><dd><a href=\"/api/v1/health\">/api/v1/health</a></dd>
  <dt>Pinterest</dt><dd>{pinterest}</dd>
  <dt>Sign in</dt><dd><code>POST /dev/token {{\"sub\":\"ada\",\"admin\":true}}</code></dd>
  <dt>Move the clock</dt><dd><code>POST /dev/advance {{\"seconds\":3600}}</code></dd>
  <dt>Events</dt><dd><a href=\"/dev/events\">/dev/events</a></dd>
  <dt>Data</dt><dd><code>{data}</code></dd>
  <dt>Version</dt><dd>{version}</dd>
</dl>
<p>The tutorial in <code>docs/tutorial.md</code> shows the seven steps to a published Pin.</p>
",
        version = env!("CARGO_PKG_VERSION"),
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
