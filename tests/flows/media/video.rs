//! Videos: the upload to Pinterest, the processing, and their faults.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::stream;
use local::Data;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};
use tokio::{net::TcpListener, time::Instant};

use crate::{
    harness::{Answer, PINS, TestApp, days, id, minutes, pin, seconds, until, waits},
    media::uploads::PNG,
    publish::{validate::check, waiting::published},
};

/// The first bytes of an MP4, with an index that is empty.
const FRONT: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08moov";
/// The same of a MOV that begins with nothing, and whose index comes last.
const MOV: &[u8] = b"\0\0\0\x08free\0\0\0\x08wide\0\0\0\x0cmdat\0\0\0\0\0\0\0\x08moov";
/// An MP4 that was taken while it was still being written.
const UNFINISHED: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x40mdat\
    ........................................................\0\0\0\x08free";
const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
/// An image that says by IPTC's field in its XMP that a model made it.
const MADE_BY_MODEL: &[u8] = b"\xff\xd8\xff\xe1\0\x80<rdf:Description Iptc4xmpExt:DigitalSourceType=\"\
    http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"/>";
const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 ";
const PIECE: usize = 64 * 1024;

/// A host of media, on a port of its own.
pub(crate) struct Host {
    address: String,
}

impl Host {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let routes = Router::new()
            .route("/dot.png", get(|| async { ([(header::CONTENT_TYPE, "image/png")], PNG) }))
            .route("/film.mp4", get(|| async { film(3 * PIECE) }))
            .route("/long.mp4", get(|| async { film(16 * 1024 * PIECE) }))
            .route("/film.mov", get(|headers: HeaderMap| async move { part(&headers, MOV) }))
            .route("/unfinished.mp4", get(|headers: HeaderMap| async move { part(&headers, UNFINISHED) }))
            .route("/whole.mp4", get(|| async { large_and_unfinished() }))
            .route("/page.mp4", get(|| async { "<!DOCTYPE html><title>Sign in</title>" }))
            .route("/empty.jpg", get(|| async { ([(header::CONTENT_TYPE, "image/jpeg")], "") }))
            .route("/page.jpg", get(|| async { ([(header::CONTENT_TYPE, "image/jpeg")], "<html>Sign in") }))
            .route("/heic.jpg", get(|| async { ([(header::CONTENT_TYPE, "image/jpeg")], HEIC) }))
            .route("/film.jpg", get(|| async { ([(header::CONTENT_TYPE, "image/jpeg")], MOV) }))
            .route("/model.jpg", get(|| async { ([(header::CONTENT_TYPE, "image/jpeg")], MADE_BY_MODEL) }))
            .route("/a.jpg", get(|| async { ([(header::CONTENT_TYPE, "Image/JPG; x=y")], JPEG) }))
            .route("/a.webp", get(|| async { ([(header::CONTENT_TYPE, "image/webp")], WEBP) }))
            .route("/text.jpg", get(|| async { ([(header::CONTENT_TYPE, "text/plain")], JPEG) }))
            .route(
                "/endless.mp4",
                get(|| async { Body::from_stream(stream::iter([Ok::<_, String>(FRONT)])) }),
            )
            .route("/huge.mp4", get(|| async { film((2 << 30) + 1) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address }
    }

    pub(crate) fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.address)
    }

    /// A connected stack that may fetch from this host.
    pub(crate) async fn app(&self) -> (TestApp, String) {
        let app = TestApp::start_with(Data::Memory, [("PINWRIGHT_FETCH_ALLOW", self.address.as_str())]).await;
        app.configure().await;
        allow_videos(&app);
        let channel = app.connect("ada").await;
        app.choose_board("ada", &channel).await;
        (app, channel)
    }
}

/// An MP4 without an index, longer than the part that is searched.
fn large_and_unfinished() -> Vec<u8> {
    let (content, head) = (vec![0; 300 * 1024], &UNFINISHED[..24]);
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [head, &length, b"mdat", &content, b"\0\0\0\x08free"].concat()
}

/// The part of a file that is asked for.
fn part(headers: &HeaderMap, file: &'static [u8]) -> Response {
    let Some(range) = headers.get(header::RANGE) else { return file.into_response() };
    let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
    let (from, last) = range.split_once('-').unwrap();
    let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
    let range = format!("bytes {from}-{last}/{}", file.len());
    let content = &file[from..file.len().min(last + 1)];
    (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, range)], content).into_response()
}

