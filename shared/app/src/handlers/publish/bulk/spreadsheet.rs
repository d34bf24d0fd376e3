//! CSV with the encodings and separators that spreadsheets use.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};
use edge::RequestError;

use super::rows::MAX_ROWS;

/// How a spreadsheet saves a file that everybody can read.
const SAVE_AS_UTF_8: &str = "Save it as CSV in UTF-8: in Excel, File, Save As, `CSV UTF-8 (Comma delimited)`; in \
     Numbers, File, Export To, CSV, with the encoding Unicode (UTF-8); in Google Sheets, File, Download, `.csv`.";
const QUOTE_IT: &str = "Put a text that has commas, semicolons, tabs or line breaks in quotation marks, and write a \
     quotation mark within it twice.";

/// How many cells a row may have: as many as an Excel sheet has columns. Even an empty cell takes memory.
const MAX_COLUMNS: usize = 16_384;
/// A marker that is added as a row after the last one. A quotation mark that is never closed includes it.
const END: &str = "\n\0";

/// A file: the names of its columns, and its rows.
pub(super) struct Spreadsheet {
    pub(super) headings: Vec<String>,
    pub(super) records: Vec<Record>,
}

/// A row that is not empty.
pub(super) struct Record {
    /// The line on which it begins in the file; the first is 1.
    pub(super) line: u64,
    /// A cell for each heading, or the error of the row.
    pub(super) cells: Result<StringRecord, RequestError>,
}

