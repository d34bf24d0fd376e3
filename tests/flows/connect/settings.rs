//! The integration's settings: their values, their sources, and what is refused without them.

use jiff::SignedDuration;
use local::Data;
use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    harness::problems::{Findings, status_and_code},
    harness::{APP_ID, APP_SECRET, Answer, PINS, SETTINGS, TestApp, answer, days, id, minutes, seconds},
};

const START: &str = "/api/v1/auth/pinterest/start";
const OFF: &str = "Pinterest integration disabled";
const NOT_CONFIGURED: &str = "Pinterest integration disabled: app id/secret not configured";

pub(crate) async fn read_settings(app: &TestApp) -> Value {
    app.call(Method::GET, SETTINGS, &app.admin(), None).await.expect(200)
}

async fn save_settings(app: &TestApp, settings: Value) -> Answer {
    app.call(Method::PUT, SETTINGS, &app.admin(), Some(settings)).await
}

pub(crate) async fn test(app: &TestApp) -> Value {
    app.call(Method::POST, &format!("{SETTINGS}/test"), &app.admin(), None).await.expect(200)
}

/// The four sources: of App ID, App Secret, status and environment.
pub(crate) fn sources(settings: &Value) -> [&str; 4] {
    ["app_id", "app_secret", "status", "environment"]
        .map(|name| settings[format!("{name}_source")].as_str().unwrap())
}

#[tokio::test]
async fn the_settings_of_a_new_stack_are_empty() {
    let app = TestApp::start().await;
    let settings = read_settings(&app).await;
    assert_eq!(settings["app_id"], Value::Null);
    assert_eq!(settings["app_secret_set"], false);
    assert_eq!(settings["configured"], false);
    assert_eq!(settings["environment"], "sandbox");
    assert_eq!(sources(&settings), ["none"; 4]);
    assert_eq!(test(&app).await["result"], "not_configured");
    assert_eq!(test(&app).await["detail"], NOT_CONFIGURED);
    assert_eq!(app.pinterest().calls().len(), 0);
    assert_eq!(app.event_kinds().await, [""; 0]);
}

#[tokio::test]
async fn settings_of_the_environment_count_until_others_are_stored() {
    let variables = [
        ("PINTEREST_APP_ID", APP_ID),
        ("PINTEREST_APP_SECRET", APP_SECRET),
        ("PINTEREST_ENVIRONMENT", "production"),
    ];
    let app = TestApp::start_with(Data::Memory, variables).await;
    // Before anybody has read the settings, those of the environment are enough to connect and publish.
    let channel = app.connect("ada").await;
    let channel_view = app.channel("ada", &channel).await;
    assert_eq!(channel_view["environment"], "production");
    let settings = read_settings(&app).await;
    assert_eq!((&settings["app_id"], &settings["app_secret_set"]), (&json!(APP_ID), &json!(true)));
    assert_eq!((&settings["status"], &settings["environment"]), (&json!("enabled"), &json!("production")));
    assert_eq!(sources(&settings), ["env", "env", "none", "env"]);
    assert_eq!(test(&app).await["result"], "ok");

    let settings = app.save(json!({"environment": "sandbox", "app_id": "42"})).await;
    assert_eq!((&settings["app_id"], &settings["environment"]), (&json!("42"), &json!("sandbox")));
    assert_eq!(sources(&settings), ["stored", "env", "none", "stored"]);

    let settings = app.save(json!({"app_id": "", "status": "enabled"})).await;
    assert_eq!(settings["app_id"], APP_ID, "an empty App ID gives way to the environment's");
    assert_eq!(sources(&settings), ["env", "env", "stored", "stored"]);
    assert_eq!(read_settings(&app).await, settings);
}

#[tokio::test]
async fn a_part_of_the_credentials_from_each_side_is_enough() {
    let app = TestApp::start_with(Data::Memory, [("PINTEREST_APP_SECRET", APP_SECRET)]).await;
    assert_eq!(read_settings(&app).await["configured"], false);
    let settings = app.save(json!({"app_id": APP_ID})).await;
    assert_eq!(settings["configured"], true);
    assert_eq!(sources(&settings), ["stored", "env", "none", "none"]);
    assert_eq!(test(&app).await["result"], "ok");
    app.connect("ada").await;
}

#[tokio::test]
async fn a_put_takes_any_part_and_leaves_the_rest_as_it_is() {
    let app = TestApp::start_configured().await;
    let all = app.save(json!({"status": "enabled", "environment": "production"})).await;
    assert_eq!(sources(&all), ["stored"; 4]);
    for part in [json!({}), json!({"app_id": null}), json!({"app_secret": null, "status": null})] {
        assert_eq!(app.save(part.clone()).await, all, "{part}");
    }
    let disabled = app.save(json!({"status": "disabled"})).await;
    assert_eq!((&disabled["status"], &disabled["environment"]), (&json!("disabled"), &json!("production")));
    assert_eq!((&disabled["app_id"], &disabled["app_secret_set"]), (&json!(APP_ID), &json!(true)));
    assert_eq!(read_settings(&app).await, disabled);
}

