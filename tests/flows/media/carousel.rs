//! Carousels: Pins with several images.

use serde_json::{Value, json};
use simulated_pinterest::Environment;

use crate::{
    harness::{PINS, TestApp, minutes, pin},
    publish::waiting::published,
};

fn slide(name: &str) -> Value {
    json!({"url": format!("https://images.example.com/{name}.jpg"), "title": name})
}

fn carousel(channel: &str, title: &str, items: &[Value]) -> Value {
    let mut body = pin(channel, title);
    body["media"] = json!({"kind": "carousel", "items": items});
    body
}

#[tokio::test]
async fn a_carousel_goes_to_a_section_of_a_board_with_all_its_images() {
    let (app, channel) = TestApp::start_connected().await;
    let boards = format!("/api/v1/channels/{channel}/boards?sections=true");
    let boards = app.get(&boards, "ada").await.expect(200);
    let items = boards["items"].as_array().unwrap();
    let board = items.iter().find(|board| board["sections"][0].is_object()).unwrap();
    let mut body = carousel(&channel, "Three looks", &[slide("one"), slide("two"), slide("three")]);
    body["board_id"] = board["pinterest_board_id"].clone();
    body["board_section_id"] = board["sections"][0]["pinterest_section_id"].clone();
    body["dominant_color"] = json!("#6E7874");

    let created = app.post(PINS, "ada", body).await.expect(201);

    assert_eq!(created["media"]["items"][2], slide("three"), "{created}");
    let remote_pins = app.pinterest().pins(Environment::Sandbox);
    let [remote_pins] = remote_pins.as_slice() else { panic!("{remote_pins:?}") };
    assert_eq!((remote_pins.media_type, remote_pins.pictures.len()), ("multiple_images", 3));
    assert_eq!(remote_pins.section.as_deref(), board["sections"][0]["name"].as_str());
}

#[tokio::test]
async fn a_scheduled_pin_becomes_a_carousel_before_its_time() {
    let (app, channel) = TestApp::start_connected().await;
    let at = app.stack.now() + minutes(60);
    let created = app.schedule("ada", &channel, "Looks", at).await.expect(202);
    let change = json!({"media": {"kind": "carousel", "items": [slide("one"), slide("two")]}});
    let path = format!("{PINS}/{}", created["id"].as_str().unwrap());
    app.call(reqwest::Method::PATCH, &path, &app.user("ada"), Some(change)).await.expect(200);

    app.advance(minutes(61)).await;

    published(&app, "ada", &created, "Looks").await;
    assert_eq!(app.pinterest().pins(Environment::Sandbox)[0].media_type, "multiple_images");
}

#[tokio::test]
async fn errors_of_a_carousel_name_their_place() {
    let (app, channel) = TestApp::start_connected().await;
    let six: Vec<Value> = (0..6).map(|number| slide(&number.to_string())).collect();
    let long = json!({"url": "https://images.example.com/a.jpg", "title": "x".repeat(101)});
    let local = json!({"url": "file:///etc/passwd"});
    let odd = json!({"url": "https://images.example.com/a.jpg", "caption": "x"});
    for (items, code, field) in [
        (vec![], "carousel_size", "media.items"),
        (vec![slide("one")], "carousel_size", "media.items"),
        (six, "carousel_size", "media.items"),
        (vec![slide("one"), long], "too_long", "media.items[1].title"),
        (vec![slide("one"), local], "invalid_url", "media.items[1].url"),
        (vec![slide("one"), json!({"title": "no picture"})], "not_one_source", "media.items[1]"),
        (vec![slide("one"), odd], "unknown_field", "media.items[1].caption"),
    ] {
        let answer = app.post(PINS, "ada", carousel(&channel, "Never", &items)).await;
        let problem_code = answer.problem(422);
        assert_eq!(
            (problem_code.as_str(), &answer.json()["field"]),
            (code, &json!(field)),
            "{}",
            answer.text
        );
    }
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"], json!([]));
}
