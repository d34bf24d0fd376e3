//! The integration's settings: what counts, where it comes from, and what Pinterest says to it.

use std::path::Path;

use jiff::SignedDuration;
use local::Data;
use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    refusals::{Findings, said},
    stage::{APP_ID, APP_SECRET, Answer, PINS, SETTINGS, Stage, answer, days, id, minutes, seconds},
};

const START: &str = "/api/v1/auth/pinterest/start";
const OFF: &str = "Pinterest integration disabled";
const NOT_CONFIGURED: &str = "Pinterest integration disabled: app id/secret not configured";

async fn read(stage: &Stage) -> Value {
    stage.call(Method::GET, SETTINGS, &stage.admin(), None).await.expect(200)
}

async fn put(stage: &Stage, settings: Value) -> Answer {
    stage.call(Method::PUT, SETTINGS, &stage.admin(), Some(settings)).await
}

async fn test(stage: &Stage) -> Value {
    stage.call(Method::POST, &format!("{SETTINGS}/test"), &stage.admin(), None).await.expect(200)
}

/// The four sources: of App ID, App Secret, status and environment.
fn sources(settings: &Value) -> [&str; 4] {
    ["app_id", "app_secret", "status", "environment"]
        .map(|name| settings[format!("{name}_source")].as_str().unwrap())
}

#[tokio::test]
async fn with_nothing_anywhere_the_settings_say_so() {
    let stage = Stage::set().await;
    let settings = read(&stage).await;
    assert_eq!(settings["app_id"], Value::Null);
    assert_eq!(settings["app_secret_set"], false);
    assert_eq!(settings["configured"], false);
    assert_eq!(settings["environment"], "sandbox");
    assert_eq!(sources(&settings), ["none"; 4]);
    assert_eq!(test(&stage).await["result"], "not_configured");
    assert_eq!(test(&stage).await["detail"], NOT_CONFIGURED);
    assert_eq!(stage.pinterest().calls().len(), 0);
    assert_eq!(stage.event_kinds().await, [""; 0]);
}

#[tokio::test]
async fn what_the_environment_gives_counts_until_something_is_stored() {
    let variables = [
        ("PINTEREST_APP_ID", APP_ID),
        ("PINTEREST_APP_SECRET", APP_SECRET),
        ("PINTEREST_ENVIRONMENT", "production"),
    ];
    let stage = Stage::open(Data::Memory, variables).await;
    // Nobody has looked at the settings yet: what the environment gives is enough to connect and publish.
    let channel = stage.connect("ada").await;
    let shown = stage.channel("ada", &channel).await;
    assert_eq!(shown["environment"], "production");
    let settings = read(&stage).await;
    assert_eq!((&settings["app_id"], &settings["app_secret_set"]), (&json!(APP_ID), &json!(true)));
    assert_eq!((&settings["status"], &settings["environment"]), (&json!("enabled"), &json!("production")));
    assert_eq!(sources(&settings), ["env", "env", "none", "env"]);
    assert_eq!(test(&stage).await["result"], "ok");

    let settings = stage.save(json!({"environment": "sandbox", "app_id": "42"})).await;
    assert_eq!((&settings["app_id"], &settings["environment"]), (&json!("42"), &json!("sandbox")));
    assert_eq!(sources(&settings), ["stored", "env", "none", "stored"]);

    let settings = stage.save(json!({"app_id": "", "status": "enabled"})).await;
    assert_eq!(settings["app_id"], APP_ID, "an empty App ID gives way to the environment's");
    assert_eq!(sources(&settings), ["env", "env", "stored", "stored"]);
    assert_eq!(read(&stage).await, settings);
}

#[tokio::test]
async fn a_part_of_the_credentials_from_each_side_is_enough() {
    let stage = Stage::open(Data::Memory, [("PINTEREST_APP_SECRET", APP_SECRET)]).await;
    assert_eq!(read(&stage).await["configured"], false);
    let settings = stage.save(json!({"app_id": APP_ID})).await;
    assert_eq!(settings["configured"], true);
    assert_eq!(sources(&settings), ["stored", "env", "none", "none"]);
    assert_eq!(test(&stage).await["result"], "ok");
    stage.connect("ada").await;
}

