//! A board that shows Pins otherwise than they were sent: a Pin is found, or a person is asked, and nothing is sent twice.

use serde_json::{Value, json};
use simulated_pinterest::{
    Fault, FaultKind, ListedAltText, ListedDescription, ListedLink, ListedTime, ListedTitle, Listing,
    Operation,
};

use crate::{
    harness::{PINS, TestApp, id, minutes, pin, waits},
    publish::outcome_unknown::{lines, pass_board_checks},
};

/// Publishes a Pin with all its texts. Pinterest creates it, and the answer is lost.
async fn lose_answer(app: &TestApp, channel: &str, title: &str, kind: FaultKind) -> String {
    app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
    let mut body = pin(channel, title);
    body["publish_within"] = json!("PT1H");
    body["description"] =
        json!("A bowl of green leaves & seeds, ready in ten minutes: the recipe is on the blog");
    body["link"] = json!("https://blog.example.com/salad?utm_source=pins");
    body["alt_text"] = json!("A bowl");
    let response = app.post(PINS, "ada", body).await.expect(202);
    waits(&response, "outcome_unknown");
    id(&response)
}

fn list_as(app: &TestApp, listing: Listing) {
    app.pinterest().change_policy(|policy| policy.listing = listing).unwrap();
}

#[tokio::test]
async fn a_pin_that_pinterest_has_rewritten_is_found() {
    let listings = [
        Listing { title: ListedTitle::Page, ..Listing::default() },
        Listing { title: ListedTitle::Append, escape: true, ..Listing::default() },
        Listing { description: ListedDescription::Cut, ..Listing::default() },
        Listing { description: ListedDescription::Omit, ..Listing::default() },
        Listing { alt_text: ListedAltText::Null, ..Listing::default() },
        Listing { link: ListedLink::StripQuery, ..Listing::default() },
        Listing { link: ListedLink::Slash, ..Listing::default() },
        Listing { link: ListedLink::Omit, ..Listing::default() },
        Listing { created_at: ListedTime::Epoch, ..Listing::default() },
        Listing { created_at: ListedTime::Rfc822, ..Listing::default() },
    ];
    for (number, listing) in listings.into_iter().enumerate() {
        let (app, channel) = TestApp::start_connected().await;
        list_as(&app, listing.clone());
        let title = format!("Salad {number}");
        let pin = lose_answer(&app, &channel, &title, FaultKind::CutAfter).await;

        pass_board_checks(&app).await;

        let pin = app.pin("ada", &pin).await;
        assert_eq!(pin["state"], "published", "{listing:?} {pin}");
        assert_eq!((app.send_count(), app.at_pinterest(&title)), (1, 1), "{listing:?}");
    }
}

#[tokio::test]
async fn a_pin_that_may_be_on_the_board_waits_for_a_person_and_is_not_sent_again() {
    let listings = [
        Listing { created_at: ListedTime::Omit, ..Listing::default() },
        Listing { created_at: ListedTime::Null, title: ListedTitle::Append, ..Listing::default() },
        Listing { created_at_minutes: -9, ..Listing::default() },
        Listing { created_at_minutes: 5 * 60, link: ListedLink::StripQuery, ..Listing::default() },
    ];
    for listing in listings {
        let (app, channel) = TestApp::start_connected().await;
        list_as(&app, listing.clone());
        let pin = lose_answer(&app, &channel, "Salad", FaultKind::Status500After).await;

        app.advance(minutes(3 * 60)).await;

        let pin = app.pin("ada", &pin).await;
        assert_eq!(pin["state"], "needs_review", "{listing:?} {pin}");
        assert_eq!(pin["error"]["code"], "perhaps_published");
        let [candidate] = &pin["candidates"].as_array().unwrap()[..] else { panic!("{pin}") };
        assert!(
            candidate["pinterest_pin_url"].as_str().unwrap().starts_with("https://www.pinterest.com/pin/")
        );
        assert!(candidate["differs"].as_array().unwrap().contains(&json!("created_at")), "{candidate}");
        assert_eq!((app.send_count(), app.at_pinterest("Salad")), (1, 1));
        assert_eq!(app.event_kinds().await.last().unwrap(), "pin.needs_review");
    }
}

