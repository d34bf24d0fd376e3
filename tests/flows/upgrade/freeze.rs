//! How the frozen rows were made: the real functions are driven until every kind of row is there.
//!
//! `FREEZE_ROWS=tests/flows/rows-0.2.json cargo test -p tests --test flows freeze` writes the rows of the code that
//! is checked out into a new file. A file that is there is not written over.

use std::{fs::File, io::Write as _, time::Duration};

use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use super::rows::{self, BASE_URL, Stored, UnderWay};
use crate::stage::{Answer, Stage, answer, days, minutes, pin};

const KEYS: &str =
    r#"{"current":"k1","k1":"frozenfrozenfrozenfrozenfrozenfrozenfrozenfrozenfrozenfrozen0123"}"#;
const PINS: &str = "/api/v1/pins";

/// The Pins that are neither scheduled for later nor at their end, with their tenants.
pub(super) const OPEN: [(&str, &str); 5] =
    [("ada", "Doubt"), ("ada", "Killed"), ("ada", "Quota"), ("ada", "Renew"), ("bob", "Reconnect")];

/// What frozen rows have to hold: the beginning of a key and, of Pins and channels, the state.
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

/// Every kind of row is there.
pub(super) fn is_complete(stored: &Stored) {
    let there: Vec<_> = stored.rows().iter().map(kind).collect();
    let missing: Vec<_> = KINDS.iter().filter(|kind| !there.iter().any(|there| there == *kind)).collect();
    assert!(missing.is_empty(), "{missing:?} are not among {there:?}");
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
    let (stage, folder) = rows::stack("2026-12-01T09:00:00Z".parse().unwrap(), KEYS, None).await;
    stage.configure().await;
    let (ada, _) = connect(&stage, "ada", "demo_account").await;
    stage.choose_board("ada", &ada).await;
    let once = full(&stage, &ada).await;
    publish_once(&stage, &once).await.expect(201);
    at_their_ends(&stage, &ada).await;
    let (claimed, ticket) = lost(&stage).await;
    let callback = consent(&stage, "carol", "demo_account").await;
    stage.stack.roll_call().await.unwrap();
    under_way(&stage, &ada).await;

    let (main, tokens, settings) = rows::read(&stage).await;
    let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let mut pinterest: Value = serde_json::from_str(&read("pinterest.json")).unwrap();
    for line in read("pinterest.pins.jsonl").lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let world = &mut pinterest[line["environment"].as_str().unwrap()];
        world.as_object_mut().unwrap().entry("pins").or_insert_with(|| json!([]));
        world["pins"].as_array_mut().unwrap().push(line["pin"].take());
    }
    Stored {
        about: "Everything that a stack had stored. Never changed, and never made again: see upgrade.rs."
            .to_owned(),
        now: stage.stack.now(),
        keys: KEYS.to_owned(),
        settings,
        main,
        tokens,
        under_way: UnderWay { once, claimed, ticket, callback },
        pinterest,
    }
}

/// Published after a rest and after a renewal; failed; cancelled; and one that is for later.
async fn at_their_ends(stage: &Stage, ada: &str) {
    inject(stage, Operation::CreatePin, FaultKind::Spam);
    stage.publish("ada", ada, "Held").await.expect(202);
    stage.advance(minutes(12)).await;
    inject(stage, Operation::CreatePin, FaultKind::Unauthorized);
    stage.publish("ada", ada, "Refused token").await.expect(202);
    stage.advance(minutes(3)).await;
    inject(stage, Operation::CreatePin, FaultKind::Refused { status: 400, code: 1, message: "No".into() });
    assert_eq!(stage.publish("ada", ada, "Failed").await.problem(422), "refused_by_pinterest");
    for (title, later) in [("Scheduled", days(2)), ("Cancelled", days(1))] {
        let mut body = pin(ada, title);
        body["publish_at"] = json!(stage.stack.now() + later);
        let later = stage.post(PINS, "ada", body).await.expect(202);
        if title == "Cancelled" {
            let path = format!("{PINS}/{}", later["id"].as_str().unwrap());
            stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);
        }
    }
}