#[tokio::test]
async fn a_put_takes_any_part_and_leaves_the_rest_as_it_is() {
    let stage = Stage::configured().await;
    let all = stage.save(json!({"status": "enabled", "environment": "production"})).await;
    assert_eq!(sources(&all), ["stored"; 4]);
    for part in [json!({}), json!({"app_id": null}), json!({"app_secret": null, "status": null})] {
        assert_eq!(stage.save(part.clone()).await, all, "{part}");
    }
    let disabled = stage.save(json!({"status": "disabled"})).await;
    assert_eq!((&disabled["status"], &disabled["environment"]), (&json!("disabled"), &json!("production")));
    assert_eq!((&disabled["app_id"], &disabled["app_secret_set"]), (&json!(APP_ID), &json!(true)));
    assert_eq!(read(&stage).await, disabled);
}

#[tokio::test]
async fn an_absent_or_empty_secret_keeps_the_stored_one_and_a_new_one_replaces_it() {
    let stage = Stage::configured().await;
    for keeps in [json!({"app_id": APP_ID}), json!({"app_secret": ""}), json!({"app_secret": "  "})] {
        stage.save(keeps.clone()).await;
        assert_eq!(test(&stage).await["result"], "ok", "{keeps}");
    }
    stage.save(json!({"app_secret": "another"})).await;
    assert_eq!(test(&stage).await["result"], "wrong_app_id_or_secret");
    let padded = json!({"app_secret": format!(" {APP_SECRET}\n"), "app_id": format!(" {APP_ID} ")});
    assert_eq!(stage.save(padded).await["app_id"], APP_ID);
    assert_eq!(test(&stage).await["result"], "ok");
}

#[tokio::test]
async fn the_secret_is_in_no_answer() {
    let stage = Stage::open(Data::Memory, [("PINTEREST_APP_SECRET", "env-secret-7f3a")]).await;
    let mut answers = vec![
        put(&stage, json!({"app_id": APP_ID, "app_secret": APP_SECRET})).await,
        stage.call(Method::GET, SETTINGS, &stage.admin(), None).await,
        stage.call(Method::POST, &format!("{SETTINGS}/test"), &stage.admin(), None).await,
        put(&stage, json!({"app_secret": format!("{APP_SECRET} {APP_SECRET}")})).await,
        put(&stage, json!({"app_secret": [APP_SECRET]})).await,
        put(&stage, json!({"app_secret": APP_SECRET, "status": "perhaps"})).await,
        put(&stage, json!({"app_secret_key": APP_SECRET})).await,
        stage.post(START, "ada", json!({})).await,
    ];
    stage.pinterest().inject(Fault::once(Operation::Token, FaultKind::Garbage));
    answers.push(stage.call(Method::POST, &format!("{SETTINGS}/test"), &stage.admin(), None).await);
    for answer in answers {
        for secret in [APP_SECRET, "env-secret-7f3a"] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
            assert!(!format!("{:?}", answer.headers).contains(secret), "{:?}", answer.headers);
        }
    }
    let events = format!("{:?}", stage.stack.events().await.unwrap());
    assert!(events.contains("settings.changed") && !events.contains(APP_SECRET), "{events}");
}

