//! The files of the data folder: their names, and that only their owner can read them.

use std::path::Path;

use local::Data;
use serde_json::{Value, json};

use crate::{
    harness::{APP_ID, APP_SECRET, TestApp, days},
    operations::restart::{start_in, stop},
};

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

#[tokio::test]
async fn the_stored_secret_has_the_option_keys_that_people_know() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(Data::Folder(folder.path().join("data")), []).await;
    let stored = || {
        let file =
            std::fs::read_to_string(folder.path().join("data/secrets/pinwright%2Fsettings.json")).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        serde_json::from_str::<Value>(file["current"]["value"].as_str().unwrap()).unwrap()
    };
    app.configure().await;
    let options = stored();
    assert_eq!(options["pinterest_app-id"], APP_ID);
    assert_eq!(options["pinterest_app-secret"], APP_SECRET);

    app.save(json!({"status": "disabled", "environment": "production"})).await;
    assert_eq!(
        stored(),
        json!({
            "pinterest_app-id": APP_ID,
            "pinterest_app-secret": APP_SECRET,
            "pinterest_integration_status": "disabled",
            "pinterest_environment": "production",
        })
    );
    app.save(json!({"status": "enabled", "environment": "sandbox"})).await;
    assert_eq!(stored()["pinterest_integration_status"], "enabled");
    assert_eq!(stored()["pinterest_environment"], "sandbox");
}

#[cfg(unix)]
#[tokio::test]
async fn every_stored_file_is_readable_by_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep/data");
    let app = TestApp::start_with(Data::Folder(data.clone()), []).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    app.publish("ada", &channel, "Kept").await.expect(201);
    app.advance(days(2)).await;
    assert!(!app.event_kinds().await.is_empty());

    let mut found = Vec::new();
    walk(&data, &mut found);
    for (path, mode, is_folder) in &found {
        assert_eq!(mode & 0o777, if *is_folder { 0o700 } else { 0o600 }, "{path}: {mode:o}");
    }
    let files: Vec<_> = found.iter().map(|(path, ..)| path.as_str()).collect();
    for part in ["dynamodb.sqlite", "pinwright%2Fsettings.json", "signing-key", "clock", "events.jsonl"] {
        assert!(files.iter().any(|path| path.ends_with(part)), "{part}: {files:?}");
    }
    drop(app.client);
    app.stack.stop().await.unwrap();
    let mut remaining = Vec::new();
    walk(&data, &mut remaining);
    assert!(remaining.iter().all(|(_, mode, _)| mode & 0o077 == 0), "{remaining:?}");
}

/// In a folder that others may read, they still cannot read our files.
#[cfg(unix)]
#[tokio::test]
async fn files_are_private_even_in_an_existing_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let app = TestApp::start_with(Data::Folder(data.clone()), []).await;
    app.configure().await;
    app.connect("ada").await;
    let mut found = Vec::new();
    walk(&data, &mut found);
    let open: Vec<_> = found.iter().skip(1).filter(|(_, mode, _)| mode & 0o077 != 0).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn a_folder_is_readable_by_its_owner_only_and_holds_no_token_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let (app, channel) = start_in(folder.path()).await;
    app.publish("ada", &channel, "Private").await.expect(201);
    stop(app).await;

    let mut waiting = vec![folder.path().to_owned()];
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        files += 1;
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
        let bytes = std::fs::read(&path).unwrap();
        for token in ["pina_", "pinr_"] {
            let is_readable = bytes.windows(token.len()).any(|part| part == token.as_bytes());
            assert!(!is_readable, "{} holds {token}", path.display());
        }
    }
    assert!(files >= 5, "{files}");
}
