//! Pins of files that were uploaded before, or came with the request.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use local::Data;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Operation};

use crate::{
    stage::{PINS, Stage, answer, id, minutes, pin, waits},
    uploads::{PNG, offer, send},
    waiting::published,
};

/// The smallest front of an MP4.
const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08mdat";

/// The name of a file that `sub` has uploaded.
async fn uploaded(stage: &Stage, sub: &str, content_type: &str, content: &'static [u8]) -> Value {
    let offer = offer(stage, sub, content_type, content.len()).await;
    assert_eq!(send(stage, &offer, content).await.status, 200);
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

/// What Pinterest finds at the addresses of its only Pin's pictures.
async fn fetched(stage: &Stage) -> Vec<String> {
    let pins = stage.pinterest().pins(Environment::Sandbox);
    let [pin] = pins.as_slice() else { panic!("{pins:?}") };
    let mut found = Vec::new();
    for address in &pin.pictures {
        let answer = stage.client.get(address).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"image/png".parse().unwrap())
        );
        found.push(STANDARD.encode(answer.bytes().await.unwrap()));
    }
    found
}

#[tokio::test]
async fn an_uploaded_image_reaches_pinterest_by_an_address_that_it_can_open() {
    let (stage, channel) = Stage::connected().await;
    let media_id = uploaded(&stage, "ada", "image/png", PNG).await;
    let media = json!({"kind": "image", "media_id": media_id});

    let made = stage.post(PINS, "ada", showing(&channel, "Mine", media.clone())).await.expect(201);

    assert_eq!(made["media"], media, "no address of the bucket is told");
    assert_eq!(fetched(&stage).await, [STANDARD.encode(PNG)]);
}

#[tokio::test]
async fn an_image_that_came_with_the_request_is_kept_until_its_time_and_not_echoed() {
    let (stage, channel) = Stage::connected().await;
    let mut body = showing(&channel, "Enclosed", enclosed("image/png", PNG));
    body["publish_at"] = json!(stage.stack.now() + minutes(60));

    let made = stage.post(PINS, "ada", body).await.expect(202);

    assert!(made["media"]["media_id"].is_string() && made["media"]["base64"].is_null(), "{made}");
    stage.advance(minutes(61)).await;
    published(&stage, "ada", &made, "Enclosed").await;
    assert_eq!(fetched(&stage).await, [STANDARD.encode(PNG)]);
}

#[tokio::test]
async fn a_carousel_mixes_files_and_addresses() {
    let (stage, channel) = Stage::connected().await;
    let media_id = uploaded(&stage, "ada", "image/png", PNG).await;
    let items = json!([{"media_id": media_id}, {"url": "https://images.example.com/a.jpg"}]);

    let media = json!({"kind": "carousel", "items": items});
    stage.post(PINS, "ada", showing(&channel, "Mixed", media)).await.expect(201);

    let pictures = stage.pinterest().pins(Environment::Sandbox)[0].pictures.clone();
    assert!(pictures[0].contains("X-Amz-Signature=") && pictures[1] == "https://images.example.com/a.jpg");
}

#[tokio::test]
async fn an_uploaded_video_is_streamed_from_the_bucket() {
    let (stage, channel) = Stage::connected().await;
    let media_id = uploaded(&stage, "ada", "video/mp4", MP4).await;
    let media =
        json!({"kind": "video", "media_id": media_id, "cover": {"url": "https://images.example.com/a.jpg"}});

    let made = stage.post(PINS, "ada", showing(&channel, "Film", media)).await.expect(202);

    waits(&made, "video_processing");
    stage.advance(minutes(2)).await;
    published(&stage, "ada", &made, "Film").await;
    assert_eq!(stage.pinterest().calls_of(Operation::UploadMedia), 1);
}