/// The sandbox of the tests takes videos.
pub(crate) fn allow_videos(app: &TestApp) {
    app.pinterest().change_policy(|policy| policy.sandbox_videos = true).unwrap();
}

/// A video of this size, generated while it is read.
fn film(bytes: usize) -> ([(header::HeaderName, String); 2], Body) {
    let remaining = bytes - FRONT.len();
    let sizes = std::iter::repeat_n(PIECE, remaining / PIECE).chain([remaining % PIECE]);
    let pieces = std::iter::once(FRONT.to_vec()).chain(sizes.map(|size| vec![0; size]));
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, String>)));
    ([(header::CONTENT_TYPE, "video/mp4".into()), (header::CONTENT_LENGTH, bytes.to_string())], body)
}

fn video(channel: &str, title: &str, url: &str) -> Value {
    let mut body = pin(channel, title);
    body["media"] = json!({"kind": "video", "url": url, "cover": {"frame_seconds": 3}});
    body
}

async fn publish(app: &TestApp, channel: &str, title: &str, url: &str) -> Answer {
    app.post(PINS, "ada", video(channel, title, url)).await
}

/// The events of a Pin's timeline.
fn events(pin: &Value) -> Vec<&str> {
    let timeline = pin["timeline"].as_array().unwrap();
    timeline.iter().map(|entry| entry["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_video_is_uploaded_waited_for_and_published_once() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;

    let created = publish(&app, &channel, "Film", &host.url("film.mp4")).await.expect(202);

    waits(&created, "video_processing");
    assert_eq!(app.pinterest().calls_of(Operation::RegisterMedia), 0, "no caller waits for an upload");
    app.stack.tick().await.unwrap();
    waits(&app.pin("ada", &id(&created)).await, "video_processing");
    assert_eq!((app.pinterest().calls_of(Operation::UploadMedia), app.send_count()), (1, 0));
    app.advance(minutes(2)).await;
    let pin = published(&app, "ada", &created, "Film").await;
    let expected = ["accepted", "waiting", "uploading", "waiting", "video_ready", "sending", "published"];
    assert_eq!(events(&pin), expected, "{pin}");
    assert_eq!(app.pinterest().calls_of(Operation::UploadMedia), 1);
    assert_eq!(app.pinterest().pins(Environment::Sandbox)[0].media_type, "video");
}

#[tokio::test]
async fn a_gigabyte_passes_through() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;

    let created = publish(&app, &channel, "Long film", &host.url("long.mp4")).await.expect(202);

    app.advance(minutes(2)).await;
    published(&app, "ada", &created, "Long film").await;
    println!("{} at most", crate::schedule::load::peak().unwrap_or_default());
}

#[tokio::test]
async fn the_waits_for_a_video_grow_and_end_with_publish_within() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    app.pinterest().change_policy(|policy| policy.processing_seconds = 1_000_000).unwrap();
    let mut body = video(&channel, "Slow", &host.url("film.mp4"));
    body["publish_within"] = json!("PT6H");
    let created = app.post(PINS, "ada", body).await.expect(202);

    app.advance(minutes(5 * 60)).await;

    let status_calls = app.pinterest().calls_of(Operation::GetMedia);
    assert!((8..40).contains(&status_calls), "{status_calls} questions in five hours");
    app.advance(minutes(61)).await;
    let outcome = app.pin("ada", &id(&created)).await;
    assert_eq!(
        (&outcome["state"], &outcome["error"]["code"]),
        (&json!("failed"), &json!("too_late")),
        "{outcome}"
    );
    assert_eq!(app.send_count(), 0);
}

#[tokio::test]
async fn an_invalid_video_is_refused_before_it_reaches_pinterest() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    for (file, code) in [
        ("page.mp4", "media_unsupported"),
        ("unfinished.mp4", "video_unfinished"),
        ("huge.mp4", "media_too_large"),
        ("endless.mp4", "video_upload_failed"),
        ("missing.mp4", "video_upload_failed"),
    ] {
        let created = publish(&app, &channel, file, &host.url(file)).await.expect(202);
        app.advance(minutes(60)).await;
        let outcome = app.pin("ada", &id(&created)).await;
        assert_eq!(
            (&outcome["state"], &outcome["error"]["code"]),
            (&json!("failed"), &json!(code)),
            "{outcome}"
        );
    }
    assert_eq!(app.pinterest().calls_of(Operation::RegisterMedia), 0, "no place is asked for");
    assert_eq!((app.pinterest().calls_of(Operation::UploadMedia), app.send_count()), (0, 0));
}

