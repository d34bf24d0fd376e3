//! Videos: the way to Pinterest, the wait, and what can go wrong between.

use axum::{Router, body::Body, http::header, routing::get};
use futures::stream;
use local::Data;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};
use tokio::net::TcpListener;

use crate::{
    stage::{Answer, PINS, Stage, days, id, minutes, pin, seconds, until, waits},
    waiting::published,
};

/// How an MP4 begins.
const FRONT: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
const PIECE: usize = 64 * 1024;

/// A host of media, on a port of its own.
struct Host {
    address: String,
}

impl Host {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let routes = Router::new()
            .route("/film.mp4", get(|| async { film(3 * PIECE) }))
            .route("/long.mp4", get(|| async { film(16 * 1024 * PIECE) }))
            .route("/page.mp4", get(|| async { "<!DOCTYPE html><title>Sign in</title>" }))
            .route(
                "/endless.mp4",
                get(|| async { Body::from_stream(stream::iter([Ok::<_, String>(FRONT)])) }),
            )
            .route("/huge.mp4", get(|| async { film((2 << 30) + 1) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address }
    }

    fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.address)
    }

    /// A connected stack that may fetch from this host.
    async fn stage(&self) -> (Stage, String) {
        let stage = Stage::open(Data::Memory, [("PINWRIGHT_FETCH_ALLOW", self.address.as_str())]).await;
        stage.configure().await;
        let channel = stage.connect("ada").await;
        stage.choose_board("ada", &channel).await;
        (stage, channel)
    }
}

/// A video of so many bytes, made as it is read.
fn film(bytes: usize) -> ([(header::HeaderName, String); 2], Body) {
    let rest = bytes - FRONT.len();
    let sizes = std::iter::repeat_n(PIECE, rest / PIECE).chain([rest % PIECE]);
    let pieces = std::iter::once(FRONT.to_vec()).chain(sizes.map(|size| vec![0; size]));
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, String>)));
    ([(header::CONTENT_TYPE, "video/mp4".into()), (header::CONTENT_LENGTH, bytes.to_string())], body)
}

fn video(channel: &str, title: &str, url: &str) -> Value {
    let mut body = pin(channel, title);
    body["media"] = json!({"kind": "video", "url": url, "cover": {"frame_seconds": 3}});
    body
}

async fn publish(stage: &Stage, channel: &str, title: &str, url: &str) -> Answer {
    stage.post(PINS, "ada", video(channel, title, url)).await
}

/// The events of a Pin's timeline.
fn events(pin: &Value) -> Vec<&str> {
    let timeline = pin["timeline"].as_array().unwrap();
    timeline.iter().map(|entry| entry["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_video_is_uploaded_waited_for_and_published_once() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;

    let made = publish(&stage, &channel, "Film", &host.url("film.mp4")).await.expect(202);

    waits(&made, "video_processing");
    assert_eq!(stage.pinterest().calls_of(Operation::RegisterMedia), 0, "no caller waits for an upload");
    stage.stack.tick().await.unwrap();
    waits(&stage.pin("ada", &id(&made)).await, "video_processing");
    assert_eq!((stage.pinterest().calls_of(Operation::UploadMedia), stage.sent()), (1, 0));
    stage.advance(minutes(2)).await;
    let pin = published(&stage, "ada", &made, "Film").await;
    let expected = ["accepted", "waiting", "uploading", "waiting", "video_ready", "sending", "published"];
    assert_eq!(events(&pin), expected, "{pin}");
    assert_eq!(stage.pinterest().calls_of(Operation::UploadMedia), 1);
    assert_eq!(stage.pinterest().pins(Environment::Sandbox)[0].media_type, "video");
}

#[tokio::test]
async fn a_gigabyte_passes_through() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;

    let made = publish(&stage, &channel, "Long film", &host.url("long.mp4")).await.expect(202);

    stage.advance(minutes(2)).await;
    published(&stage, "ada", &made, "Long film").await;
    println!("{} at most", crate::crowd::peak().unwrap_or_default());
}

#[tokio::test]
async fn the_waits_for_a_video_grow_and_end_with_publish_within() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    stage.pinterest().change_policy(|policy| policy.processing_seconds = 1_000_000).unwrap();
    let mut body = video(&channel, "Slow", &host.url("film.mp4"));
    body["publish_within"] = json!("PT6H");
    let made = stage.post(PINS, "ada", body).await.expect(202);

    stage.advance(minutes(5 * 60)).await;

    let asked = stage.pinterest().calls_of(Operation::GetMedia);
    assert!((8..40).contains(&asked), "{asked} questions in five hours");
    stage.advance(minutes(61)).await;
    let ended = stage.pin("ada", &id(&made)).await;
    assert_eq!((&ended["state"], &ended["error"]["code"]), (&json!("failed"), &json!("too_late")), "{ended}");
    assert_eq!(stage.sent(), 0);
}

