//! Consent, codes, tokens, rotation.

use simulated_pinterest::{APP_ID, DeadRefreshToken, Environment, Rotation};

use crate::harness::{Harness, REDIRECT_URI, SCOPES, query_of, send};

#[tokio::test]
async fn the_consent_page_names_the_app_the_scopes_and_the_accounts() {
    let harness = Harness::start().await;

    let page = send(harness.client.get(harness.authorize_url("pins:read,boards:write"))).await;

    assert_eq!(page.status, 200);
    let html = page.body.as_str().unwrap();
    for words in
        ["1234567", "See your public Pins", "Create, update, or delete your public boards", "Second Account"]
    {
        assert!(html.contains(words), "{words} is missing in {html}");
    }
    assert!(!html.contains("s t&te") && !html.contains("<script"));
}

#[tokio::test]
async fn an_invalid_authorization_request_redirects_nowhere() {
    let harness = Harness::start().await;
    let valid = harness.authorize_url("pins:read").to_string();

    for (part, invalid_part) in [
        ("client_id=1234567", "client_id=7654321"),
        ("response_type=code", "response_type=token"),
        ("pins%3Aread", "pins%3Aeat%3Cb%3E"),
        ("redirect_uri=http", "redirect_uri=javascript"),
    ] {
        let invalid = valid.replace(part, invalid_part);
        assert_ne!(valid, invalid);

        let page = send(harness.client.get(&invalid)).await;
        let allowed = send(harness.client.post(&invalid).body("decision=allow")).await;

        assert_eq!((page.status, allowed.status), (400, 400), "{invalid}");
        assert!(!page.body.as_str().unwrap().contains("<b>"));
    }
}

#[tokio::test]
async fn consent_brings_a_code_and_the_state_to_the_redirect_uri() {
    let harness = Harness::start().await;

    let allowed = harness.consent(SCOPES, &[("decision", "allow")]).await;
    let denied = harness.consent(SCOPES, &[("decision", "deny")]).await;

    assert!(allowed.as_str().starts_with("http://localhost:3000/callback?keep=1&code="));
    assert_eq!(query_of(&allowed, "state").unwrap(), "s t&te");
    assert_eq!(query_of(&denied, "error").unwrap(), "access_denied");
    assert_eq!(query_of(&denied, "state").unwrap(), "s t&te");
    assert_eq!(query_of(&denied, "code"), None);
}

#[tokio::test]
async fn the_whole_request_for_access_can_come_in_the_form() {
    let harness = Harness::start().await;
    let url = harness.authorize_url(SCOPES);
    let form = format!("{}&decision=allow&account=second_account", url.query().unwrap());

    let response = harness.client.post(harness.pinterest.authorize_url()).body(form).send().await.unwrap();

    assert_eq!(response.status(), 302);
    assert!(response.headers()["location"].to_str().unwrap().contains("code="));
}

#[tokio::test]
async fn consent_is_refused_for_an_unknown_account_or_for_more_scopes_than_requested() {
    let harness = Harness::start().await;

    for form in ["decision=allow&account=nobody", "decision=allow&scope=ads:write", "decision=perhaps", ""] {
        let response = send(harness.client.post(harness.authorize_url(SCOPES)).body(form)).await;

        assert_eq!(response.status, 400, "{form}");
    }
}

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let harness = Harness::start().await;
    let code = harness.code(SCOPES, "second_account").await;
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT_URI)];

    let pair = harness.token(Environment::Production, &form).await;
    let repeated = harness.token(Environment::Production, &form).await;

    assert!(pair.text("access_token").starts_with("pina"));
    assert!(pair.text("refresh_token").starts_with("pinr"));
    assert_eq!(pair.text("response_type"), "authorization_code");
    assert_eq!(pair.text("scope"), SCOPES.replace(',', " "));
    assert_eq!(pair.body["expires_in"], 2_592_000);
    assert_eq!(pair.body["refresh_token_expires_in"], 5_184_000);
    assert_eq!(pair.body["refresh_token_expires_at"], 1_800_000_000 + 5_184_000);
    assert_eq!(repeated.refusal(), (400, 1));
    let account = harness.get(&pair.text("access_token"), "/user_account").await;
    assert_eq!(account.text("username"), "second_account");
    assert_eq!(account.text("account_type"), "BUSINESS");
}

#[tokio::test]
async fn a_code_needs_its_own_redirect_uri_and_ten_minutes_at_most() {
    let harness = Harness::start().await;
    let code = harness.code(SCOPES, "demo_account").await;
    let with = |redirect_uri| {
        let form =
            [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect_uri)];
        let harness = &harness;
        async move { harness.token(Environment::Production, &form).await.refusal() }
    };

    assert_eq!(with("http://localhost:3000/callback").await, (400, 7));
    harness.advance(600);
    assert_eq!(with(REDIRECT_URI).await, (400, 1));
}

