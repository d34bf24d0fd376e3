//! Round trips: the calls that a person waits for and that AWS bills, counted exactly.

use app::{
    handlers::OauthCallback, handlers::OauthStart, handlers::Pins, handlers::Publish, handlers::Refresh,
    handlers::RefreshJob,
};
use edge::Handler as _;
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::proxy::{CountedFunctions, call_counts};

#[tokio::test]
async fn each_request_costs_the_round_trips_of_its_budget_and_no_more() {
    let app = CountedFunctions::set().await;
    let CountedFunctions { setup, .. } = &app;
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let start = OauthStart::new(main.clone(), setup.pinterest(), setup);
    let secret = setup.settings_secret().unwrap();
    let pinterest = setup.pinterest();
    let callback =
        OauthCallback::new(secret, setup.vault().unwrap(), main.clone(), tokens.clone(), pinterest, setup);
    let channels = app.channels();
    let publish = Publish::new(app.publisher(), setup);
    let pins = Pins::new(main.clone(), setup.media_bucket().unwrap(), setup.media_fetch().unwrap(), setup);

    // The first request reads the secrets. After it no function calls Secrets Manager.
    start.prepare().await.unwrap();
    callback.prepare().boxed().await.unwrap();
    channels.prepare().await.unwrap();
    Box::pin(publish.prepare()).await.unwrap();
    pins.prepare().await.unwrap();
    let start_calls = app.new_calls();
    assert_eq!(
        (start_calls["GetSecretValue"], start_calls["Pinterest"]),
        (4, 2),
        "settings, key rings, connections"
    );

    app.request_ok(&start, "POST", "/api/v1/auth/pinterest/start", json!({})).await;
    assert_eq!(app.new_calls(), call_counts([("PutItem", 1), ("UpdateItem", 1)]), "start OAuth");

    let callback_path = app.consent(&start).await;
    app.new_calls();
    let end = app.request_ok(&callback, "GET", &callback_path, Value::Null).await;
    assert_eq!(
        app.new_calls(),
        call_counts([("Pinterest", 2), ("PutItem", 1), ("UpdateItem", 2)]),
        "callback"
    );

    let ticket = end.as_str().unwrap().split_once("#connection=").unwrap().1;
    let claim = json!({"connection": ticket});
    let channel = app.request_ok(&channels, "POST", "/api/v1/connections/claim", claim).await;
    // Another channel is counted once, when it is new. The stack's first claim makes the share in the key of refresh
    // tokens, which a process reads once.
    let budget = call_counts([("GetItem", 4), ("PutItem", 1), ("Query", 1), ("TransactWriteItems", 1)]);
    assert_eq!(app.new_calls(), budget, "claim");

    let id = channel["id"].as_str().unwrap();
    app.request_ok(&channels, "GET", &format!("/api/v1/channels/{id}"), Value::Null).await;
    assert_eq!(app.new_calls(), call_counts([("BatchGetItem", 1)]), "read a channel");

    let boards =
        app.request_ok(&channels, "GET", &format!("/api/v1/channels/{id}/boards"), Value::Null).await;
    let mut pin = crate::harness::pin(id, "now");
    pin["board_id"] = boards["items"][0]["pinterest_board_id"].clone();
    app.new_calls();
    let published = app.request_ok(&publish, "POST", "/api/v1/pins", pin.clone()).await;
    assert_eq!(published["state"], "published");
    // The update counts what the tenant uses, and a put keeps the key, while the batch is read.
    let budget = call_counts([
        ("BatchGetItem", 1),
        ("Pinterest", 1),
        ("PutItem", 2),
        ("TransactWriteItems", 1),
        ("UpdateItem", 1),
    ]);
    assert_eq!(app.new_calls(), budget, "publish an image by URL");

    let repeated = app.request_ok(&publish, "POST", "/api/v1/pins", pin.clone()).await;
    assert_eq!(repeated["id"], published["id"]);
    assert_eq!(
        app.new_calls(),
        call_counts([("BatchGetItem", 1), ("GetItem", 1), ("PutItem", 1), ("UpdateItem", 1)]),
        "repeat a request with its key"
    );

    pin["title"] = json!("later");
    pin["publish_at"] = json!(Timestamp::now() + SignedDuration::from_hours(1));
    app.request_ok(&publish, "POST", "/api/v1/pins", pin).await;
    let budget = call_counts([("BatchGetItem", 1), ("PutItem", 2), ("UpdateItem", 1)]);
    assert_eq!(app.new_calls(), budget, "schedule a Pin");

    let file = json!({"content_type": "image/png", "bytes": 1});
    app.request_ok(&publish, "POST", "/api/v1/media", file).await;
    assert_eq!(app.new_calls(), call_counts([("UpdateItem", 1)]), "where to send a file");

    let path = format!("/api/v1/pins/{}", published["id"].as_str().unwrap());
    app.request_ok(&pins, "GET", &path, Value::Null).await;
    assert_eq!(app.new_calls(), call_counts([("GetItem", 1)]), "read a Pin");

    let state = [("Query", 1), ("BatchGetItem", 1)];
    // The channels of the tenant are noted at the first list that needs them.
    app.request_ok(&pins, "GET", "/api/v1/pins?state=failed", Value::Null).await;
    app.new_calls();
    for (query, budget) in [
        ("", call_counts([("Query", 1)])),
        ("?sort=publish_at&from=2020-01-01&to=2030-01-01", call_counts(state)),
        ("?sort=-publish_at&state=published", call_counts(state)),
        (&format!("?sort=publish_at&channel_id={id}"), call_counts(state)),
        (
            "?sort=publish_at&state=scheduled",
            call_counts([("GetItem", 1), ("Query", 1), ("BatchGetItem", 1)]),
        ),
        (&format!("?state=published&channel_id={id}"), call_counts(state)),
        ("?state=published", call_counts([("GetItem", 1), ("Query", 2), ("BatchGetItem", 1)])),
    ] {
        let page = app.request_ok(&pins, "GET", &format!("/api/v1/pins{query}"), Value::Null).await;
        assert!(!page["items"].as_array().unwrap().is_empty(), "{query}");
        assert_eq!(app.new_calls(), budget, "{query}");
    }

    // No worker runs here: the Pin is late, and scheduled all the same.
    *app.clock_offset.lock().unwrap() = SignedDuration::from_hours(48);
    for sort in ["created_at", "-created_at", "publish_at", "-publish_at"] {
        let path = format!("/api/v1/pins?state=scheduled&sort={sort}");
        let page = app.request_ok(&pins, "GET", &path, Value::Null).await;
        assert_eq!(page["items"][0]["title"], "later", "{sort}");
    }
}

