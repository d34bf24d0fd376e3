//! Files of many Pins.

use serde_json::json;

use crate::{dice::Dice, harness, mutate, tally};

const CSV: &str = "Title,Media URL,Description,Link,Publish date,Keywords,time_zone\n\
                   Lemon salad,https://example.com/a.jpg,\"Fresh, green\",https://example.com,2026-12-24,a,\n\
                   Bean salad,https://example.com/b.jpg,,,2026-12-24 18:00,,Europe/Berlin\n";

/// A file is refused as a whole, or each row by itself: every row that is answered is a line of the file, in order,
/// and what was accepted is there.
pub fn rows(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let pin = json!({ "channel_id": app.channel, "media": harness::image(), "title": "Lemon salad" });
        let (name, content_type, valid) = match dice.below(2) {
            0 => ("tables", "text/csv", CSV.to_owned()),
            _ => (
                "lines",
                "application/x-ndjson",
                format!("{pin}\n\n{}\n", json!({ "media": harness::image() })),
            ),
        };
        let file = mutate::text(&mut dice, &valid);
        let headers = json!({ "content-type": content_type });
        let query = format!("channel_id={}", app.channel);
        let answer = app.ask(&harness::event("POST", "/api/v1/pins/bulk", &query, &headers, &file)).await;
        answer.check(&[]);
        tally::count(name, answer.is_success());
        let Some(rows) = answer.json["rows"].as_array() else { return };
        let lines: Vec<_> = rows.iter().map(|row| row["line"].as_u64().unwrap()).collect();
        assert!(
            lines.is_sorted() && lines.iter().all(|line| *line <= file.lines().count() as u64 + 1),
            "{lines:?}"
        );
        for row in rows {
            let accepted = row["status"] == "accepted" || row["status"] == "exists";
            assert_eq!(accepted, row["pin_id"].is_string(), "{row}");
            assert_eq!(!accepted, row["fix"].is_string(), "{row}");
            tally::count("rows", accepted);
        }
    });
}
