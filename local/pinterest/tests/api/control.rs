//! The control routes, the pages for people, and what survives a restart.

use serde_json::json;
use simulated_pinterest::{Environment, Operation};

use crate::harness::{Harness, SCOPES, send};

#[tokio::test]
async fn faults_can_be_injected_over_http() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let url = format!("{}/sim/faults", harness.pinterest.url());
    let fault = json!({ "operation": "any", "kind": "rate_limited", "reset": 30, "times": 2 });

    let waiting = send(harness.client.post(&url).json(&fault)).await;

    assert_eq!(waiting.items().len(), 1);
    assert_eq!(harness.get(&token, "/boards").await.headers["x-ratelimit-reset"], "30");
    assert_eq!(send(harness.client.delete(&url)).await.status, 204);
    assert_eq!(harness.get(&token, "/boards").await.status, 200);
    let unknown_fault = json!({ "operation": "create_pin", "kind": "earthquake" });
    assert_eq!(send(harness.client.post(&url).json(&unknown_fault)).await.status, 422);
}

#[tokio::test]
async fn a_change_of_policy_changes_only_the_named_parts() {
    let harness = Harness::start().await;
    let url = format!("{}/sim/policy", harness.pinterest.url());

    let changed = send(harness.client.post(&url).json(&json!({
        "access_tier": "trial", "rotation": { "grace": { "seconds": 5 } }, "quota": { "calls": 9, "seconds": 60 }
    })))
    .await;
    let misspelled = send(harness.client.post(&url).json(&json!({ "acess_tier": "trial" }))).await;

    assert_eq!((changed.status, misspelled.status), (200, 422));
    assert_eq!(changed.text("access_tier"), "trial");
    assert_eq!(changed.text("pin_order"), "newest_first");
    assert_eq!(send(harness.client.get(&url)).await.body, changed.body);
}

#[tokio::test]
async fn revoked_tokens_are_dead_on_both_hosts() {
    let harness = Harness::start().await;
    let pair = harness.connect(Environment::Production, SCOPES, "demo_account").await;
    let other = harness.connect(Environment::Production, SCOPES, "second_account").await;
    harness.connect(Environment::Sandbox, SCOPES, "demo_account").await;
    let url = format!("{}/sim/revoke", harness.pinterest.url());

    let revoked = send(harness.client.post(url).json(&json!({ "account": "demo_account" }))).await;

    assert_eq!(revoked.body["revoked"], 4);
    assert_eq!(harness.get(&pair.text("access_token"), "/user_account").await.refusal(), (401, 2));
    assert_eq!(harness.refresh(&pair.text("refresh_token")).await.refusal(), (401, 2));
    assert_eq!(harness.get(&other.text("access_token"), "/user_account").await.status, 200);
}

#[tokio::test]
async fn calls_are_recorded_without_queries_and_tokens() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.get(&token, "/boards?page_size=1").await;

    let calls = send(harness.client.get(format!("{}/sim/calls", harness.pinterest.url()))).await;

    let paths: Vec<_> = calls.items().iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/v5/oauth/token", "/v5/boards"]);
    assert_eq!(calls.items()[1]["operation"], "list_boards");
    assert_eq!(calls.items()[1]["status"], 200);
    assert!(!calls.body.to_string().contains("pina_"));
    assert_eq!(harness.pinterest.calls_of(Operation::ListBoards), 1);
}

#[tokio::test]
async fn accounts_and_boards_can_be_added_over_http() {
    let harness = Harness::start().await;
    let url = harness.pinterest.url();

    let account =
        send(harness.client.post(format!("{url}/sim/accounts")).json(&json!({ "account": "third" }))).await;
    let body = json!({ "account": "third", "environment": "sandbox", "count": 2 });
    let boards = send(harness.client.post(format!("{url}/sim/boards")).json(&body)).await;

    assert_eq!((account.status, boards.items().len()), (204, 2));
    assert_eq!(harness.pinterest.boards(Environment::Sandbox, "third").len(), 5);
}

