//! Uploads: a file goes directly to the bucket, by a signed address for one file of one size and a limited time.

use std::{path::Path, time::Duration};

use adapters::{media_bucket::Error, media_bucket::StoredFile};
use app::Setup;
use domain::{FileType, MediaId, TenantId};
use futures::TryStreamExt as _;
use local::Data;
use platform::{Clock, Random, Variables, chain};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    harness::problems::{Findings, raw},
    harness::{Answer, TestApp, answer, days, seconds},
    operations::restart::{restart_in, stop},
};

const MEDIA: &str = "/api/v1/media";
const SOON: Duration = Duration::from_mins(5);

/// The smallest possible PNG.
pub(crate) const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\xdac\xf8\xcf\xc0\xf0\x1f\0\x05\x05\x02\0_\xc8\xf1\xd2\0\0\0\0IEND\xaeB`\x82";

/// An offer to upload a file.
pub(crate) async fn offer(app: &TestApp, sub: &str, content_type: &str, bytes: usize) -> Value {
    app.post(MEDIA, sub, json!({"content_type": content_type, "bytes": bytes})).await.expect(201)
}

/// The request that the offer describes. The client adds the content length by itself.
fn request(app: &TestApp, offer: &Value, content: impl Into<reqwest::Body>) -> RequestBuilder {
    let upload = &offer["upload"];
    let method = Method::from_bytes(upload["method"].as_str().unwrap().as_bytes()).unwrap();
    let request = app.client.request(method, upload["url"].as_str().unwrap());
    let header = |name: &str| upload["headers"][name].as_str().unwrap().to_owned();
    let request = request.header("content-type", header("content-type"));
    let request = request.header("if-none-match", header("if-none-match"));
    request.header("x-amz-tagging", header("x-amz-tagging")).body(content)
}

pub(crate) async fn send(app: &TestApp, offer: &Value, content: &'static [u8]) -> Answer {
    answer(request(app, offer, content)).await
}

pub(crate) fn id(offer: &Value) -> MediaId {
    offer["media_id"].as_str().unwrap().to_owned().try_into().unwrap()
}

pub(crate) fn tenant(sub: &str) -> TenantId {
    TenantId(sub.to_owned())
}

async fn look(app: &TestApp, sub: &str, offer: &Value) -> Option<StoredFile> {
    app.bucket().head(&tenant(sub), &id(offer)).await.unwrap()
}

#[tokio::test]
async fn a_file_is_uploaded_to_the_bucket_and_its_first_bytes_give_its_type() {
    let app = TestApp::start().await;
    let before = app.stack.now();
    let offer = offer(&app, "ada", "image/jpeg", PNG.len()).await;
    let expires_at: jiff::Timestamp = offer["expires_at"].as_str().unwrap().parse().unwrap();
    assert!((seconds(3590)..=seconds(3610)).contains(&expires_at.duration_since(before)), "{offer}");
    assert_eq!(offer["upload"]["method"], "PUT");
    let length = PNG.len().to_string();
    let headers = json!({"content-type": "image/jpeg", "content-length": length, "if-none-match": "*",
        "x-amz-tagging": "pinwright=unused"});
    assert_eq!(offer["upload"]["headers"], headers);
    assert_eq!(look(&app, "ada", &offer).await, None);

    assert_eq!(send(&app, &offer, PNG).await.status, 200);

    let stored = StoredFile {
        kind: Ok(FileType::Png),
        bytes: PNG.len() as u64,
        is_unfinished: false,
        digital_source: None,
    };
    assert_eq!(look(&app, "ada", &offer).await, Some(stored));
}

#[tokio::test]
async fn another_tenants_file_is_not_found() {
    let app = TestApp::start().await;
    let offer = offer(&app, "ada", "image/png", PNG.len()).await;
    send(&app, &offer, PNG).await;

    assert_eq!(look(&app, "eve", &offer).await, None);
    assert!(app.bucket().get(&tenant("eve"), &id(&offer)).await.unwrap().is_none());
    let address = app.bucket().signed_url(&tenant("eve"), &id(&offer), SOON).unwrap();
    assert_eq!(answer(app.client.get(address.expose())).await.status, 404);
}

#[tokio::test]
async fn an_upload_address_is_valid_for_its_file_only() {
    let app = TestApp::start().await;
    let offer = offer(&app, "ada", "image/png", PNG.len()).await;
    let url = offer["upload"]["url"].as_str().unwrap();
    let put = |url: String| app.client.put(url).header("content-type", "image/png").body(PNG);
    let other = crate::harness::problems::missing(offer["media_id"].as_str().unwrap());
    let one_more = [PNG, b"x"].concat();
    let requests = [
        ("a larger file", request(&app, &offer, one_more)),
        ("a smaller file", request(&app, &offer, &PNG[1..])),
        ("another kind", app.client.put(url).header("content-type", "image/jpeg").body(PNG)),
        ("no kind", app.client.put(url).body(PNG)),
        ("another name", put(url.replace(offer["media_id"].as_str().unwrap(), &other))),
        ("more time", put(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000"))),
        ("no signature", put(url.split('?').next().unwrap().to_owned())),
        ("reading", app.client.get(url)),
    ];
    for (case, request) in requests {
        let refused = answer(request).await;
        assert_eq!(refused.status, 403, "{case}: {}", refused.text);
        assert!(refused.text.contains("<Code>"), "{case}: {}", refused.text);
    }
    let elsewhere = answer(put(url.replace("pinwright-media", "pinwright-tokens"))).await;
    assert_eq!(elsewhere.status, 404, "there is one bucket");
    let no_size = by_hand(url, "Transfer-Encoding: chunked", b"0\r\n\r\n").await;
    assert!(no_size.starts_with("HTTP/1.1 403"), "{no_size}");
    assert_eq!(look(&app, "ada", &offer).await, None);
    assert_eq!(send(&app, &offer, PNG).await.status, 200);
}

#[tokio::test]
async fn an_address_goes_by_the_clock_of_aws_and_not_by_the_one_that_is_moved() {
    let app = TestApp::start().await;
    let offer = offer(&app, "ada", "image/png", PNG.len()).await;
    app.advance(days(40)).await;
    assert_eq!(send(&app, &offer, PNG).await.status, 200);
    let expired = self::offer(&app, "ada", "image/png", PNG.len()).await;
    assert_eq!(send(&app, &expired, PNG).await.status, 200);
}

#[tokio::test]
async fn an_unsupported_file_is_refused_before_the_upload() {
    let app = TestApp::start().await;
    let token = app.user("ada");
    let mut findings = Findings::default();
    let too_large = "413 media_too_large";
    for (body, expected) in [
        (r#"{"content_type":"image/heic","bytes":1}"#, "422 unsupported_media_type"),
        (r#"{"content_type":"image/*","bytes":1}"#, "422 unsupported_media_type"),
        (r#"{"content_type":"","bytes":1}"#, "422 unsupported_media_type"),
        (r#"{"content_type":"image/png\r\nx: y","bytes":1}"#, "422 unsupported_media_type"),
        (r#"{"content_type":"image/png","bytes":0}"#, "422 empty_media"),
        (r#"{"content_type":"image/png","bytes":20971521}"#, too_large),
        (r#"{"content_type":"video/mp4","bytes":2147483649}"#, too_large),
        (r#"{"content_type":"video/mp4","bytes":18446744073709551615}"#, too_large),
        (r#"{"content_type":"video/mp4","bytes":18446744073709551616}"#, "422 invalid_type"),
        (r#"{"content_type":"image/png","bytes":-1}"#, "422 invalid_type"),
        (r#"{"content_type":"image/png","bytes":1.5}"#, "422 invalid_type"),
        (r#"{"content_type":"image/png","bytes":"1"}"#, "422 invalid_type"),
        (r#"{"content_type":7,"bytes":1}"#, "422 invalid_type"),
        (r#"{"content_type":"image/png"}"#, "422 missing_field"),
        (r#"{"bytes":1}"#, "422 missing_field"),
        (r#"{"content_type":"image/png","bytes":1,"name":"a.png"}"#, "422 unknown_field"),
        (r#"{"content_type":"image/png","bytes":1"#, "400 invalid_json"),
        ("[]", "422 invalid_type"),
    ] {
        let refused = answer(raw(&app, Method::POST, MEDIA, &token, body)).await;
        findings.compare(body, &refused, expected);
    }
    let unauthenticated = app.client.post(format!("{}{MEDIA}", app.stack.url())).json(&json!({}));
    assert_eq!(answer(unauthenticated).await.status, 401);
    for (content_type, max_bytes) in [("image/png", 20 << 20), ("video/quicktime", 2 << 30)] {
        offer(&app, "ada", content_type, max_bytes).await;
    }
}

#[tokio::test]
async fn a_stored_image_can_be_fetched_by_its_address_alone() {
    let app = TestApp::start().await;
    let (bucket, ada) = (app.bucket(), tenant("ada"));
    let file = MediaId::new(app.stack.now(), [7; 10]);
    bucket.put(&ada, &file, FileType::Png, PNG.into()).await.unwrap();

    let address = bucket.signed_url(&ada, &file, SOON).unwrap();
    let fetched = app.client.get(address.expose()).send().await.unwrap();

    assert_eq!(
        (fetched.status().as_u16(), &fetched.headers()["content-type"]),
        (200, &"image/png".parse().unwrap())
    );
    assert_eq!(fetched.bytes().await.unwrap(), PNG);
    assert!(!format!("{address:?}").contains("Amz"));
}

#[tokio::test]
async fn a_video_is_read_bit_by_bit() {
    let app = TestApp::start().await;
    let video: Vec<u8> = b"\0\0\0\x10ftypmp42\0\0\0\0\0\0\0\x08moov"
        .iter()
        .copied()
        .chain((0..12_000_000_u32).map(|place| place.to_le_bytes()[1]))
        .collect();
    let offer = offer(&app, "ada", "video/mp4", video.len()).await;
    assert_eq!(answer(request(&app, &offer, video.clone())).await.status, 200);
    let stored = StoredFile {
        kind: Ok(FileType::Mp4),
        bytes: video.len() as u64,
        is_unfinished: false,
        digital_source: None,
    };
    assert_eq!(look(&app, "ada", &offer).await, Some(stored));

    let stored_file = app.bucket().get(&tenant("ada"), &id(&offer)).await.unwrap().unwrap();
    assert_eq!(stored_file.bytes, video.len() as u64);
    let bits: Vec<_> = stored_file.content.try_collect().await.unwrap();
    let largest = bits.iter().map(axum::body::Bytes::len).max().unwrap();
    assert!(largest <= 1 << 20, "{largest}");
    assert!(bits.concat() == video);
}

#[tokio::test]
async fn complete_files_outlive_the_process_and_incomplete_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(Data::Folder(folder.path().to_owned()), []).await;
    let complete = offer(&app, "ada", "image/png", PNG.len()).await;
    assert_eq!(send(&app, &complete, PNG).await.status, 200);
    let cut = offer(&app, "ada", "image/png", PNG.len()).await;
    by_hand(cut["upload"]["url"].as_str().unwrap(), &format!("Content-Length: {}", PNG.len()), &PNG[..20])
        .await;
    assert_eq!(look(&app, "ada", &cut).await, None);
    stop(app).await;
    let incoming = folder.path().join("media/incoming");
    std::fs::write(incoming.join("left"), "of a process that was killed").unwrap();

    let app = restart_in(folder.path()).await;

    let stored = StoredFile {
        kind: Ok(FileType::Png),
        bytes: PNG.len() as u64,
        is_unfinished: false,
        digital_source: None,
    };
    assert_eq!(look(&app, "ada", &complete).await, Some(stored));
    assert_eq!(look(&app, "ada", &cut).await, None);
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
}

/// Sends a PUT with this header, then closes the connection. Returns the answer, if there is one.
async fn by_hand(url: &str, header: &str, body: &[u8]) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let head = format!(
        "PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nConnection: close\r\n{header}\r\n\r\n"
    );
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(body).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_file_that_was_sent_is_not_replaced() {
    let app = TestApp::start().await;
    let offer = offer(&app, "ada", "image/png", PNG.len()).await;
    send(&app, &offer, PNG).await.expect(200);
    let other: Vec<u8> = PNG.iter().rev().copied().collect();
    let repeated = answer(request(&app, &offer, other.clone())).await;
    assert_eq!((repeated.status.as_u16(), repeated.text.contains("PreconditionFailed")), (412, true));
    // Without the header, the address is signed for another request.
    let upload = app.client.put(offer["upload"]["url"].as_str().unwrap()).header("content-type", "image/png");
    assert_eq!(answer(upload.body(other)).await.status.as_u16(), 403);
    let stored = app.bucket().get(&tenant("ada"), &id(&offer)).await.unwrap().unwrap();
    let stored: Vec<_> = stored.content.try_collect().await.unwrap();
    assert_eq!(stored.concat(), PNG);
}

/// The files of the bucket that no Pin has named yet.
fn unused_files(folder: &Path) -> usize {
    let folders = std::fs::read_dir(folder.join("media")).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|tenant| std::fs::read_dir(tenant).unwrap());
    files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "tags")).count()
}

#[tokio::test]
async fn a_file_is_kept_once_a_pin_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(Data::Folder(folder.path().to_owned()), []).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let offer = offer(&app, "ada", "image/png", PNG.len()).await;
        send(&app, &offer, PNG).await.expect(200);
        ids.push(offer["media_id"].clone());
    }
    assert_eq!(unused_files(folder.path()), 4);

    let pin = |id: &Value| {
        let at = app.stack.now() + days(30);
        json!({"channel_id": channel, "publish_at": at, "media": {"kind": "image", "media_id": id}})
    };
    app.post("/api/v1/pins/validate", "ada", pin(&ids[0])).await.expect(200);
    assert_eq!(unused_files(folder.path()), 4, "nothing is stored");
    let created = app.post("/api/v1/pins", "ada", pin(&ids[0])).await.expect(202);
    assert_eq!(unused_files(folder.path()), 3);

    let bulk = |query: &str| {
        let request = app.client.post(format!("{}/api/v1/pins/bulk{query}", app.stack.url()));
        let request = request.bearer_auth(app.user("ada")).header("content-type", "application/x-ndjson");
        answer(request.body(pin(&ids[1]).to_string()))
    };
    bulk("?dry_run=true").await.expect(200);
    assert_eq!(unused_files(folder.path()), 3);
    let rows = bulk("").await.expect(200);
    assert_eq!((&rows["rows"][0]["status"], unused_files(folder.path())), (&json!("accepted"), 2));

    let path = format!("/api/v1/pins/{}", created["id"].as_str().unwrap());
    let change = |id: &Value| Some(json!({"media": {"kind": "image", "media_id": id}}));
    app.call(Method::PATCH, &path, &app.user("ada"), change(&ids[2])).await.expect(200);
    assert_eq!(unused_files(folder.path()), 1);

    let file = format!("/api/v1/media/{}", ids[3].as_str().unwrap());
    assert_eq!(app.call(Method::DELETE, &file, &app.user("ada"), None).await.status, 204);
    let refused = app.call(Method::PATCH, &path, &app.user("ada"), change(&ids[3])).await;
    assert_eq!(refused.problem(404), "not_found");
}

#[tokio::test]
async fn a_page_may_send_a_file_from_wherever_it_came() {
    let app = TestApp::start().await;
    let offer = offer(&app, "ada", "image/png", PNG.len()).await;
    let origin = |request: RequestBuilder| request.header("origin", "https://app.example.com");
    let preflight = app.client.request(Method::OPTIONS, offer["upload"]["url"].as_str().unwrap());
    let allowed = answer(origin(preflight).header("access-control-request-method", "PUT")).await;
    assert_eq!(allowed.status, 200);
    assert!(allowed.headers["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    let uploaded = answer(origin(request(&app, &offer, PNG))).await;
    assert_eq!(
        (uploaded.status.as_u16(), &uploaded.headers["access-control-allow-origin"]),
        (200, &"*".parse().unwrap())
    );
}

#[tokio::test]
async fn the_error_of_a_silent_bucket_does_not_show_its_address() {
    let closed_address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let variables = Variables::from_iter([
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_ENDPOINT_URL", "http://nobody.invalid".to_owned()),
        ("AWS_ENDPOINT_URL_S3", format!("http://{closed_address}/")),
        ("MEDIA_BUCKET", "media".to_owned()),
    ]);
    let setup = Setup::new(variables, Clock::system(), Random::system()).unwrap();
    let bucket = setup.media_bucket().unwrap();
    let file = MediaId::new(jiff::Timestamp::now(), [7; 10]);

    let error = bucket.head(&tenant("ada"), &file).await.unwrap_err();

    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    for text in [chain(&error), format!("{error:?}")] {
        assert!(!text.contains("Amz") && !text.contains(file.as_str()), "{text}");
    }
    let address = bucket.signed_url(&tenant("ada"), &file, SOON).unwrap();
    assert!(address.expose().starts_with(&format!("http://{closed_address}/media/")), "{}", address.expose());
}
