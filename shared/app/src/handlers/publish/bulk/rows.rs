//! Many Pins in one file: JSON lines, or CSV with our columns or those of Pinterest's own bulk upload.

use domain::Invalid;
use edge::{RequestError, parse};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    cells::Fields,
    columns::Column,
    spreadsheet::{Record, Spreadsheet},
};
use crate::{
    error::{Error, Result},
    handlers::NewPin,
};

/// How many rows one file may have.
pub(super) const MAX_ROWS: usize = 1000;

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// The line on which it begins in the file; the first is 1.
    pub(super) line: u64,
    /// The requested Pin.
    pub(super) pin: Result<NewPin>,
    /// Its content: two rows with the same content are the same row.
    pub(super) content: String,
    /// The board by its name, with a section after a slash, from Pinterest's own column.
    pub(super) board_name: Option<String>,
}

/// Reads a file by its `Content-Type`; `now` is the time at which it was sent. `channel` is the channel of the rows that
/// name none.
pub(super) fn read(
    content_type: &str,
    file: &[u8],
    channel: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Row>> {
    let rows = match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => csv(file, channel, now)?,
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
            // Parsed from the text itself, so that a repeated field is found.
            Ok(fields) if channel.is_none() || fields.contains_key("channel_id") => {
                let content = Value::Object(fields).to_string();
                Row { line, pin: parse(text).map_err(Into::into), content, board_name: None }
            }
            Ok(pin) => row_of_fields(line, Fields { pin, ..Fields::default() }, channel),
            Err(error) => Row { line, pin: Err(error.into()), content: String::new(), board_name: None },
        })
        .collect()
}

fn row_of_fields(line: u64, fields: Fields, channel: Option<&str>) -> Row {
    let Fields { mut pin, board_name, publish_at_as_written } = fields;
    if let Some(channel) = channel {
        pin.entry("channel_id").or_insert_with(|| json!(channel));
    }
    let asked_for = Value::Object(pin.clone()).to_string();
    pin.extend(publish_at_as_written.map(|at| ("publish_at".to_owned(), at)));
    let content = format!("{} {}", Value::Object(pin), board_name.as_deref().unwrap_or_default());
    Row { line, pin: parse(asked_for.as_bytes()).map_err(Into::into), content, board_name }
}

