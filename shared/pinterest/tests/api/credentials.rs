//! `POST /oauth/token` for the app's own token, which only tells whether App ID and App Secret are right.

use domain::{AppSecret, Environment, refresh::CredentialCheck};
use pinterest::{App, Client};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::harness::{self, TOKEN, answering, assert_form, closed_address, only_request, raw};

async fn check_credentials(client: &Client) -> CredentialCheck {
    let secret = AppSecret::new("s3cret".to_owned());
    let app = App { id: "1234567", secret: &secret };
    client.check_credentials(Environment::Production, app).await.0
}

#[tokio::test]
async fn a_credential_check_requests_the_apps_own_token() {
    let body = json!({ "access_token": "pinc_new", "token_type": "bearer", "expires_in": 2_592_000 });
    let (server, client) = answering("POST", TOKEN, harness::json(200, body)).await;

    assert_eq!(check_credentials(&client).await, CredentialCheck::Right);

    let body = "grant_type=client_credentials&scope=user_accounts%3Aread";
    assert_form(&only_request(&server).await, body);
}

#[tokio::test]
async fn a_credential_check_distinguishes_a_wrong_secret_from_other_errors() {
    let json_response = |status: u16, body: Value| harness::json(status, body);
    let cases = [
        (
            json_response(401, json!({ "code": 2, "message": "Authentication failed." })),
            CredentialCheck::Wrong,
        ),
        (json_response(401, json!({ "message": "Unauthorized" })), CredentialCheck::Wrong),
        (json_response(401, json!({ "code": 401, "message": "Unauthorized" })), CredentialCheck::Wrong),
        (json_response(400, json!({ "error": "invalid_client" })), CredentialCheck::Wrong),
        (ResponseTemplate::new(401), CredentialCheck::Wrong),
        (
            json_response(401, json!({ "code": 283, "data": "Invalid Application ID" })),
            CredentialCheck::Wrong,
        ),
        (
            json_response(400, json!({ "code": 1, "message": "x", "data": "Invalid Application ID" })),
            CredentialCheck::Wrong,
        ),
        (
            json_response(400, json!({ "code": 12, "message": "Something went wrong on our end." })),
            CredentialCheck::Unreachable,
        ),
        (json_response(401, json!({ "code": 3, "message": "consumer type" })), CredentialCheck::Inconclusive),
        (json_response(400, json!({ "error": "invalid_client", "code": 3 })), CredentialCheck::Inconclusive),
        (json_response(400, json!({ "code": 1, "message": "grant_type" })), CredentialCheck::Inconclusive),
        (
            json_response(403, json!({ "code": 29, "message": "no two-factor" })),
            CredentialCheck::Inconclusive,
        ),
        (json_response(429, json!({ "code": 8, "message": "limit" })), CredentialCheck::Inconclusive),
        (json_response(200, json!({ "hello": "world" })), CredentialCheck::Inconclusive),
        (json_response(408, json!({ "code": 408 })), CredentialCheck::Unreachable),
        (json_response(503, json!({ "code": 4197, "message": "ramped down" })), CredentialCheck::Unreachable),
        (ResponseTemplate::new(502).set_body_string("<html>"), CredentialCheck::Unreachable),
    ];

    for (response, expected) in cases {
        let debug_text = format!("{response:?}");
        let (_server, client) = answering("POST", TOKEN, response).await;

        assert_eq!(check_credentials(&client).await, expected, "{debug_text}");
    }
}

#[tokio::test]
async fn a_credential_check_without_a_whole_answer_has_no_result() {
    let cut = raw("HTTP/1.1 401 Unauthorized\r\ncontent-length: 99\r\n\r\n{\"code\": 3");

    for host in [closed_address(), raw(""), cut] {
        assert_eq!(
            check_credentials(&harness::client(&format!("http://{host}"))).await,
            CredentialCheck::Unreachable
        );
    }
}
