//! The control routes, the pages for people, and what survives a restart.

use serde_json::json;
use simulated_pinterest::{Environment, Operation};

use crate::stage::{SCOPES, Stage, send};

#[tokio::test]
async fn faults_can_be_asked_for_over_http() {
    let stage = Stage::set().await;
    let token = stage.access_token().await;
    let url = format!("{}/sim/faults", stage.pinterest.url());
    let fault = json!({ "operation": "any", "kind": "rate_limited", "reset": 30, "times": 2 });

    let waiting = send(stage.client.post(&url).json(&fault)).await;

    assert_eq!(waiting.items().len(), 1);
    assert_eq!(stage.get(&token, "/boards").await.headers["x-ratelimit-reset"], "30");
    assert_eq!(send(stage.client.delete(&url)).await.status, 204);
    assert_eq!(stage.get(&token, "/boards").await.status, 200);
    let wrong = json!({ "operation": "create_pin", "kind": "earthquake" });
    assert_eq!(send(stage.client.post(&url).json(&wrong)).await.status, 422);
}

#[tokio::test]
async fn a_policy_is_changed_by_what_is_named_only() {
    let stage = Stage::set().await;
    let url = format!("{}/sim/policy", stage.pinterest.url());

    let changed = send(stage.client.post(&url).json(&json!({
        "access_tier": "trial", "rotation": { "grace": { "seconds": 5 } }, "quota": { "calls": 9, "seconds": 60 }
    })))
    .await;
    let wrong = send(stage.client.post(&url).json(&json!({ "acess_tier": "trial" }))).await;

    assert_eq!((changed.status, wrong.status), (200, 422));
    assert_eq!(changed.text("access_tier"), "trial");
    assert_eq!(changed.text("pin_order"), "newest_first");
    assert_eq!(send(stage.client.get(&url)).await.body, changed.body);
}

#[tokio::test]
async fn revoked_tokens_are_dead_on_both_hosts() {
    let stage = Stage::set().await;
    let pair = stage.connect(Environment::Production, SCOPES, "demo_account").await;
    let other = stage.connect(Environment::Production, SCOPES, "second_account").await;
    stage.connect(Environment::Sandbox, SCOPES, "demo_account").await;
    let url = format!("{}/sim/revoke", stage.pinterest.url());

    let revoked = send(stage.client.post(url).json(&json!({ "account": "demo_account" }))).await;

    assert_eq!(revoked.body["revoked"], 4);
    assert_eq!(stage.get(&pair.text("access_token"), "/user_account").await.refusal(), (401, 2));
    assert_eq!(stage.refresh(&pair.text("refresh_token")).await.refusal(), (401, 2));
    assert_eq!(stage.get(&other.text("access_token"), "/user_account").await.status, 200);
}

#[tokio::test]
async fn calls_are_remembered_without_queries_and_tokens() {
    let stage = Stage::set().await;
    let token = stage.access_token().await;
    stage.get(&token, "/boards?page_size=1").await;

    let calls = send(stage.client.get(format!("{}/sim/calls", stage.pinterest.url()))).await;

    let paths: Vec<_> = calls.items().iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/v5/oauth/token", "/v5/boards"]);
    assert_eq!(calls.items()[1]["operation"], "list_boards");
    assert_eq!(calls.items()[1]["status"], 200);
    assert!(!calls.body.to_string().contains("pina_"));
    assert_eq!(stage.pinterest.calls_of(Operation::ListBoards), 1);
}

#[tokio::test]
async fn accounts_and_boards_can_be_added_over_http() {
    let stage = Stage::set().await;
    let url = stage.pinterest.url();

    let account =
        send(stage.client.post(format!("{url}/sim/accounts")).json(&json!({ "account": "third" }))).await;
    let body = json!({ "account": "third", "environment": "sandbox", "count": 2 });
    let boards = send(stage.client.post(format!("{url}/sim/boards")).json(&body)).await;

    assert_eq!((account.status, boards.items().len()), (204, 2));
    assert_eq!(stage.pinterest.boards(Environment::Sandbox, "third").len(), 5);
}

