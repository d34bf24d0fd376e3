//! Ids, in types, in paths and in bodies; and tickets.

use domain::{BoardId, ChannelId, PinId, PinterestPinId, PinterestUserId, SectionId};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{dice::Dice, harness, mutate, tally};

/// An id that is read is written the same, and is of the form that the contract shows; in a path or a body an id
/// leads to what it names or to nothing.
pub fn ids(bytes: &[u8]) {
    let mut dice = Dice::new(bytes);
    let valid = ["ch_01kbcfqvg0m3w8x5t2c9r7d4ny", "pin_01kbcfrw2xq7v4j9b6k0s3e8hz", "549755885007"];
    let valid = dice.pick(&valid);
    let text = mutate::text(&mut dice, valid);
    let digits = (1..=40).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit());
    let parsed = [
        check_id::<ChannelId>(&text, is_own_id("ch_", &text)),
        check_id::<PinId>(&text, is_own_id("pin_", &text)),
        check_id::<BoardId>(&text, digits),
        check_id::<SectionId>(&text, digits),
        check_id::<PinterestUserId>(&text, digits),
        check_id::<PinterestPinId>(&text, digits),
    ];
    tally::count("ids", parsed.contains(&true));

    let route = dice.below(8);
    harness::with(async |app| {
        let existing = if dice.once_in(2) { &app.channel } else { &app.pins[0] };
        let id = if dice.once_in(3) { mutate::text(&mut dice, existing) } else { text.clone() };
        let (method, path) = match route {
            0 => ("GET", format!("/api/v1/channels/{id}")),
            1 => ("GET", format!("/api/v1/channels/{id}/boards")),
            2 => ("GET", format!("/api/v1/pins/{id}")),
            3 => ("POST", format!("/api/v1/pins/{id}/retry")),
            4 => ("DELETE", format!("/api/v1/pins/{id}")),
            5 => ("DELETE", format!("/api/v1/channels/{id}")),
            _ => ("POST", "/api/v1/connections/claim".to_owned()),
        };
        let body = if route > 5 { json!({ "connection": id }) } else { Value::Null };
        let answer = app.send(method, &path, "", &body).await;
        answer.check(&[]);
        let existing =
            [&app.channel].into_iter().chain(&app.pins).any(|existing| path.contains(existing.as_str()));
        assert!(existing || [404, 405].contains(&answer.status), "{method} {path}: {}", answer.text);
        tally::count("ids of something", answer.is_success());
    });
}

/// The pattern of an own id in the contract, read by hand.
fn is_own_id(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        let letter = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z');
        rest.len() == 26 && rest.bytes().all(letter)
    })
}

fn check_id<T>(text: &str, expected: bool) -> bool
where
    T: TryFrom<String> + ToString + Serialize + DeserializeOwned,
{
    let id = T::try_from(text.to_owned());
    assert_eq!(id.is_ok(), expected, "{text:?}");
    assert_eq!(serde_json::from_value::<T>(json!(text)).is_ok(), expected, "{text:?}");
    if let Ok(id) = &id {
        assert_eq!(id.to_string(), text);
        assert_eq!(serde_json::to_value(id).unwrap(), text);
    }
    id.is_ok()
}
