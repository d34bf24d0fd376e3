//! Boards and sections, and reading lists to their end.

use domain::Environment;
use pinterest::{Client, Error, Fault, NewBoard};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer,
    matchers::{method, path, query_param, query_param_is_missing},
};

use crate::harness::{self, answering, board, only_request, token};

/// A Pinterest whose list of boards has these pages: the bookmark that asks for a page, and the page.
async fn listing(pages: Vec<(Option<&str>, Value)>) -> (MockServer, Client) {
    let server = MockServer::start().await;
    for (bookmark, page) in pages {
        let list = Mock::given(method("GET")).and(path("/v5/boards")).and(query_param("page_size", "250"));
        let list = match bookmark {
            Some(bookmark) => list.and(query_param("bookmark", bookmark)),
            None => list.and(query_param_is_missing("bookmark")),
        };
        list.respond_with(harness::json(200, page)).expect(1).mount(&server).await;
    }
    let client = harness::client(&server.uri());
    (server, client)
}

fn page(ids: &[&str], bookmark: impl Into<Value>) -> Value {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "name": format!("Board {id}") })).collect();
    json!({ "items": items, "bookmark": bookmark.into() })
}

async fn ids(client: &Client) -> Result<Vec<String>, Error> {
    let boards = client.boards(Environment::Production, &token()).await?;
    Ok(boards.into_iter().map(|board| board.id.to_string()).collect())
}

#[tokio::test]
async fn boards_are_read_page_by_page_to_the_end() {
    let pages = vec![(None, page(&["1", "2"], "Zm9v+/=&x")), (Some("Zm9v+/=&x"), page(&["3"], Value::Null))];
    let (_server, client) = listing(pages).await;

    let ids = ids(&client).await.unwrap();

    assert_eq!(ids, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_list_ends_with_a_missing_or_empty_bookmark_or_an_empty_page() {
    for last in [json!({ "items": [] }), page(&[], "more"), page(&[], "")] {
        let (_server, client) = listing(vec![(None, page(&["1"], "b")), (Some("b"), last)]).await;

        assert_eq!(ids(&client).await.unwrap(), ["1"]);
    }
}

#[tokio::test]
async fn a_list_that_gives_the_same_bookmark_again_is_given_up() {
    let (_server, client) = listing(vec![(None, page(&["1"], "b")), (Some("b"), page(&["2"], "b"))]).await;

    let error = ids(&client).await.unwrap_err();

    assert!(matches!(error, Error::Unknown { source: Some(Fault::Endless), .. }));
}

#[tokio::test]
async fn a_list_whose_bookmarks_repeat_is_given_up_at_the_first_repetition() {
    let pages =
        vec![(None, page(&["1"], "a")), (Some("a"), page(&["2"], "b")), (Some("b"), page(&["3"], "a"))];
    let (server, client) = listing(pages).await;

    let error = ids(&client).await.unwrap_err();

    assert!(matches!(error, Error::Unknown { source: Some(Fault::Endless), .. }));
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn one_unreadable_board_is_skipped() {
    let items = json!([
        { "id": "1", "name": "A", "privacy": null },
        null,
        { "id": "2", "name": null },
        { "name": "No id" },
        { "id": 813_744_226_420_795_884_u64, "name": "By number", "privacy": 7 },
        "odd",
    ]);
    let (_server, client) = listing(vec![(None, json!({ "items": items, "bookmark": null }))]).await;

    let boards = client.boards(Environment::Production, &token()).await.unwrap();

    let listed: Vec<_> = boards.iter().map(|board| (board.id.as_str(), board.privacy.as_str())).collect();
    assert_eq!(listed, [("1", "PUBLIC"), ("813744226420795884", "PUBLIC")]);
}

#[tokio::test]
async fn a_page_of_unreadable_items_does_not_end_a_list() {
    let pages =
        vec![(None, json!({ "items": [null], "bookmark": "b" })), (Some("b"), page(&["1"], Value::Null))];
    let (_server, client) = listing(pages).await;

    assert_eq!(ids(&client).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn a_list_of_more_than_a_hundred_pages_is_given_up() {
    let bookmarks: Vec<String> = (0..100).map(|page| format!("b{page}")).collect();
    let pages = bookmarks.iter().enumerate().map(|(number, next)| {
        let bookmark = number.checked_sub(1).map(|before| bookmarks[before].as_str());
        (bookmark, page(&["1"], next.as_str()))
    });
    let (server, client) = listing(pages.collect()).await;

    let error = ids(&client).await.unwrap_err();

    assert!(matches!(error, Error::Unknown { source: Some(Fault::Endless), .. }));
    assert_eq!(server.received_requests().await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_board_has_an_id_a_name_and_a_privacy() {
    let body = json!({ "id": "7", "name": "Salads", "privacy": "SECRET", "pin_count": 3 });
    let (_server, client) = answering("GET", "/v5/boards/7", harness::json(200, body)).await;

    let board_view = client.board(Environment::Production, &token(), &board("7")).await.unwrap();

    assert_eq!(
        (board_view.id, board_view.name.as_str(), board_view.privacy.as_str()),
        (board("7"), "Salads", "SECRET")
    );
}

#[tokio::test]
async fn sections_are_listed_under_their_board() {
    let body = json!({ "items": [{ "id": "71", "name": "Green" }], "bookmark": null });
    let (_server, client) = answering("GET", "/v5/boards/7/sections", harness::json(200, body)).await;

    let sections = client.sections(Environment::Production, &token(), &board("7")).await.unwrap();

    assert_eq!(sections.len(), 1);
    assert_eq!((sections[0].id.as_str(), sections[0].name.as_str()), ("71", "Green"));
}

#[tokio::test]
async fn a_board_is_created_with_the_given_fields_only() {
    let (server, client) =
        answering("POST", "/v5/boards", harness::json(201, json!({ "id": "7", "name": "A" }))).await;
    let new = NewBoard { name: "A", description: None, privacy: None };

    let created = client.create_board(Environment::Production, &token(), &new).await.unwrap();

    assert_eq!((created.id, created.privacy.as_str()), (board("7"), "PUBLIC"));
    assert_eq!(only_request(&server).await.body_json::<Value>().unwrap(), json!({ "name": "A" }));
}

#[tokio::test]
async fn a_board_is_made_with_all_that_can_be_given() {
    let (server, client) =
        answering("POST", "/v5/boards", harness::json(200, json!({ "id": "7", "name": "A" }))).await;
    let new = NewBoard { name: "A", description: Some("All of it"), privacy: Some("SECRET") };

    client.create_board(Environment::Production, &token(), &new).await.unwrap();

    let body: Value = only_request(&server).await.body_json().unwrap();
    assert_eq!(body, json!({ "name": "A", "description": "All of it", "privacy": "SECRET" }));
}

#[tokio::test]
async fn a_board_says_whose_it_is_as_far_as_pinterest_tells() {
    let items = json!([
        { "id": "1", "name": "A", "owner": { "username": "ada" } },
        { "id": "2", "name": "A", "owner": { "username": "eve" } },
        { "id": "3", "name": "A", "owner": { "username": null } },
        { "id": "4", "name": "A", "owner": null },
        { "id": "5", "name": "A" },
    ]);
    let (_server, client) = listing(vec![(None, json!({ "items": items }))]).await;

    let boards = client.boards(Environment::Production, &token()).await.unwrap();

    let of_another: Vec<_> = boards.iter().map(|board| board.is_of_another("ada")).collect();
    assert_eq!(of_another, [false, true, false, false, false]);
}