#[tokio::test]
async fn a_mov_may_begin_with_nothing_and_have_its_index_at_its_end() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;

    let created = publish(&app, &channel, "Mov", &host.url("film.mov")).await.expect(202);

    app.advance(minutes(2)).await;
    published(&app, "ada", &created, "Mov").await;
}

/// The host serves no parts of files, so the missing index shows only after all of the file was read.
#[tokio::test]
async fn a_video_without_its_index_fails() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;

    let created = publish(&app, &channel, "Cut", &host.url("whole.mp4")).await.expect(202);

    app.advance(minutes(10)).await;
    let outcome = app.pin("ada", &id(&created)).await;
    assert_eq!(outcome["error"]["code"], "video_unfinished", "{outcome}");
    assert_eq!((app.pinterest().calls_of(Operation::RegisterMedia), app.send_count()), (1, 0));
}

#[tokio::test]
async fn a_private_address_is_refused_when_the_pin_is_asked_for() {
    let host = Host::open().await;
    let (app, channel) = TestApp::start_connected().await;
    let scheduled =
        id(&app.schedule("ada", &channel, "Good", app.stack.now() + minutes(60)).await.expect(202));
    for url in [
        host.url("film.mp4"),
        "https://169.254.169.254/latest/meta-data".into(),
        "https://[::1]/a".into(),
        "https://10.0.0.1/a".into(),
        "https://localhost/a".into(),
        "https://printer.local/a".into(),
    ] {
        let image = json!({"kind": "image", "url": url.replace(".mp4", ".jpg")});
        let video = json!({"kind": "video", "url": url});
        for media in [image.clone(), video] {
            let mut body = pin(&channel, "Secret");
            body["media"] = media;
            let refused = app.post(PINS, "ada", body.clone()).await;
            assert_eq!(refused.problem(422), "media_forbidden", "{url}");
            assert!(refused.json()["fix"].as_str().unwrap().contains("PINWRIGHT_FETCH_ALLOW"), "{url}");
            let checked = app.post("/api/v1/pins/validate", "ada", body).await.expect(200);
            let fields =
                checked["checks"].as_array().unwrap().iter().find(|check| check["check"] == "fields");
            assert_eq!(fields.unwrap()["code"], "media_forbidden", "{url}");
        }
        let (path, change) = (format!("{PINS}/{scheduled}"), json!({"media": image}));
        let changed = app.call(Method::PATCH, &path, &app.user("ada"), Some(change)).await;
        assert_eq!(changed.problem(422), "media_forbidden", "{url}");
    }
    assert_eq!(app.pinterest().calls_of(Operation::RegisterMedia), 0);
}

/// A host name does not show its address, and the list of allowed hosts may have changed since the Pin was created.
#[tokio::test]
async fn nothing_is_fetched_from_a_forbidden_address() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    let created = publish(&app, &channel, "Secret", &host.url("film.mp4")).await.expect(202);

    app.functions(seconds(60)).deliver.tick(Instant::now() + Duration::from_secs(300)).await.unwrap();

    let outcome = app.pin("ada", &id(&created)).await;
    assert_eq!(outcome["error"]["code"], "media_forbidden", "{outcome}");
    assert_eq!(app.pinterest().calls_of(Operation::RegisterMedia), 0);
}