#[tokio::test]
async fn settings_that_are_none_are_refused_and_change_nothing() {
    let stage = Stage::configured().await;
    let before = read(&stage).await;
    let long = "1".repeat(41);
    let table = [
        (json!({"app_id": "abc"}), "422 invalid_app_id"),
        (json!({"app_id": "12 34"}), "422 invalid_app_id"),
        (json!({"app_id": "-1"}), "422 invalid_app_id"),
        (json!({"app_id": "١٢"}), "422 invalid_app_id"),
        (json!({"app_id": long}), "422 invalid_app_id"),
        (json!({"app_id": 1_234_567}), "422 invalid_type"),
        (json!({"app_secret": "two words"}), "422 invalid_app_secret"),
        (json!({"app_secret": "a\u{0}b"}), "422 invalid_app_secret"),
        (json!({"app_secret": "x".repeat(513)}), "422 invalid_app_secret"),
        (json!({"app_secret": 5}), "422 invalid_type"),
        (json!({"status": "on"}), "422 invalid_type"),
        (json!({"status": true}), "422 invalid_type"),
        (json!({"status": "Enabled"}), "422 invalid_type"),
        (json!({"status": ""}), "422 invalid_type"),
        (json!({"environment": "prod"}), "422 invalid_type"),
        (json!({"environment": "Sandbox"}), "422 invalid_type"),
        (json!({"app-id": "1"}), "422 unknown_field"),
        (json!({"pinterest_app-id": "1"}), "422 unknown_field"),
        (json!({"app_id": "1", "app_secret_set": true}), "422 unknown_field"),
        (json!({"app_id": "1", "status": "disabled", "extra": {}}), "422 unknown_field"),
    ];
    {
        let mut findings = Findings::default();
        for (settings, wanted) in table {
            findings.compare(&settings.to_string(), &put(&stage, settings).await, wanted);
        }
    }
    assert_eq!(read(&stage).await, before);
    assert_eq!(test(&stage).await["result"], "ok");
    assert_eq!(stage.event_kinds().await, ["settings.changed"]);
}