#[tokio::test]
async fn an_absent_or_empty_secret_keeps_the_stored_one_and_a_new_one_replaces_it() {
    let app = TestApp::start_configured().await;
    for keeps in [json!({"app_id": APP_ID}), json!({"app_secret": ""}), json!({"app_secret": "  "})] {
        app.save(keeps.clone()).await;
        assert_eq!(test(&app).await["result"], "ok", "{keeps}");
    }
    app.save(json!({"app_secret": "another"})).await;
    assert_eq!(test(&app).await["result"], "wrong_app_id_or_secret");
    let with_white_space = json!({"app_secret": format!(" {APP_SECRET}\n"), "app_id": format!(" {APP_ID} ")});
    assert_eq!(app.save(with_white_space).await["app_id"], APP_ID);
    assert_eq!(test(&app).await["result"], "ok");
}

#[tokio::test]
async fn the_secret_is_in_no_answer() {
    let app = TestApp::start_with(Data::Memory, [("PINTEREST_APP_SECRET", "env-secret-7f3a")]).await;
    let mut answers = vec![
        save_settings(&app, json!({"app_id": APP_ID, "app_secret": APP_SECRET})).await,
        app.call(Method::GET, SETTINGS, &app.admin(), None).await,
        app.call(Method::POST, &format!("{SETTINGS}/test"), &app.admin(), None).await,
        save_settings(&app, json!({"app_secret": format!("{APP_SECRET} {APP_SECRET}")})).await,
        save_settings(&app, json!({"app_secret": [APP_SECRET]})).await,
        save_settings(&app, json!({"app_secret": APP_SECRET, "status": "perhaps"})).await,
        save_settings(&app, json!({"app_secret_key": APP_SECRET})).await,
        app.post(START, "ada", json!({})).await,
    ];
    app.pinterest().inject(Fault::once(Operation::Token, FaultKind::Garbage));
    answers.push(app.call(Method::POST, &format!("{SETTINGS}/test"), &app.admin(), None).await);
    for answer in answers {
        for secret in [APP_SECRET, "env-secret-7f3a"] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
            assert!(!format!("{:?}", answer.headers).contains(secret), "{:?}", answer.headers);
        }
    }
    let events = format!("{:?}", app.stack.events().await.unwrap());
    assert!(events.contains("settings.changed") && !events.contains(APP_SECRET), "{events}");
}

#[tokio::test]
async fn invalid_settings_are_refused_and_change_nothing() {
    let app = TestApp::start_configured().await;
    let before = read_settings(&app).await;
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
        for (settings, expected) in table {
            findings.compare(&settings.to_string(), &save_settings(&app, settings).await, expected);
        }
    }
    assert_eq!(read_settings(&app).await, before);
    assert_eq!(test(&app).await["result"], "ok");
    assert_eq!(app.event_kinds().await, ["settings.changed"]);
}

#[tokio::test]
async fn nobody_connects_and_nothing_is_published_while_the_integration_is_off() {
    let (app, channel) = TestApp::start_connected().await;
    let page = app.start_oauth("ada").await;
    let publish_at = app.stack.now() + minutes(5);
    let later = app.schedule("ada", &channel, "Later", publish_at).await.expect(202);
    let settings = app.save(json!({"status": "disabled"})).await;
    assert_eq!((&settings["status"], &settings["status_source"]), (&json!("disabled"), &json!("stored")));

    app.advance(seconds(61)).await;

    for refused in [app.post(START, "ada", json!({})).await, app.publish("ada", &channel, "Never").await] {
        assert_eq!(status_and_code(&refused), "409 integration_disabled");
        assert_eq!(refused.json()["detail"], OFF);
    }
    let end = app.decide(&page, "decision=allow").await;
    assert!(end.ends_with("#error=integration_disabled"), "{end}");
    app.advance(minutes(30)).await;
    assert_eq!(app.send_count(), 0);
    let waiting = app.pin("ada", &id(&later)).await;
    assert_eq!((&waiting["state"], &waiting["error"]), (&json!("waiting"), &Value::Null));
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(test(&app).await["result"], "ok", "the credentials can be tested meanwhile");

    app.save(json!({"status": "enabled"})).await;
    app.advance(minutes(30)).await;
    assert_eq!(app.at_pinterest("Later"), 1);
    app.publish("ada", &channel, "Again").await.expect(201);
}

