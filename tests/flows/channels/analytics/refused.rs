//! Analytics queries that are refused, if possible without a call to Pinterest.

use serde_json::json;
use simulated_pinterest::{Fault, FaultKind, Operation};

use super::{ago, in_production, metric_calls, of_channel, of_pin, queries, ten_days_later};
use crate::{
    harness::problems::{Findings, status_and_code},
    harness::{Answer, TestApp, days, id},
};

#[tokio::test]
async fn a_sandbox_channel_is_refused_without_a_call_to_pinterest() {
    let (app, channel) = TestApp::start_connected().await;
    let pin = id(&app.publish("ada", &channel, "Salad").await.expect(201));
    let calls = app.pinterest().calls().len();

    for query in queries(&channel, &pin) {
        let refused = app.get(&query, "ada").await;

        assert_eq!(refused.problem(409), "analytics_not_in_sandbox", "{query}");
        assert!(refused.json()["fix"].as_str().unwrap().contains("production"), "{}", refused.text);
    }

    assert_eq!(app.pinterest().calls().len(), calls);
}

#[tokio::test]
async fn an_unpublished_pin_has_no_numbers() {
    let (app, channel) = in_production().await;
    app.choose_board("ada", &channel).await;
    let later = app.schedule("ada", &channel, "Later", app.stack.now() + days(1)).await.expect(202);

    let refused = app.get(&of_pin(&id(&later)), "ada").await;

    assert_eq!(refused.problem(409), "wrong_state");
    assert!(refused.json()["detail"].as_str().unwrap().contains("scheduled"), "{}", refused.text);
    assert_eq!(metric_calls(&app), 0);
}

#[tokio::test]
async fn an_invalid_query_is_refused_before_a_call_to_pinterest() {
    let (app, channel, pin, _) = ten_days_later().await;
    let (tomorrow, yesterday, old) = (ago(&app, -1), ago(&app, 1), ago(&app, 90));
    let long = "x".repeat(2000);
    let daily = [
        (format!("from={}&to={yesterday}", ago(&app, 0)), "422 dates_reversed"),
        (format!("to={tomorrow}"), "422 date_in_future"),
        (format!("from={tomorrow}"), "422 date_in_future"),
        (format!("from={old}"), "422 date_too_old"),
        (format!("to={old}"), "422 date_too_old"),
        ("from=-009999-01-01".to_owned(), "422 date_too_old"),
        ("to=9999-12-31".to_owned(), "422 date_in_future"),
        ("from=2026-02-30".to_owned(), "422 invalid_date"),
        ("from=20261101".to_owned(), "422 invalid_date"),
        ("from=2026-11-01T00:00:00Z".to_owned(), "422 invalid_date"),
        ("from=yesterday".to_owned(), "422 invalid_date"),
        ("from=%00".to_owned(), "422 invalid_date"),
        ("from=%FF%FE".to_owned(), "422 invalid_date"),
        ("to=%D9%A2%D9%A0%D9%A2%D9%A6-11-01".to_owned(), "422 invalid_date"),
        (format!("from={long}"), "422 invalid_date"),
        ("metrics=LIKES".to_owned(), "422 invalid_metric"),
        ("metrics=impression".to_owned(), "422 invalid_metric"),
        ("metrics=IMPRESSION,".to_owned(), "422 invalid_metric"),
        ("metrics=ALL".to_owned(), "422 invalid_metric"),
        ("metrics=IMPRESSION%26sort_by%3DSAVE".to_owned(), "422 invalid_metric"),
        (format!("metrics={long}"), "422 invalid_metric"),
    ];
    let top = [
        ("sort_by=SAVE_RATE", "422 invalid_sort"),
        ("sort_by=%00", "422 invalid_sort"),
        ("limit=0", "422 invalid_limit"),
        ("limit=51", "422 invalid_limit"),
        ("limit=-1", "422 invalid_limit"),
        ("limit=99999999999999999999", "422 invalid_limit"),
        ("limit=ten", "422 invalid_limit"),
    ];

    {
        let mut findings = Findings::default();
        for path in [of_channel(&channel, "analytics"), of_channel(&channel, "top-pins"), of_pin(&pin)] {
            for (query, expected) in &daily {
                let refused = app.get(&format!("{path}?{query}"), "ada").await;
                findings.compare(&format!("{path}?{query}"), &refused, expected);
                if refused.text.len() > 1200 {
                    findings.note(format!("{query}: the answer repeats it"));
                }
            }
        }
        for (query, expected) in top {
            let refused = app.get(&of_channel(&channel, &format!("top-pins?{query}")), "ada").await;
            findings.compare(query, &refused, expected);
        }
        let refused = app.get(&of_channel(&channel, "pin-metrics?limit=201"), "ada").await;
        findings.compare("limit=201", &refused, "422 invalid_limit");
        for id in ["ch_x", "..%2F", &channel.replace("ch_", "pin_"), &pin] {
            let refused = app.get(&of_channel(id, "analytics"), "ada").await;
            findings.compare(id, &refused, "404 not_found");
        }
    }

    assert_eq!(metric_calls(&app), 0);
}