/// A channel whose owner has taken the app's access away, with a Pin that waits for them. They have said yes again,
/// and not claimed it yet: the ticket that they had claimed, and the one that they have not.
async fn lost(stage: &Stage) -> (String, String) {
    let (bob, claimed) = connect(stage, "bob", "second_account").await;
    stage.choose_board("bob", &bob).await;
    stage.pinterest().revoke("second_account").unwrap();
    stage.publish("bob", &bob, "Reconnect").await.expect(202);
    stage.stack.tick().await.unwrap();
    stage.advance(minutes(9)).await;
    (claimed, come_back(stage, &consent(stage, "bob", "second_account").await).await)
}

/// In doubt; waiting for a token that a process was renewing when it died; being sent by one that died; and waiting
/// for the app's limit.
async fn under_way(stage: &Stage, ada: &str) {
    inject(stage, Operation::CreatePin, FaultKind::CutAfter);
    stage.publish("ada", ada, "Doubt").await.expect(202);

    inject(stage, Operation::CreatePin, FaultKind::Unauthorized);
    stage.publish("ada", ada, "Renew").await.expect(202);
    inject(stage, Operation::Token, FaultKind::HangBefore);
    let before = stage.pinterest().calls_of(Operation::Token);
    tokio::select! {
        _ = stage.stack.tick() => panic!("it hangs"),
        () = called(stage, Operation::Token, before) => {}
    }

    inject(stage, Operation::CreatePin, FaultKind::HangAfter);
    let before = stage.pinterest().calls_of(Operation::CreatePin);
    let request = stage.client.post(format!("{}{PINS}", stage.stack.url())).bearer_auth(stage.user("ada"));
    let request = tokio::spawn(request.json(&pin(ada, "Killed")).send());
    called(stage, Operation::CreatePin, before).await;
    request.abort();

    inject(stage, Operation::CreatePin, FaultKind::RateLimited { reset: 7200 });
    stage.publish("ada", ada, "Quota").await.expect(202);
}

/// Until there is a call more.
async fn called(stage: &Stage, operation: Operation, before: usize) {
    let more = async {
        while stage.pinterest().calls_of(operation) == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), more).await.unwrap();
}

fn inject(stage: &Stage, operation: Operation, kind: FaultKind) {
    stage.pinterest().inject(Fault::once(operation, kind));
}

/// A Pin with everything that a Pin can have.
async fn full(stage: &Stage, channel: &str) -> Value {
    let boards =
        stage.get(&format!("/api/v1/channels/{channel}/boards?sections=true"), "ada").await.expect(200);
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
pub(super) async fn publish_once(stage: &Stage, body: &Value) -> Answer {
    let request = stage.client.post(format!("{}{PINS}", stage.stack.url())).bearer_auth(stage.user("ada"));
    answer(request.header("idempotency-key", "once-1").json(body)).await
}

/// Connects an account: the channel's id, and the ticket.
async fn connect(stage: &Stage, sub: &str, account: &str) -> (String, String) {
    let ticket = come_back(stage, &consent(stage, sub, account).await).await;
    let channel = claim(stage, sub, &ticket).await.expect(201);
    (channel["id"].as_str().unwrap().to_owned(), ticket)
}

/// The owner says yes: the path that the browser is sent to.
async fn consent(stage: &Stage, sub: &str, account: &str) -> String {
    let page = stage.client.post(stage.start(sub).await).body(format!("decision=allow&account={account}"));
    let back = answer(page.header("content-type", "application/x-www-form-urlencoded")).await;
    back.headers[LOCATION].to_str().unwrap().strip_prefix(BASE_URL).unwrap().to_owned()
}

/// The browser comes back: the ticket.
pub(super) async fn come_back(stage: &Stage, callback: &str) -> String {
    let end = answer(stage.client.get(format!("{}{callback}", stage.stack.url()))).await;
    let end = end.headers[LOCATION].to_str().unwrap().to_owned();
    end.split_once("#connection=").unwrap_or_else(|| panic!("{end}")).1.to_owned()
}

pub(super) async fn claim(stage: &Stage, sub: &str, ticket: &str) -> Answer {
    stage.post("/api/v1/connections/claim", sub, json!({ "connection": ticket })).await
}
