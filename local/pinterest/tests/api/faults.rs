//! Failures on request.

use reqwest::Method;
use serde_json::Value;
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};

use crate::harness::Harness;

fn published(harness: &Harness) -> usize {
    harness.pinterest.pins(Environment::Production).len()
}

#[tokio::test]
async fn a_fault_happens_the_requested_number_of_times_and_only_to_its_operation() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.inject(Fault::once(Operation::ListBoards, FaultKind::Status500Before).times(2));

    assert_eq!(harness.get(&token, "/user_account").await.status, 200);
    assert_eq!(harness.get(&token, "/boards").await.status, 500);
    assert_eq!(harness.get(&token, "/boards").await.status, 500);
    assert_eq!(harness.get(&token, "/boards").await.status, 200);
}

#[tokio::test]
async fn a_failure_after_the_effect_leaves_a_pin_and_one_before_leaves_none() {
    for (kind, status, code, pins) in [
        (FaultKind::Status500Before, 500, 500, 0),
        (FaultKind::Status500After, 500, 500, 1),
        (FaultKind::Code2787Before, 500, 2787, 0),
        (FaultKind::Code2787After, 500, 2787, 1),
        (FaultKind::RateLimited { reset: 77 }, 429, 8, 0),
        (FaultKind::Spam, 429, 429, 0),
        (FaultKind::SpamBlock, 403, 9, 0),
        (FaultKind::Unauthorized, 401, 2, 0),
        (FaultKind::Scope, 401, 3, 0),
        (FaultKind::ImageNotFetched, 400, 1, 0),
        (FaultKind::Refused { status: 403, code: 235, message: "broken".to_owned() }, 403, 235, 0),
    ] {
        let harness = Harness::start().await;
        let token = harness.access_token().await;
        harness.pinterest.inject(Fault::once(Operation::CreatePin, kind.clone()));

        let response = harness.post(&token, "/pins", &harness.image_pin("Salad")).await;

        assert_eq!((response.refusal(), published(&harness)), ((status, code), pins), "{kind:?}");
        if kind == (FaultKind::RateLimited { reset: 77 }) {
            assert_eq!(response.headers["x-ratelimit-reset"], "77");
        }
    }
}

#[tokio::test]
async fn a_cut_connection_brings_no_answer() {
    for (kind, pins) in [(FaultKind::CutBefore, 0), (FaultKind::CutAfter, 1)] {
        let harness = Harness::start().await;
        let token = harness.access_token().await;
        harness.pinterest.inject(Fault::once(Operation::CreatePin, kind));

        let request = harness.request(Method::POST, &token, "/pins").json(&harness.image_pin("Salad"));
        let error = request.send().await.unwrap_err();

        assert!(error.is_request(), "{error:?}");
        assert_eq!(published(&harness), pins);
        assert_eq!(harness.pinterest.calls().last().unwrap().status, None);
        assert_eq!(harness.get(&token, "/user_account").await.status, 200);
    }
}

#[tokio::test]
async fn an_answer_can_break_off_in_the_middle() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.inject(Fault::once(Operation::CreatePin, FaultKind::CutInAnswer));

    let request = harness.request(Method::POST, &token, "/pins").json(&harness.image_pin("Salad"));
    let response = request.send().await.unwrap();

    assert_eq!(response.status(), 201);
    assert!(response.text().await.is_err());
    assert_eq!(published(&harness), 1);
}

#[tokio::test]
async fn a_hanging_call_ends_with_the_timeout_of_the_client() {
    for (kind, pins) in [(FaultKind::HangBefore, 0), (FaultKind::HangAfter, 1)] {
        let harness = Harness::start().await;
        let token = harness.access_token().await;
        harness.pinterest.inject(Fault::once(Operation::CreatePin, kind));

        let request = harness.request(Method::POST, &token, "/pins").json(&harness.image_pin("Salad"));
        let waiting = tokio::spawn(request.send());
        while harness.pinterest.calls_of(Operation::CreatePin) == 0 {
            tokio::task::yield_now().await;
        }

        assert!(!waiting.is_finished());
        assert_eq!(published(&harness), pins);
        waiting.abort();
        assert_eq!(harness.get(&token, "/user_account").await.status, 200);
    }
}

#[tokio::test]
async fn garbage_is_200_and_not_json() {
    for (kind, pins) in [(FaultKind::GarbageBefore, 0), (FaultKind::Garbage, 1)] {
        let harness = Harness::start().await;
        let token = harness.access_token().await;
        harness.pinterest.inject(Fault::once(None, kind));

        let response = harness.post(&token, "/pins", &harness.image_pin("Salad")).await;

        assert_eq!(response.status, 200);
        assert!(matches!(response.body, Value::String(_)));
        assert_eq!(published(&harness), pins);
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_refresh_has_rotated_the_token() {
    let harness = Harness::start().await;
    let policy = |policy: &mut simulated_pinterest::Policy| {
        policy.rotation = simulated_pinterest::Rotation::DeadAtOnce;
    };
    harness.pinterest.change_policy(policy).unwrap();
    let pair = harness.connect(Environment::Production, crate::harness::SCOPES, "demo_account").await;
    let refresh_token = pair.text("refresh_token");
    harness.pinterest.inject(Fault::once(Operation::Token, FaultKind::Status500After));

    assert_eq!(harness.refresh(&refresh_token).await.status, 500);

    assert_eq!(harness.refresh(&refresh_token).await.refusal(), (401, 2));
}

#[tokio::test]
async fn a_fault_of_one_host_leaves_the_other_alone() {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    harness.pinterest.inject(Fault::once(None, FaultKind::Scope).on(Environment::Sandbox));

    assert_eq!(harness.get(&token, "/user_account").await.status, 200);
    harness.pinterest.clear_faults();
}
