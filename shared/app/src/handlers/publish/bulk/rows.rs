//! Many Pins in one file: JSON lines, or CSV with our columns or those of Pinterest's own bulk upload.

use domain::Invalid;
use edge::{RequestError, parse};
use jiff::{Timestamp, civil};
use serde_json::{Map, Value, json};

use crate::{error::Result, handlers::NewPin};

/// How many rows one file may have.
pub(super) const MAX_ROWS: usize = 1000;

/// A column of Pinterest's bulk upload that its API has nothing for. It finds its way into no Pin.
const KEYWORDS: &str = "keywords";

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// Where it begins in the file: the first line is 1.
    pub(super) line: u64,
    /// The Pin that it asks for.
    pub(super) pin: Result<NewPin>,
    /// All that it says: two rows that say the same are the same.
    pub(super) content: String,
    /// The board by its name, with a section after a slash: only Pinterest's own columns name boards so.
    pub(super) board_name: Option<String>,
}

/// Reads a file by its `Content-Type`. Rows that name no channel are `channel`'s.
pub(super) fn read(content_type: &str, file: &[u8], channel: Option<&str>) -> Result<Vec<Row>> {
    let rows = match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => csv(file, channel)?,
        "application/x-ndjson" | "application/jsonl" | "application/jsonlines" | "application/json-lines" => {
            json_lines(file, channel)
        }
        _ => return Err(RequestError::UnsupportedContentType.into()),
    };
    match rows.len() {
        0 => Err(Invalid::new("body", "no_rows", "has no rows", "Send one row for each Pin.").into()),
        1..=MAX_ROWS => Ok(rows),
        _ => {
            let detail = format!("has more than {MAX_ROWS} rows");
            Err(Invalid::new("body", "too_many_rows", detail, "Send the file in parts.").into())
        }
    }
}

fn json_lines(file: &[u8], channel: Option<&str>) -> Vec<Row> {
    let lines = (1..).zip(file.split(|byte| *byte == b'\n'));
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .take(MAX_ROWS + 1) // the rest would be read only to be refused
        .map(|(line, text)| match parse::<Map<String, Value>>(text) {
            // From the text itself, where a field that is given twice is seen.
            Ok(fields) if channel.is_none() || fields.contains_key("channel_id") => {
                let content = Value::Object(fields).to_string();
                Row { line, pin: parse(text).map_err(Into::into), content, board_name: None }
            }
            Ok(fields) => row_of_fields(line, fields, None, channel),
            Err(error) => Row { line, pin: Err(error.into()), content: String::new(), board_name: None },
        })
        .collect()
}

fn row_of_fields(
    line: u64,
    mut fields: Map<String, Value>,
    board_name: Option<String>,
    channel: Option<&str>,
) -> Row {
    if let Some(channel) = channel {
        fields.entry("channel_id").or_insert_with(|| json!(channel));
    }
    let pin = Value::Object(fields).to_string();
    let content = format!("{pin} {}", board_name.as_deref().unwrap_or_default());
    Row { line, pin: parse(pin.as_bytes()).map_err(Into::into), content, board_name }
}

