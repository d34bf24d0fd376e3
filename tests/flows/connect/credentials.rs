//! The credential check of App ID and App Secret: its results, and that it changes nothing.

use local::Data;
use reqwest::Method;
use serde_json::json;
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    connect::settings::{read_settings, test},
    harness::{APP_ID, APP_SECRET, SETTINGS, TestApp},
};

#[tokio::test]
async fn a_credential_check_gives_pinterests_answer_and_creates_nothing() {
    let app = TestApp::start_configured().await;
    let before = read_settings(&app).await;

    let ok = test(&app).await;
    assert_eq!(ok["result"], "ok");
    for field in ["detail", "fix", "tested_at"] {
        assert!(ok[field].as_str().is_some_and(|text| !text.is_empty()), "{ok}");
    }
    assert!(ok["tested_at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());

    for credentials in [json!({"app_secret": "wrong"}), json!({"app_id": "1", "app_secret": APP_SECRET})] {
        app.save(credentials.clone()).await;
        assert_eq!(test(&app).await["result"], "wrong_app_id_or_secret", "{credentials}");
    }
    app.save(json!({"app_id": APP_ID})).await;

    app.pinterest().change_policy(|policy| policy.client_credentials = false).unwrap();
    assert_eq!(test(&app).await["result"], "inconclusive");
    app.pinterest().change_policy(|policy| policy.client_credentials = true).unwrap();

    for kind in [FaultKind::Status500Before, FaultKind::CutBefore, FaultKind::CutInAnswer] {
        app.pinterest().inject(Fault::once(Operation::Token, kind.clone()));
        assert_eq!(test(&app).await["result"], "pinterest_unreachable", "{kind:?}");
    }
    for kind in [FaultKind::RateLimited { reset: 5 }, FaultKind::Scope, FaultKind::GarbageBefore] {
        app.pinterest().inject(Fault::once(Operation::Token, kind.clone()));
        assert_eq!(test(&app).await["result"], "inconclusive", "{kind:?}");
    }

    let limited = FaultKind::RateLimited { reset: 5 };
    app.pinterest().inject(Fault::once(Operation::Token, limited));
    assert!(test(&app).await["fix"].as_str().unwrap().starts_with("Wait"));
    let unknown_app =
        FaultKind::Refused { status: 401, code: 283, message: "Invalid Application ID".to_owned() };
    app.pinterest().inject(Fault::once(Operation::Token, unknown_app));
    assert_eq!(test(&app).await["result"], "wrong_app_id_or_secret");
    let always_passing =
        FaultKind::Refused { status: 400, code: 12, message: "Something went wrong on our end.".to_owned() };
    app.pinterest().inject(Fault::once(Operation::Token, always_passing));
    let failed = test(&app).await;
    assert_eq!(failed["result"], "pinterest_unreachable");
    assert!(failed["detail"].as_str().unwrap().contains("on our end"), "it did answer: {failed}");

    assert_eq!(test(&app).await["result"], "ok");
    let calls = app.pinterest().calls();
    assert!(calls.iter().all(|call| call.operation == Some(Operation::Token)), "{calls:?}");
    assert_eq!(read_settings(&app).await, before);
    assert_eq!(app.get("/api/v1/channels", "root").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_credential_check_calls_the_selected_host() {
    let app = TestApp::start_configured().await;
    test(&app).await;
    app.save(json!({"environment": "production"})).await;
    test(&app).await;
    let environments: Vec<_> =
        app.pinterest().calls().into_iter().map(|call| call.environment.unwrap()).collect();
    use simulated_pinterest::Environment::{Production, Sandbox};
    assert_eq!(environments, [Sandbox, Production]);
}

#[tokio::test]
async fn a_credential_check_reports_a_closed_port() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let address = format!("http://127.0.0.1:{port}/v5");
    let variables = [
        ("PINTEREST_API_URL", address.as_str()),
        ("PINTEREST_APP_ID", APP_ID),
        ("PINTEREST_APP_SECRET", APP_SECRET),
    ];
    let app = TestApp::start_with(Data::Memory, variables).await;
    assert!(app.stack.pinterest().is_none());
    for environment in ["sandbox", "production"] {
        app.save(json!({"environment": environment})).await;
        let check = test(&app).await;
        assert_eq!(check["result"], "pinterest_unreachable", "{check}");
    }
}

#[tokio::test]
async fn a_test_takes_no_body_and_a_save_without_one_changes_nothing() {
    let app = TestApp::start_configured().await;
    let before = read_settings(&app).await;
    let with_body = app.call(Method::POST, &format!("{SETTINGS}/test"), &app.admin(), Some(json!({}))).await;
    assert_eq!(with_body.expect(200)["result"], "ok");
    assert_eq!(app.call(Method::PUT, SETTINGS, &app.admin(), None).await.expect(200), before);
}
