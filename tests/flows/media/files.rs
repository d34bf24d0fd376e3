//! Pins with uploaded files or inline images.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use local::Data;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Operation};

use crate::{
    harness::{PINS, TestApp, answer, id, minutes, pin, waits},
    media::uploads::{PNG, offer, send},
    media::video::{Host, allow_videos},
    publish::waiting::published,
};

/// The smallest beginning of an MP4.
pub(crate) const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08mdat\0\0\0\x08moov";
/// One that was taken while it was still being written.
const UNFINISHED: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08free\0\0\0\x08mdat";

/// The name of a file that `sub` has uploaded.
pub(crate) async fn uploaded(app: &TestApp, sub: &str, content_type: &str, content: &'static [u8]) -> Value {
    let offer = offer(app, sub, content_type, content.len()).await;
    assert_eq!(send(app, &offer, content).await.status, 200);
    offer["media_id"].clone()
}

fn showing(channel: &str, title: &str, media: Value) -> Value {
    let mut body = pin(channel, title);
    body["media"] = media;
    body
}

fn enclosed(content_type: &str, content: &[u8]) -> Value {
    json!({"kind": "image", "content_type": content_type, "base64": STANDARD.encode(content)})
}

/// What Pinterest downloads from the addresses of the images of its only Pin.
async fn fetched(app: &TestApp) -> Vec<String> {
    let pins = app.pinterest().pins(Environment::Sandbox);
    let [pin] = pins.as_slice() else { panic!("{pins:?}") };
    let mut fetched_files = Vec::new();
    for address in &pin.pictures {
        let answer = app.client.get(address).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"image/png".parse().unwrap())
        );
        fetched_files.push(STANDARD.encode(answer.bytes().await.unwrap()));
    }
    fetched_files
}

#[tokio::test]
async fn an_uploaded_image_goes_as_data_where_pinterest_cannot_reach_the_bucket() {
    let (app, channel) = TestApp::start_connected().await;
    let media_id = uploaded(&app, "ada", "image/png", PNG).await;
    let media = json!({"kind": "image", "media_id": media_id});

    let created = app.post(PINS, "ada", showing(&channel, "Mine", media.clone())).await.expect(201);

    assert_eq!(created["media"], media, "no address of the bucket is told");
    assert_eq!(fetched(&app).await, [STANDARD.encode(PNG)]);
}

#[tokio::test]
async fn an_inline_image_is_stored_until_publish_at_and_not_returned() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = showing(&channel, "Enclosed", enclosed("image/png", PNG));
    body["publish_at"] = json!(app.stack.now() + minutes(60));

    let created = app.post(PINS, "ada", body).await.expect(202);

    assert!(created["media"]["media_id"].is_string() && created["media"]["base64"].is_null(), "{created}");
    app.advance(minutes(61)).await;
    published(&app, "ada", &created, "Enclosed").await;
    assert_eq!(fetched(&app).await, [STANDARD.encode(PNG)]);
}

#[tokio::test]
async fn a_file_in_a_bucket_that_everybody_can_reach_goes_by_its_address() {
    let (app, channel) = TestApp::start_connected().await;
    let media_id = uploaded(&app, "ada", "image/png", PNG).await;
    let mut body = showing(&channel, "At AWS", json!({"kind": "image", "media_id": media_id}));
    body["publish_at"] = json!(app.stack.now() + minutes(60));
    app.post(PINS, "ada", body).await.expect(202);

    let deadline = tokio::time::Instant::now() + Duration::from_secs(300);
    app.functions_with_public_bucket(minutes(61)).deliver.tick(deadline).await.unwrap();

    let picture = &app.pinterest().pins(Environment::Sandbox)[0].pictures[0];
    assert!(picture.starts_with("https://s3.us-east-1.amazonaws.com/pinwright-media/"), "{picture}");
    assert!(picture.contains("X-Amz-Expires=3600") && picture.contains("X-Amz-Signature="), "{picture}");
}