#[tokio::test]
async fn fewer_scopes_can_be_granted_than_were_requested() {
    let harness = Harness::start().await;
    let location = harness.consent(SCOPES, &[("decision", "allow"), ("scope", "user_accounts:read")]).await;
    let code = query_of(&location, "code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT_URI)];

    let pair = harness.token(Environment::Production, &form).await;

    assert_eq!(pair.text("scope"), "user_accounts:read");
    let token = pair.text("access_token");
    assert_eq!(harness.get(&token, "/user_account").await.status, 200);
    assert_eq!(harness.get(&token, "/boards").await.refusal(), (401, 3));
}

#[tokio::test]
async fn a_wrong_app_secret_is_401_code_2() {
    let harness = Harness::start().await;
    let url = format!("{}/oauth/token", harness.pinterest.api_url());

    let response =
        send(harness.client.post(url).basic_auth(APP_ID, Some("wrong")).body("grant_type=refresh_token"))
            .await;

    assert_eq!(response.refusal(), (401, 2));
    assert_eq!(response.text("message"), "Authentication failed.");
}

#[tokio::test]
async fn tokens_expire_by_the_clock() {
    let harness = Harness::start().await;
    let pair = harness.connect(Environment::Production, SCOPES, "demo_account").await;
    let (access, refresh) = (pair.text("access_token"), pair.text("refresh_token"));

    harness.advance(2_592_000);
    assert_eq!(harness.get(&access, "/user_account").await.refusal(), (401, 2));
    harness.advance(2_592_000);
    assert_eq!(harness.refresh(&refresh).await.refusal(), (401, 2));
}

#[tokio::test]
async fn a_used_refresh_token_lives_until_the_new_pair_is_used() {
    let harness = Harness::start().await;
    let first = harness.connect(Environment::Production, SCOPES, "demo_account").await.text("refresh_token");

    let replaced = harness.refresh(&first).await;
    let second = harness.refresh(&first).await;
    assert_eq!((replaced.status, second.status), (200, 200));
    assert_ne!(second.text("refresh_token"), first);
    harness.get(&second.text("access_token"), "/user_account").await;

    assert_eq!(harness.refresh(&first).await.refusal(), (401, 2));
    assert_eq!(harness.refresh(&second.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn the_use_of_the_new_refresh_token_ends_the_old_one_too() {
    let harness = Harness::start().await;
    let first = harness.connect(Environment::Production, SCOPES, "demo_account").await.text("refresh_token");
    let second = harness.refresh(&first).await.text("refresh_token");

    assert_eq!(harness.refresh(&second).await.status, 200);

    assert_eq!(harness.refresh(&first).await.refusal(), (401, 2));
}

#[tokio::test]
async fn old_tokens_can_have_a_grace_period_or_none() {
    let harness = Harness::start().await;
    harness.pinterest.change_policy(|policy| policy.rotation = Rotation::Grace { seconds: 60 }).unwrap();
    let first = harness.connect(Environment::Production, SCOPES, "demo_account").await.text("refresh_token");
    harness.refresh(&first).await;
    harness.advance(59);
    assert_eq!(harness.refresh(&first).await.status, 200);
    harness.advance(1);
    assert_eq!(harness.refresh(&first).await.refusal(), (401, 2));

    let policy = |policy: &mut simulated_pinterest::Policy| {
        policy.rotation = Rotation::DeadAtOnce;
        policy.dead_refresh_token = DeadRefreshToken::BadRequest;
    };
    harness.pinterest.change_policy(policy).unwrap();
    let other = harness.connect(Environment::Production, SCOPES, "demo_account").await.text("refresh_token");
    harness.refresh(&other).await;
    assert_eq!(harness.refresh(&other).await.refusal(), (400, 1));
}

#[tokio::test]
async fn client_credentials_act_for_the_owner_of_the_app_and_cannot_be_refreshed() {
    let harness = Harness::start().await;
    let form = [("grant_type", "client_credentials"), ("scope", "user_accounts:read")];

    let response = harness.token(Environment::Production, &form).await;

    let token = response.text("access_token");
    assert!(token.starts_with("pinc") && response.body.get("refresh_token").is_none());
    assert_eq!(harness.get(&token, "/user_account").await.text("username"), "demo_account");

    harness.pinterest.change_policy(|policy| policy.client_credentials = false).unwrap();
    assert_eq!(harness.token(Environment::Production, &form).await.refusal(), (401, 3));
}

#[tokio::test]
async fn a_token_of_one_host_is_invalid_on_the_other() {
    let harness = Harness::start().await;
    let sandbox = harness.connect(Environment::Sandbox, SCOPES, "demo_account").await;

    assert_eq!(harness.get(&sandbox.text("access_token"), "/user_account").await.refusal(), (401, 2));
    assert_eq!(harness.refresh(&sandbox.text("refresh_token")).await.refusal(), (401, 2));
}