#[tokio::test]
async fn a_failed_processing_is_reported_and_a_retry_uploads_again() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    let not_found = FaultKind::Refused { status: 404, code: 404, message: "Media upload not found".into() };
    app.pinterest().inject(Fault::once(Operation::GetMedia, not_found));
    let created = publish(&app, &channel, "Lost", &host.url("film.mp4")).await.expect(202);
    app.advance(minutes(10)).await;
    published(&app, "ada", &created, "Lost").await;
    assert_eq!(app.pinterest().calls_of(Operation::UploadMedia), 2, "Pinterest had lost it");

    app.pinterest().change_policy(|policy| policy.processing_fails = true).unwrap();
    let created = publish(&app, &channel, "Failed", &host.url("film.mp4")).await.expect(202);
    app.advance(minutes(2)).await;
    let outcome = app.pin("ada", &id(&created)).await;
    assert_eq!(
        (&outcome["state"], &outcome["error"]["code"]),
        (&json!("failed"), &json!("video_failed")),
        "{outcome}"
    );

    app.pinterest().change_policy(|policy| policy.processing_fails = false).unwrap();
    app.post(&format!("{PINS}/{}/retry", id(&created)), "ada", json!({})).await.expect(202);
    app.advance(minutes(2)).await;
    published(&app, "ada", &created, "Failed").await;
    assert_eq!(app.pinterest().calls_of(Operation::UploadMedia), 4);
}

#[tokio::test]
async fn a_video_is_published_once_after_a_fault_in_any_step() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    let steps = [Operation::RegisterMedia, Operation::UploadMedia, Operation::GetMedia, Operation::CreatePin];
    let faults = [
        FaultKind::Status500Before,
        FaultKind::Status500After,
        FaultKind::CutBefore,
        FaultKind::CutAfter,
        FaultKind::Garbage,
    ];
    let mut created = Vec::new();
    for step in steps {
        for fault in &faults {
            app.pinterest().inject(Fault::once(step, fault.clone()));
            let title = format!("{step:?} {fault:?}");
            created.push((publish(&app, &channel, &title, &host.url("film.mp4")).await.expect(202), title));
            app.advance(minutes(20)).await;
        }
    }
    app.advance(minutes(60)).await;
    for (created, title) in created {
        published(&app, "ada", &created, &title).await;
    }
}

#[tokio::test]
async fn a_process_that_dies_in_any_call_is_followed_by_one_that_goes_on() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    for call in [Operation::RegisterMedia, Operation::UploadMedia, Operation::GetMedia, Operation::CreatePin]
    {
        for kind in [FaultKind::HangBefore, FaultKind::HangAfter] {
            let title = format!("{call:?} {kind:?}");
            let created = publish(&app, &channel, &title, &host.url("film.mp4")).await.expect(202);
            app.pinterest().inject(Fault::once(call, kind));
            let before = app.pinterest().calls_of(call);
            // The call is dropped in the middle, as when its process dies.
            tokio::select! {
                () = app.advance(minutes(5)) => panic!("{title} has not hung"),
                () = until(|| app.pinterest().calls_of(call) > before) => {}
            }

            app.advance(minutes(60)).await;

            published(&app, "ada", &created, &title).await;
        }
    }
}

#[tokio::test]
async fn a_limit_on_the_way_is_waited_for() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    app.pinterest().inject(Fault::once(Operation::RegisterMedia, FaultKind::RateLimited { reset: 600 }));
    let created = publish(&app, &channel, "Limited", &host.url("film.mp4")).await.expect(202);
    app.advance(seconds(1)).await;
    waits(&app.pin("ada", &id(&created)).await, "quota");

    app.advance(minutes(20)).await;

    published(&app, "ada", &created, "Limited").await;
}

#[tokio::test]
async fn a_video_that_is_cancelled_on_the_way_is_not_published() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    let created = publish(&app, &channel, "Cancelled", &host.url("film.mp4")).await.expect(202);
    app.stack.tick().await.unwrap();
    let path = format!("{PINS}/{}", id(&created));
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);

    app.advance(minutes(10)).await;

    assert_eq!(
        (app.pin("ada", &id(&created)).await["state"].clone(), app.send_count()),
        (json!("cancelled"), 0)
    );
}

#[tokio::test]
async fn a_check_of_a_file_at_an_address_finds_that_a_model_made_it() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    let mut body = pin(&channel, "Check");
    body["media"] = json!({"kind": "image", "url": host.url("model.jpg")});
    let validate = async |body: &Value| {
        app.post("/api/v1/pins/validate?fetch_media=true", "ada", body.clone()).await.expect(200)
    };
    let answer = validate(&body).await;
    let media_check = check(&answer, "media");
    assert_eq!(
        (&media_check["ok"], &media_check["code"]),
        (&json!(true), &json!("ai_disclosure_suggested")),
        "{media_check}"
    );

    body["ai_disclosures"] = json!({"values": ["AI_MODIFIED"]});
    assert_eq!(check(&validate(&body).await, "media")["code"], Value::Null);
}