fn csv(file: &[u8], channel: Option<&str>, now: Timestamp) -> Result<Vec<Row>> {
    let file = Spreadsheet::read(
        file,
        |name| matches!(Column::of_name(name), Some(known) if known != Column::Nameless),
    )?;
    let columns = Column::all(&file.headings)?;
    let rows = file.records.into_iter().map(|Record { line, cells }| {
        let fields = cells.map_err(Error::from).and_then(|cells| {
            let cells = columns.iter().copied().zip(cells.iter());
            Ok(Fields::read(cells, now)?)
        });
        match fields {
            Ok(fields) => row_of_fields(line, fields, channel),
            Err(error) => Row { line, pin: Err(error), content: String::new(), board_name: None },
        }
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use edge::ApiError as _;

    use super::*;

    const PINTERESTS: &str =
        "Title,Media URL,Pinterest board,Thumbnail,Description,Link,Publish date,Keywords";

    fn rows(content_type: &str, file: &[u8]) -> Result<Vec<Row>> {
        read(content_type, file, Some("ch_1"), "2026-11-30T12:34:56.789Z".parse().unwrap())
    }

    fn csv_rows(file: &str) -> Vec<Row> {
        rows("text/csv", file.as_bytes()).unwrap()
    }

    fn code(row: &Row) -> String {
        row.pin.as_ref().err().map(|error| error.problem().code).unwrap_or_default()
    }

    /// The request of a row, which is its content except for days without a time.
    fn contents(file: &[u8]) -> Vec<(u64, Value, Option<String>)> {
        let row = |row: Row| {
            assert_eq!(code(&row), "", "{row:?}");
            let board = row.board_name.as_deref().unwrap_or_default();
            let content = row.content.strip_suffix(board).unwrap();
            (row.line, serde_json::from_str(content).unwrap(), row.board_name)
        };
        rows("text/csv", file).unwrap().into_iter().map(row).collect()
    }

    #[test]
    fn columns_of_pinterest_and_of_pinwright_mean_the_same() {
        let expected = json!({
            "channel_id": "ch_1",
            "title": "Salad",
            "description": "Green, fresh",
            "media": {"kind": "image", "url": "https://a.example/1.jpg"},
            "publish_at": {"local": "2026-12-01T09:00:00", "time_zone": "UTC"},
        });
        let pinterest_csv = format!(
            "{PINTERESTS}\nSalad,https://a.example/1.jpg,Food,,\"Green, fresh\",,2026-12-01T09:00:00,a\n"
        );
        assert_eq!(contents(pinterest_csv.as_bytes()), [(2, expected.clone(), Some("Food".to_owned()))]);
        let pinwright_csv = "\u{feff}title,description,media_url,publish_at,time_zone\r\n\
                    Salad,\"Green, fresh\",https://a.example/1.jpg,2026-12-01 09:00,UTC\r\n";
        assert_eq!(contents(pinwright_csv.as_bytes()), [(2, expected, None)]);
    }

    /// The form of Pinterest's own sample: an image, and a video with a moment of it as its cover.
    #[test]
    fn pinterest_s_own_file_is_taken() {
        let file = format!(
            "{PINTERESTS}\n\
             Hello World,https://a.example/1.png,Food,,\"A picture, of food\",https://a.example/,2026-12-01,\"a,b\"\n\
             Hello Video,https://a.example/1.mp4,Food,0:03,,,,\n\
             Hello Cover,https://a.example/2.MOV,Food,https://a.example/2.png,,,,\n\
             Hello First,https://a.example/3.m4v,Food,,,,,\n\
             Hello Stream,https://a.example/stream,Food,90,,,,\n"
        );
        let media: Vec<_> =
            contents(file.as_bytes()).into_iter().map(|(_, row, _)| row["media"].clone()).collect();
        assert_eq!(
            media,
            [
                json!({"kind": "image", "url": "https://a.example/1.png"}),
                json!({"kind": "video", "url": "https://a.example/1.mp4", "cover": {"frame_seconds": 3}}),
                json!({"kind": "video", "url": "https://a.example/2.MOV", "cover": {"url": "https://a.example/2.png"}}),
                json!({"kind": "video", "url": "https://a.example/3.m4v"}),
                json!({"kind": "video", "url": "https://a.example/stream", "cover": {"frame_seconds": 90}}),
            ]
        );
    }

    /// The same two rows, as each program and system saves them.
    #[test]
    fn a_spreadsheet_s_file_says_the_same_however_it_is_saved() {
        let csv = "Title,Media URL,Pinterest board,Link\n\
                     Şölen,https://a.example/1.jpg, Café ,\n\
                     \"Green, \"\"fresh\"\"\nand quick\",https://a.example/2.jpg,Food,https://a.example/\n";
        let expected = contents(csv.as_bytes());
        assert_eq!((expected[0].2.as_deref(), expected[1].0), (Some("Café"), 3));
        let other = |separator: &str| {
            csv.replace("Green, ", "Green@ ").replace(',', separator).replace("Green@ ", "Green, ")
        };
        let utf_16 =
            |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let windows = csv.replace('\n', "\r\n").replace("\\r\\n\nand", "\nand");
        let files: Vec<(&str, Vec<u8>)> = vec![
            ("Excel, CSV UTF-8", format!("\u{feff}{csv}").into_bytes()),
            ("Excel in German", format!("\u{feff}{}", other(";")).into_bytes()),
            ("Excel, Unicode Text", utf_16(&format!("\u{feff}{}", other("\t")), u16::to_le_bytes)),
            ("UTF-16, big end first", utf_16(&format!("\u{feff}{csv}"), u16::to_be_bytes)),
            ("UTF-16 without a mark", utf_16(csv, u16::to_le_bytes)),
            ("UTF-16 without a mark, big end first", utf_16(csv, u16::to_be_bytes)),
            ("tabs", other("\t").into_bytes()),
            ("empty columns", csv.replace(",Link", ",Link,,").into_bytes()),
        ];
        for (case, file) in files {
            assert_eq!(contents(&file), expected, "{case}");
        }
        let line_of_second = |file: &str| contents(file.as_bytes())[1].0;
        assert_eq!(line_of_second(&format!("sep=;\r\n{}", other(";"))), 4, "a line that names the separator");
        assert_eq!(line_of_second(&windows), 3);
        assert_eq!(line_of_second(&csv.replace('\n', "\r")), 3, "an old Mac");
        assert_eq!(line_of_second(&csv.replace("\n\"Green", "\n\n,,,\r\n\"Green")), 5, "empty rows");
    }

    #[test]
    fn a_file_in_an_unknown_encoding_is_refused_with_how_to_save_it() {
        for (file, words) in [
            (b"Title,Media URL\nT\xfcrk kahvesi,https://a.example/1.jpg\n".as_slice(), "line 2"),
            (b"PK\x03\x04\x14\0\x06\0", "the spreadsheet itself"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "the spreadsheet itself"),
            (b"\xff\xfeT\0i", "breaks off"),
            (b"\xff\xfeT\0\0\xd8", "not UTF-16 all through"),
        ] {
            let problem = rows("text/csv", file).unwrap_err().problem();
            assert_eq!(problem.code, "invalid_csv");
            assert!(problem.detail.contains(words), "{}", problem.detail);
            assert!(problem.fix.contains("CSV UTF-8"), "{}", problem.fix);
        }
    }

    #[test]
    fn a_row_with_too_many_or_too_few_cells_is_refused_alone() {
        let file = "title,media_url,link\n\
                    A,https://a.example/1.jpg,\n\
                    B, and more,https://a.example/1.jpg,\n\
                    C,https://a.example/1.jpg\n\
                    D,https://a.example/1.jpg,https://a.example/\n";
        let rows = csv_rows(file);
        let lines: Vec<_> = rows.iter().map(|row| (row.line, code(row))).collect();
        assert_eq!(
            lines,
            [(2, ""), (3, "invalid_csv"), (4, "invalid_csv"), (5, "")]
                .map(|(line, code)| (line, code.to_owned()))
        );
        let problem = rows[1].pin.as_ref().unwrap_err().problem();
        assert_eq!(problem.detail, "the row has 4 cells, and the first line 3");
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_swallows_no_row_in_silence() {
        let file = "title,media_url,Keywords\nA,https://a.example/1.jpg,x\nB,https://a.example/2.jpg,\"y\nC,https://a.example/3.jpg,z\n";
        assert_eq!(csv_rows(file).iter().map(code).collect::<Vec<_>>(), ["", "invalid_csv"]);
        let first = rows("text/csv", b"title,\"media_url\nA,https://a.example/1.jpg\n");
        assert_eq!(first.unwrap_err().problem().code, "invalid_csv");
    }

    #[test]
    fn a_cell_discloses_in_pinterests_words_or_in_those_of_people() {
        let file = "Title,Media URL,AI disclosures\n\
                    A,https://a.example/1.jpg,AI_MODIFIED\n\
                    B,https://a.example/1.jpg,AI modified; synthetic performer\n\
                    C,https://a.example/1.jpg,\n\
                    D,https://a.example/1.jpg,no\n";
        let disclosed: Vec<_> = contents(file.as_bytes())
            .into_iter()
            .map(|(_, pin, _)| pin.get("ai_disclosures").map(|disclosures| disclosures["values"].clone()))
            .collect();
        let both = json!(["AI_MODIFIED", "SYNTHETIC_PERFORMER"]);
        assert_eq!(disclosed, [Some(json!(["AI_MODIFIED"])), Some(both), None, Some(json!(["NO"]))]);
    }

    #[test]
    fn a_row_names_its_board_in_one_way() {
        let file = "board_id,Pinterest board,title,media_url\n1,,A,https://a.example/1.jpg\n\
                    ,Food,B,https://a.example/1.jpg\n1,Food,C,https://a.example/1.jpg\n";
        assert_eq!(csv_rows(file).iter().map(code).collect::<Vec<_>>(), ["", "", "repeated_field"]);
    }

    #[test]
    fn each_line_is_an_object_and_empty_lines_are_skipped() {
        let valid_line = r#"{"channel_id":"ch_1","media":{"kind":"image","url":"https://a.example/1.jpg"}}"#;
        let repeated_field =
            r#"{"channel_id":"ch_1","channel_id":"ch_2","media":{"kind":"image","url":"x"}}"#;
        let file = format!("{valid_line}\r\n\n[1]\n{{\"title\":1}}\n{repeated_field}");
        let rows = read("application/x-ndjson", file.as_bytes(), None, Timestamp::UNIX_EPOCH).unwrap();
        let lines: Vec<_> = rows.iter().map(|row| (row.line, row.pin.is_ok())).collect();
        assert_eq!(lines, [(1, true), (3, false), (4, false), (5, false)]);
    }

    #[test]
    fn a_file_of_another_format_is_refused_as_a_whole() {
        for (content_type, file, code) in [
            ("text/csv", "title,colour\na,b\n", "unknown_field"),
            ("text/csv", "title,Title\na,b\n", "repeated_field"),
            ("text/csv", "media_url,Media URL\na,b\n", "repeated_field"),
            ("text/csv", "title\n", "no_rows"),
            ("text/csv", "", "no_rows"),
            ("text/csv", "title;media_url\n;\n\n", "no_rows"),
            ("application/x-ndjson", "\n\n", "no_rows"),
            ("application/json", "{}", "unsupported_content_type"),
            ("", "{}", "unsupported_content_type"),
        ] {
            let result = rows(content_type, file.as_bytes());
            let actual = result.as_ref().err().map(|error| error.problem().code);
            assert_eq!(actual.unwrap_or_default(), code, "{content_type} {file}: {result:?}");
        }
        assert!(rows("application/jsonl", "{}\n".repeat(MAX_ROWS + 1).as_bytes()).is_err());
        let many = format!("title\n{}", "a\n".repeat(MAX_ROWS + 1));
        assert_eq!(rows("text/csv", many.as_bytes()).unwrap_err().problem().code, "too_many_rows");
    }
}
