//! The consent page, and `POST /oauth/token` for an account's tokens.

use domain::{AppSecret, AuthorizationCode, Environment, OAuthState, RefreshToken, Refusal, Scopes};
use jiff::{SignedDuration, Timestamp};
use pinterest::{App, Client, Error, Fault, GrantedTokens, RefreshedTokens};
use serde_json::{Value, json};

use crate::harness::{self, TOKEN, answering, assert_form, now, only_request, raw};

const CALLBACK: &str = "https://app.example.com/oauth/callback?x=1";

async fn exchange(client: &Client) -> Result<GrantedTokens, Error> {
    let secret = AppSecret::new("s3cret".to_owned());
    let code = AuthorizationCode::new("c0de/+=".to_owned());
    let app = App { id: "1234567", secret: &secret };
    client.exchange(Environment::Production, app, &code, CALLBACK, now()).await
}

async fn refresh(client: &Client) -> Result<RefreshedTokens, Error> {
    let secret = AppSecret::new("s3cret".to_owned());
    let refresh = RefreshToken::new("pinr_planted".to_owned());
    let app = App { id: "1234567", secret: &secret };
    client.refresh(Environment::Production, app, &refresh, now()).await
}

fn pair() -> Value {
    json!({
        "access_token": "pina_new",
        "refresh_token": "pinr_new",
        "response_type": "authorization_code",
        "token_type": "bearer",
        "expires_in": 2_592_000,
        "refresh_token_expires_in": 5_184_000,
        "refresh_token_expires_at": 1_730_227_664,
        "scope": "boards:read pins:write ads:read",
    })
}

/// `pair`, changed at the fields of `change`; `null` removes one.
fn pair_but(change: &Value) -> Value {
    let mut pair = pair();
    for (field, value) in change.as_object().unwrap() {
        if value.is_null() {
            pair.as_object_mut().unwrap().remove(field);
        } else {
            pair[field] = value.clone();
        }
    }
    pair
}

fn days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