#[tokio::test]
async fn a_carousel_mixes_files_and_addresses() {
    let host = Host::open().await;
    let (app, channel) = host.app().await;
    let media_id = uploaded(&app, "ada", "image/png", PNG).await;
    let carousel = |url: String| {
        let items = json!([{"media_id": media_id, "title": "Mine"}, {"url": url}]);
        showing(&channel, "Mixed", json!({"kind": "carousel", "items": items}))
    };

    app.post(PINS, "ada", carousel(host.url("dot.png"))).await.expect(201);

    assert_eq!(
        fetched(&app).await,
        [STANDARD.encode(PNG), STANDARD.encode(PNG)],
        "Pinterest takes data only"
    );
    for no_image in ["page.jpg", "nothing.png"] {
        let waiting = app.post(PINS, "ada", carousel(host.url(no_image))).await.expect(202);
        waits(&waiting, "pinterest_unavailable");
    }
    assert_eq!(app.send_count(), 1);
}

#[tokio::test]
async fn an_uploaded_video_is_streamed_from_the_bucket() {
    let (app, channel) = TestApp::start_connected().await;
    allow_videos(&app);
    let media_id = uploaded(&app, "ada", "video/mp4", MP4).await;
    let media =
        json!({"kind": "video", "media_id": media_id, "cover": {"url": "https://images.example.com/a.jpg"}});

    let created = app.post(PINS, "ada", showing(&channel, "Film", media)).await.expect(202);

    waits(&created, "video_processing");
    app.advance(minutes(2)).await;
    published(&app, "ada", &created, "Film").await;
    assert_eq!(app.pinterest().calls_of(Operation::UploadMedia), 1);
}

#[tokio::test]
async fn a_file_that_is_another_tenants_or_not_there_or_of_another_kind_is_refused_when_the_pin_is_made() {
    let (app, channel) = TestApp::start_connected().await;
    let foreign = uploaded(&app, "eve", "image/png", PNG).await;
    let film = uploaded(&app, "ada", "video/mp4", MP4).await;
    let page = uploaded(&app, "ada", "image/png", b"<!DOCTYPE html>").await;
    let cut = uploaded(&app, "ada", "video/mp4", UNFINISHED).await;
    let unsent_upload = offer(&app, "ada", "image/png", 9).await["media_id"].clone();
    let image = |media_id: &Value| json!({"kind": "image", "media_id": media_id});
    for (media, status, code) in [
        (image(&foreign), 404, "not_found"),
        (image(&unsent_upload), 404, "not_found"),
        (image(&json!("media_1")), 422, "invalid_id"),
        (image(&film), 422, "unsupported_media_type"),
        (image(&page), 422, "unsupported_media_type"),
        (json!({"kind": "video", "media_id": cut}), 422, "video_unfinished"),
        (json!({"kind": "image"}), 422, "not_one_source"),
        (
            json!({"kind": "image", "media_id": film, "url": "https://images.example.com/a.jpg"}),
            422,
            "not_one_source",
        ),
        (
            json!({"kind": "carousel", "items": [{"media_id": foreign}, {"media_id": foreign}]}),
            404,
            "not_found",
        ),
    ] {
        let answer = app.post(PINS, "ada", showing(&channel, "Never", media.clone())).await;
        assert_eq!(answer.problem(status), code, "{media}: {}", answer.text);
    }
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_file_is_called_by_its_name_with_what_to_do_about_it() {
    let (app, channel) = TestApp::start_connected().await;
    for (content, actual_type, fix) in [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".as_slice(), "a HEIC image", "as JPEG or PNG"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "an AVIF image", "as JPEG or PNG"),
        (b"<!DOCTYPE html><title>Sign in</title>", "a web page", "without a login"),
        (MP4, "an MP4 video", "\"kind\":\"video\""),
    ] {
        let media_id = uploaded(&app, "ada", "image/jpg", content).await;
        let media = json!({"kind": "image", "media_id": media_id});
        let refused = app.post(PINS, "ada", showing(&channel, "Never", media)).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(actual_type), "{refused}");
        assert!(refused["fix"].as_str().unwrap().contains(fix), "{refused}");
    }
}