#[tokio::test]
async fn a_person_sees_the_published_pin_and_no_markup_of_its_author() {
    let stage = Stage::set().await;
    let token = stage.access_token().await;
    let mut body = stage.image_pin("Salad <script>alert(1)</script>");
    body["alt_text"] = json!("\" onerror=\"alert(1)");
    let id = stage.post(&token, "/pins", &body).await.text("id");
    let url = stage.pinterest.url();

    let home = send(stage.client.get(format!("{url}/"))).await;
    let pin = send(stage.client.get(format!("{url}/pin/{id}/"))).await;

    for page in [home, pin] {
        let html = page.body.as_str().unwrap();
        assert!(html.contains("Salad &lt;script&gt;") && html.contains("https://cdn.example.com/salad.jpg"));
        assert!(!html.contains("<script") && !html.contains("\" onerror"));
    }
    assert_eq!(send(stage.client.get(format!("{url}/pin/1/"))).await.status, 404);
    let pins = send(stage.client.get(format!("{url}/sim/pins?environment=production"))).await;
    assert_eq!(pins.items()[0]["board"], "Recipes");
}

#[tokio::test]
async fn what_was_answered_survives_a_restart_and_the_file_holds_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");
    let stage = Stage::set_in(Some(file.clone())).await;
    let pair = stage.connect(Environment::Production, SCOPES, "demo_account").await;
    let token = pair.text("access_token");
    let id = stage.post(&token, "/pins", &stage.image_pin("Salad")).await.text("id");
    stage.pinterest.set_trial(true).unwrap();
    drop(stage);

    let stage = Stage::set_in(Some(file.clone())).await;

    assert_eq!(stage.get(&token, &format!("/pins/{id}")).await.status, 200);
    assert_eq!(stage.post(&token, "/pins", &stage.image_pin("More")).await.refusal(), (403, 29));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(&token) && !kept.contains(&pair.text("refresh_token")));
}

#[tokio::test]
async fn pins_survive_a_restart_one_by_one_and_a_line_that_broke_off_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");
    let lines = directory.path().join("pinterest.pins.jsonl");
    let stage = Stage::set_in(Some(file.clone())).await;
    let token = stage.access_token().await;
    let mut ids = Vec::new();
    for title in ["One", "Two", "Three"] {
        ids.push(stage.post(&token, "/pins", &stage.image_pin(title)).await.text("id"));
    }
    assert_eq!(std::fs::read_to_string(&lines).unwrap().lines().count(), 3, "a line for each");
    assert_eq!(stage.delete(&token, &format!("/pins/{}", ids[1])).await.status, 204);
    drop(stage);
    let kept = std::fs::read(&lines).unwrap();
    std::fs::write(
        &lines,
        [&kept, &b"{\"environment\":\"production\",\"pin\":{\"title\":\"\xc3"[..]].concat(),
    )
    .unwrap();

    let stage = Stage::set_in(Some(file.clone())).await;

    let more = stage.post(&token, "/pins", &stage.image_pin("More")).await.text("id");
    assert!(!ids.contains(&more));
    drop(stage);
    let stage = Stage::set_in(Some(file)).await;
    for (id, status) in [(&ids[0], 200), (&ids[1], 404), (&ids[2], 200), (&more, 200)] {
        assert_eq!(stage.get(&token, &format!("/pins/{id}")).await.status, status, "{id}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");

    let stage = Stage::set_in(Some(file.clone())).await;
    stage.access_token().await;

    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pinterest.json");
    std::fs::write(&file, "my diary").unwrap();
    let options = simulated_pinterest::Options {
        port: 0,
        file: Some(file.clone()),
        now: std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
        random: std::sync::Arc::new(|_| {}),
    };

    assert!(simulated_pinterest::SimulatedPinterest::start(options).await.is_err());

    assert_eq!(std::fs::read_to_string(file).unwrap(), "my diary");
}

#[tokio::test]
async fn dropping_it_stops_the_server() {
    let stage = Stage::set().await;
    let (client, url) = (stage.client.clone(), stage.pinterest.url());
    drop(stage);
    tokio::task::yield_now().await;

    assert!(client.get(url).send().await.is_err());
}
