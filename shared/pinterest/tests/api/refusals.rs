//! What refuses a call for certain, and what leaves it open. Every call reads its answer in the same way; a Pin
//! is where it matters.

use std::io::Write as _;

use domain::{Environment, PinterestPinId, Refusal, ResponseMeta};
use flate2::{Compression, write::GzEncoder};
use jiff::SignedDuration;
use pinterest::Error;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::harness::{self, answering, draft, media, only_request, token};

const NOON: &str = "Wed, 21 Oct 2026 12:30:00 GMT";
const A_MINUTE_LATER: &str = "Wed, 21 Oct 2026 12:31:00 GMT";

async fn outcome(response: ResponseTemplate) -> Result<(PinterestPinId, ResponseMeta), Error> {
    let (server, client) = answering("POST", "/v5/pins", response).await;
    let outcome = client.create_pin(Environment::Production, &token(), &draft(), &media()).await;
    only_request(&server).await; // once, whatever came of it
    outcome
}

async fn refusal(response: ResponseTemplate) -> (Refusal, ResponseMeta) {
    match outcome(response).await {
        Err(Error::Refused { refusal, response }) => (refusal, response),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_holds_pinterests_code_and_message() {
    let body = json!({ "code": 29, "message": "Not permitted.", "message_detail": "Trial\naccess", "status": "failure" });

    let (refusal, response) =
        refusal(harness::json(403, body).insert_header("x-pinterest-rid", "7341")).await;

    assert_eq!(refusal, Refusal::Scope);
    let expected = ResponseMeta {
        http_status: Some(403),
        pinterest_code: Some(29),
        request_id: Some("7341".to_owned()),
        message: Some("Not permitted. Trial access".to_owned()),
        ..ResponseMeta::default()
    };
    assert_eq!(response, expected);
}

#[tokio::test]
async fn a_body_with_only_a_code_or_only_a_message_is_a_refusal() {
    assert_eq!(refusal(harness::json(401, json!({ "code": 2 }))).await.0, Refusal::TokenDead);
    assert_eq!(
        refusal(harness::json(404, json!({ "message": "Board not found." }))).await.0,
        Refusal::BoardGone
    );
}

#[tokio::test]
async fn spam_in_the_detail_holds_the_account() {
    let body = json!({ "code": 8, "message": "Slow down", "message_detail": "Blocked as spam" });

    assert_eq!(refusal(harness::json(429, body)).await.0, Refusal::Spam);
}

#[tokio::test]
async fn a_rate_limit_has_its_reset_time() {
    let limit = || harness::json(429, json!({ "code": 8, "message": "This request exceeded a rate limit." }));
    let cases = [
        (limit(), None),
        (limit().insert_header("x-ratelimit-reset", "67150"), Some(67_150)),
        (limit().insert_header("x-ratelimit-reset", "100, 100;w=60"), Some(100)),
        (limit().insert_header("x-ratelimit-reset", "9").insert_header("retry-after", "3"), Some(3)),
        (limit().insert_header("x-ratelimit-reset", "9").insert_header("retry-after", "later"), Some(9)),
        (limit().insert_header("date", NOON).insert_header("x-ratelimit-reset", "1792585890"), Some(90)),
        (limit().insert_header("date", NOON).insert_header("retry-after", A_MINUTE_LATER), Some(60)),
    ];

    for (response, seconds) in cases {
        let retry_after = seconds.map(SignedDuration::from_secs);
        assert_eq!(refusal(response).await.0, Refusal::Quota { retry_after });
    }
}

#[tokio::test]
async fn a_4xx_without_pinterests_error_body_is_no_refusal() {
    let proxy = ResponseTemplate::new(403).set_body_raw("<html>Blocked</html>", "text/html");
    let answers = [
        proxy,
        ResponseTemplate::new(429),
        harness::json(400, json!(["code"])),
        harness::json(400, json!({ "error": "denied" })),
        harness::json(400, json!({ "code": "one", "message": null })),
    ];

    for response in answers {
        let outcome = outcome(response).await;
        assert!(matches!(outcome, Err(Error::Unknown { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_error_body_with_a_status_of_success_is_a_refusal_if_it_is_known() {
    let trial =
        json!({ "code": "29", "message": "Apps with Trial access may not create Pins in production." });
    for body in [trial.clone(), json!([trial]), json!({ "error": trial })] {
        let (refusal, response) = refusal(harness::json(200, body)).await;

        assert_eq!((refusal, response.http_status), (Refusal::Scope, Some(200)));
        assert_eq!(response.pinterest_code, Some(29));
    }
    let unknown = json!({ "code": 1, "message": "Who knows." });
    let outcome = outcome(harness::json(200, unknown)).await;
    let Err(Error::Unknown { response, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(response.message.as_deref(), Some("Who knows."));
}

#[tokio::test]
async fn other_texts_of_a_pinterest_error_are_shown_too() {
    let body = json!({
        "code": 1, "message": "Bad request", "data": "Look at pina_planted",
        "details": {"source_field": "link", "more": null},
    });

    let (_, response) = refusal(harness::json(400, body)).await;

    assert_eq!(response.message.as_deref(), Some("Bad request Look at [REDACTED] link"));
}

#[tokio::test]
async fn a_compressed_answer_is_read_although_nobody_asked_for_it() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(br#"{"id": 813744226420795884}"#).unwrap();
    let body = gzip.finish().unwrap();
    let response = ResponseTemplate::new(201).insert_header("content-encoding", "gzip");

    let (id, _) = outcome(response.set_body_raw(body, "application/json")).await.unwrap();

    assert_eq!(id.as_str(), "813744226420795884");
}

#[tokio::test]
async fn no_answer_and_an_unreadable_one_are_different_errors() {
    let page = |status| ResponseTemplate::new(status).set_body_raw("<html>Blocked</html>", "text/html");
    let failed = harness::json(500, json!({ "code": 500, "message": "Oops." }));
    for (response, expected) in [(page(200), true), (page(403), true), (page(502), false), (failed, false)] {
        assert_eq!(outcome(response).await.unwrap_err().is_unreadable(), expected);
    }
    let client = harness::client(&format!("http://{}", harness::closed_address()));
    let silence = client.user_account(Environment::Production, &token()).await.unwrap_err();
    assert!(!silence.is_unreadable());
}

#[tokio::test]
async fn an_undecided_answer_stays_unknown_and_holds_pinterests_message() {
    for (status, code) in [(500, 500), (503, 4197), (408, 408), (400, 2787), (302, 0)] {
        let body = json!({ "code": code, "message": "Something went wrong on our end." });

        let outcome = outcome(harness::json(status, body)).await;

        let Err(Error::Unknown { response, .. }) = outcome else {
            panic!("{status}: {outcome:?}");
        };
        assert_eq!((response.http_status, response.pinterest_code), (Some(status), Some(code)));
        assert_eq!(response.message.as_deref(), Some("Something went wrong on our end."));
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let response = ResponseTemplate::new(307).insert_header("location", "/v5/pins");

    assert!(matches!(outcome(response).await, Err(Error::Unknown { .. })));
}

#[tokio::test]
async fn a_token_in_pinterests_message_is_removed() {
    let body = json!({ "code": 2, "message": "Bad token pina_planted", "message_detail": "x".repeat(600) });
    let (_server, client) = answering("GET", "/v5/user_account", harness::json(401, body)).await;

    let error = client.user_account(Environment::Production, &token()).await.unwrap_err();

    assert!(!format!("{error} {error:?}").contains("planted"));
    let Error::Refused { refusal, response } = error else {
        panic!("{error}");
    };
    assert_eq!((refusal, response.message.unwrap().len()), (Refusal::TokenDead, 500));
}