#[tokio::test]
async fn a_file_that_is_another_tenants_or_not_there_or_of_another_kind_is_refused_when_the_pin_is_made() {
    let (stage, channel) = Stage::connected().await;
    let foreign = uploaded(&stage, "eve", "image/png", PNG).await;
    let film = uploaded(&stage, "ada", "video/mp4", MP4).await;
    let page = uploaded(&stage, "ada", "image/png", b"<!DOCTYPE html>").await;
    let promised = offer(&stage, "ada", "image/png", 9).await["media_id"].clone();
    let image = |media_id: &Value| json!({"kind": "image", "media_id": media_id});
    for (media, status, code) in [
        (image(&foreign), 404, "not_found"),
        (image(&promised), 404, "not_found"),
        (image(&json!("media_1")), 422, "invalid_id"),
        (image(&film), 422, "unsupported_media_type"),
        (image(&page), 422, "unsupported_media_type"),
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
        let answer = stage.post(PINS, "ada", showing(&channel, "Never", media.clone())).await;
        assert_eq!(answer.problem(status), code, "{media}: {}", answer.text);
    }
    assert_eq!(stage.get(PINS, "ada").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn an_image_that_came_with_the_request_is_what_it_says_and_not_too_large() {
    let (stage, channel) = Stage::connected().await;
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
        let answer = stage.post(PINS, "ada", showing(&channel, "Never", media)).await;
        assert_eq!(answer.problem(status), code, "{}", answer.text);
    }
    let fits = enclosed("image/png", &large[..large.len() - 1]);
    stage.post(PINS, "ada", showing(&channel, "Large", fits)).await.expect(201);
}

#[tokio::test]
async fn an_image_that_came_with_a_request_that_is_refused_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(Data::Folder(folder.path().to_owned()), []).await;
    stage.configure().await;
    let channel = stage.connect("ada").await;
    let kept = || {
        let tenants = std::fs::read_dir(folder.path().join("media")).into_iter().flatten();
        tenants.flat_map(|tenant| std::fs::read_dir(tenant.unwrap().path()).into_iter().flatten()).count()
    };

    let refused = stage.post(PINS, "ada", showing(&channel, "No board", enclosed("image/png", PNG))).await;

    assert_eq!(refused.problem(422), "no_board");
    assert_eq!(kept(), 0);
    stage.choose_board("ada", &channel).await;
    stage.post(PINS, "ada", showing(&channel, "Board", enclosed("image/png", PNG))).await.expect(201);
    assert!(kept() > 0, "the same request, when it can be done");
}

#[tokio::test]
async fn a_change_names_files_but_carries_none_and_validation_looks_at_them() {
    let (stage, channel) = Stage::connected().await;
    let media_id = uploaded(&stage, "ada", "image/png", PNG).await;
    let made = stage.schedule("ada", &channel, "Later", stage.stack.now() + minutes(60)).await.expect(202);
    let path = format!("{PINS}/{}", id(&made));
    let change = |media: Value| {
        let request = stage.client.request(Method::PATCH, format!("{}{path}", stage.stack.url()));
        answer(request.bearer_auth(stage.user("ada")).json(&json!({ "media": media })))
    };
    assert_eq!(change(enclosed("image/png", PNG)).await.problem(422), "upload_first");
    change(json!({"kind": "image", "media_id": media_id})).await.expect(200);

    let validate = "/api/v1/pins/validate";
    for (media_id, ok) in [(media_id, true), (json!("media_00000000000000000000000000"), false)] {
        let body = showing(&channel, "Check", json!({"kind": "image", "media_id": media_id}));
        let answer = stage.post(validate, "ada", body).await.expect(200);
        let checks = answer["checks"].as_array().unwrap();
        let media = checks.iter().find(|check| check["check"] == "media").unwrap();
        assert_eq!(media["ok"], ok, "{answer}");
    }
    stage.advance(minutes(61)).await;
    published(&stage, "ada", &made, "Later").await;
    assert_eq!(fetched(&stage).await.len(), 1);
}
