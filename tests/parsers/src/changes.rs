//! What wakes the workers: the table's stream, and the clock's events.

use app::{handlers::RefreshJob, handlers::StreamEvent};
use serde_json::{Value, json};

use crate::{dice::Dice, harness, mutate, tally};

const CHANGES: &str = include_str!("../../../events/events.json");
const TICKS: [&str; 3] = [
    include_str!("../../../events/deliver.json"),
    include_str!("../../../events/refresh.json"),
    include_str!("../../../events/refresh-daily-check.json"),
];

/// The records of a batch become events in their order, up to the first that cannot be read, which is named.
pub fn changes(bytes: &[u8]) {
    let mut dice = Dice::new(bytes);
    let mut batch: Value = serde_json::from_str(CHANGES).unwrap();
    let records = batch["Records"].as_array_mut().unwrap();
    for number in 0..dice.below(13) {
        let mut repeated = records[0].clone();
        repeated["dynamodb"]["SequenceNumber"] = format!("5{number:03}").into();
        records.push(repeated);
    }
    for _ in 0..dice.below(3) {
        let at = dice.below(records.len());
        let image = dice.pick(&["OldImage", "NewImage"]);
        mutate::json(&mut dice, &mut records[at]["dynamodb"][image]);
    }
    if dice.once_in(4) {
        mutate::json(&mut dice, &mut batch);
    }
    let text = mutate::serialize(&mut dice, &batch);
    let Ok(stream) = serde_json::from_slice::<StreamEvent>(&text) else {
        return tally::count("streams", false);
    };
    tally::count("streams", true);
    harness::with(async |app| {
        let records = stream.records.len();
        let numbers: Vec<_> =
            stream.records.iter().map(|record| record.change.sequence_number.clone()).collect();
        let unhandled = app.functions().events.publish(stream).await.batch_item_failures;
        let published_events = app.account(|account| account.published_events.clone());
        tally::count("streams told to their end", unhandled.is_empty());
        assert!(published_events.len() <= records && unhandled.len() <= 1);
        for entry in &published_events {
            let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
            assert!(detail["id"].as_str().is_some_and(|id| id.contains('|')), "{detail}");
        }
        for first in unhandled {
            let named = first.item_identifier.unwrap();
            let at = numbers.iter().position(|number| number.as_deref().unwrap_or_default() == named);
            assert!(published_events.len() <= at.expect("a record that was in the batch"));
        }
    });
}

/// The daily job is done when it is named, and otherwise a minute's.
pub fn ticks(bytes: &[u8]) {
    let mut dice = Dice::new(bytes);
    let mut event: Value = serde_json::from_str(dice.pick(&TICKS)).unwrap();
    mutate::json(&mut dice, &mut event);
    let text = mutate::serialize(&mut dice, &event);
    let Ok(event) = serde_json::from_slice::<Value>(&text) else { return tally::count("ticks", false) };
    tally::count("ticks", true);
    let daily = event.as_object().and_then(|event| event.get("job")) == Some(&json!("daily_check"));
    assert_eq!(RefreshJob::from_event(&event) == RefreshJob::DailyCheck, daily, "{event}");
}