#[tokio::test]
async fn connecting_and_publishing_without_settings_are_refused_with_the_fixed_text() {
    let app = TestApp::start().await;
    let channel = "ch_00000000000000000000000000";
    let refusals =
        async || [app.post(START, "ada", json!({})).await, app.publish("ada", channel, "Never").await];
    for settings in [None, Some(json!({"app_id": APP_ID})), Some(json!({"status": "enabled"}))] {
        if let Some(settings) = settings {
            app.save(settings).await;
            app.advance(seconds(61)).await;
        }
        for refused in refusals().await {
            assert_eq!(status_and_code(&refused), "409 integration_disabled");
            assert_eq!(refused.json()["detail"], NOT_CONFIGURED);
            assert!(refused.json()["fix"].as_str().unwrap().contains("PINTEREST_APP_ID"));
        }
    }
    // With a secret alone, and switched off, the missing App ID is reported first.
    app.save(json!({"app_secret": APP_SECRET, "app_id": "", "status": "disabled"})).await;
    app.advance(seconds(61)).await;
    for refused in refusals().await {
        assert_eq!(refused.json()["detail"], NOT_CONFIGURED);
    }
}

#[tokio::test]
async fn the_settings_show_when_each_worker_ran_last() {
    let app = TestApp::start_configured().await;
    let worker = read_settings(&app).await["worker"].clone();
    for time in ["last_tick_at", "last_daily_at", "oldest_due_at"] {
        assert_eq!(worker[time], Value::Null, "{time}");
    }
    let detail = worker["detail"].as_str().unwrap();
    assert!(detail.starts_with("the refresh worker has not run since"), "{detail}");
    assert!(worker["fix"].as_str().unwrap().contains("check the stack's EventBridge rules"));

    let before = app.stack.now();
    app.stack.tick().await.unwrap();
    let worker = read_settings(&app).await["worker"].clone();
    let last: jiff::Timestamp = worker["last_tick_at"].as_str().unwrap().parse().unwrap();
    assert!((before..=app.stack.now()).contains(&last), "{worker}");
    assert_eq!((&worker["detail"], &worker["fix"]), (&Value::Null, &Value::Null));
    assert_eq!(worker["last_daily_at"], Value::Null);

    app.stack.run_daily_check().await.unwrap();
    assert!(read_settings(&app).await["worker"]["last_daily_at"].is_string());
    app.advance(days(3)).await;
    let worker = read_settings(&app).await["worker"].clone();
    assert_eq!(worker["detail"], Value::Null);
    let daily: jiff::Timestamp = worker["last_daily_at"].as_str().unwrap().parse().unwrap();
    assert!(app.stack.now().duration_since(daily) < SignedDuration::from_hours(24), "{worker}");
}

#[tokio::test]
async fn the_redirect_uris_are_listed_the_one_in_use_first() {
    let app = TestApp::start_configured().await;
    let url = app.stack.url();
    let (own, alias) =
        (format!("{url}/api/v1/auth/pinterest/callback"), format!("{url}/mixpost/callback/pinterest"));
    assert_eq!(read_settings(&app).await["redirect_uris"], json!([own, alias]));
    assert!(app.start_oauth("ada").await.contains(&encoded(&own)));

    let base = TestApp::start_with(Data::Memory, [("BASE_URL", "https://api.example.com/")]).await;
    assert_eq!(
        read_settings(&base).await["redirect_uris"][0],
        "https://api.example.com/api/v1/auth/pinterest/callback"
    );
}

fn encoded(address: &str) -> String {
    address.replace(':', "%3A").replace('/', "%2F")
}

#[tokio::test]
async fn an_already_registered_redirect_uri_can_stay() {
    let app = TestApp::start_with(Data::Memory, [("REDIRECT_PATH", "/mixpost/callback/pinterest")]).await;
    app.configure().await;
    let alias = format!("{}/mixpost/callback/pinterest", app.stack.url());
    assert_eq!(read_settings(&app).await["redirect_uris"][0], json!(alias));
    assert_eq!(read_settings(&app).await["redirect_uris"].as_array().unwrap().len(), 2);

    let page = app.start_oauth("ada").await;
    assert!(page.contains(&format!("redirect_uri={}", encoded(&alias))), "{page}");
    let form = "decision=allow&account=demo_account";
    let request = app.client.post(&page).body(form);
    let redirect = answer(request.header("content-type", "application/x-www-form-urlencoded")).await;
    let callback = redirect.headers[LOCATION].to_str().unwrap();
    assert!(callback.starts_with(&format!("{alias}?")), "{callback}");
    let end = answer(app.client.get(callback)).await;
    let end = end.headers[LOCATION].to_str().unwrap();
    let ticket = json!({"connection": end.split_once("#connection=").unwrap().1});
    app.post("/api/v1/connections/claim", "ada", ticket).await.expect(201);
}