#[tokio::test]
async fn what_is_no_video_is_told_before_pinterest_fails_over_it() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    for (file, code) in [
        ("page.mp4", "media_unsupported"),
        ("huge.mp4", "media_too_large"),
        ("endless.mp4", "video_upload_failed"),
        ("missing.mp4", "video_upload_failed"),
    ] {
        let made = publish(&stage, &channel, file, &host.url(file)).await.expect(202);
        stage.advance(minutes(60)).await;
        let ended = stage.pin("ada", &id(&made)).await;
        assert_eq!((&ended["state"], &ended["error"]["code"]), (&json!("failed"), &json!(code)), "{ended}");
    }
    assert_eq!((stage.pinterest().calls_of(Operation::UploadMedia), stage.sent()), (0, 0));
}

#[tokio::test]
async fn nothing_is_fetched_from_where_nobody_may_fetch() {
    let host = Host::open().await;
    let (stage, channel) = Stage::connected().await;
    for url in [
        host.url("film.mp4"),
        "https://169.254.169.254/latest/meta-data".into(),
        "https://[::1]/a.mp4".into(),
    ] {
        let made = publish(&stage, &channel, "Secret", &url).await.expect(202);
        stage.advance(minutes(1)).await;
        let ended = stage.pin("ada", &id(&made)).await;
        assert_eq!(ended["error"]["code"], "media_forbidden", "{ended}");
        assert!(ended["error"]["fix"].as_str().unwrap().contains("PINWRIGHT_FETCH_ALLOW"), "{ended}");
    }
}

#[tokio::test]
async fn a_failed_processing_says_so_and_a_retry_begins_anew() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    let gone = FaultKind::Refused { status: 404, code: 404, message: "Media upload not found".into() };
    stage.pinterest().inject(Fault::once(Operation::GetMedia, gone));
    let made = publish(&stage, &channel, "Lost", &host.url("film.mp4")).await.expect(202);
    stage.advance(minutes(10)).await;
    published(&stage, "ada", &made, "Lost").await;
    assert_eq!(stage.pinterest().calls_of(Operation::UploadMedia), 2, "Pinterest had lost it");

    stage.pinterest().change_policy(|policy| policy.processing_fails = true).unwrap();
    let made = publish(&stage, &channel, "Failed", &host.url("film.mp4")).await.expect(202);
    stage.advance(minutes(2)).await;
    let ended = stage.pin("ada", &id(&made)).await;
    assert_eq!(
        (&ended["state"], &ended["error"]["code"]),
        (&json!("failed"), &json!("video_failed")),
        "{ended}"
    );

    stage.pinterest().change_policy(|policy| policy.processing_fails = false).unwrap();
    stage.post(&format!("{PINS}/{}/retry", id(&made)), "ada", json!({})).await.expect(202);
    stage.advance(minutes(2)).await;
    published(&stage, "ada", &made, "Failed").await;
    assert_eq!(stage.pinterest().calls_of(Operation::UploadMedia), 4);
}

#[tokio::test]
async fn whatever_step_fails_the_video_is_published_once() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    let steps = [Operation::RegisterMedia, Operation::UploadMedia, Operation::GetMedia, Operation::CreatePin];
    let faults = [
        FaultKind::Status500Before,
        FaultKind::Status500After,
        FaultKind::CutBefore,
        FaultKind::CutAfter,
        FaultKind::Garbage,
    ];
    let mut made = Vec::new();
    for step in steps {
        for fault in &faults {
            stage.pinterest().inject(Fault::once(step, fault.clone()));
            let title = format!("{step:?} {fault:?}");
            made.push((publish(&stage, &channel, &title, &host.url("film.mp4")).await.expect(202), title));
            stage.advance(minutes(20)).await;
        }
    }
    stage.advance(minutes(60)).await;
    for (made, title) in made {
        published(&stage, "ada", &made, &title).await;
    }
}

