//! What the tests have in common: requests as API Gateway hands them to a function, the publisher of Pins as the
//! functions' `main` builds it, and calls of AWS as its SDK signs them.

// A test that cannot be set up has failed.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, clippy::must_use_candidate)]

use std::{
    process::exit,
    sync::Once,
    thread,
    time::{Duration, SystemTime},
};

use app::{Setup, handlers::Refresh};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use delivery::{PinPublisher, Sessions};
use lambda_http::Request;
use serde_json::{Value, json};

/// A request of somebody who is signed in as `sub`, with an `Idempotency-Key` or without.
pub fn request(sub: &str, method: &str, path_and_query: &str, key: Option<&str>, body: &Value) -> Request {
    request_with_claims(&json!({"sub": sub}), method, path_and_query, key, body)
}

/// The same with any claims in the token.
pub fn request_with_claims(
    claims: &Value,
    method: &str,
    path_and_query: &str,
    key: Option<&str>,
    body: &Value,
) -> Request {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": key.map_or_else(|| json!({}), |key| json!({"idempotency-key": key})),
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "api.example.com", "stage": "$default",
            "requestId": "r", "routeKey": "$default", "time": "", "timeEpoch": 0,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "::1"},
            "authorizer": {"jwt": {"claims": claims, "scopes": null}},
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

/// Opens channels, as all functions do that call Pinterest for them.
pub fn sessions(setup: &Setup) -> Sessions {
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    setup.sessions(main, tokens, setup.vault().unwrap())
}

/// Refreshes tokens, as `refresh` does.
pub fn refresh(setup: &Setup) -> Refresh {
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let (secret, vault) = (setup.settings_secret().unwrap(), setup.vault().unwrap());
    Refresh::new(secret, vault, main, tokens, setup.workers().unwrap(), setup.pinterest(), setup)
}

/// Publishes Pins, as `publish` and `deliver` do.
pub fn publisher(setup: &Setup) -> PinPublisher {
    setup.publisher(sessions(setup), setup.media_bucket().unwrap(), setup.media_fetch().unwrap())
}

/// The headers of a call of DynamoDB, Secrets Manager or EventBridge at `url`, signed with `secret_key`.
pub fn signed_headers(secret_key: &str, url: &str, target: &str, body: &str) -> http::HeaderMap {
    let service = match target.split('.').next() {
        Some("AWSEvents") => "events",
        Some("secretsmanager") => "secretsmanager",
        _ => "dynamodb",
    };
    let identity = Credentials::new(loopback_aws::ACCESS_KEY, secret_key, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(loopback_aws::REGION)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
    let body = SignableBody::Bytes(body.as_bytes());
    let signable = SignableRequest::new("POST", url, headers.into_iter(), body).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let mut request = http::Request::post(url).body(()).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    instructions.apply_to_request_http1x(&mut request);
    request.into_parts().0.headers
}

/// The longest that a test binary may run: it takes a minute or two, and many times that on a machine that is busy.
const MAX_RUN: Duration = Duration::from_mins(20);

/// Ends this test binary as a failure if it hangs. The harness has named the test that runs for so long by then.
pub fn end_if_it_hangs() {
    static WATCHDOG: Once = Once::new();
    WATCHDOG.call_once(|| {
        thread::spawn(|| {
            thread::sleep(MAX_RUN);
            eprintln!("a test hangs: these tests have run for {} minutes", MAX_RUN.as_secs() / 60);
            exit(101);
        });
    });
}
