//! `GET /user_account`.

use domain::Environment;
use pinterest::{Error, Fault};
use serde_json::json;

use crate::harness::{self, answering, header, only_request, token};

#[tokio::test]
async fn the_request_for_the_account_carries_only_the_token() {
    let body =
        json!({ "id": "2783136121146311751", "username": "ann", "account_type": "BUSINESS", "new": [1] });
    let (server, client) = answering("GET", "/v5/user_account", harness::json(200, body)).await;

    let account = client.user_account(Environment::Production, &token()).await.unwrap();

    assert_eq!(account.pinterest_user_id.as_str(), "2783136121146311751");
    assert_eq!(account.username, "ann");
    let request = only_request(&server).await;
    assert_eq!(header(&request, "authorization"), "Bearer pina_planted");
    assert_eq!(request.url.query(), None);
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn each_environment_has_its_own_host() {
    let (_server, client) =
        answering("GET", "/sandbox/v5/user_account", harness::json(200, json!({ "id": "1" }))).await;

    let account = client.user_account(Environment::Sandbox, &token()).await.unwrap();

    assert_eq!(account.username, "1", "the id stands in for the username");
}

#[tokio::test]
async fn an_account_without_an_id_makes_no_sense() {
    let (_server, client) =
        answering("GET", "/v5/user_account", harness::json(200, json!({ "username": "ann" }))).await;

    let error = client.user_account(Environment::Production, &token()).await.unwrap_err();

    let Error::Unknown { response, source } = error else {
        panic!("{error}");
    };
    assert_eq!(response.http_status, Some(200));
    assert!(matches!(source, Some(Fault::Malformed { source: Some(_) })));
}
