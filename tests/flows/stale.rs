//! Lambda freezes a process between requests, for seconds or for hours. Its connections die meanwhile, and no request
//! may suffer for it: none fails, and none is sent twice.

use app::functions::{OauthCallback, OauthStart, Publish, Refresh, Tick};
use domain::Environment;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    counted::{Counted, seen},
    line::Death,
};

/// Longer than a connection is trusted.
const LONG: SignedDuration = SignedDuration::from_secs(16);

#[tokio::test]
async fn connections_that_were_closed_in_a_freeze_harm_no_request() {
    each_request_goes_through_after(Death::Closed, SignedDuration::ZERO).await;
}

#[tokio::test]
async fn connections_that_were_reset_in_a_freeze_harm_no_request() {
    each_request_goes_through_after(Death::Reset, SignedDuration::ZERO).await;
}

#[tokio::test]
async fn connections_that_were_dropped_without_a_word_are_not_used_after_a_freeze() {
    each_request_goes_through_after(Death::Dropped, LONG).await;
}

/// Each asks for what it would ask for without a freeze, and is asked once.
async fn each_request_goes_through_after(death: Death, pause: SignedDuration) {
    let stage = Counted::set().await;
    let Counted { setup, .. } = &stage;
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
    let (channels, publish) = (stage.channels(), Publish::new(stage.sender(), setup));
    let freeze = || {
        assert_ne!(stage.kill(death), 0, "there is a connection that can die");
        *stage.ahead.lock().unwrap() += pause;
        stage.trips();
    };

    let back = stage.consent(&start).await;
    freeze();
    let end = stage.ask(&callback, "GET", &back, Value::Null).await;
    let claim = json!({"connection": end.as_str().unwrap().split_once("#connection=").unwrap().1});
    freeze();
    let channel = stage.ask(&channels, "POST", "/api/v1/connections/claim", claim).await;
    let id = channel["id"].as_str().unwrap();
    freeze();
    let boards = stage.ask(&channels, "GET", &format!("/api/v1/channels/{id}/boards"), Value::Null).await;

    for title in ["first", "second"] {
        let mut pin = crate::stage::pin(id, title);
        pin["board_id"] = boards["items"][0]["pinterest_board_id"].clone();
        freeze();
        let published = stage.ask(&publish, "POST", "/api/v1/pins", pin).await;
        assert_eq!(published["state"], "published");
        let mut trips = stage.trips();
        trips.remove("GetSecretValue"); // the first needs the key ring
        assert_eq!(
            trips,
            seen([("BatchGetItem", 1), ("Pinterest", 1), ("TransactWriteItems", 2)]),
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
        setup.pinterest(),
        setup,
    );
    freeze();
    *stage.ahead.lock().unwrap() += SignedDuration::from_hours(24 * 24);
    refresh.tick(Tick::Due, Instant::now() + std::time::Duration::from_mins(5)).await.unwrap();
    assert_eq!(stage.trips()["Pinterest"], 1, "a token that is refreshed twice may be lost");
}
