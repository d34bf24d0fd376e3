//! Planted secrets: the App Secret, tokens, codes, tickets and states are in no log line, answer, event or row, whether
//! a request succeeds or fails.

use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use jiff::SignedDuration;
use local::Data;
use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    harness::{APP_SECRET, SETTINGS, TestApp, answer, days, minutes, pin},
    media::uploads,
};

/// Every line that this process has logged since the first test of this module began.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let start = || {
        let log = Log::default();
        let writer = log.clone();
        // Somebody who searches for an error asks for everything.
        let filter: Targets = "trace".parse().unwrap();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        tracing_subscriber::registry().with(filter).with(app::log_limits()).with(lines).init();
        log
    };
    LOG.get_or_init(start).clone()
}

/// The secrets that must not be found, and all answers, log lines and events.
struct Search {
    secrets: Vec<String>,
    output: String,
}

impl Search {
    fn add(&mut self, text: &str) {
        self.output.push_str(text);
        self.output.push('\n');
    }

    fn find_nothing(&self, place: &str, bytes: &[u8]) {
        for secret in &self.secrets {
            if let Some(at) = memchr::memmem::find(bytes, secret.as_bytes()) {
                let context = &bytes[at.saturating_sub(80)..(at + secret.len() + 20).min(bytes.len())];
                panic!("{place} holds {secret}: {}", String::from_utf8_lossy(context));
            }
        }
    }
}

/// The value of a parameter in an address.
fn parameter(address: &str, name: &str) -> String {
    let (_, tail) = address.split_once(&format!("{name}=")).unwrap();
    tail.split(['&', '#']).next().unwrap().to_owned()
}

fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all
}

#[tokio::test]
async fn no_secret_is_in_a_log_an_answer_an_event_or_a_row() {
    let log = log();
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(Data::Folder(folder.path().to_owned()), []).await;
    // Pinterest's tokens begin with these. The App Secret, codes, states and tickets are added when they appear.
    let mut search = Search {
        secrets: vec![APP_SECRET.into(), "pina_".into(), "pinr_".into(), "pinc_".into()],
        output: String::new(),
    };
    app.configure().await;
    let settings = app.call(Method::GET, SETTINGS, &app.admin(), None).await;
    search.add(&settings.text);
    let credential_check = app.call(Method::POST, &format!("{SETTINGS}/test"), &app.admin(), None).await;
    search.add(&credential_check.text);

    // Connecting, with success and with failures.
    let faults = [
        None,
        Some((Operation::Token, FaultKind::Status500After)),
        Some((Operation::Token, FaultKind::CutInAnswer)),
        Some((Operation::Token, FaultKind::Garbage)),
        Some((Operation::Token, FaultKind::Unauthorized)),
        Some((Operation::Token, FaultKind::Scope)),
        Some((Operation::UserAccount, FaultKind::Unauthorized)),
        Some((Operation::UserAccount, FaultKind::CutAfter)),
    ];
    let mut channel = String::new();
    for fault in faults {
        if let Some((operation, kind)) = fault {
            app.pinterest().inject(Fault::once(operation, kind));
        }
        let page = app.start_oauth("ada").await;
        search.secrets.push(parameter(&page, "state"));
        let consent = app.client.post(&page).body("decision=allow");
        let redirect = answer(consent.header("content-type", "application/x-www-form-urlencoded")).await;
        let callback = redirect.headers[LOCATION].to_str().unwrap();
        search.secrets.push(parameter(callback, "code"));
        let end = answer(app.client.get(callback)).await;
        search.add(&end.text);
        let end = end.headers[LOCATION].to_str().unwrap().to_owned();
        let Some((_, ticket)) = end.split_once("#connection=") else {
            search.add(&end);
            continue;
        };
        search.secrets.push(ticket.to_owned());
        let foreign_claim = app.post("/api/v1/connections/claim", "eve", json!({"connection": ticket})).await;
        search.add(&foreign_claim.text);
        let claimed = app.post("/api/v1/connections/claim", "ada", json!({"connection": ticket})).await;
        search.add(&claimed.text);
        channel = claimed.json()["id"].as_str().unwrap().to_owned();
    }
    assert!(!channel.is_empty());
    app.choose_board("ada", &channel).await;

    // Publishing and refreshing, with success and with failures.
    for (number, kind) in [
        FaultKind::Status500After,
        FaultKind::CutAfter,
        FaultKind::CutInAnswer,
        FaultKind::Garbage,
        FaultKind::Unauthorized,
        FaultKind::Scope,
        FaultKind::Spam,
    ]
    .into_iter()
    .enumerate()
    {
        app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let answer = app.publish("ada", &channel, &format!("Pin {number}")).await;
        search.add(&answer.text);
        app.advance(minutes(6)).await;
    }
    for kind in [FaultKind::Status500Before, FaultKind::CutBefore, FaultKind::GarbageBefore, FaultKind::Scope]
    {
        app.pinterest().inject(Fault::once(Operation::Token, kind));
    }
    app.advance(days(24)).await;
    app.pinterest().revoke("demo_account").unwrap();
    let answer = app.publish("ada", &channel, "Revoked").await;
    search.add(&answer.text);
    app.advance(SignedDuration::from_hours(1)).await;

    // Uploading and reading, with success and with failures.
    let upload = uploads::offer(&app, "ada", "image/png", uploads::PNG.len()).await;
    search.secrets.push(parameter(upload["upload"]["url"].as_str().unwrap(), "X-Amz-Signature"));
    let refused = uploads::send(&app, &upload, b"something else").await;
    assert_eq!(refused.status, 403);
    search.add(&refused.text);
    assert_eq!(uploads::send(&app, &upload, uploads::PNG).await.status, 200);
    let (tenant, file) = (uploads::tenant("ada"), uploads::id(&upload));
    assert!(app.bucket().head(&tenant, &file).await.unwrap().is_some());
    let address = app.bucket().signed_url(&tenant, &file, Duration::from_mins(1)).unwrap();
    search.secrets.push(parameter(address.expose(), "X-Amz-Signature"));
    search.add(&format!("{address:?}"));
    app.client.get(address.expose()).send().await.unwrap();

    // Invalid input that contains secrets.
    for body in [json!({"app_secret": APP_SECRET, "surprise": 1}), json!({"app_secret": [APP_SECRET]})] {
        let refused = app.call(Method::PUT, SETTINGS, &app.admin(), Some(body)).await;
        assert_eq!(refused.status, 422);
        search.add(&refused.text);
    }
    let missing: Value = pin("ch_unknown", "x");
    search.add(&app.post("/api/v1/pins", "ada", missing).await.text);
    search.add(&app.get("/api/v1/channels", "ada").await.text);
    search.add(&app.get("/api/v1/pins", "ada").await.text);
    let events = app.stack.events().await.unwrap();
    assert!(events.len() > 10);
    search.add(&serde_json::to_string(&events).unwrap());
    app.stack.stop().await.unwrap();

    search.find_nothing("an answer or an event", search.output.as_bytes());
    let logged = log.0.lock().unwrap().clone();
    let lines = String::from_utf8_lossy(&logged).into_owned();
    let others = |line: &str| line.contains(" DEBUG ") && line.contains(" aws_smithy_runtime::");
    assert!(lines.lines().any(others), "a log without what others say proves nothing");
    search.find_nothing("the log", &logged);
    // The folder `secrets` is Secrets Manager. The other files hold the tables and the bus.
    for (name, bytes) in files_below(folder.path()) {
        search.find_nothing(&name, &bytes);
    }
}
