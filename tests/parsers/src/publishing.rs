//! Publishing, with Pinterest answering as it likes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    dice::Dice,
    harness::{self, NOW},
    tally, wire,
};

/// Whatever Pinterest says, the caller is told what became of the Pin, nothing is a 5xx, and nothing waits for
/// longer than Pinterest's longest window and the time it may take.
pub fn publishing(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let reply = wire::reply(&mut dice, "create_pin");
        let mut replies = vec![("create_pin", reply)];
        for operation in ["board_pins", "create_pin", "board_pins"] {
            replies.push((operation, wire::reply(&mut dice, operation)));
        }
        app.pinterest.lock().unwrap().action = replies.into();

        let pin = json!({ "channel_id": app.channel, "media": harness::image(), "publish_within": "P366D" });
        let response = app.send("POST", "/api/v1/pins", "", &pin).await;
        response.check(&[]);
        assert!(matches!(response.status, 201 | 202 | 422), "{}", response.text);
        tally::count("Pins published at once", response.status == 201);
        let id = response.json[if response.status == 422 { "pin_id" } else { "id" }].as_str().unwrap();
        let path = format!("/api/v1/pins/{id}");

        let functions = app.functions();
        for _ in 0..dice.below(3) {
            app.advance(120);
            functions.deliver.tick(Instant::now() + std::time::Duration::from_mins(5)).await.unwrap();
        }
        let pin = app.send("GET", &path, "", &Value::Null).await;
        pin.check(&[]);
        let pin = pin.expect(200);
        tally::count("Pins published", pin["state"] == "published");
        assert!(response.status != 201 || pin["state"] == "published", "{pin}");
        if let Some(retry_at) = pin["retry_at"].as_str() {
            let wait = retry_at.parse::<Timestamp>().unwrap().duration_since(NOW);
            assert!(wait <= SignedDuration::from_hours(3 * 24), "{pin}");
        }
    });
}
