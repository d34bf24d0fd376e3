//! What the flows, the simulation and the scale tests have in common: requests as API Gateway hands them to a
//! function, and the publisher of Pins as the functions' `main` builds it.

// A test that cannot be set up has failed.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, clippy::must_use_candidate)]

use app::Setup;
use delivery::{PinPublisher, Sessions};
use lambda_http::Request;
use serde_json::{Value, json};

/// A request of somebody who is signed in as `sub`, with an `Idempotency-Key` or without.
pub fn request(sub: &str, method: &str, path_and_query: &str, key: Option<&str>, body: &Value) -> Request {
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
            "authorizer": {"jwt": {"claims": {"sub": sub}, "scopes": null}},
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

/// Publishes Pins, as `publish` and `deliver` do.
pub fn publisher(setup: &Setup) -> PinPublisher {
    setup.publisher(sessions(setup), setup.media_bucket().unwrap(), setup.media_fetch().unwrap())
}
