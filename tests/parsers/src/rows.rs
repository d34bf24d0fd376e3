//! Files of many Pins.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{dice::Dice, harness, mutate, tally};

const CSV: &str = "Title,Media URL,Thumbnail,Description,Link,Publish date,Keywords,time_zone\n\
                   Lemon salad,https://example.com/a.jpg,,\"Fresh, green\",https://example.com,2026-12-24,a,\n\
                   Bean salad,https://example.com/b.mp4,0:03,,,2026/12/24 18:00,,Europe/Berlin\n";

/// A file is refused as a whole, or each row by itself: every row that is answered is a line of the file, in order,
/// and what was accepted is there. In another encoding a file says the same.
pub fn rows(bytes: &[u8]) {
    harness::with(async |app| {
        let mut dice = Dice::new(bytes);
        let pin = json!({ "channel_id": app.channel, "media": harness::image(), "title": "Lemon salad" });
        let (name, content_type, valid) = match dice.below(2) {
            0 => ("tables", "text/csv", as_saved_table(&mut dice, CSV)),
            _ => (
                "lines",
                "application/x-ndjson",
                format!("{pin}\n\n{}\n", json!({ "media": harness::image() })),
            ),
        };
        let file = mutate::text(&mut dice, &valid);
        let headers = json!({ "content-type": content_type });
        let send = async |dry_run: bool, file: &str, is_base64: bool| {
            let query = format!("channel_id={}&dry_run={dry_run}", app.channel);
            let mut event = harness::event("POST", "/api/v1/pins/bulk", &query, &headers, file);
            event["isBase64Encoded"] = json!(is_base64);
            app.send_event(&event).await
        };
        if name == "tables" {
            let with_bom = format!("\u{feff}{file}");
            let units = with_bom.encode_utf16();
            let utf_16_bytes: Vec<u8> = match dice.below(2) {
                0 => units.flat_map(u16::to_le_bytes).collect(),
                _ => units.flat_map(u16::to_be_bytes).collect(),
            };
            let (utf_8, utf_16) =
                (send(true, &with_bom, false).await, send(true, &STANDARD.encode(utf_16_bytes), true).await);
            assert_eq!(utf_8.json["rows"], utf_16.json["rows"], "{file:?}");
        }
        let answer = send(false, &file, false).await;
        answer.check(&[]);
        tally::count(name, answer.is_success());
        let Some(rows) = answer.json["rows"].as_array() else { return };
        let lines: Vec<_> = rows.iter().map(|row| row["line"].as_u64().unwrap()).collect();
        let ends = file.replace("\r\n", "\n").matches(['\r', '\n']).count() as u64;
        assert!(lines.is_sorted() && lines.iter().all(|line| *line <= ends + 1), "{lines:?}");
        for row in rows {
            let accepted = row["status"] == "accepted" || row["status"] == "exists";
            assert_eq!(accepted, row["pin_id"].is_string(), "{row}");
            let is_over = row["code"] == "pin_failed" || row["code"] == "pin_cancelled";
            assert_eq!(!accepted || is_over, row["fix"].is_string(), "{row}");
            tally::count("rows", accepted);
        }
    });
}

/// A table as another program would save it. The separator stands in no cell.
fn as_saved_table(dice: &mut Dice<'_>, table: &str) -> String {
    let separator = dice.pick(&[",", ",", ";", "\t"]);
    let cells = table.replace("Fresh, green", "Fresh and green").replace(',', separator);
    let end = dice.pick(&["\n", "\n", "\r\n", "\r"]);
    let first = if dice.once_in(4) { format!("sep={separator}\n") } else { String::new() };
    format!("{first}{cells}").replace('\n', end)
}