#[tokio::test]
async fn validation_calls_the_host_only_on_request() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    for (file, expected) in [
        ("film.mp4", Value::Null),
        ("page.mp4", json!("media_unsupported")),
        ("huge.mp4", json!("media_too_large")),
        ("missing.mp4", json!("media_unreachable")),
    ] {
        let body = video(&channel, "Check", &host.url(file));
        let without_fetch = app.post("/api/v1/pins/validate", "ada", body.clone()).await.expect(200);
        assert_eq!(check(&without_fetch, "tier")["code"], "no_video_in_sandbox");
        assert_eq!(check(&without_fetch, "media")["ok"], Value::Null, "{without_fetch}");
        let with_fetch = app.post("/api/v1/pins/validate?fetch_media=true", "ada", body).await.expect(200);
        let media = check(&with_fetch, "media");
        assert_eq!(
            (&media["code"], &media["ok"]),
            (&expected, &json!(expected.is_null())),
            "{file}: {media}"
        );
    }
}

#[tokio::test]
async fn validation_trusts_the_bytes_of_a_file_and_not_its_host() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    for (kind, file, code, expected_texts) in [
        ("image", "a.jpg", Value::Null, "their hosts have them"),
        ("image", "a.webp", Value::Null, "their hosts have them"),
        ("image", "empty.jpg", json!("media_unsupported"), "an empty file"),
        ("image", "page.jpg", json!("media_unsupported"), "a web page"),
        ("image", "heic.jpg", json!("media_unsupported"), "a HEIC image"),
        ("image", "film.jpg", json!("media_unsupported"), "a MOV video"),
        ("image", "text.jpg", json!("media_unsupported"), "text/plain, and Pinterest wants an image"),
        ("video", "film.mov", Value::Null, "their hosts have them"),
        ("video", "unfinished.mp4", json!("video_unfinished"), "no index"),
        ("video", "page.mp4", json!("media_unsupported"), "a web page, and not a video"),
    ] {
        let mut body = pin(&channel, "Check");
        body["media"] = json!({"kind": kind, "url": host.url(file)});
        let validation = app.post("/api/v1/pins/validate?fetch_media=true", "ada", body).await.expect(200);
        let checks = validation["checks"].as_array().unwrap();
        let media = checks.iter().find(|check| check["check"] == "media").unwrap();
        assert_eq!(media["code"], code, "{file}: {media}");
        assert!(media["detail"].as_str().unwrap().contains(expected_texts), "{file}: {media}");
    }
}

#[tokio::test]
async fn a_cover_is_an_image_or_a_moment() {
    let (app, channel) = TestApp::start_connected().await;
    let url = "https://videos.example.com/film.mp4";
    for (cover, code) in [
        (json!({}), "not_one_source"),
        (json!({"url": "https://images.example.com/a.jpg", "frame_seconds": 1}), "not_one_source"),
        (json!({"url": "file:///etc/passwd"}), "invalid_url"),
        (json!({"frame_seconds": -1}), "invalid_type"),
        (json!("first"), "invalid_type"),
    ] {
        let mut body = video(&channel, "Never", url);
        body["media"]["cover"] = cover.clone();
        assert_eq!(app.post(PINS, "ada", body).await.problem(422), code, "{cover}");
    }
}

#[tokio::test]
async fn a_video_has_numbers_of_its_own() {
    let host = Host::open().await;
    let (app, _) = host.app().await;
    app.save(json!({"environment": "production"})).await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    let film = id(&publish(&app, &channel, "Film", &host.url("film.mp4")).await.expect(202));
    app.advance(days(5)).await;
    let path = |metrics| format!("{PINS}/{film}/analytics?metrics={metrics}");

    let report = app.get(&path("VIDEO_START,VIDEO_AVG_WATCH_TIME"), "ada").await.expect(200);

    assert!(report["summary"]["VIDEO_START"].as_u64().unwrap() > 0, "{report}");
    assert!(report["summary"]["VIDEO_AVG_WATCH_TIME"].is_f64(), "{report}");
    assert_eq!(app.get(&path("USER_FOLLOW"), "ada").await.problem(422), "invalid_metric");
}