#[test]
fn the_consent_page_gets_scopes_with_commas_and_the_redirect_to_the_letter() {
    let client = harness::client("https://www.example.com");
    let state = OAuthState::new("st4te".to_owned());

    let scopes = Scopes::parse("boards:read pins:write");
    let address = client.authorize_url("1234567", "https://App.example.com", &scopes, &state).unwrap();

    let address = url::Url::parse(&address).unwrap();
    assert_eq!((address.host_str(), address.path()), (Some("www.example.com"), "/oauth/"));
    let mut query: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    query.sort();
    let expected = [
        ("client_id", "1234567"),
        ("redirect_uri", "https://App.example.com"),
        ("response_type", "code"),
        ("scope", "boards:read,pins:write"),
        ("state", "st4te"),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_broken_address_is_named_before_anything_is_sent() {
    let state = OAuthState::new("st4te".to_owned());

    let error =
        harness::client("nowhere").authorize_url("1", CALLBACK, &Scopes::required(), &state).unwrap_err();

    assert!(matches!(error, Error::NotSent(Fault::Address(_))));
}

#[tokio::test]
async fn a_code_is_exchanged_for_tokens_that_can_be_renewed() {
    let (server, client) = answering("POST", TOKEN, harness::json(200, pair())).await;

    let granted = exchange(&client).await.unwrap();

    assert_eq!(granted.tokens.access.expose(), "pina_new");
    assert_eq!(granted.tokens.refresh.expose(), "pinr_new");
    assert_eq!(granted.lifetimes.access_expires_at, days(30));
    assert_eq!(granted.lifetimes.refresh_expires_at, Some(days(60)));
    assert_eq!(granted.scopes, Scopes::parse("boards:read pins:write ads:read"));
    let body = "grant_type=authorization_code&code=c0de%2F%2B%3D\
        &redirect_uri=https%3A%2F%2Fapp.example.com%2Foauth%2Fcallback%3Fx%3D1&continuous_refresh=true";
    assert_form(&only_request(&server).await, body);
}

#[tokio::test]
async fn scopes_that_pinterest_does_not_name_are_those_we_need() {
    for scope in [json!({ "scope": null }), json!({ "scope": "" }), json!({ "scope": [] })] {
        let (_server, client) = answering("POST", TOKEN, harness::json(201, pair_but(&scope))).await;

        assert_eq!(exchange(&client).await.unwrap().scopes, Scopes::required());
    }
}

#[tokio::test]
async fn a_grant_without_a_refresh_token_makes_no_sense() {
    for token in [json!({ "refresh_token": null }), json!({ "refresh_token": "" })] {
        let (_server, client) = answering("POST", TOKEN, harness::json(200, pair_but(&token))).await;

        let error = exchange(&client).await.unwrap_err();

        assert!(matches!(error, Error::Unknown { source: Some(Fault::Malformed { .. }), .. }), "{error}");
    }
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_a_new_pair() {
    let (server, client) = answering("POST", TOKEN, harness::json(200, pair())).await;

    let new_tokens = refresh(&client).await.unwrap();

    assert_eq!(new_tokens.access.expose(), "pina_new");
    assert_eq!(new_tokens.refresh.unwrap().expose(), "pinr_new");
    assert_eq!(new_tokens.lifetimes.access_expires_at, days(30));
    assert_form(&only_request(&server).await, "grant_type=refresh_token&refresh_token=pinr_planted");
}

#[tokio::test]
async fn a_missing_or_unreadable_detail_loses_no_tokens() {
    let odd = [
        json!({ "token_type": null }),
        json!({ "token_type": "BEARER" }),
        json!({ "token_type": 1 }),
        json!({ "expires_in": null }),
        json!({ "expires_in": "2592000" }),
        json!({ "expires_in": { "days": 30 } }),
        json!({ "expires_in": 0 }),
        json!({ "scope": 5 }),
        json!({ "response_type": null }),
    ];

    for change in odd {
        let (_server, client) = answering("POST", TOKEN, harness::json(200, pair_but(&change))).await;

        let new_tokens = refresh(&client).await.unwrap();

        assert_eq!(new_tokens.refresh.unwrap().expose(), "pinr_new", "{change}");
        assert_eq!(new_tokens.lifetimes.access_expires_at, days(30), "{change}");
    }
}

#[tokio::test]
async fn the_end_of_a_refresh_token_is_known_from_either_field_or_not_at_all() {
    let end = json!(days(60).as_second());
    let cases = [
        (json!({ "refresh_token_expires_in": null, "refresh_token_expires_at": end }), Some(days(60))),
        (json!({ "refresh_token_expires_in": null, "refresh_token_expires_at": 5 }), None),
        (json!({ "refresh_token_expires_in": null, "refresh_token_expires_at": null }), None),
        (json!({ "refresh_token_expires_in": i64::MAX }), Some(days(3650))),
    ];

    for (change, expected) in cases {
        let (_server, client) = answering("POST", TOKEN, harness::json(200, pair_but(&change))).await;

        let new_tokens = refresh(&client).await.unwrap();

        assert_eq!(new_tokens.lifetimes.refresh_expires_at, expected, "{change}");
    }
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let change = json!({ "refresh_token": null });
    let (_server, client) = answering("POST", TOKEN, harness::json(200, pair_but(&change))).await;

    assert!(refresh(&client).await.unwrap().refresh.is_none());
}

#[tokio::test]
async fn a_refused_refresh_holds_the_reason_of_pinterest_or_of_oauth() {
    let pinterests = harness::json(401, json!({ "code": 2, "message": "Authentication failed." }));
    let oauths = harness::json(400, json!({ "error": "invalid_grant", "error_description": "Gone" }));
    let cases = [
        (pinterests, Refusal::TokenDead, "Authentication failed."),
        (oauths, Refusal::GrantDead, "invalid_grant Gone"),
    ];

    for (response, expected, words) in cases {
        let (_server, client) = answering("POST", TOKEN, response).await;

        let error = refresh(&client).await.unwrap_err();

        let Error::Refused { refusal, response } = error else {
            panic!("{error}");
        };
        assert_eq!((refusal, response.message.as_deref()), (expected, Some(words)));
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_quoted() {
    let body = json!({ "access_token": ["pina_new"], "refresh_token": "pinr_new" });
    let (_server, client) = answering("POST", TOKEN, harness::json(200, body)).await;

    let error = refresh(&client).await.unwrap_err();

    assert!(!format!("{error} {error:?}").contains("_new"), "{error:?}");
    let Error::Unknown { response, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(response.http_status, Some(200));
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_may_have_happened() {
    let client = harness::client(&format!("http://{}", raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")));

    assert!(matches!(refresh(&client).await.unwrap_err(), Error::Unknown { .. }));
}
