//! Restarts: a stack that is stopped or killed goes on from its folder. A stack in memory loses everything.

use std::{collections::BTreeMap, path::Path, time::Duration};

use local::{Data, Options, Pinterest, Stack};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    connect::settings::{read_settings, sources, test},
    harness::{PINS, TestApp, client, days, id, minutes, pin, until},
};

fn options(folder: &Path) -> Options {
    let data = Data::Folder(folder.to_owned());
    Options { port: 0, data, pinterest: Pinterest::Simulated, variables: BTreeMap::new(), timer: false }
}

/// A stack on the folder, configured and connected.
pub(crate) async fn start_in(folder: &Path) -> (TestApp, String) {
    let app = restart_in(folder).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    (app, channel)
}

/// A stack on the folder, as soon as the previous one has released it.
pub(crate) async fn restart_in(folder: &Path) -> TestApp {
    let free = async {
        loop {
            match Stack::start(options(folder)).await {
                Ok(stack) => return TestApp { stack, client: client() },
                Err(error) if error.to_string().contains("in use") => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), free).await.unwrap()
}

pub(crate) async fn stop(app: TestApp) {
    let TestApp { stack, client } = app;
    drop(client);
    stack.stop().await.unwrap();
}

async fn events(app: &TestApp) -> Vec<(String, Value)> {
    let events = app.stack.events().await.unwrap();
    events.into_iter().map(|event| (event.detail_type, event.detail["id"].clone())).collect()
}

#[tokio::test]
async fn a_stack_that_is_started_again_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (app, channel) = start_in(folder.path()).await;
    let now = app.publish("ada", &channel, "Now").await.expect(201);
    let in_five_days = app.stack.now() + days(5);
    let later = app.schedule("ada", &channel, "Later", in_five_days).await.expect(202);
    app.advance(days(3)).await;
    let path = format!("/api/v1/channels/{channel}");
    let (view, token) = (app.get(&path, "ada").await.expect(200), app.user("ada"));
    let (clock, events_before) = (app.stack.now(), events(&app).await);
    assert!(events_before.len() >= 4, "{events_before:?}");
    stop(app).await;

    let app = restart_in(folder.path()).await;
    assert!(app.stack.now() >= clock, "the clock does not go back");
    assert!(app.stack.now() < clock + minutes(5), "nor ahead");
    assert_eq!(events(&app).await, events_before, "nothing is told twice");
    assert_eq!(app.get(&path, "ada").await.expect(200), view);
    let pin_list = app.call(reqwest::Method::GET, PINS, &token, None).await.expect(200);
    assert_eq!(pin_list["items"].as_array().unwrap().len(), 2, "whoever was signed in still is");
    assert_eq!(app.pin("ada", &id(&now)).await["pinterest_pin_id"], now["pinterest_pin_id"]);
    app.publish("ada", &channel, "Sealed tokens open").await.expect(201);
    let tokens = app.pinterest().calls_of(Operation::Token);
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::Unauthorized));
    let waiting_pin = app.publish("ada", &channel, "The refresh token too").await.expect(202);
    app.advance(minutes(3)).await;
    assert_eq!(app.pinterest().calls_of(Operation::Token), tokens + 1);
    assert_eq!(app.pin("ada", &id(&waiting_pin)).await["state"], "published");

    app.advance(days(3)).await;
    assert_eq!(app.pin("ada", &id(&later)).await["state"], "published");
    for title in ["Now", "Sealed tokens open", "The refresh token too", "Later"] {
        assert_eq!(app.at_pinterest(title), 1, "{title}");
    }
    let all = events(&app).await;
    assert_eq!(all[..events_before.len()], events_before);
    let kinds: Vec<_> = all[events_before.len()..].iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["pin.published", "pin.waiting", "pin.published", "pin.published"]);
    let mut ids: Vec<_> = all.iter().map(|(_, id)| id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "each event has an id of its own");
    stop(app).await;
}