fn csv(file: &[u8], channel: Option<&str>) -> Result<Vec<Row>> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file); // Excel's mark of UTF-8
    let mut reader = ::csv::ReaderBuilder::new().trim(::csv::Trim::Headers).from_reader(file);
    let broken = |error: ::csv::Error| RequestError::Malformed {
        code: "invalid_csv",
        detail: format!("the body is not CSV: {error}"),
        fix: "Send UTF-8 with a line of column names first, and as many fields in each row.",
    };
    let names = reader.headers().map_err(broken)?.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    if let Some(name) =
        names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name))
    {
        let detail = "is there twice, perhaps under another name";
        return Err(
            Invalid::new(format!("column {name}"), "repeated_field", detail, "Keep one of them.").into()
        );
    }
    let mut rows = Vec::new();
    let (mut line, mut counted) = (1, 0);
    for record in reader.records().take(MAX_ROWS + 1) {
        let record = record.map_err(broken)?;
        // The reader's own count is one short after a line that ends as on Windows.
        let begins =
            record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(counted);
        let ends_before = file[begins..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let before = &file[counted..begins + ends_before];
        line += before.split(|byte| *byte == b'\n').skip(1).count() as u64;
        counted = begins + ends_before;
        let (fields, board_name) = fields_of_record(&names, &record);
        let twice = board_name.is_some()
            && (fields.contains_key("board_id") || fields.contains_key("board_section_id"));
        let mut row = row_of_fields(line, fields, board_name, channel);
        if twice {
            let detail = "is given beside the board's name";
            let fix = "Name the board in one way.";
            row.pin = Err(Invalid::new("board_id", "repeated_field", detail, fix).into());
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The field that a column is about: ours by their names, Pinterest's by theirs.
fn column(name: &str) -> Result<&'static str, Invalid> {
    const OURS: [&str; 14] = [
        "channel_id",
        "board_id",
        "board_section_id",
        "title",
        "description",
        "link",
        "alt_text",
        "dominant_color",
        AI_DISCLOSURES,
        "media_url",
        "publish_at",
        "time_zone",
        "publish_within",
        KEYWORDS,
    ];
    let name = name.to_ascii_lowercase();
    let ours = match name.as_str() {
        "ai disclosures" => Some(AI_DISCLOSURES),
        "media url" => Some("media_url"),
        "pinterest board" => Some(BOARD_NAME),
        "publish date" => Some("publish_at"),
        other => OURS.into_iter().find(|ours| *ours == other),
    };
    ours.ok_or_else(|| {
        let fix = format!("Remove it, or name it as one of {}.", OURS.join(", "));
        Invalid::new(format!("column {name}"), "unknown_field", "is not a column that is known", fix)
    })
}

const AI_DISCLOSURES: &str = "ai_disclosures";
const BOARD_NAME: &str = "board_name";

/// The fields of a Pin, and the name of its board.
fn fields_of_record(
    names: &[&'static str],
    record: &::csv::StringRecord,
) -> (Map<String, Value>, Option<String>) {
    let mut pin = Map::new();
    let mut board_name = None;
    let (mut at, mut zone) = (None, None);
    for (&name, value) in names.iter().zip(record).filter(|(_, value)| !value.is_empty()) {
        match name {
            KEYWORDS => {}
            BOARD_NAME => board_name = Some(value.to_owned()),
            "publish_at" => at = Some(value),
            "time_zone" => zone = Some(value),
            "media_url" => drop(pin.insert("media".to_owned(), json!({"kind": "image", "url": value}))),
            AI_DISCLOSURES => drop(pin.insert(name.to_owned(), json!({ "values": words(value) }))),
            _ => drop(pin.insert(name.to_owned(), json!(value))),
        }
    }
    if let Some(at) = at {
        pin.insert("publish_at".to_owned(), when(at, zone));
    }
    (pin, board_name)
}

/// Pinterest's words in a cell, as people write them: `AI modified; synthetic performer`.
fn words(cell: &str) -> Vec<String> {
    let words = cell.split([',', ';', '|']).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.to_ascii_uppercase().replace([' ', '-'], "_")).collect()
}

/// A time as spreadsheets write it. Without a zone it is UTC, as in Pinterest's own bulk upload.
fn when(at: &str, zone: Option<&str>) -> Value {
    // A parser of local times takes a zone too, and drops it: then somebody else says what is wrong.
    if at.parse::<Timestamp>().is_ok() || at.contains(['[', '+', 'Z', 'z']) {
        return json!(at);
    }
    let midnight = || Some(at.parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight()));
    let Some(local) = at.parse().ok().or_else(midnight) else { return json!(at) };
    let local: civil::DateTime = local;
    json!({"local": local.to_string(), "time_zone": zone.unwrap_or("UTC")})
}

#[cfg(test)]
mod tests {
    use edge::ApiError as _;

    use super::*;

    fn contents(content_type: &str, file: &str) -> Vec<(u64, Value, Option<String>)> {
        let rows = read(content_type, file.as_bytes(), Some("ch_1")).unwrap();
        let row = |row: Row| {
            let content = row.content.rsplit_once(' ').unwrap().0;
            (row.line, serde_json::from_str(content).unwrap(), row.board_name)
        };
        rows.into_iter().map(row).collect()
    }

    #[test]
    fn columns_of_pinterest_and_ours_ask_for_the_same() {
        let expected = json!({
            "channel_id": "ch_1",
            "title": "Salad",
            "description": "Green, fresh",
            "media": {"kind": "image", "url": "https://a.example/1.jpg"},
            "publish_at": {"local": "2026-12-01T09:00:00", "time_zone": "UTC"},
        });
        let theirs = "Title,Media URL,Pinterest board,Description,Link,Publish date,Keywords\n\
                      Salad,https://a.example/1.jpg,Food,\"Green, fresh\",,2026-12-01T09:00:00,a\n";
        let board = Some("Food".to_owned());
        assert_eq!(contents("text/csv; charset=utf-8", theirs), [(2, expected.clone(), board)]);
        let ours = "\u{feff}title,description,media_url,publish_at,time_zone\r\n\
                    Salad,\"Green, fresh\",https://a.example/1.jpg,2026-12-01 09:00,UTC\r\n";
        assert_eq!(contents("TEXT/CSV", ours), [(2, expected, None)]);
    }

    #[test]
    fn a_cell_discloses_in_pinterests_words_or_in_those_of_people() {
        let file = "Title,AI disclosures\nA,AI_MODIFIED\nB,AI modified; synthetic performer\nC,\nD,no\n";
        let disclosed: Vec<_> = contents("text/csv", file)
            .into_iter()
            .map(|(_, pin, _)| pin.get("ai_disclosures").map(|disclosures| disclosures["values"].clone()))
            .collect();
        let both = json!(["AI_MODIFIED", "SYNTHETIC_PERFORMER"]);
        assert_eq!(disclosed, [Some(json!(["AI_MODIFIED"])), Some(both), None, Some(json!(["NO"]))]);
    }

    #[test]
    fn a_row_names_its_board_in_one_way() {
        let file = "board_id,Pinterest board,title\n1,,A\n,Food,B\n1,Food,C\n";
        let rows = read("text/csv", file.as_bytes(), Some("ch_1")).unwrap();
        let code = |row: &Row| row.pin.as_ref().err().map(|error| error.problem().code);
        // The first two lack an image only.
        let codes = ["missing_field", "missing_field", "repeated_field"].map(|code| Some(code.to_owned()));
        assert_eq!(rows.iter().map(code).collect::<Vec<_>>(), codes);
    }

    #[test]
    fn a_time_in_a_cell_is_an_instant_or_what_clocks_show() {
        assert_eq!(when("2026-12-01T09:00:00+03:00", None), json!("2026-12-01T09:00:00+03:00"));
        assert_eq!(when("2026-12-01", Some("Europe/Istanbul"))["local"], "2026-12-01T00:00:00");
        for zoned in ["2026-12-01T09:00[America/New_York]", "2026-12-01T09:00+01:00[Europe/Berlin]"] {
            assert_eq!(when(zoned, None), json!(zoned), "a zone is not dropped");
        }
        assert_eq!(when("tomorrow", None), json!("tomorrow"), "whoever reads it says what is wrong with it");
    }

    #[test]
    fn each_line_is_an_object_and_empty_ones_are_none() {
        let good = r#"{"channel_id":"ch_1","media":{"kind":"image","url":"https://a.example/1.jpg"}}"#;
        let twice = r#"{"channel_id":"ch_1","channel_id":"ch_2","media":{"kind":"image","url":"x"}}"#;
        let file = format!("{good}\r\n\n[1]\n{{\"title\":1}}\n{twice}");
        let rows = read("application/x-ndjson", file.as_bytes(), None).unwrap();
        let lines: Vec<_> = rows.iter().map(|row| (row.line, row.pin.is_ok())).collect();
        assert_eq!(lines, [(1, true), (3, false), (4, false), (5, false)]);
    }

    #[test]
    fn what_is_no_file_of_rows_is_refused_as_a_whole() {
        for (content_type, file, code) in [
            ("text/csv", "title,colour\na,b\n", "unknown_field"),
            ("text/csv", "title,Title\na,b\n", "repeated_field"),
            ("text/csv", "media_url,Media URL\na,b\n", "repeated_field"),
            ("text/csv", "title\n", "no_rows"),
            ("application/x-ndjson", "\n\n", "no_rows"),
            ("text/csv", "title,link\na\n", "invalid_csv"),
            ("application/json", "{}", "unsupported_content_type"),
            ("", "{}", "unsupported_content_type"),
        ] {
            let told = read(content_type, file.as_bytes(), None);
            let code_told = told.as_ref().err().map(|error| error.problem().code);
            assert_eq!(code_told.unwrap_or_default(), code, "{content_type} {file}: {told:?}");
        }
        let many = "{}\n".repeat(MAX_ROWS + 1);
        assert!(read("application/jsonl", many.as_bytes(), None).is_err());
    }
}
