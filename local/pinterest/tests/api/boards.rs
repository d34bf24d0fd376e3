//! Boards and sections.

use serde_json::json;
use simulated_pinterest::Environment;

use crate::harness::{Harness, SCOPES};

#[tokio::test]
async fn more_boards_than_a_page_holds_come_with_a_bookmark_until_the_last() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.add_boards(Environment::Production, "demo_account", 300).unwrap();

    let first = harness.get(&token, "/boards?page_size=250").await;
    let bookmark = first.text("bookmark");
    assert!(
        bookmark.contains('=') && bookmark.contains('+'),
        "{bookmark} would survive without URL encoding"
    );
    let query = url::form_urlencoded::byte_serialize(bookmark.as_bytes()).collect::<String>();
    let second = harness.get(&token, &format!("/boards?page_size=250&bookmark={query}")).await;

    assert_eq!((first.items().len(), second.items().len()), (250, 52));
    assert!(second.body["bookmark"].is_null());
    assert_eq!(harness.get(&token, "/boards").await.items().len(), 25);
    assert_eq!(harness.get(&token, "/boards?page_size=251").await.refusal(), (400, 1));
    assert_eq!(harness.get(&token, "/boards?bookmark=nonsense").await.refusal(), (400, 1));
}

#[tokio::test]
async fn a_secret_board_is_visible_only_to_those_who_may_read_it() {
    let harness = Harness::start().await;
    let fewer_scopes = harness.access_token().await;
    let scopes = format!("{SCOPES},boards:read_secret");
    let trusted =
        harness.connect(Environment::Production, &scopes, "demo_account").await.text("access_token");
    let secret = format!("/boards/{}", harness.board("Secret ideas"));

    assert_eq!(harness.get(&fewer_scopes, "/boards").await.items().len(), 2);
    assert_eq!(harness.get(&fewer_scopes, &secret).await.refusal(), (404, 40));
    assert_eq!(harness.get(&trusted, "/boards").await.items().len(), 3);
    assert_eq!(harness.get(&trusted, "/boards?privacy=SECRET").await.items().len(), 1);
    assert_eq!(harness.get(&trusted, &secret).await.text("privacy"), "SECRET");
}

#[tokio::test]
async fn a_board_name_is_taken_only_once() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;

    let created = harness.post(&token, "/boards", &json!({ "name": "Summer", "description": "Warm" })).await;
    let repeated = harness.post(&token, "/boards", &json!({ "name": "Summer" })).await;

    assert_eq!(created.status, 201);
    assert_eq!(created.body["owner"]["username"], "demo_account");
    assert_eq!(created.text("created_at"), "2027-01-15T08:00:00");
    assert_eq!(repeated.refusal(), (400, 400));
    assert_eq!(harness.post(&token, "/boards", &json!({ "name": " " })).await.refusal(), (400, 400));
}

#[tokio::test]
async fn sections_are_listed_and_added() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let sections = format!("/boards/{}/sections", harness.board("Recipes"));

    let created = harness.post(&token, &sections, &json!({ "name": "Soups" })).await;
    let refused = harness.post(&token, &sections, &json!({ "name": "" })).await;

    assert_eq!((created.status, refused.refusal()), (201, (400, 400)));
    let list = harness.get(&token, &sections).await;
    let names: Vec<_> = list.items().iter().map(|section| section["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Salads", "Desserts", "Soups"]);
}

#[tokio::test]
async fn a_board_of_another_host_or_another_user_is_not_found() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let sandbox = harness.pinterest.boards(Environment::Sandbox, "demo_account");
    let other = harness.pinterest.boards(Environment::Production, "second_account");

    for id in [&sandbox[0].id, &other[0].id, "99999999999999999999999999"] {
        assert_eq!(harness.get(&token, &format!("/boards/{id}")).await.refusal(), (404, 40));
        assert_eq!(harness.get(&token, &format!("/boards/{id}/pins")).await.refusal(), (404, 40));
    }
    assert_eq!(harness.get(&token, "/boards/recipes").await.refusal(), (400, 1));
}

#[tokio::test]
async fn a_deleted_board_takes_its_pins_with_it() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let pin = harness.post(&token, "/pins", &harness.image_pin("Salad")).await.text("id");
    let body = harness.image_pin("Another");

    let deleted = harness.delete(&token, &format!("/boards/{}", harness.board("Recipes"))).await;

    assert_eq!(deleted.status, 204);
    assert_eq!(harness.get(&token, &format!("/pins/{pin}")).await.refusal(), (404, 50));
    assert_eq!(harness.post(&token, "/pins", &body).await.refusal(), (404, 40));
}
