//! How the frozen rows were made: the real functions are called until there is every kind of row.
//!
//! `FREEZE_ROWS=tests/flows/operations/rows-0.2.json cargo test -p tests --test flows freeze` writes the rows of the code that
//! is checked out into a new file. An existing file is not overwritten.

use std::{fs::File, io::Write as _, time::Duration};

use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use super::rows::{self, BASE_URL, Stored, UnderWay};
use crate::harness::{Answer, TestApp, answer, days, minutes, pin};

const KEYS: &str =
    r#"{"current":"k1","k1":"frozenfrozenfrozenfrozenfrozenfrozenfrozenfrozenfrozenfrozen0123"}"#;
const PINS: &str = "/api/v1/pins";

/// The Pins that are neither scheduled for later nor ended, with their tenants.
pub(super) const OPEN: [(&str, &str); 5] =
    [("ada", "Doubt"), ("ada", "Killed"), ("ada", "Quota"), ("ada", "Renew"), ("bob", "Reconnect")];

/// The rows that there must be: the beginning of the key and, for Pins and channels, the state.
const KINDS: [&str; 22] = [
    "ACCOUNT",
    "CHANNEL connected",
    "CHANNEL reconnect_required",
    "IDEM",
    "PIN cancelled",
    "PIN failed",
    "PIN in_doubt",
    "PIN published",
    "PIN scheduled",
    "PIN sending",
    "PIN waiting: quota",
    "PIN waiting: reconnect",
    "PIN waiting: token_refresh",
    "QUOTA",
    "REMOTE",
    "SETTINGS",
    "STATE",
    "TICKET claimed",
    "TICKET open",
    "TOKEN connected, leased, rotated",
    "TOKEN reconnect_required",
    "WORKER",
];

#[tokio::test]
async fn rows_of_every_kind_can_be_frozen() {
    let stored = make().await;
    is_complete(&stored);
    if let Some(file) = std::env::var_os("FREEZE_ROWS") {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(file);
        let text = serde_json::to_string_pretty(&stored).unwrap();
        writeln!(File::create_new(file).unwrap(), "{text}").unwrap();
    }
}

/// Checks that there is every kind of row.
pub(super) fn is_complete(stored: &Stored) {
    let kinds: Vec<_> = stored.rows().iter().map(kind).collect();
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kinds.iter().any(|kinds| kinds == *kind)).collect();
    assert!(missing.is_empty(), "{missing:?} are not among {kinds:?}");
    let channel = stored.rows().into_iter().find(|row| row["pause"]["step"].is_u64());
    assert!(channel.is_some(), "no channel has rested");
}

fn kind(row: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (pk, sk) = (text(&row["pk"]), text(&row["sk"]));
    let of_tenant = pk.starts_with("TENANT#");
    let name = if of_tenant { &sk } else { &pk }.split('#').next().unwrap_or_default();
    let if_any = |field: &str, word: &str| if row[field].is_null() { String::new() } else { word.to_owned() };
    match name {
        "PIN" if row["state"] == "waiting" => format!("PIN waiting: {}", text(&row["reason"])),
        "PIN" => format!("PIN {}", text(&row["state"])),
        "TICKET" => format!("TICKET {}", if row["claimed"].is_null() { "open" } else { "claimed" }),
        "CHANNEL" => format!("CHANNEL {}", text(&row["connection"]["status"])),
        "TOKEN" => {
            let status = text(&row["connection"]["status"]);
            format!("TOKEN {status}{}{}", if_any("lease", ", leased"), if_any("previous", ", rotated"))
        }
        _ => name.to_owned(),
    }
}

/// A stack that was used for half an hour.
async fn make() -> Stored {
    let (app, folder) = rows::stack("2026-12-01T09:00:00Z".parse().unwrap(), KEYS, None).await;
    app.configure().await;
    let (ada, _) = connect(&app, "ada", "demo_account").await;
    app.choose_board("ada", &ada).await;
    let once = complete_pin(&app, &ada).await;
    publish_once(&app, &once).await.expect(201);
    at_their_ends(&app, &ada).await;
    let (claimed, ticket) = disconnected_channel(&app).await;
    let callback = consent(&app, "carol", "demo_account").await;
    app.stack.run_daily_check().await.unwrap();
    under_way(&app, &ada).await;

    let (main, tokens, settings) = rows::read(&app).await;
    let read_file = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let mut pinterest: Value = serde_json::from_str(&read_file("pinterest.json")).unwrap();
    for line in read_file("pinterest.pins.jsonl").lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let world = &mut pinterest[line["environment"].as_str().unwrap()];
        world.as_object_mut().unwrap().entry("pins").or_insert_with(|| json!([]));
        world["pins"].as_array_mut().unwrap().push(line["pin"].take());
    }
    Stored {
        about: "Everything that a stack had stored. Never changed, and never made again: see upgrade.rs."
            .to_owned(),
        now: app.stack.now(),
        keys: KEYS.to_owned(),
        settings,
        main,
        tokens,
        under_way: UnderWay { once, claimed, ticket, callback },
        pinterest,
    }
}

