//! A local AWS with a clock that stands still, and a client that says no more than it has to.

use jiff::{SignedDuration, Timestamp};
use loopback_aws::{Clock, Error, LoopbackAws, Options, Tables};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tests::signed_headers;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) const SETTINGS: &str = "pinwright/settings";
pub(crate) const KEYS: &str = "pinwright/keys";
pub(crate) const SECRET_KEY: &str = "of this run";

/// A clock that a test moves.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap())))
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }

    fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

pub(crate) fn options(folder: Option<&Path>, clock: &TestClock) -> Options {
    Options {
        folder: folder.map(PathBuf::from),
        tables: Tables { main: "main".to_owned(), tokens: "tokens".to_owned() },
        now: clock.clock(),
        secrets: BTreeMap::from([
            (SETTINGS.to_owned(), String::new()),
            (KEYS.to_owned(), "the first keys".to_owned()),
        ]),
        bucket: "media".to_owned(),
        secret_key: SECRET_KEY.to_owned(),
    }
}

pub(crate) async fn in_memory() -> LoopbackAws {
    LoopbackAws::start(options(None, &TestClock::new())).await.unwrap()
}

pub(crate) async fn in_folder(folder: &Path) -> LoopbackAws {
    try_in_folder(folder).await.unwrap()
}

pub(crate) async fn try_in_folder(folder: &Path) -> Result<LoopbackAws, Error> {
    LoopbackAws::start(options(Some(folder), &TestClock::new())).await
}

/// One call of a JSON protocol: the status and the body of the answer.
pub(crate) async fn call(url: &str, target: &str, body: &str) -> (u16, Value) {
    let host = url.strip_prefix("http://").unwrap();
    call_as(host, host, SECRET_KEY, target, body).await
}

/// A call that names another host than the one it goes to, or is signed with another key.
pub(crate) async fn call_as(
    address: &str,
    host: &str,
    secret_key: &str,
    target: &str,
    body: &str,
) -> (u16, Value) {
    let headers = signed_headers(secret_key, &format!("http://{host}/"), target, body);
    let headers = headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let headers: String = headers.collect();
    send(address, host, &headers, body).await
}

/// A request with these headers: the status and the body of the answer.
pub(crate) async fn send(address: &str, host: &str, headers: &str, body: &str) -> (u16, Value) {
    let length = body.len();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();

    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// A call of DynamoDB that succeeds.
pub(crate) async fn dynamodb(aws: &LoopbackAws, operation: &str, body: Value) -> Value {
    let target = format!("DynamoDB_20120810.{operation}");
    let (status, answer) = call(aws.dynamodb_url(), &target, &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Puts a row whose keys are `pk` and `ROW`.
pub(crate) async fn put_row(aws: &LoopbackAws, table: &str, pk: &str) {
    let row = json!({ "TableName": table, "Item": { "pk": { "S": pk }, "sk": { "S": "ROW" } } });
    dynamodb(aws, "PutItem", row).await;
}

pub(crate) async fn has_row(aws: &LoopbackAws, table: &str, pk: &str) -> bool {
    let key = json!({ "TableName": table, "Key": { "pk": { "S": pk }, "sk": { "S": "ROW" } } });
    dynamodb(aws, "GetItem", key).await.get("Item").is_some()
}

/// Copies what a process that dies at this moment leaves on the disk.
pub(crate) fn copy_folder(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("secrets")).unwrap();
    for name in ["", "secrets"] {
        for entry in std::fs::read_dir(folder.join(name)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), copy.path().join(name).join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}
