//! Links that Pinterest blocks: one bad page stops its own Pins, and nobody else's.

use serde_json::{Value, json};
use simulated_pinterest::FaultKind;

use crate::{
    harness::{Answer, PINS, TestApp, days, id, minutes, pin, seconds, waits},
    publish::waiting::{inject, published},
};

const WORDS: &str = "Sorry! We blocked this link because it may lead to spam.";

fn blocked() -> FaultKind {
    FaultKind::Refused { status: 429, code: 9, message: WORDS.to_owned() }
}

async fn publish(app: &TestApp, channel: &str, title: &str, link: &str) -> Answer {
    let mut body = pin(channel, title);
    body["link"] = json!(link);
    app.post(PINS, "ada", body).await
}

/// The problem of a Pin whose link is blocked.
#[track_caller]
fn link_blocked(answer: &Answer) -> Value {
    assert_eq!(answer.problem(422), "link_blocked");
    answer.json()
}

#[tokio::test]
async fn a_blocked_link_ends_its_pin_with_its_host_and_other_pins_go_on() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, blocked());

    let refused = link_blocked(&publish(&app, &channel, "Shop", "https://new-shop.example/a").await);

    for text in ["new-shop.example", WORDS] {
        assert!(refused["detail"].as_str().unwrap().contains(text), "{refused}");
    }
    assert!(refused["fix"].as_str().unwrap().contains("shortener"), "{refused}");
    let stored = app.pin("ada", refused["pin_id"].as_str().unwrap()).await;
    assert_eq!(stored["error"]["params"], json!({"host": "new-shop.example", "message": WORDS}));
    app.publish("ada", &channel, "Without a link").await.expect(201);
    publish(&app, &channel, "Another page", "https://new-shop.example/b").await.expect(201);
    assert_eq!(app.send_count(), 3);
}

#[tokio::test]
async fn three_blocked_links_in_a_row_rest_their_host_for_a_day() {
    let (app, channel) = TestApp::start_connected().await;
    for number in 0..3 {
        inject(&app, blocked());
        let link = format!("https://new-shop.example/{number}");
        link_blocked(&publish(&app, &channel, "Shop", &link).await);
    }

    let refusal = link_blocked(&publish(&app, &channel, "Fourth", "https://new-shop.example/3").await);

    assert_eq!(app.send_count(), 3, "the fourth is not sent: {refusal}");
    assert!(refusal["detail"].as_str().unwrap().contains("new-shop.example in a row"), "{refusal}");
    let mut next = pin(&channel, "Next");
    next["link"] = json!("https://new-shop.example/next");
    let validation = app.post(&format!("{PINS}/validate"), "ada", next).await.expect(200);
    let checks = validation["checks"].as_array().unwrap();
    let fields = checks.iter().find(|check| check["check"] == "fields").unwrap();
    assert_eq!((&fields["code"], &fields["errors"][0]["field"]), (&json!("link_blocked"), &json!("link")));
    publish(&app, &channel, "Elsewhere", "https://old-shop.example/").await.expect(201);
    app.publish("ada", &channel, "Without a link").await.expect(201);

    app.advance(days(1) + seconds(1)).await;
    publish(&app, &channel, "A day later", "https://new-shop.example/4").await.expect(201);
    inject(&app, blocked());
    link_blocked(&publish(&app, &channel, "Again", "https://new-shop.example/5").await);
    publish(&app, &channel, "Counted anew", "https://new-shop.example/6").await.expect(201);
}

#[tokio::test]
async fn a_pin_that_ends_after_holds_says_what_pinterest_said() {
    let (app, channel) = TestApp::start_connected().await;
    inject(&app, FaultKind::SpamBlock);
    let mut body = pin(&channel, "Held");
    body["publish_within"] = json!("PT5M");
    let held_pin = app.post(PINS, "ada", body).await.expect(202);
    waits(&held_pin, "spam_hold");

    app.advance(minutes(20)).await;

    let outcome = app.pin("ada", &id(&held_pin)).await;
    assert_eq!(outcome["error"]["code"], "too_late", "{outcome}");
    assert!(outcome["error"]["detail"].as_str().unwrap().contains("in place to combat spam"), "{outcome}");
    let retry = app.post(&format!("{PINS}/{}/retry", id(&held_pin)), "ada", json!({})).await.expect(202);
    app.advance(minutes(1)).await;
    published(&app, "ada", &retry, "Held").await;
}