/// Pins that were published after a pause and after a refresh, that failed, that were cancelled, and one for later.
async fn at_their_ends(app: &TestApp, ada: &str) {
    inject(app, Operation::CreatePin, FaultKind::Spam);
    app.publish("ada", ada, "Held").await.expect(202);
    app.advance(minutes(12)).await;
    inject(app, Operation::CreatePin, FaultKind::Unauthorized);
    app.publish("ada", ada, "Refused token").await.expect(202);
    app.advance(minutes(3)).await;
    inject(app, Operation::CreatePin, FaultKind::Refused { status: 400, code: 1, message: "No".into() });
    assert_eq!(app.publish("ada", ada, "Failed").await.problem(422), "refused_by_pinterest");
    for (title, later) in [("Scheduled", days(2)), ("Cancelled", days(1))] {
        let mut body = pin(ada, title);
        body["publish_at"] = json!(app.stack.now() + later);
        let later = app.post(PINS, "ada", body).await.expect(202);
        if title == "Cancelled" {
            let path = format!("{PINS}/{}", later["id"].as_str().unwrap());
            app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
        }
    }
}

/// A channel whose owner has revoked the app's access, with a Pin that waits for the owner. The owner has consented
/// again. Returns the ticket that was claimed first, and the new one, which is not claimed yet.
async fn disconnected_channel(app: &TestApp) -> (String, String) {
    let (bob, claimed) = connect(app, "bob", "second_account").await;
    app.choose_board("bob", &bob).await;
    app.pinterest().revoke("second_account").unwrap();
    app.publish("bob", &bob, "Reconnect").await.expect(202);
    app.stack.tick().await.unwrap();
    app.advance(minutes(9)).await;
    (claimed, come_back(app, &consent(app, "bob", "second_account").await).await)
}

/// A Pin with an unknown outcome, one that waits for a refresh whose process died, one whose sending process died, and
/// one that waits for the app's rate limit.
async fn under_way(app: &TestApp, ada: &str) {
    inject(app, Operation::CreatePin, FaultKind::Unauthorized);
    app.publish("ada", ada, "Renew").await.expect(202);
    // Only where Pinterest has refused does a process that dies leave a lease in the row.
    inject(app, Operation::Token, FaultKind::Unauthorized);
    app.stack.tick().await.unwrap();
    inject(app, Operation::Token, FaultKind::HangBefore);
    let before = app.pinterest().calls_of(Operation::Token);
    tokio::select! {
        () = app.advance(minutes(10)) => panic!("it hangs"),
        () = wait_for_call(app, Operation::Token, before) => {}
    }

    inject(app, Operation::CreatePin, FaultKind::CutAfter);
    app.publish("ada", ada, "Doubt").await.expect(202);

    inject(app, Operation::CreatePin, FaultKind::HangAfter);
    let before = app.pinterest().calls_of(Operation::CreatePin);
    let request = app.client.post(format!("{}{PINS}", app.stack.url())).bearer_auth(app.user("ada"));
    let request = tokio::spawn(request.json(&pin(ada, "Killed")).send());
    wait_for_call(app, Operation::CreatePin, before).await;
    request.abort();

    inject(app, Operation::CreatePin, FaultKind::RateLimited { reset: 7200 });
    app.publish("ada", ada, "Quota").await.expect(202);
}

/// Waits for one more call.
async fn wait_for_call(app: &TestApp, operation: Operation, before: usize) {
    let next_call = async {
        while app.pinterest().calls_of(operation) == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next_call).await.unwrap();
}

fn inject(app: &TestApp, operation: Operation, kind: FaultKind) {
    app.pinterest().inject(Fault::once(operation, kind));
}

/// A Pin with everything that a Pin can have.
async fn complete_pin(app: &TestApp, channel: &str) -> Value {
    let boards =
        app.get(&format!("/api/v1/channels/{channel}/boards?sections=true"), "ada").await.expect(200);
    let mut body = pin(channel, "Once");
    body["board_id"] = boards["items"][0]["pinterest_board_id"].clone();
    body["board_section_id"] = boards["items"][0]["sections"][0]["pinterest_section_id"].clone();
    body["description"] = json!("Ten minutes, one bowl.");
    body["link"] = json!("https://www.example.com/salad");
    body["alt_text"] = json!("Bowl of green salad");
    body["dominant_color"] = json!("#00AA55");
    body
}

/// Publishes with a key.
pub(super) async fn publish_once(app: &TestApp, body: &Value) -> Answer {
    let request = app.client.post(format!("{}{PINS}", app.stack.url())).bearer_auth(app.user("ada"));
    answer(request.header("idempotency-key", "once-1").json(body)).await
}

/// Connects an account. Returns the channel's id and the ticket.
async fn connect(app: &TestApp, sub: &str, account: &str) -> (String, String) {
    let ticket = come_back(app, &consent(app, sub, account).await).await;
    let channel = claim(app, sub, &ticket).await.expect(201);
    (channel["id"].as_str().unwrap().to_owned(), ticket)
}

/// The owner consents. Returns the path that the browser is redirected to.
async fn consent(app: &TestApp, sub: &str, account: &str) -> String {
    let page = app.client.post(app.start_oauth(sub).await).body(format!("decision=allow&account={account}"));
    let redirect = answer(page.header("content-type", "application/x-www-form-urlencoded")).await;
    redirect.headers[LOCATION].to_str().unwrap().strip_prefix(BASE_URL).unwrap().to_owned()
}

/// Calls the callback. Returns the ticket.
pub(super) async fn come_back(app: &TestApp, callback: &str) -> String {
    let end = answer(app.client.get(format!("{}{callback}", app.stack.url()))).await;
    let end = end.headers[LOCATION].to_str().unwrap().to_owned();
    end.split_once("#connection=").unwrap_or_else(|| panic!("{end}")).1.to_owned()
}

pub(super) async fn claim(app: &TestApp, sub: &str, ticket: &str) -> Answer {
    app.post("/api/v1/connections/claim", sub, json!({ "connection": ticket })).await
}