#[tokio::test]
async fn switched_off_nobody_connects_and_nothing_is_published() {
    let (stage, channel) = Stage::connected().await;
    let page = stage.start("ada").await;
    let soon = stage.stack.now() + minutes(5);
    let later = stage.schedule("ada", &channel, "Later", soon).await.expect(202);
    let settings = stage.save(json!({"status": "disabled"})).await;
    assert_eq!((&settings["status"], &settings["status_source"]), (&json!("disabled"), &json!("stored")));

    stage.advance(seconds(61)).await;

    for refused in [stage.post(START, "ada", json!({})).await, stage.publish("ada", &channel, "Never").await]
    {
        assert_eq!(said(&refused), "409 integration_disabled");
        assert_eq!(refused.json()["detail"], OFF);
    }
    let end = stage.decide(&page, "decision=allow").await;
    assert!(end.ends_with("#error=integration_disabled"), "{end}");
    stage.advance(minutes(30)).await;
    assert_eq!(stage.sent(), 0);
    let waiting = stage.pin("ada", &id(&later)).await;
    assert_eq!((&waiting["state"], &waiting["error"]), (&json!("waiting"), &Value::Null));
    assert_eq!(stage.get(PINS, "ada").await.expect(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(test(&stage).await["result"], "ok", "the credentials can be tested meanwhile");

    stage.save(json!({"status": "enabled"})).await;
    stage.advance(minutes(30)).await;
    assert_eq!(stage.at_pinterest("Later"), 1);
    stage.publish("ada", &channel, "Again").await.expect(201);
}

#[tokio::test]
async fn not_configured_nobody_connects_and_nothing_is_published_with_the_fixed_words() {
    let stage = Stage::set().await;
    let channel = "ch_00000000000000000000000000";
    let refusals =
        async || [stage.post(START, "ada", json!({})).await, stage.publish("ada", channel, "Never").await];
    for settings in [None, Some(json!({"app_id": APP_ID})), Some(json!({"status": "enabled"}))] {
        if let Some(settings) = settings {
            stage.save(settings).await;
            stage.advance(seconds(61)).await;
        }
        for refused in refusals().await {
            assert_eq!(said(&refused), "409 integration_disabled");
            assert_eq!(refused.json()["detail"], NOT_CONFIGURED);
            assert!(refused.json()["fix"].as_str().unwrap().contains("PINTEREST_APP_ID"));
        }
    }
    // A secret alone, and switched off: still what is missing is told first.
    stage.save(json!({"app_secret": APP_SECRET, "app_id": "", "status": "disabled"})).await;
    stage.advance(seconds(61)).await;
    for refused in refusals().await {
        assert_eq!(refused.json()["detail"], NOT_CONFIGURED);
    }
}

#[tokio::test]
async fn a_test_of_the_credentials_says_what_pinterest_says_and_makes_nothing() {
    let stage = Stage::configured().await;
    let before = read(&stage).await;

    let ok = test(&stage).await;
    assert_eq!(ok["result"], "ok");
    for word in ["detail", "fix", "tested_at"] {
        assert!(ok[word].as_str().is_some_and(|text| !text.is_empty()), "{ok}");
    }
    assert!(ok["tested_at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());

    for wrong in [json!({"app_secret": "wrong"}), json!({"app_id": "1", "app_secret": APP_SECRET})] {
        stage.save(wrong.clone()).await;
        assert_eq!(test(&stage).await["result"], "wrong_app_id_or_secret", "{wrong}");
    }
    stage.save(json!({"app_id": APP_ID})).await;

    stage.pinterest().change_policy(|policy| policy.client_credentials = false).unwrap();
    assert_eq!(test(&stage).await["result"], "inconclusive");
    stage.pinterest().change_policy(|policy| policy.client_credentials = true).unwrap();

    for kind in [FaultKind::Status500Before, FaultKind::CutBefore, FaultKind::CutInAnswer] {
        stage.pinterest().inject(Fault::once(Operation::Token, kind.clone()));
        assert_eq!(test(&stage).await["result"], "pinterest_unreachable", "{kind:?}");
    }
    for kind in [FaultKind::RateLimited { reset: 5 }, FaultKind::Scope, FaultKind::GarbageBefore] {
        stage.pinterest().inject(Fault::once(Operation::Token, kind.clone()));
        assert_eq!(test(&stage).await["result"], "inconclusive", "{kind:?}");
    }

    assert_eq!(test(&stage).await["result"], "ok");
    let calls = stage.pinterest().calls();
    assert!(calls.iter().all(|call| call.operation == Some(Operation::Token)), "{calls:?}");
    assert_eq!(read(&stage).await, before);
    assert_eq!(stage.get("/api/v1/channels", "root").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_test_asks_the_host_that_is_selected() {
    let stage = Stage::configured().await;
    test(&stage).await;
    stage.save(json!({"environment": "production"})).await;
    test(&stage).await;
    let asked: Vec<_> = stage.pinterest().calls().into_iter().map(|call| call.environment.unwrap()).collect();
    use simulated_pinterest::Environment::{Production, Sandbox};
    assert_eq!(asked, [Sandbox, Production]);
}

#[tokio::test]
async fn a_test_says_that_nothing_listens_there() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let address = format!("http://127.0.0.1:{port}/v5");
    let variables = [
        ("PINTEREST_API_URL", address.as_str()),
        ("PINTEREST_APP_ID", APP_ID),
        ("PINTEREST_APP_SECRET", APP_SECRET),
    ];
    let stage = Stage::open(Data::Memory, variables).await;
    assert!(stage.stack.pinterest().is_none());
    for environment in ["sandbox", "production"] {
        stage.save(json!({"environment": environment})).await;
        let tested = test(&stage).await;
        assert_eq!(tested["result"], "pinterest_unreachable", "{tested}");
    }
}

#[tokio::test]
async fn a_test_takes_no_body_and_a_save_without_one_changes_nothing() {
    let stage = Stage::configured().await;
    let before = read(&stage).await;
    let with_body =
        stage.call(Method::POST, &format!("{SETTINGS}/test"), &stage.admin(), Some(json!({}))).await;
    assert_eq!(with_body.expect(200)["result"], "ok");
    assert_eq!(stage.call(Method::PUT, SETTINGS, &stage.admin(), None).await.expect(200), before);
}

#[tokio::test]
async fn the_workers_say_when_they_ran_and_that_they_have_not() {
    let stage = Stage::configured().await;
    let worker = read(&stage).await["worker"].clone();
    for time in ["last_tick_at", "last_daily_at", "oldest_due_at"] {
        assert_eq!(worker[time], Value::Null, "{time}");
    }
    let detail = worker["detail"].as_str().unwrap();
    assert!(detail.starts_with("the refresh worker has not run since"), "{detail}");
    assert!(worker["fix"].as_str().unwrap().contains("check the stack's EventBridge rules"));

    let before = stage.stack.now();
    stage.stack.tick().await.unwrap();
    let worker = read(&stage).await["worker"].clone();
    let last: jiff::Timestamp = worker["last_tick_at"].as_str().unwrap().parse().unwrap();
    assert!((before..=stage.stack.now()).contains(&last), "{worker}");
    assert_eq!((&worker["detail"], &worker["fix"]), (&Value::Null, &Value::Null));
    assert_eq!(worker["last_daily_at"], Value::Null);

    stage.stack.roll_call().await.unwrap();
    assert!(read(&stage).await["worker"]["last_daily_at"].is_string());
    stage.advance(days(3)).await;
    let worker = read(&stage).await["worker"].clone();
    assert_eq!(worker["detail"], Value::Null);
    let daily: jiff::Timestamp = worker["last_daily_at"].as_str().unwrap().parse().unwrap();
    assert!(stage.stack.now().duration_since(daily) < SignedDuration::from_hours(24), "{worker}");
}

#[tokio::test]
async fn the_redirect_uris_are_listed_the_one_in_use_first() {
    let stage = Stage::configured().await;
    let url = stage.stack.url();
    let (own, alias) =
        (format!("{url}/api/v1/auth/pinterest/callback"), format!("{url}/mixpost/callback/pinterest"));
    assert_eq!(read(&stage).await["redirect_uris"], json!([own, alias]));
    assert!(stage.start("ada").await.contains(&encoded(&own)));

    let base = Stage::open(Data::Memory, [("BASE_URL", "https://api.example.com/")]).await;
    assert_eq!(
        read(&base).await["redirect_uris"][0],
        "https://api.example.com/api/v1/auth/pinterest/callback"
    );
}

fn encoded(address: &str) -> String {
    address.replace(':', "%3A").replace('/', "%2F")
}

#[tokio::test]
async fn a_redirect_uri_that_is_registered_already_can_be_kept() {
    let stage = Stage::open(Data::Memory, [("REDIRECT_PATH", "/mixpost/callback/pinterest")]).await;
    stage.configure().await;
    let alias = format!("{}/mixpost/callback/pinterest", stage.stack.url());
    assert_eq!(read(&stage).await["redirect_uris"][0], json!(alias));
    assert_eq!(read(&stage).await["redirect_uris"].as_array().unwrap().len(), 2);

    let page = stage.start("ada").await;
    assert!(page.contains(&format!("redirect_uri={}", encoded(&alias))), "{page}");
    let form = "decision=allow&account=demo_account";
    let request = stage.client.post(&page).body(form);
    let back = answer(request.header("content-type", "application/x-www-form-urlencoded")).await;
    let callback = back.headers[LOCATION].to_str().unwrap();
    assert!(callback.starts_with(&format!("{alias}?")), "{callback}");
    let end = answer(stage.client.get(callback)).await;
    let end = end.headers[LOCATION].to_str().unwrap();
    let ticket = json!({"connection": end.split_once("#connection=").unwrap().1});
    stage.post("/api/v1/connections/claim", "ada", ticket).await.expect(201);
}

#[tokio::test]
async fn settings_and_what_depends_on_them_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::Folder(folder.path().join("data"));
    let stage = Stage::open(data.clone(), []).await;
    stage.configure().await;
    stage.save(json!({"environment": "production", "status": "disabled"})).await;
    let before = read(&stage).await;
    let channels = stage.get("/api/v1/channels", "ada").await.expect(200);
    drop(stage.client);
    stage.stack.stop().await.unwrap();

    let stage = Stage::open(data, []).await;
    let after = read(&stage).await;
    for name in ["app_id", "app_secret_set", "status", "environment", "configured"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert_eq!(sources(&after), ["stored"; 4]);
    assert_eq!(stage.get("/api/v1/channels", "ada").await.expect(200), channels);
    assert_eq!(test(&stage).await["result"], "ok");
}

#[tokio::test]
async fn the_stored_secret_has_the_option_keys_that_people_know() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(Data::Folder(folder.path().join("data")), []).await;
    let stored = || {
        let file =
            std::fs::read_to_string(folder.path().join("data/secrets/pinwright%2Fsettings.json")).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        serde_json::from_str::<Value>(file["current"]["value"].as_str().unwrap()).unwrap()
    };
    stage.configure().await;
    let options = stored();
    assert_eq!(options["pinterest_app-id"], APP_ID);
    assert_eq!(options["pinterest_app-secret"], APP_SECRET);

    stage.save(json!({"status": "disabled", "environment": "production"})).await;
    assert_eq!(
        stored(),
        json!({
            "pinterest_app-id": APP_ID,
            "pinterest_app-secret": APP_SECRET,
            "pinterest_integration_status": "disabled",
            "pinterest_environment": "production",
        })
    );
    stage.save(json!({"status": "enabled", "environment": "sandbox"})).await;
    assert_eq!(stored()["pinterest_integration_status"], "enabled");
    assert_eq!(stored()["pinterest_environment"], "sandbox");
}

#[cfg(unix)]
#[tokio::test]
async fn all_that_is_kept_is_for_its_owners_eyes_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep/data");
    let stage = Stage::open(Data::Folder(data.clone()), []).await;
    stage.configure().await;
    let channel = stage.connect("ada").await;
    stage.choose_board("ada", &channel).await;
    stage.publish("ada", &channel, "Kept").await.expect(201);
    stage.advance(days(2)).await;
    assert!(!stage.event_kinds().await.is_empty());

    let mut found = Vec::new();
    walk(&data, &mut found);
    for (path, mode, is_folder) in &found {
        assert_eq!(mode & 0o777, if *is_folder { 0o700 } else { 0o600 }, "{path}: {mode:o}");
    }
    let files: Vec<_> = found.iter().map(|(path, ..)| path.as_str()).collect();
    for part in ["dynamodb.sqlite", "pinwright%2Fsettings.json", "signing-key", "clock", "events.jsonl"] {
        assert!(files.iter().any(|path| path.ends_with(part)), "{part}: {files:?}");
    }
    drop(stage.client);
    stage.stack.stop().await.unwrap();
    let mut left = Vec::new();
    walk(&data, &mut left);
    assert!(left.iter().all(|(_, mode, _)| mode & 0o077 == 0), "{left:?}");
}

#[cfg(unix)]
fn walk(path: &Path, found: &mut Vec<(String, u32, bool)>) {
    use std::os::unix::fs::PermissionsExt as _;
    let about = std::fs::symlink_metadata(path).unwrap();
    found.push((path.display().to_string(), about.permissions().mode(), about.is_dir()));
    if about.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), found);
        }
    }
}

/// In a folder that others may read too, nothing of ours can be read by them.
#[cfg(unix)]
#[tokio::test]
async fn in_a_folder_that_was_there_the_files_are_private_all_the_same() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let stage = Stage::open(Data::Folder(data.clone()), []).await;
    stage.configure().await;
    stage.connect("ada").await;
    let mut found = Vec::new();
    walk(&data, &mut found);
    let open: Vec<_> = found.iter().skip(1).filter(|(_, mode, _)| mode & 0o077 != 0).collect();
    assert!(open.is_empty(), "{open:?}");
}