/// A Pin that needs a review, whether Pinterest has created it or not.
async fn in_review(app: &TestApp, channel: &str, title: &str, kind: FaultKind) -> Value {
    app.pinterest().inject(Fault::once(Operation::ListBoardPins, FaultKind::CutBefore).times(1000));
    let pin = lose_answer(app, channel, title, kind).await;
    app.advance(minutes(2 * 60)).await;
    app.pinterest().clear_faults();
    let pin = app.pin("ada", &pin).await;
    assert_eq!((&pin["state"], &pin["candidates"]), (&json!("needs_review"), &json!([])), "{pin}");
    pin
}

fn resolve(pin: &Value) -> String {
    format!("{PINS}/{}/resolve", id(pin))
}

#[tokio::test]
async fn a_person_ends_a_review_with_what_is_on_the_board() {
    let (app, channel) = TestApp::start_connected().await;
    let created = in_review(&app, &channel, "Made", FaultKind::CutAfter).await;
    let remote_pin = app.pinterest().pins(simulated_pinterest::Environment::Sandbox);
    let remote_pin =
        remote_pin.iter().find(|remote_pin| remote_pin.title.as_deref() == Some("Made")).unwrap();

    let resolved = app.post(&resolve(&created), "ada", json!({"is": remote_pin.id})).await.expect(200);

    assert_eq!(
        (&resolved["state"], &resolved["pinterest_pin_id"]),
        (&json!("published"), &json!(remote_pin.id))
    );
    assert_eq!((&resolved["error"], &resolved["candidates"]), (&Value::Null, &json!([])));
    assert!(lines(&resolved).last().unwrap().contains("somebody has found it at Pinterest"), "{resolved}");
    assert_eq!(app.event_kinds().await.last().unwrap(), "pin.published");
    // The Pin at Pinterest is this one's, and no other's.
    let other = in_review(&app, &channel, "Other", FaultKind::CutBefore).await;
    let conflict = app.post(&resolve(&other), "ada", json!({"is": remote_pin.id})).await;
    assert_eq!(conflict.problem(409), "pinterest_pin_taken");
    assert_eq!(
        app.post(&resolve(&created), "ada", json!({"resend": true})).await.problem(409),
        "wrong_state"
    );
}

#[tokio::test]
async fn a_person_who_sees_that_nothing_is_there_has_it_sent_again() {
    let (app, channel) = TestApp::start_connected().await;
    let missing = in_review(&app, &channel, "Never", FaultKind::CutBefore).await;
    let retry = app.post(&format!("{PINS}/{}/retry", id(&missing)), "ada", json!({})).await;
    assert_eq!(retry.problem(409), "wrong_state", "a retry sends without a look");

    let resent = app.post(&resolve(&missing), "ada", json!({"resend": true})).await.expect(200);
    assert_eq!(resent["state"], "scheduled");
    app.advance(minutes(1)).await;

    let published = app.pin("ada", &id(&missing)).await;
    assert_eq!((&published["state"], app.at_pinterest("Never")), (&json!("published"), 1), "{published}");
}

#[tokio::test]
async fn a_resolution_says_one_thing() {
    let (app, channel) = TestApp::start_connected().await;
    let unclear = in_review(&app, &channel, "Unclear", FaultKind::CutAfter).await;
    for (body, code) in [
        (json!({}), "not_one_resolution"),
        (json!({"is": "1", "resend": true}), "not_one_resolution"),
        (json!({"resend": false}), "not_one_resolution"),
        (json!({"is": "the salad"}), "invalid_id"),
        (json!({"is": "1", "reason": "it is"}), "unknown_field"),
    ] {
        let refused = app.post(&resolve(&unclear), "ada", body.clone()).await;
        assert_eq!(refused.problem(422), code, "{body}");
    }
    let foreign = app.post(&resolve(&unclear), "bob", json!({"resend": true})).await;
    assert_eq!(foreign.problem(404), "not_found");
}

#[tokio::test]
async fn another_pin_of_the_owner_does_not_delay_a_lost_one() {
    let (app, channel) = TestApp::start_connected().await;
    let missing = lose_answer(&app, &channel, "Never", FaultKind::CutBefore).await;
    app.publish("ada", &channel, "Something else").await.expect(201);

    pass_board_checks(&app).await;

    let missing = app.pin("ada", &missing).await;
    assert_eq!((&missing["state"], app.send_count()), (&json!("published"), 3), "{missing}");
}
