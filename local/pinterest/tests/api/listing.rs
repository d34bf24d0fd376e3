//! How Pins look when they are read again, as the policy says.

use serde_json::{Value, json};

use crate::harness::{Harness, send};

/// The Pin that was sent, as the list of its board shows it under this policy.
async fn pin_in_list(listing: Value) -> Value {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let mut body = harness.image_pin("Salt & pepper");
    body["description"] = json!("Salted & peppered");
    body["alt_text"] = json!("A <mill>");
    body["link"] = json!("https://www.example.com/salt?utm_source=pin#top");
    let url = format!("{}/sim/policy", harness.pinterest.url());
    let policy = send(harness.client.post(url).json(&json!({ "listing": listing }))).await;
    assert_eq!(policy.status, 200, "{policy:?}");

    let created = harness.post(&token, "/pins", &body).await;
    let of_board = harness.get(&token, &format!("/boards/{}/pins", harness.board("Recipes"))).await;

    assert_eq!(created.text("title"), "Salt & pepper");
    assert_eq!(created.text("created_at"), "2027-01-15T08:00:00");
    assert_eq!(harness.get(&token, "/pins").await.items(), of_board.items());
    assert_eq!(harness.get(&token, &format!("/pins/{}", created.text("id"))).await.body, of_board.items()[0]);
    of_board.items()[0].clone()
}

#[tokio::test]
async fn texts_can_be_rewritten_cut_escaped_and_omitted() {
    let cases = [
        (json!({ "title": "page" }), "title", json!("Green salad | Blog")),
        (json!({ "title": "append" }), "title", json!("Salt & pepper | Blog")),
        (json!({ "escape": true }), "title", json!("Salt &amp; pepper")),
        (json!({ "escape": true }), "alt_text", json!("A &lt;mill&gt;")),
        (json!({ "description": "cut", "escape": true }), "description", json!("Salted &amp;…")),
        (json!({ "alt_text": "null" }), "alt_text", Value::Null),
        (json!({ "link": "strip_query" }), "link", json!("https://www.example.com/salt")),
        (json!({ "link": "slash" }), "link", json!("https://www.example.com/salt/?utm_source=pin#top")),
    ];

    for (listing, field, expected) in cases {
        assert_eq!(pin_in_list(listing.clone()).await[field], expected, "{listing}");
    }
}

#[tokio::test]
async fn whole_fields_can_be_missing() {
    let fields = ["description", "alt_text", "link", "created_at"];
    let omit = pin_in_list(fields.iter().map(|field| (*field, "omit")).collect()).await;

    assert!(fields.iter().all(|field| omit.get(field).is_none()), "{omit}");
    assert_eq!(omit["title"], "Salt & pepper");
}

#[tokio::test]
async fn the_time_of_creation_has_many_forms_and_another_clock() {
    let cases = [
        (json!({ "created_at": "no_zone" }), json!("2027-01-15T08:00:00")),
        (json!({ "created_at": "zone" }), json!("2027-01-15T08:00:00Z")),
        (json!({ "created_at": "offset" }), json!("2027-01-15T10:00:00+02:00")),
        (json!({ "created_at": "epoch" }), json!(1_800_000_000)),
        (json!({ "created_at": "rfc822" }), json!("Fri, 15 Jan 2027 08:00:00 GMT")),
        (json!({ "created_at": "null" }), Value::Null),
        (json!({ "created_at_minutes": -3 }), json!("2027-01-15T07:57:00")),
    ];

    for (listing, expected) in cases {
        assert_eq!(pin_in_list(listing.clone()).await["created_at"], expected, "{listing}");
    }
}