#[tokio::test]
async fn settings_and_their_effects_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::Folder(folder.path().join("data"));
    let app = TestApp::start_with(data.clone(), []).await;
    app.configure().await;
    app.save(json!({"environment": "production", "status": "disabled"})).await;
    let before = read_settings(&app).await;
    let channels = app.get("/api/v1/channels", "ada").await.expect(200);
    drop(app.client);
    app.stack.stop().await.unwrap();

    let app = TestApp::start_with(data, []).await;
    let after = read_settings(&app).await;
    for name in ["app_id", "app_secret_set", "status", "environment", "configured"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert_eq!(sources(&after), ["stored"; 4]);
    assert_eq!(app.get("/api/v1/channels", "ada").await.expect(200), channels);
    assert_eq!(test(&app).await["result"], "ok");
}

#[tokio::test]
async fn the_first_tick_after_a_stop_does_all_overdue_work() {
    let folder = tempfile::tempdir().unwrap();
    let (app, channel) = start_in(folder.path()).await;
    let publish_at = app.stack.now() + minutes(30);
    let due = app.schedule("ada", &channel, "Due", publish_at).await.expect(202);
    stop(app).await;
    // The folder stores how far the stack's clock is ahead of the machine. A change of it is the time without a stack.
    let file = folder.path().join("clock");
    std::fs::write(&file, (60 * 60 * 1000).to_string()).unwrap();

    let app = restart_in(folder.path()).await;
    app.stack.tick().await.unwrap();

    assert_eq!(app.pin("ada", &id(&due)).await["state"], "published");
    assert_eq!(app.at_pinterest("Due"), 1);
    stop(app).await;
}

#[tokio::test]
async fn a_folder_belongs_to_one_stack_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (app, channel) = start_in(folder.path()).await;

    let Err(error) = Stack::start(options(folder.path())).await else { panic!("two stacks on one folder") };
    let error = error.to_string();
    assert!(error.contains("in use") && error.contains(&*folder.path().to_string_lossy()), "{error}");

    app.publish("ada", &channel, "Unharmed").await.expect(201);
    stop(app).await;
    let app = restart_in(folder.path()).await;
    assert_eq!(app.at_pinterest("Unharmed"), 1);
    stop(app).await;
}

#[tokio::test]
async fn a_stack_in_memory_leaves_nothing() {
    let (app, channel) = TestApp::start_connected().await;
    app.publish("ada", &channel, "Gone").await.expect(201);
    app.advance(days(2)).await;
    stop(app).await;

    let app = TestApp::start().await;
    assert_eq!(app.at_pinterest("Gone"), 0);
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"], json!([]));
    assert_eq!(app.get("/api/v1/channels", "ada").await.expect(200)["items"], json!([]));
    assert!(events(&app).await.is_empty());
    let offset = app.stack.now().duration_since(jiff::Timestamp::now());
    assert!(offset.abs() < minutes(1), "{offset}");
}

#[tokio::test]
async fn a_stack_that_is_killed_while_it_sends_leaves_one_pin() {
    for kind in [FaultKind::HangAfter, FaultKind::HangBefore] {
        let folder = tempfile::tempdir().unwrap();
        let (app, channel) = start_in(folder.path()).await;
        app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let request = app.client.post(format!("{}{PINS}", app.stack.url()));
        let request = request.bearer_auth(app.user("ada")).json(&pin(&channel, "Killed"));
        let request = tokio::spawn(request.send());
        until(|| app.send_count() > 0).await;
        request.abort();
        drop(app);

        let app = restart_in(folder.path()).await;
        let interrupted = app.get(PINS, "ada").await.expect(200)["items"][0].clone();
        assert_eq!(interrupted["state"], "sending");
        app.advance(minutes(7)).await;

        let interrupted = app.pin("ada", &id(&interrupted)).await;
        assert_eq!(interrupted["state"], "published", "{interrupted}");
        assert_eq!(app.at_pinterest("Killed"), 1);
        stop(app).await;
    }
}
