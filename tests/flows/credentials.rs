//! The test of App ID and App Secret: what Pinterest says to them, and that it makes nothing.

use local::Data;
use reqwest::Method;
use serde_json::json;
use simulated_pinterest::{Fault, FaultKind, Operation};

use crate::{
    admin::{read, test},
    stage::{APP_ID, APP_SECRET, SETTINGS, Stage},
};

#[tokio::test]
async fn a_test_of_the_credentials_says_what_pinterest_says_and_makes_nothing() {
    let stage = Stage::configured().await;
    let before = read(&stage).await;

    let ok = test(&stage).await;
    assert_eq!(ok["result"], "ok");
    for word in ["detail", "fix", "tested_at"] {
        assert!(ok[word].as_str().is_some_and(|text| !text.is_empty()), "{ok}");
    }
    assert!(ok["tested_at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());

    for wrong in [json!({"app_secret": "wrong"}), json!({"app_id": "1", "app_secret": APP_SECRET})] {
        stage.save(wrong.clone()).await;
        assert_eq!(test(&stage).await["result"], "wrong_app_id_or_secret", "{wrong}");
    }
    stage.save(json!({"app_id": APP_ID})).await;

    stage.pinterest().change_policy(|policy| policy.client_credentials = false).unwrap();
    assert_eq!(test(&stage).await["result"], "inconclusive");
    stage.pinterest().change_policy(|policy| policy.client_credentials = true).unwrap();

    for kind in [FaultKind::Status500Before, FaultKind::CutBefore, FaultKind::CutInAnswer] {
        stage.pinterest().inject(Fault::once(Operation::Token, kind.clone()));
        assert_eq!(test(&stage).await["result"], "pinterest_unreachable", "{kind:?}");
    }
    for kind in [FaultKind::RateLimited { reset: 5 }, FaultKind::Scope, FaultKind::GarbageBefore] {
        stage.pinterest().inject(Fault::once(Operation::Token, kind.clone()));
        assert_eq!(test(&stage).await["result"], "inconclusive", "{kind:?}");
    }

    assert_eq!(test(&stage).await["result"], "ok");
    let calls = stage.pinterest().calls();
    assert!(calls.iter().all(|call| call.operation == Some(Operation::Token)), "{calls:?}");
    assert_eq!(read(&stage).await, before);
    assert_eq!(stage.get("/api/v1/channels", "root").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_test_asks_the_host_that_is_selected() {
    let stage = Stage::configured().await;
    test(&stage).await;
    stage.save(json!({"environment": "production"})).await;
    test(&stage).await;
    let asked: Vec<_> = stage.pinterest().calls().into_iter().map(|call| call.environment.unwrap()).collect();
    use simulated_pinterest::Environment::{Production, Sandbox};
    assert_eq!(asked, [Sandbox, Production]);
}

#[tokio::test]
async fn a_test_says_that_nothing_listens_there() {
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
    let stage = Stage::open(Data::Memory, variables).await;
    assert!(stage.stack.pinterest().is_none());
    for environment in ["sandbox", "production"] {
        stage.save(json!({"environment": environment})).await;
        let tested = test(&stage).await;
        assert_eq!(tested["result"], "pinterest_unreachable", "{tested}");
    }
}

#[tokio::test]
async fn a_test_takes_no_body_and_a_save_without_one_changes_nothing() {
    let stage = Stage::configured().await;
    let before = read(&stage).await;
    let with_body =
        stage.call(Method::POST, &format!("{SETTINGS}/test"), &stage.admin(), Some(json!({}))).await;
    assert_eq!(with_body.expect(200)["result"], "ok");
    assert_eq!(stage.call(Method::PUT, SETTINGS, &stage.admin(), None).await.expect(200), before);
}
