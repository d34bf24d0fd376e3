//! Cursors and the other parameters of lists.

use serde_json::Value;

use crate::{
    dice::Dice,
    harness::{self, TestApp},
    mutate, tally,
};

const STATES: [&str; 7] = ["scheduled", "sending", "waiting", "published", "failed", "cancelled", "in_doubt"];

/// A list that is accepted holds at most what was asked for and nothing else, and its cursors lead to its end.
pub fn lists(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let of_pins = !dice.once_in(4);
        let path = if of_pins { "/api/v1/pins" } else { "/api/v1/channels" };
        let query = query(&mut dice, app, of_pins);
        let page = app.send("GET", path, &query, &Value::Null).await;
        page.check(&[]);
        tally::count("lists", page.status == 200);
        if page.status != 200 {
            assert_eq!(page.status, 422, "{query}");
            let codes = [
                "invalid_cursor",
                "invalid_id",
                "invalid_limit",
                "invalid_state",
                "repeated_parameter",
                "too_long",
                "unknown_parameter",
            ];
            assert!(codes.contains(&page.code()), "{query}");
            return;
        }
        // As a reader of URLs sees it, first one first.
        let address = reqwest::Url::parse(&format!("https://x/?{query}")).unwrap();
        let parameter = |name: &str| {
            let value =
                address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            value.filter(|value| !value.is_empty())
        };
        let limit = parameter("limit").map_or(50, |limit| limit.parse::<usize>().unwrap());
        let (state, channel) = (parameter("state"), parameter("channel_id"));

        let mut ids: Vec<String> = Vec::new();
        let mut page = page;
        loop {
            let items = page.json["items"].as_array().unwrap();
            assert!(items.len() <= limit, "{query}: {} items", items.len());
            for item in items {
                assert!(!of_pins || state.as_ref().is_none_or(|state| item["state"] == **state), "{query}");
                assert!(!of_pins || channel.as_ref().is_none_or(|id| item["channel_id"] == **id), "{query}");
                ids.push(item["id"].as_str().unwrap().to_owned());
            }
            let Some(next) = page.json["next"].as_str().map(str::to_owned) else { break };
            assert!(ids.len() <= harness::PINS, "{query}: the list does not end");
            let other_parameters: Vec<_> = ["limit", "state", "channel_id"]
                .iter()
                .filter_map(|name| Some(format!("{name}={}", parameter(name)?)))
                .collect();
            page = app
                .send("GET", path, &format!("{}&cursor={next}", other_parameters.join("&")), &Value::Null)
                .await;
            page.check(&[]);
            assert_eq!(page.status, 200, "a cursor of ours is refused: {next}");
        }
        tally::count("lists with something in them", !ids.is_empty());
        let is_sorted = if of_pins { ids.is_sorted_by(|a, b| a > b) } else { ids.is_sorted_by(|a, b| a < b) };
        assert!(is_sorted, "{query}: {ids:?}");
    });
}

fn query(dice: &mut Dice<'_>, app: &TestApp, of_pins: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    for _ in 0..dice.below(4) {
        let (name, value) = match dice.below(4) {
            0 => ("limit", ["1", "2", "3", "50", "200", "201", "0"][dice.below(7)].to_owned()),
            1 => ("state", dice.pick(&STATES).to_owned()),
            2 => ("cursor", if dice.once_in(4) { &app.channel } else { &app.pins[dice.below(7)] }.clone()),
            _ => ("channel_id", app.channel.clone()),
        };
        // What a list does not take, and what is given twice, is refused: that need not be tried often.
        let is_parameter = of_pins || matches!(name, "limit" | "cursor");
        let refused = !is_parameter || parts.iter().any(|part| part.starts_with(name));
        if refused && !dice.once_in(8) {
            continue;
        }
        let value = if dice.once_in(4) { mutate::text(dice, &value) } else { value };
        parts.push(format!("{name}={value}"));
    }
    let query = parts.join("&");
    if dice.once_in(16) { mutate::text(dice, &query) } else { query }
}
