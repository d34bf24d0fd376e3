//! The integration's settings: what counts, where it comes from, and what is off without it.

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

pub(crate) async fn read(stage: &Stage) -> Value {
    stage.call(Method::GET, SETTINGS, &stage.admin(), None).await.expect(200)
}

async fn put(stage: &Stage, settings: Value) -> Answer {
    stage.call(Method::PUT, SETTINGS, &stage.admin(), Some(settings)).await
}

pub(crate) async fn test(stage: &Stage) -> Value {
    stage.call(Method::POST, &format!("{SETTINGS}/test"), &stage.admin(), None).await.expect(200)
}

/// The four sources: of App ID, App Secret, status and environment.
pub(crate) fn sources(settings: &Value) -> [&str; 4] {
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
