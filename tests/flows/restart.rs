//! Stopped, killed and started again: a folder keeps everything, and memory nothing.

use std::{collections::BTreeMap, path::Path, time::Duration};

use local::{Data, Options, Pinterest, Stack};
use serde_json::{Value, json};
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    admin::{read, sources, test},
    stage::{PINS, Stage, client, days, id, minutes, pin, until},
};

fn options(folder: &Path) -> Options {
    let data = Data::Folder(folder.to_owned());
    Options { port: 0, data, pinterest: Pinterest::Simulated, variables: BTreeMap::new(), timer: false }
}

/// A stack on the folder, configured and connected.
pub(crate) async fn first(folder: &Path) -> (Stage, String) {
    let stage = again(folder).await;
    stage.configure().await;
    let channel = stage.connect("ada").await;
    stage.choose_board("ada", &channel).await;
    (stage, channel)
}

/// A stack on the folder, as soon as the one before has let go of it.
pub(crate) async fn again(folder: &Path) -> Stage {
    let free = async {
        loop {
            match Stack::start(options(folder)).await {
                Ok(stack) => return Stage { stack, client: client() },
                Err(error) if error.to_string().contains("in use") => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), free).await.unwrap()
}

pub(crate) async fn stop(stage: Stage) {
    let Stage { stack, client } = stage;
    drop(client);
    stack.stop().await.unwrap();
}

async fn events(stage: &Stage) -> Vec<(String, Value)> {
    let events = stage.stack.events().await.unwrap();
    events.into_iter().map(|event| (event.detail_type, event.detail["id"].clone())).collect()
}

#[tokio::test]
async fn a_stack_that_is_started_again_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (stage, channel) = first(folder.path()).await;
    let now = stage.publish("ada", &channel, "Now").await.expect(201);
    let in_five_days = stage.stack.now() + days(5);
    let later = stage.schedule("ada", &channel, "Later", in_five_days).await.expect(202);
    stage.advance(days(3)).await;
    let path = format!("/api/v1/channels/{channel}");
    let (view, token) = (stage.get(&path, "ada").await.expect(200), stage.user("ada"));
    let (clock, told) = (stage.stack.now(), events(&stage).await);
    assert!(told.len() >= 4, "{told:?}");
    stop(stage).await;

    let stage = again(folder.path()).await;
    assert!(stage.stack.now() >= clock, "the clock does not go back");
    assert!(stage.stack.now() < clock + minutes(5), "nor ahead");
    assert_eq!(events(&stage).await, told, "nothing is told twice");
    assert_eq!(stage.get(&path, "ada").await.expect(200), view);
    let listed = stage.call(reqwest::Method::GET, PINS, &token, None).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "whoever was signed in still is");
    assert_eq!(stage.pin("ada", &id(&now)).await["pinterest_pin_id"], now["pinterest_pin_id"]);
    stage.publish("ada", &channel, "Sealed tokens open").await.expect(201);
    let tokens = stage.pinterest().calls_of(Operation::Token);
    stage.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::Unauthorized));
    let renewed = stage.publish("ada", &channel, "The refresh token too").await.expect(202);
    stage.advance(minutes(3)).await;
    assert_eq!(stage.pinterest().calls_of(Operation::Token), tokens + 1);
    assert_eq!(stage.pin("ada", &id(&renewed)).await["state"], "published");

    stage.advance(days(3)).await;
    assert_eq!(stage.pin("ada", &id(&later)).await["state"], "published");
    for title in ["Now", "Sealed tokens open", "The refresh token too", "Later"] {
        assert_eq!(stage.at_pinterest(title), 1, "{title}");
    }
    let all = events(&stage).await;
    assert_eq!(all[..told.len()], told);
    let kinds: Vec<_> = all[told.len()..].iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["pin.published", "pin.waiting", "pin.published", "pin.published"]);
    let mut ids: Vec<_> = all.iter().map(|(_, id)| id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "each event has an id of its own");
    stop(stage).await;
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
async fn what_fell_due_while_nothing_ran_is_done_by_the_first_tick() {
    let folder = tempfile::tempdir().unwrap();
    let (stage, channel) = first(folder.path()).await;
    let soon = stage.stack.now() + minutes(30);
    let due = stage.schedule("ada", &channel, "Due", soon).await.expect(202);
    stop(stage).await;
    // The clock in the folder is how far the stack is ahead of the machine: so long it was off.
    let file = folder.path().join("clock");
    std::fs::write(&file, (60 * 60 * 1000).to_string()).unwrap();

    let stage = again(folder.path()).await;
    stage.stack.tick().await.unwrap();

    assert_eq!(stage.pin("ada", &id(&due)).await["state"], "published");
    assert_eq!(stage.at_pinterest("Due"), 1);
    stop(stage).await;
}

#[tokio::test]
async fn a_folder_belongs_to_one_stack_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (stage, channel) = first(folder.path()).await;

    let Err(error) = Stack::start(options(folder.path())).await else { panic!("two stacks on one folder") };
    let error = error.to_string();
    assert!(error.contains("in use") && error.contains(&*folder.path().to_string_lossy()), "{error}");

    stage.publish("ada", &channel, "Unharmed").await.expect(201);
    stop(stage).await;
    let stage = again(folder.path()).await;
    assert_eq!(stage.at_pinterest("Unharmed"), 1);
    stop(stage).await;
}

#[tokio::test]
async fn memory_leaves_nothing() {
    let (stage, channel) = Stage::connected().await;
    stage.publish("ada", &channel, "Gone").await.expect(201);
    stage.advance(days(2)).await;
    stop(stage).await;

    let stage = Stage::set().await;
    assert_eq!(stage.at_pinterest("Gone"), 0);
    assert_eq!(stage.get(PINS, "ada").await.expect(200)["items"], json!([]));
    assert_eq!(stage.get("/api/v1/channels", "ada").await.expect(200)["items"], json!([]));
    assert!(events(&stage).await.is_empty());
    let ahead = stage.stack.now().duration_since(jiff::Timestamp::now());
    assert!(ahead.abs() < minutes(1), "{ahead}");
}

#[tokio::test]
async fn a_stack_that_is_killed_while_it_sends_leaves_one_pin() {
    for kind in [FaultKind::HangAfter, FaultKind::HangBefore] {
        let folder = tempfile::tempdir().unwrap();
        let (stage, channel) = first(folder.path()).await;
        stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let request = stage.client.post(format!("{}{PINS}", stage.stack.url()));
        let request = request.bearer_auth(stage.user("ada")).json(&pin(&channel, "Killed"));
        let request = tokio::spawn(request.send());
        until(|| stage.sent() > 0).await;
        request.abort();
        drop(stage);

        let stage = again(folder.path()).await;
        let killed = stage.get(PINS, "ada").await.expect(200)["items"][0].clone();
        assert_eq!(killed["state"], "sending");
        stage.advance(minutes(7)).await;

        let killed = stage.pin("ada", &id(&killed)).await;
        assert_eq!(killed["state"], "published", "{killed}");
        assert_eq!(stage.at_pinterest("Killed"), 1);
        stop(stage).await;
    }
}