impl Spreadsheet {
    /// Reads a file. `is_known` recognises column names: the separator is the one that gives the most known columns. Of a
    /// file with too many rows, it reads one more than the maximum.
    pub(super) fn read(file: &[u8], is_known: impl Fn(&str) -> bool) -> Result<Self, RequestError> {
        let text = decode(file)?;
        let (named, text_begins) = named_separator(&text);
        let table = format!("{}{END}", &text[text_begins..]);
        let separators = [b'\t', b';', named.unwrap_or(b',')];
        if table.split(['\r', '\n']).any(|line| separators.iter().any(|one| count(line, *one) > MAX_COLUMNS))
        {
            let detail = format!("has more than {MAX_COLUMNS} cells");
            return Err(malformed(&detail, "Delete the columns that are empty."));
        }
        let separator = named.unwrap_or_else(|| {
            let known =
                |separator: &u8| headings(&table, *separator).iter().filter(|name| is_known(name)).count();
            // Excel uses the semicolon in countries with a decimal comma, and the tab for `Unicode Text`. If several are
            // equally good, the last one is used.
            separators.into_iter().max_by_key(known).unwrap_or(b',')
        });
        let headings = headings(&table, separator);
        if headings.last().is_some_and(|name| name.ends_with(END)) {
            let detail = "has a quotation mark that is never closed: the rest of the file is within it";
            return Err(malformed(detail, QUOTE_IT));
        }
        let mut records = Vec::new();
        let (mut line, mut counted) = (1 + line_breaks(&text[..text_begins]), 0);
        let (mut reader, mut record) = (reader(&table, separator), StringRecord::new());
        // One record is reused for all rows, because the record of a refused row may be large.
        for row in 0.. {
            if !reader.read_record(&mut record).map_err(|_| malformed("cannot be read", QUOTE_IT))? {
                break;
            }
            if row == 0 {
                continue; // the headings
            }
            let begins = record.position().and_then(|position| usize::try_from(position.byte()).ok());
            let begins = begins.unwrap_or(counted);
            let blank = table[begins..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            line += line_breaks(&table[counted..begins + blank]);
            counted = begins + blank;
            if record.iter().eq([END.trim_start()]) || record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            records.push(Record { line, cells: checked(&record, &headings).map(|()| record.clone()) });
            if records.len() > MAX_ROWS {
                break;
            }
        }
        Ok(Self { headings, records })
    }
}

fn count(line: &str, separator: u8) -> usize {
    line.bytes().filter(|byte| *byte == separator).count()
}

fn reader(table: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(table.as_bytes())
}

fn headings(table: &str, separator: u8) -> Vec<String> {
    let first = reader(table, separator).into_records().next().and_then(Result::ok).unwrap_or_default();
    let names = first.iter().filter(|name| *name != END.trim_start());
    names.map(|name| name.trim().to_owned()).collect()
}

/// Whether each cell of a row is below a heading.
fn checked(record: &StringRecord, headings: &[String]) -> Result<(), RequestError> {
    if record.iter().next_back().is_some_and(|cell| cell.ends_with(END)) {
        return Err(malformed(
            "has a quotation mark that is never closed: the rest of the file is within it",
            QUOTE_IT,
        ));
    }
    let named = headings.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    // One extra cell, even an empty one, means that a text contains a comma.
    if !(named..=headings.len()).contains(&record.len()) {
        let detail = format!("has {} cells, and the first line {named}", record.len());
        return Err(malformed(&detail, QUOTE_IT));
    }
    let is_nameless = |at: usize| headings.get(at).is_none_or(String::is_empty);
    match record.iter().enumerate().find(|(at, cell)| is_nameless(*at) && !cell.trim().is_empty()) {
        Some((at, _)) => {
            Err(malformed(&format!("has something in column {}, which has no name", at + 1), QUOTE_IT))
        }
        None => Ok(()),
    }
}

fn malformed(detail: &str, fix: &'static str) -> RequestError {
    RequestError::Malformed { code: "invalid_csv", detail: format!("the row {detail}"), fix }
}

/// Decodes a file, in any encoding that can be recognised for certain.
fn decode(file: &[u8]) -> Result<Cow<'_, str>, RequestError> {
    let unreadable = |detail: String, fix| RequestError::Malformed { code: "invalid_csv", detail, fix };
    if file.starts_with(b"PK\x03\x04") || file.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(unreadable("the file is the spreadsheet itself, and not CSV".to_owned(), SAVE_AS_UTF_8));
    }
    let utf_16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks();
        let text = String::from_utf16(&pairs.iter().copied().map(unit).collect::<Vec<_>>()).ok();
        let text = text.filter(|_| rest.is_empty()).map(Cow::Owned);
        text.ok_or_else(|| {
            unreadable("the file breaks off, or is not UTF-16 all through".to_owned(), SAVE_AS_UTF_8)
        })
    };
    match file {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        // UTF-16 without a byte order mark: one of the two bytes of the first letter of a heading is zero.
        [1..=255, 0, ..] => utf_16(file, u16::from_le_bytes),
        [0, 1..=255, ..] => utf_16(file, u16::from_be_bytes),
        _ => {
            let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file); // Excel's mark of UTF-8
            str::from_utf8(file).map(Cow::Borrowed).map_err(|error| {
                let before = String::from_utf8_lossy(&file[..error.valid_up_to()]);
                let line = 1 + line_breaks(&before);
                unreadable(
                    format!("the file is not in UTF-8: line {line} has a letter that cannot be told"),
                    SAVE_AS_UTF_8,
                )
            })
        }
    }
}

/// The separator from a first line such as `sep=;` (as Excel writes it), and the position of the text after it.
fn named_separator(text: &str) -> (Option<u8>, usize) {
    let first = text.split(['\r', '\n']).next().unwrap_or_default();
    let name = first.trim_matches('"').to_ascii_lowercase();
    match name.strip_prefix("sep=").map(str::as_bytes) {
        Some(&[separator]) if separator.is_ascii() => (Some(separator), first.len()),
        _ => (None, 0),
    }
}

/// How many line ends `text` has, of any operating system.
fn line_breaks(text: &str) -> u64 {
    let returns = text.matches('\r').count();
    let feeds = text.matches('\n').count();
    (returns + feeds - text.matches("\r\n").count()) as u64
}