#[tokio::test]
async fn a_process_that_dies_in_any_call_is_followed_by_one_that_goes_on() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    for call in [Operation::RegisterMedia, Operation::UploadMedia, Operation::GetMedia, Operation::CreatePin]
    {
        for kind in [FaultKind::HangBefore, FaultKind::HangAfter] {
            let title = format!("{call:?} {kind:?}");
            let made = publish(&stage, &channel, &title, &host.url("film.mp4")).await.expect(202);
            stage.pinterest().inject(Fault::once(call, kind));
            let before = stage.pinterest().calls_of(call);
            // Dropped in the middle of the call, as a process is that dies.
            tokio::select! {
                () = stage.advance(minutes(5)) => panic!("{title} has not hung"),
                () = until(|| stage.pinterest().calls_of(call) > before) => {}
            }

            stage.advance(minutes(60)).await;

            published(&stage, "ada", &made, &title).await;
        }
    }
}

#[tokio::test]
async fn a_limit_on_the_way_is_waited_for() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    stage.pinterest().inject(Fault::once(Operation::RegisterMedia, FaultKind::RateLimited { reset: 600 }));
    let made = publish(&stage, &channel, "Limited", &host.url("film.mp4")).await.expect(202);
    stage.advance(seconds(1)).await;
    waits(&stage.pin("ada", &id(&made)).await, "quota");

    stage.advance(minutes(20)).await;

    published(&stage, "ada", &made, "Limited").await;
}

#[tokio::test]
async fn a_video_that_is_cancelled_on_the_way_is_not_published() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    let made = publish(&stage, &channel, "Cancelled", &host.url("film.mp4")).await.expect(202);
    stage.stack.tick().await.unwrap();
    let path = format!("{PINS}/{}", id(&made));
    stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);

    stage.advance(minutes(10)).await;

    assert_eq!((stage.pin("ada", &id(&made)).await["state"].clone(), stage.sent()), (json!("cancelled"), 0));
}

#[tokio::test]
async fn validation_asks_the_host_only_when_it_is_told_to() {
    let host = Host::open().await;
    let (stage, channel) = host.stage().await;
    for (file, found) in [
        ("film.mp4", Value::Null),
        ("page.mp4", json!("media_unsupported")),
        ("huge.mp4", json!("media_too_large")),
        ("missing.mp4", json!("media_unreachable")),
    ] {
        let body = video(&channel, "Check", &host.url(file));
        let silent = stage.post("/api/v1/pins/validate", "ada", body.clone()).await.expect(200);
        assert_eq!(silent["ok"], true, "{silent}");
        let asked = stage.post("/api/v1/pins/validate?fetch_media=true", "ada", body).await.expect(200);
        let checks = asked["checks"].as_array().unwrap();
        let media = checks.iter().find(|check| check["check"] == "media.url").unwrap();
        assert_eq!((&media["code"], &media["ok"]), (&found, &json!(found.is_null())), "{file}: {media}");
    }
}

#[tokio::test]
async fn a_cover_is_an_image_or_a_moment() {
    let (stage, channel) = Stage::connected().await;
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
        assert_eq!(stage.post(PINS, "ada", body).await.problem(422), code, "{cover}");
    }
}

#[tokio::test]
async fn a_video_has_numbers_of_its_own() {
    let host = Host::open().await;
    let (stage, _) = host.stage().await;
    stage.save(json!({"environment": "production"})).await;
    let channel = stage.connect("ada").await;
    stage.choose_board("ada", &channel).await;
    let film = id(&publish(&stage, &channel, "Film", &host.url("film.mp4")).await.expect(202));
    stage.advance(days(5)).await;
    let path = |metrics| format!("{PINS}/{film}/analytics?metrics={metrics}");

    let seen = stage.get(&path("VIDEO_START,VIDEO_AVG_WATCH_TIME"), "ada").await.expect(200);

    assert!(seen["summary"]["VIDEO_START"].as_u64().unwrap() > 0, "{seen}");
    assert!(seen["summary"]["VIDEO_AVG_WATCH_TIME"].is_f64(), "{seen}");
    assert_eq!(stage.get(&path("USER_FOLLOW"), "ada").await.problem(422), "invalid_metric");
}
