//! A video, from its registration to its Pin.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use serde_json::{Value, json};
use simulated_pinterest::Environment;

use crate::harness::{ApiResponse, Harness, send};

const VIDEO: &[u8] = b"\0\0\0\x18ftypmp42 and so on";

/// Writes the form by hand, because its order matters.
fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let file = if *name == "file" { "; filename=\"video.mp4\"" } else { "" };
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(&[head.as_bytes(), value, b"\r\n"].concat());
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

/// Uploads nothing with this header, and reads how the answer begins.
fn first_line(url: &str, header: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let mut stream = TcpStream::connect(&*url.socket_addrs(|| None).unwrap()).unwrap();
    let head = format!("POST {} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n", url.path());
    stream.write_all(format!("{head}0\r\n\r\n").as_bytes()).unwrap();
    BufReader::new(stream).lines().next().unwrap().unwrap()
}

fn parameters(registration: &ApiResponse) -> Vec<(&str, &[u8])> {
    let parameters = registration.body["upload_parameters"].as_object().unwrap();
    parameters.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap().as_bytes())).collect()
}

async fn upload(harness: &Harness, registration: &ApiResponse, fields: &[(&str, &[u8])]) -> ApiResponse {
    let request = harness.client.post(registration.text("upload_url"));
    send(request.header("content-type", "multipart/form-data; boundary=edge").body(form(fields))).await
}

async fn registration(harness: &Harness, token: &str) -> ApiResponse {
    harness.post(token, "/media", &json!({ "media_type": "video" })).await
}

async fn status(harness: &Harness, token: &str, registration: &ApiResponse) -> String {
    harness.get(token, &format!("/media/{}", registration.text("media_id"))).await.text("status")
}

fn video_pin(harness: &Harness, registration: &ApiResponse) -> Value {
    let mut body = harness.image_pin("The film");
    body["media_source"] = json!({
        "source_type": "video_id",
        "media_id": registration.text("media_id"),
        "cover_image_url": "https://cdn.example.com/cover.jpg",
    });
    body
}

#[tokio::test]
async fn an_uploaded_video_is_processed_by_the_clock_and_then_published() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let registration = registration(&harness, &token).await;
    assert_eq!(registration.status, 201);
    assert_eq!(status(&harness, &token, &registration).await, "registered");

    let mut fields = parameters(&registration);
    fields.push(("file", VIDEO));
    assert_eq!(upload(&harness, &registration, &fields).await.status, 204);

    assert_eq!(status(&harness, &token, &registration).await, "processing");
    let early = harness.post(&token, "/pins", &video_pin(&harness, &registration)).await;
    assert_eq!(early.refusal(), (400, 1));
    harness.advance(10);
    assert_eq!(status(&harness, &token, &registration).await, "succeeded");
    let pin = harness.post(&token, "/pins", &video_pin(&harness, &registration)).await;
    assert_eq!(pin.body["media"]["media_type"], "video");
    assert_eq!(harness.pinterest.pins(Environment::Production)[0].media_type, "video");
    assert_eq!(harness.get(&token, "/media").await.items().len(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_video_fails() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let registration = registration(&harness, &token).await;
    let mut fields = parameters(&registration);
    fields.push(("file", b"<html>404</html>"));

    assert_eq!(upload(&harness, &registration, &fields).await.status, 204);
    harness.advance(10);

    assert_eq!(status(&harness, &token, &registration).await, "failed");
}

#[tokio::test]
async fn a_form_is_refused_unless_it_repeats_every_parameter_before_the_file() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let registration = registration(&harness, &token).await;
    let parameters_in_order = parameters(&registration);
    let file: (&str, &[u8]) = ("file", VIDEO);

    let file_first = [&[file], parameters_in_order.as_slice()].concat();
    let one_missing = [&parameters_in_order[1..], &[file]].concat();
    let no_file = parameters_in_order.clone();
    let mut changed = [parameters_in_order.as_slice(), &[file]].concat();
    let signature = changed.iter_mut().find(|(name, _)| *name == "x-amz-signature").unwrap();
    signature.1 = b"another";

    for (fields, status) in [(file_first, 403), (one_missing, 403), (no_file, 400), (changed, 403)] {
        let response = upload(&harness, &registration, &fields).await;

        assert_eq!(response.status, status);
        assert!(response.body.as_str().unwrap().contains("<Error><Code>"));
    }
    assert_eq!(status(&harness, &token, &registration).await, "registered");
}

#[tokio::test]
async fn an_upload_takes_no_bearer_token_and_needs_a_length() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let registration = registration(&harness, &token).await;
    let mut fields = parameters(&registration);
    fields.push(("file", VIDEO));
    let url = registration.text("upload_url");
    let request = harness.client.post(&url).header("content-type", "multipart/form-data; boundary=edge");

    let with_token = send(request.bearer_auth(&token).body(form(&fields))).await;
    let [in_chunks, too_large] = tokio::task::spawn_blocking(move || {
        ["Transfer-Encoding: chunked", "Content-Length: 3000000000"].map(|header| first_line(&url, header))
    })
    .await
    .unwrap();

    assert_eq!(with_token.status, 400);
    assert_eq!(in_chunks, "HTTP/1.1 411 Length Required");
    assert_eq!(too_large, "HTTP/1.1 400 Bad Request");
}

#[tokio::test]
async fn a_form_is_valid_once_and_for_an_hour() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let (first, second) = (registration(&harness, &token).await, registration(&harness, &token).await);
    let with_file = |registration| {
        let mut fields = parameters(registration);
        fields.push(("file", VIDEO));
        fields
    };

    assert_eq!(upload(&harness, &first, &with_file(&first)).await.status, 204);
    assert_eq!(upload(&harness, &first, &with_file(&first)).await.status, 403);
    harness.advance(3601);
    let expired = upload(&harness, &second, &with_file(&second)).await;
    assert_eq!(expired.status, 403);
    assert!(expired.body.as_str().unwrap().contains("Policy expired"));
}

#[tokio::test]
async fn the_sandbox_takes_no_video_unless_the_policy_allows_it() {
    let harness = Harness::start().await;
    let token = harness.connect(Environment::Sandbox, crate::harness::SCOPES, "demo_account").await;
    let token = token.text("access_token");
    let mut body = harness.image_pin("The film");
    body["board_id"] = json!(harness.pinterest.boards(Environment::Sandbox, "demo_account")[0].id);
    body["media_source"] =
        json!({ "source_type": "video_id", "media_id": "1", "cover_image_key_frame_time": 0 });
    let publish = async || {
        let url = format!("{}/pins", harness.pinterest.sandbox_api_url());
        send(harness.client.post(url).bearer_auth(&token).json(&body)).await
    };

    let refused = publish().await;
    assert_eq!(refused.refusal(), (400, 1));
    assert!(refused.text("message").contains("sandbox"));
    harness.pinterest.change_policy(|policy| policy.sandbox_videos = true).unwrap();
    assert_eq!(publish().await.refusal(), (404, 404), "there is no such video");
}

#[tokio::test]
async fn the_media_of_another_user_are_not_found() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let registration = registration(&harness, &token).await;
    let scopes = crate::harness::SCOPES;
    let other = harness.connect(Environment::Production, scopes, "second_account").await.text("access_token");

    let response = harness.get(&other, &format!("/media/{}", registration.text("media_id"))).await;

    assert_eq!(response.refusal(), (404, 404));
}
