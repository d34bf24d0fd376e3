//! Round trips: what a person waits for and what AWS bills, counted on the wire, exactly.

use app::{
    functions::{OauthCallback, OauthStart, Pins, Publish, Refresh, Tick},
    http::Answer as _,
};
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::counted::{Counted, seen};

#[tokio::test]
async fn each_request_costs_the_round_trips_of_its_budget_and_no_more() {
    let stage = Counted::set().await;
    let Counted { setup, .. } = &stage;
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let start = OauthStart::new(main.clone(), setup.pinterest(), setup);
    let secret = setup.settings_secret().unwrap();
    let pinterest = setup.pinterest();
    let callback =
        OauthCallback::new(secret, setup.vault().unwrap(), main.clone(), tokens.clone(), pinterest, setup);
    let channels = stage.channels();
    let publish = Publish::new(stage.sender(), setup);
    let pins = Pins::new(main.clone(), setup);

    // What a first request would wait for. From here on, nobody asks Secrets Manager for anything.
    start.prepare().await.unwrap();
    callback.prepare().boxed().await.unwrap();
    channels.prepare().await.unwrap();
    publish.prepare().await.unwrap();
    pins.prepare().await.unwrap();
    let prepared = stage.trips();
    assert_eq!(
        (prepared["GetSecretValue"], prepared["Pinterest"]),
        (4, 2),
        "settings, key rings, connections"
    );

    stage.ask(&start, "POST", "/api/v1/auth/pinterest/start", json!({})).await;
    assert_eq!(stage.trips(), seen([("PutItem", 1)]), "start OAuth");

    let back = stage.consent(&start).await;
    stage.trips();
    let end = stage.ask(&callback, "GET", &back, Value::Null).await;
    assert_eq!(stage.trips(), seen([("DeleteItem", 1), ("Pinterest", 2), ("PutItem", 1)]), "callback");

    let ticket = end.as_str().unwrap().split_once("#connection=").unwrap().1;
    let claim = json!({"connection": ticket});
    let channel = stage.ask(&channels, "POST", "/api/v1/connections/claim", claim).await;
    assert_eq!(stage.trips(), seen([("GetItem", 2), ("TransactWriteItems", 1)]), "claim");

    let id = channel["id"].as_str().unwrap();
    stage.ask(&channels, "GET", &format!("/api/v1/channels/{id}"), Value::Null).await;
    assert_eq!(stage.trips(), seen([("BatchGetItem", 1)]), "read a channel");

    let boards = stage.ask(&channels, "GET", &format!("/api/v1/channels/{id}/boards"), Value::Null).await;
    let mut pin = crate::stage::pin(id, "now");
    pin["board_id"] = boards["items"][0]["pinterest_board_id"].clone();
    stage.trips();
    let published = stage.ask(&publish, "POST", "/api/v1/pins", pin.clone()).await;
    assert_eq!(published["state"], "published");
    let budget = seen([("BatchGetItem", 1), ("Pinterest", 1), ("TransactWriteItems", 2)]);
    assert_eq!(stage.trips(), budget, "publish an image by URL");

    let again = stage.ask(&publish, "POST", "/api/v1/pins", pin.clone()).await;
    assert_eq!(again["id"], published["id"]);
    assert_eq!(stage.trips(), seen([("BatchGetItem", 1), ("GetItem", 1)]), "repeat a request with its key");

    pin["title"] = json!("later");
    pin["publish_at"] = json!(Timestamp::now() + SignedDuration::from_hours(1));
    stage.ask(&publish, "POST", "/api/v1/pins", pin).await;
    assert_eq!(stage.trips(), seen([("BatchGetItem", 1), ("TransactWriteItems", 1)]), "schedule a Pin");

    let file = json!({"content_type": "image/png", "bytes": 1});
    stage.ask(&publish, "POST", "/api/v1/media", file).await;
    assert_eq!(stage.trips(), seen([]), "where to send a file");

    let path = format!("/api/v1/pins/{}", published["id"].as_str().unwrap());
    stage.ask(&pins, "GET", &path, Value::Null).await;
    assert_eq!(stage.trips(), seen([("GetItem", 1)]), "read a Pin");
}

#[tokio::test]
async fn a_refresh_costs_a_claim_a_call_and_a_save() {
    let stage = Counted::set().await;
    let Counted { setup, .. } = &stage;
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let start = OauthStart::new(main.clone(), setup.pinterest(), setup);
    let (secret, vault, pinterest) =
        (setup.settings_secret().unwrap(), setup.vault().unwrap(), setup.pinterest());
    let callback = OauthCallback::new(secret, vault, main.clone(), tokens.clone(), pinterest, setup);
    let (secret, vault, pinterest) =
        (setup.settings_secret().unwrap(), setup.vault().unwrap(), setup.pinterest());
    let refresh = Refresh::new(secret, vault, main, tokens, pinterest, setup);
    let back = stage.consent(&start).await;
    let end = stage.ask(&callback, "GET", &back, Value::Null).await;
    let claim = json!({"connection": end.as_str().unwrap().split_once("#connection=").unwrap().1});
    stage.ask(&stage.channels(), "POST", "/api/v1/connections/claim", claim).await;
    let soon = || Instant::now() + std::time::Duration::from_mins(5);

    refresh.tick(Tick::Due, soon()).await.unwrap();
    stage.trips();
    refresh.tick(Tick::Due, soon()).await.unwrap();
    let idle = stage.trips();
    assert_eq!(idle, seen([("Query", 16), ("UpdateItem", 1)]), "a tick with nothing to do");

    *stage.ahead.lock().unwrap() = SignedDuration::from_hours(24 * 24);
    refresh.tick(Tick::Due, soon()).await.unwrap();
    let mut busy = stage.trips();
    assert_eq!(busy.remove("Pinterest"), Some(1), "one call");
    assert_eq!(busy.remove("GetSecretValue"), Some(2), "the settings, once a minute; the key ring, once");
    assert_eq!(busy.remove("GetItem"), Some(1), "when App ID and App Secret were last seen to be right");
    assert_eq!(busy["UpdateItem"] - idle["UpdateItem"], 2, "the claim and the save");
    assert!(busy.keys().eq(idle.keys()), "and nothing else but the index: {busy:?}");
}