#[tokio::test]
async fn a_refresh_costs_a_read_a_call_and_a_save() {
    let app = CountedFunctions::set().await;
    let CountedFunctions { setup, .. } = &app;
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let start = OauthStart::new(main.clone(), setup.pinterest(), setup);
    let (secret, vault, pinterest) =
        (setup.settings_secret().unwrap(), setup.vault().unwrap(), setup.pinterest());
    let callback = OauthCallback::new(secret, vault, main.clone(), tokens.clone(), pinterest, setup);
    let (secret, vault, pinterest) =
        (setup.settings_secret().unwrap(), setup.vault().unwrap(), setup.pinterest());
    let refresh = Refresh::new(secret, vault, main, tokens, setup.workers().unwrap(), pinterest, setup);
    let callback_path = app.consent(&start).await;
    let end = app.request_ok(&callback, "GET", &callback_path, Value::Null).await;
    let claim = json!({"connection": end.as_str().unwrap().split_once("#connection=").unwrap().1});
    app.request_ok(&app.channels(), "POST", "/api/v1/connections/claim", claim).await;
    let deadline = || Instant::now() + std::time::Duration::from_mins(5);

    refresh.run(RefreshJob::Tick, deadline()).await.unwrap();
    app.new_calls();
    refresh.run(RefreshJob::Tick, deadline()).await.unwrap();
    let idle_calls = app.new_calls();
    assert_eq!(idle_calls, call_counts([("Query", 16), ("UpdateItem", 1)]), "a tick with nothing to do");

    *app.clock_offset.lock().unwrap() = SignedDuration::from_hours(24 * 24);
    refresh.run(RefreshJob::Tick, deadline()).await.unwrap();
    let mut refresh_calls = app.new_calls();
    assert_eq!(refresh_calls.remove("Pinterest"), Some(1), "one call");
    assert_eq!(
        refresh_calls.remove("GetSecretValue"),
        Some(2),
        "the settings, once in ten minutes; the key ring, once in fifteen"
    );
    let rows = "the row, and once the share in its key and when the App Secret was last seen to be right";
    assert_eq!(refresh_calls.remove("GetItem"), Some(3), "{rows}");
    let updates = refresh_calls["UpdateItem"] - idle_calls["UpdateItem"];
    assert_eq!(updates, 2, "the lease of the partition, and the save");
    assert!(refresh_calls.keys().eq(idle_calls.keys()), "and nothing else but the index: {refresh_calls:?}");
}
