use crate::harness::{KEYS, TestClock, call, in_folder, in_memory, options, put_row, try_in_folder};
use loopback_aws::{Error, LoopbackAws};
use serde_json::json;
use std::fs;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_folder_serves_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = in_folder(folder.path()).await;

    let second = try_in_folder(folder.path()).await;
    first.stop().await.unwrap();
    let third = try_in_folder(folder.path()).await;

    let Err(refused @ Error::InUse { .. }) = second else { panic!("{second:?}") };
    assert!(
        refused
            .to_string()
            .ends_with("is in use by another process: stop that one first, or choose another folder")
    );
    assert!(third.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn everything_in_the_folder_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("made/here");
    fs::create_dir(parent.path().join("made")).unwrap();
    let aws = in_folder(&folder).await;
    put_row(&aws, "main", "a").await;
    let event = json!({ "Entries": [{ "Source": "s", "DetailType": "t", "Detail": "{}" }] }).to_string();
    call(aws.url(), "AWSEvents.PutEvents", &event).await;
    let batch = aws.stream().next_batch().unwrap().unwrap();
    aws.stream().commit(&batch).unwrap();

    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut names = Vec::new();
    for place in [folder.clone(), folder.join("secrets")] {
        assert_eq!(mode(&place), 0o700, "{}", place.display());
        for entry in fs::read_dir(&place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    names.sort();
    assert_eq!(
        names,
        [
            "dynamodb.sqlite",
            "dynamodb.sqlite-shm",
            "dynamodb.sqlite-wal",
            "events.jsonl",
            "lock",
            "pinwright%2Fkeys.json",
            "stream.json",
        ]
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_others_could_read_is_closed_to_them() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path()).await.stop().await.unwrap();
    let file = folder.path().join("dynamodb.sqlite");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();

    let _aws = in_folder(folder.path()).await;

    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_damaged_file_is_named_and_not_shown() {
    for name in ["secrets/pinwright%2Fkeys.json", "events.jsonl", "stream.json"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("secrets")).unwrap();
        fs::write(folder.path().join(name), "\"hush\"\n").unwrap();

        let error = try_in_folder(folder.path()).await.unwrap_err();

        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"));
    }
}

#[tokio::test]
async fn nothing_listens_after_the_stop() {
    let aws = in_memory().await;
    let addresses =
        [aws.dynamodb_url(), aws.url()].map(|url| url.strip_prefix("http://").unwrap().to_owned());
    let idle_connection = TcpStream::connect(&addresses[0]).await.unwrap();

    aws.stop().await.unwrap();

    drop(idle_connection);
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test]
async fn its_debug_output_holds_no_secret() {
    let mut options = options(None, &TestClock::new());
    options.secrets.insert(KEYS.to_owned(), "hush".to_owned());

    let aws = LoopbackAws::start(options).await.unwrap();

    assert!(!format!("{aws:?}").contains("hush"));
}