#[tokio::test]
async fn a_person_sees_the_published_pin_and_no_markup_of_its_author() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let mut body = harness.image_pin("Salad <script>alert(1)</script>");
    body["alt_text"] = json!("\" onerror=\"alert(1)");
    let id = harness.post(&token, "/pins", &body).await.text("id");
    let url = harness.pinterest.url();

    let home = send(harness.client.get(format!("{url}/"))).await;
    let pin = send(harness.client.get(format!("{url}/pin/{id}/"))).await;

    for page in [home, pin] {
        let html = page.body.as_str().unwrap();
        assert!(html.contains("Salad &lt;script&gt;") && html.contains("https://cdn.example.com/salad.jpg"));
        assert!(!html.contains("<script") && !html.contains("\" onerror"));
    }
    assert_eq!(send(harness.client.get(format!("{url}/pin/1/"))).await.status, 404);
    let pins = send(harness.client.get(format!("{url}/sim/pins?environment=production"))).await;
    assert_eq!(pins.items()[0]["board"], "Recipes");
}

#[tokio::test]
async fn state_survives_a_restart_and_the_file_holds_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");
    let harness = Harness::start_in(Some(file.clone())).await;
    let pair = harness.connect(Environment::Production, SCOPES, "demo_account").await;
    let token = pair.text("access_token");
    let id = harness.post(&token, "/pins", &harness.image_pin("Salad")).await.text("id");
    harness.pinterest.set_trial(true).unwrap();
    drop(harness);

    let harness = Harness::start_in(Some(file.clone())).await;

    assert_eq!(harness.get(&token, &format!("/pins/{id}")).await.status, 200);
    assert_eq!(harness.post(&token, "/pins", &harness.image_pin("More")).await.refusal(), (403, 29));
    let file_text = std::fs::read_to_string(&file).unwrap();
    assert!(!file_text.contains(&token) && !file_text.contains(&pair.text("refresh_token")));
}

#[tokio::test]
async fn pins_survive_a_restart_one_by_one_and_an_incomplete_line_is_ignored() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");
    let lines = directory.path().join("pinterest.pins.jsonl");
    let harness = Harness::start_in(Some(file.clone())).await;
    let token = harness.access_token().await;
    let mut ids = Vec::new();
    for title in ["One", "Two", "Three"] {
        ids.push(harness.post(&token, "/pins", &harness.image_pin(title)).await.text("id"));
    }
    assert_eq!(std::fs::read_to_string(&lines).unwrap().lines().count(), 3, "a line for each");
    assert_eq!(harness.delete(&token, &format!("/pins/{}", ids[1])).await.status, 204);
    drop(harness);
    let lines_before = std::fs::read(&lines).unwrap();
    std::fs::write(
        &lines,
        [&lines_before, &b"{\"environment\":\"production\",\"pin\":{\"title\":\"\xc3"[..]].concat(),
    )
    .unwrap();

    let harness = Harness::start_in(Some(file.clone())).await;

    let new_pin = harness.post(&token, "/pins", &harness.image_pin("More")).await.text("id");
    assert!(!ids.contains(&new_pin));
    drop(harness);
    let harness = Harness::start_in(Some(file)).await;
    for (id, status) in [(&ids[0], 200), (&ids[1], 404), (&ids[2], 200), (&new_pin, 200)] {
        assert_eq!(harness.get(&token, &format!("/pins/{id}")).await.status, status, "{id}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");

    let harness = Harness::start_in(Some(file.clone())).await;
    harness.access_token().await;

    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_of_another_kind_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");
    std::fs::write(&file, "my diary").unwrap();
    let options = simulated_pinterest::Options {
        port: 0,
        redirect_uris: Vec::new(),
        file: Some(file.clone()),
        now: std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
        random: std::sync::Arc::new(|_| {}),
    };

    assert!(simulated_pinterest::SimulatedPinterest::start(options).await.is_err());

    assert_eq!(std::fs::read_to_string(file).unwrap(), "my diary");
}

#[tokio::test]
async fn the_server_stops_when_it_is_dropped() {
    let harness = Harness::start().await;
    let (client, url) = (harness.client.clone(), harness.pinterest.url());
    drop(harness);
    tokio::task::yield_now().await;

    assert!(client.get(url).send().await.is_err());
}