#[tokio::test]
async fn a_scope_that_was_not_granted_is_named_without_asking_pinterest() {
    for (granted, missing, refused) in [
        ("boards:read,user_accounts:read", "pins:read", &["top-pins", "pin-metrics"][..]),
        ("pins:read,user_accounts:read", "boards:read", &["pin-metrics"]),
    ] {
        let app = TestApp::start_configured().await;
        app.save(json!({"environment": "production"})).await;
        let form = format!("decision=allow&scope={granted}");
        let end = app.decide(&app.start_oauth("ada").await, &form).await;
        let ticket = json!({"connection": end.split_once("#connection=").unwrap().1});
        let channel = id(&app.post("/api/v1/connections/claim", "ada", ticket).await.expect(201));

        for resource in ["analytics", "top-pins", "pin-metrics"] {
            let answer = app.get(&of_channel(&channel, resource), "ada").await;
            if refused.contains(&resource) {
                assert_eq!(status_and_code(&answer), "422 invalid_scope", "{resource} without {missing}");
                assert!(answer.json()["fix"].as_str().unwrap().contains(missing), "{}", answer.text);
            } else {
                answer.expect(200);
            }
        }
        assert_eq!(metric_calls(&app), 3 - refused.len());
    }
}

#[tokio::test]
async fn a_refusal_of_pinterest_has_a_fix_and_is_not_cached() {
    let (app, channel, pin, _) = ten_days_later().await;
    let refused =
        |status, code, message: &str| FaultKind::Refused { status, code, message: message.to_owned() };
    let of_account = "Not authorized to access the user account analytics.";
    let table = [
        (refused(403, 403, of_account), "422 analytics_not_available"),
        (refused(403, 29, "You are not permitted to access that resource."), "422 analytics_not_available"),
        (refused(401, 7, "Not authorized to access board or Pin."), "422 analytics_not_available"),
        (refused(400, 1, "You can only get data from the last 90 days."), "422 refused_by_pinterest"),
        (FaultKind::Scope, "422 invalid_scope"),
        (FaultKind::RateLimited { reset: 40 }, "429 pinterest_rate_limited"),
        (FaultKind::Spam, "429 spam_hold"),
        (FaultKind::Status500Before, "502 pinterest_unreachable"),
        (FaultKind::CutBefore, "502 pinterest_unreachable"),
        (FaultKind::CutInAnswer, "502 pinterest_unreachable"),
        (FaultKind::Garbage, "502 pinterest_unreadable"),
        (FaultKind::Unauthorized, "503 token_refresh"),
    ];
    let get = async |query: &str| -> Answer { app.get(query, "ada").await };
    {
        let mut findings = Findings::default();
        for (query, operation) in queries(&channel, &pin).iter().zip([
            Operation::AccountAnalytics,
            Operation::TopPins,
            Operation::ListPins,
            Operation::PinAnalytics,
        ]) {
            for (kind, expected) in &table {
                app.pinterest().inject(Fault::once(operation, kind.clone()));
                findings.compare(&format!("{query}: {kind:?}"), &get(query).await, expected);
            }
            get(query).await.expect(200);
        }
    }
    let not_found = refused(404, 404, "Pin not found.");
    app.pinterest().inject(Fault::once(Operation::PinAnalytics, not_found));
    let answer = get(&format!("{}?metrics=SAVE", of_pin(&pin))).await;
    assert_eq!(answer.problem(422), "pinterest_pin_gone");
    app.pinterest().inject(Fault::once(Operation::TopPins, FaultKind::RateLimited { reset: 40 }));
    let answer = get(&of_channel(&channel, "top-pins?limit=1")).await;
    assert_eq!(answer.headers["retry-after"], "40");
}

#[tokio::test]
async fn a_disconnected_account_is_refused_as_reconnect_required() {
    let (app, channel, pin, _) = ten_days_later().await;
    app.pinterest().revoke("demo_account").unwrap();
    let query = of_pin(&pin);
    assert_eq!(status_and_code(&app.get(&query, "ada").await), "503 token_refresh");
    app.advance(days(1)).await;
    assert_eq!(app.channel("ada", &channel).await["status"], "reconnect_required");

    let refused = app.get(&query, "ada").await;
    assert_eq!(refused.problem(409), "reconnect_required");
    app.advance(days(30)).await; // the access token has expired
    let calls = metric_calls(&app);
    assert_eq!(app.get(&of_channel(&channel, "analytics"), "ada").await.problem(409), "reconnect_required");
    assert_eq!(metric_calls(&app), calls);

    assert_eq!(app.connect("ada").await, channel);
    app.get(&query, "ada").await.expect(200);
}
