//! Lambda freezes a process between requests, for seconds or for hours. Its connections end meanwhile. No request may
//! fail or be sent twice because of that.

use app::{
    handlers::OauthCallback, handlers::OauthStart, handlers::Publish, handlers::Refresh, handlers::RefreshJob,
};
use domain::Environment;
use edge::Handler as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    harness::connection_drop::ConnectionEnd,
    harness::proxy::{CountedFunctions, call_counts},
};

/// Longer than an idle connection is used again.
const LONG: SignedDuration = SignedDuration::from_secs(16);

#[tokio::test]
async fn connections_that_were_closed_in_a_freeze_harm_no_request() {
    each_request_goes_through_after(ConnectionEnd::Closed, SignedDuration::ZERO).await;
}

#[tokio::test]
async fn connections_that_were_reset_in_a_freeze_harm_no_request() {
    each_request_goes_through_after(ConnectionEnd::Reset, SignedDuration::ZERO).await;
}

#[tokio::test]
async fn silently_dropped_connections_are_not_used_after_a_freeze() {
    each_request_goes_through_after(ConnectionEnd::Dropped, LONG).await;
}

/// Each function makes the same calls as without a freeze, and each call is made once.
async fn each_request_goes_through_after(end: ConnectionEnd, pause: SignedDuration) {
    let app = CountedFunctions::set().await;
    let CountedFunctions { setup, .. } = &app;
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let start = OauthStart::new(main.clone(), setup.pinterest(), setup);
    let callback = OauthCallback::new(
        setup.settings_secret().unwrap(),
        setup.vault().unwrap(),
        main.clone(),
        tokens.clone(),
        setup.pinterest(),
        setup,
    );
    let (channels, publish) = (app.channels(), Publish::new(app.publisher(), setup));
    let freeze = || {
        assert_ne!(app.kill(end), 0, "there is a connection that can die");
        *app.clock_offset.lock().unwrap() += pause;
        app.new_calls();
    };

    let callback_path = app.consent(&start).await;
    freeze();
    let end = app.request_ok(&callback, "GET", &callback_path, Value::Null).await;
    let claim = json!({"connection": end.as_str().unwrap().split_once("#connection=").unwrap().1});
    freeze();
    let channel = app.request_ok(&channels, "POST", "/api/v1/connections/claim", claim).await;
    let id = channel["id"].as_str().unwrap();
    freeze();
    let boards =
        app.request_ok(&channels, "GET", &format!("/api/v1/channels/{id}/boards"), Value::Null).await;

    Box::pin(publish.prepare()).await.unwrap();
    for title in ["first", "second"] {
        let mut pin = crate::harness::pin(id, title);
        pin["board_id"] = boards["items"][0]["pinterest_board_id"].clone();
        freeze();
        let published = app.request_ok(&publish, "POST", "/api/v1/pins", pin).await;
        assert_eq!(published["state"], "published");
        assert_eq!(
            app.new_calls(),
            call_counts([
                ("BatchGetItem", 1),
                ("Pinterest", 1),
                ("PutItem", 2),
                ("TransactWriteItems", 1),
                ("UpdateItem", 1),
            ]),
            "{title}"
        );
    }

    freeze();
    setup.pinterest().connect(Environment::Sandbox).await.expect("the very first call is none that is lost");

    let refresh = Refresh::new(
        setup.settings_secret().unwrap(),
        setup.vault().unwrap(),
        main,
        tokens,
        setup.workers().unwrap(),
        setup.pinterest(),
        setup,
    );
    freeze();
    *app.clock_offset.lock().unwrap() += SignedDuration::from_hours(24 * 24);
    refresh.run(RefreshJob::Tick, Instant::now() + std::time::Duration::from_mins(5)).await.unwrap();
    assert_eq!(app.new_calls()["Pinterest"], 1, "a token that is refreshed twice may be lost");
}
