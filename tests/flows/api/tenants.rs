//! Which tenant a caller is, where the stack's claim is set, missing or changed.

use std::time::Duration;

use app::Function;
use local::Functions;
use serde_json::{Value, json};
use tests::request_with_claims;
use tokio::time::Instant;

use crate::harness::{TestApp, days, id};

/// What a function answers to a caller with these claims: the status and the body.
async fn get(functions: &Functions, claims: &Value, path: &str) -> (u16, Value) {
    let function = if path.starts_with("/api/v1/pins") { Function::Pins } else { Function::Channels };
    let request = request_with_claims(claims, "GET", path, None, &json!({}));
    let answer = functions.answer(function, request).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

#[tokio::test]
async fn a_user_without_a_tenant_is_not_the_tenant_of_that_name() {
    let app = TestApp::start().await;
    let functions = app.functions_with_tenant_claim("org");
    for (claims, code) in [
        (json!({"sub": "acme"}), "no_tenant"),
        (json!({"sub": "acme", "org": ""}), "no_tenant"),
        (json!({"sub": "ada", "org": "acme"}), "not_found"), // no such id: the tenant was read
    ] {
        assert_eq!(get(&functions, &claims, "/api/v1/pins/none").await.1["code"], code, "{claims}");
    }
}

#[tokio::test]
async fn a_changed_claim_shows_nobody_the_rows_of_a_namesake() {
    let (app, channel) = TestApp::start_connected().await;
    let pin = id(&app.schedule("ada", &channel, "Later", app.stack.now() + days(1)).await.expect(202));
    let (channel, pin) = (format!("/api/v1/channels/{channel}"), format!("/api/v1/pins/{pin}"));
    // The local stack names tenants by `tenant`, and a worker notes that.
    let deadline = Instant::now() + Duration::from_mins(5);
    app.functions_with_tenant_claim("tenant").deliver.tick(deadline).await.unwrap();

    for (claim, claims, sees) in [
        ("tenant", json!({"sub": "eve", "tenant": "ada"}), true),
        ("sub", json!({"sub": "ada"}), false),
        ("org", json!({"sub": "eve", "org": "ada"}), false),
        ("org", json!({"sub": "eve", "org": "~tenant~ada"}), false),
        ("tenant", json!({"sub": "ada", "tenant": "ada"}), true),
    ] {
        let functions = app.functions_with_tenant_claim(claim);
        // A worker runs under the changed claim, too: what the first one noted stays.
        functions.deliver.tick(deadline).await.unwrap();
        for (path, list) in [(&channel, "/api/v1/channels"), (&pin, "/api/v1/pins")] {
            let (status, _) = get(&functions, &claims, path).await;
            assert_eq!(status, if sees { 200 } else { 404 }, "{claim} {claims} {path}");
            let (_, listed) = get(&functions, &claims, list).await;
            assert_eq!(
                listed["items"].as_array().unwrap().len(),
                usize::from(sees),
                "{claim} {claims} {list}"
            );
        }
    }
}