/// By upload as by address: Pinterest fetches both from an address.
#[tokio::test]
async fn every_kind_of_image_that_pinterest_names_can_be_uploaded() {
    let (app, channel) = TestApp::start_connected().await;
    for (content_type, content) in [
        ("image/webp", b"RIFF\x24\0\0\0WEBPVP8 ".as_slice()),
        ("image/gif", b"GIF89a\x01\0\x01\0"),
        ("image/bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0"),
        ("image/tiff", b"II*\0\x08\0\0\0"),
        ("Image/JPG", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    ] {
        let media_id = uploaded(&app, "ada", content_type, content).await;
        let media = json!({"kind": "image", "media_id": media_id});
        app.post(PINS, "ada", showing(&channel, content_type, media)).await.expect(201);
    }
}

#[tokio::test]
async fn an_inline_image_must_have_its_stated_type_and_not_be_too_large() {
    let (app, channel) = TestApp::start_connected().await;
    let large: Vec<u8> = PNG.iter().copied().chain(std::iter::repeat(0)).take(4 * 1024 * 1024 + 1).collect();
    let mut both = enclosed("image/png", PNG);
    both["url"] = json!("https://images.example.com/a.jpg");
    for (media, status, code) in [
        (enclosed("image/jpeg", PNG), 422, "unsupported_media_type"),
        (enclosed("video/mp4", MP4), 422, "unsupported_media_type"),
        (enclosed("image/gif", b"GIF89a"), 422, "unsupported_media_type"),
        (
            json!({"kind": "image", "content_type": "image/png", "base64": "data:image/png;base64,AAAA"}),
            422,
            "invalid_base64",
        ),
        (json!({"kind": "image", "base64": STANDARD.encode(PNG)}), 422, "unsupported_media_type"),
        (enclosed("image/png", &large), 413, "media_too_large"),
        (both, 422, "not_one_source"),
    ] {
        let answer = app.post(PINS, "ada", showing(&channel, "Never", media)).await;
        assert_eq!(answer.problem(status), code, "{}", answer.text);
    }
    let fits = enclosed("image/png", &large[..large.len() - 1]);
    app.post(PINS, "ada", showing(&channel, "Large", fits)).await.expect(201);
}

#[tokio::test]
async fn an_inline_image_of_a_refused_request_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(Data::Folder(folder.path().to_owned()), []).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    let stored_files = || {
        let tenants = std::fs::read_dir(folder.path().join("media")).into_iter().flatten();
        tenants.flat_map(|tenant| std::fs::read_dir(tenant.unwrap().path()).into_iter().flatten()).count()
    };

    let refused = app.post(PINS, "ada", showing(&channel, "No board", enclosed("image/png", PNG))).await;

    assert_eq!(refused.problem(422), "no_board");
    assert_eq!(stored_files(), 0);
    app.choose_board("ada", &channel).await;
    app.post(PINS, "ada", showing(&channel, "Board", enclosed("image/png", PNG))).await.expect(201);
    assert!(stored_files() > 0, "the same request, when it can be done");
}

#[tokio::test]
async fn a_change_names_files_but_has_no_inline_image_and_validation_reads_them() {
    let (app, channel) = TestApp::start_connected().await;
    let media_id = uploaded(&app, "ada", "image/png", PNG).await;
    let created = app.schedule("ada", &channel, "Later", app.stack.now() + minutes(60)).await.expect(202);
    let path = format!("{PINS}/{}", id(&created));
    let change = |media: Value| {
        let request = app.client.request(Method::PATCH, format!("{}{path}", app.stack.url()));
        answer(request.bearer_auth(app.user("ada")).json(&json!({ "media": media })))
    };
    assert_eq!(change(enclosed("image/png", PNG)).await.problem(422), "upload_first");
    change(json!({"kind": "image", "media_id": media_id})).await.expect(200);

    let validate_path = "/api/v1/pins/validate";
    for (media_id, ok) in [(media_id, true), (json!("media_00000000000000000000000000"), false)] {
        let body = showing(&channel, "Check", json!({"kind": "image", "media_id": media_id}));
        let answer = app.post(validate_path, "ada", body).await.expect(200);
        let checks = answer["checks"].as_array().unwrap();
        let media = checks.iter().find(|check| check["check"] == "files").unwrap();
        assert_eq!(media["ok"], ok, "{answer}");
    }
    app.advance(minutes(61)).await;
    published(&app, "ada", &created, "Later").await;
    assert_eq!(fetched(&app).await.len(), 1);
}
