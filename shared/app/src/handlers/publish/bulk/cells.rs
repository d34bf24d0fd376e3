//! Reads the cells of a row as a Pin.

use domain::{FileType, Invalid};
use jiff::{Timestamp, civil, tz::TimeZoneDatabase};
use serde_json::{Map, Value, json};

use super::columns::Column;

/// A row of a file, as the fields of a request.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The request.
    pub(super) pin: Map<String, Value>,
    /// The board by its name.
    pub(super) board_name: Option<String>,
    /// The content by which the row is recognised, if it differs from the request: a day without a time means another time
    /// whenever the file is sent.
    pub(super) publish_at_as_written: Option<Value>,
}

impl Fields {
    /// Reads a row. White space around names and addresses is removed; texts are not changed.
    pub(super) fn read<'a>(
        cells: impl Iterator<Item = (Column, &'a str)>,
        now: Timestamp,
    ) -> Result<Self, Invalid> {
        let mut fields = Self::default();
        let [mut media, mut thumbnail, mut publish_at, mut time_zone] = [None; 4];
        for (column, cell) in cells {
            let name = cell.trim();
            if name.is_empty() {
                continue;
            }
            match column {
                Column::Text(field) => drop(fields.pin.insert(field.to_owned(), json!(cell))),
                Column::Name(field) => drop(fields.pin.insert(field.to_owned(), json!(name))),
                Column::Media => media = Some(name),
                Column::Thumbnail => thumbnail = Some(name),
                Column::Board => fields.board_name = Some(name.to_owned()),
                Column::AiDisclosures => {
                    fields.pin.insert("ai_disclosures".to_owned(), json!({ "values": words(name) }));
                }
                Column::PublishAt => publish_at = Some(name),
                Column::TimeZone => time_zone = Some(name),
                Column::Keywords | Column::Nameless => {}
            }
        }
        if fields.board_name.is_some()
            && (fields.pin.contains_key("board_id") || fields.pin.contains_key("board_section_id"))
        {
            let detail = "is given beside the board's name";
            return Err(Invalid::new("board_id", "repeated_field", detail, "Name the board in one way."));
        }
        fields.pin.insert("media".to_owned(), media_of(media, thumbnail)?);
        if let Some(at) = publish_at {
            let (value, as_written) = when(at, time_zone, now)?;
            fields.pin.insert("publish_at".to_owned(), value);
            fields.publish_at_as_written = as_written;
        }
        Ok(fields)
    }
}

/// Pinterest's names in a cell, as people write them: `AI modified; synthetic performer`.
fn words(cell: &str) -> Vec<String> {
    let words = cell.split([',', ';', '|']).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.to_ascii_uppercase().replace([' ', '-'], "_")).collect()
}

/// A video is recognised by its file extension or, if the address has none, by its thumbnail: images have none.
fn media_of(address: Option<&str>, thumbnail: Option<&str>) -> Result<Value, Invalid> {
    let Some(address) = address else {
        let fix = "Give the address of the image or the video in the column `Media URL`.";
        return Err(Invalid::new("media_url", "missing_field", "is missing", fix));
    };
    let is_video = FileType::of_address(address).map_or(thumbnail.is_some(), FileType::is_video);
    match (is_video, thumbnail) {
        (false, None) => Ok(json!({"kind": "image", "url": address})),
        (true, None) => Ok(json!({"kind": "video", "url": address})),
        (true, Some(thumbnail)) => Ok(json!({"kind": "video", "url": address, "cover": cover(thumbnail)?})),
        (false, Some(_)) => {
            let fix = "Leave the column `Thumbnail` empty for an image: it is for videos.";
            Err(Invalid::new("thumbnail", "invalid_thumbnail", "is given, and the file is an image", fix))
        }
    }
}

/// The address of an image, or a time in the video: `3`, `0:03`, `00:00:03`.
fn cover(thumbnail: &str) -> Result<Value, Invalid> {
    let begins =
        |scheme: &str| thumbnail.get(..scheme.len()).is_some_and(|front| front.eq_ignore_ascii_case(scheme));
    if begins("https://") || begins("http://") {
        return Ok(json!({ "url": thumbnail }));
    }
    let seconds = seconds(thumbnail).ok_or_else(|| {
        let fix = "Write the moment as `0:03` or in whole seconds, give the address of an image, or leave it empty for the \
                   first frame.";
        let detail = "is neither a moment of the video nor an address";
        Invalid::new("thumbnail", "invalid_thumbnail", detail, fix)
    })?;
    Ok(json!({ "frame_seconds": seconds }))
}

fn seconds(moment: &str) -> Option<u32> {
    let parts: Vec<_> = moment.split(':').collect();
    let mut seconds = 0_u32;
    for (position, part) in parts.iter().enumerate() {
        let number = part.parse::<u32>().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        // Only the first part may be 60 or more.
        if position > 0 && (number > 59 || part.len() != 2) {
            return None;
        }
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
    }
    (parts.len() <= 3).then_some(seconds)
}

/// A time as spreadsheets write it, and the text by which the row is recognised if that differs. Without a zone it is UTC,
/// and a day without a time means the time of day at which the file is sent: both as in Pinterest's own bulk upload.
fn when(at: &str, zone: Option<&str>, now: Timestamp) -> Result<(Value, Option<Value>), Invalid> {
    // The parser of local times also accepts a zone and drops it: the check for the error is elsewhere.
    if at.parse::<Timestamp>().is_ok() || at.contains(['[', '+', 'Z', 'z']) {
        return Ok((json!(at), None));
    }
    let zone = zone.unwrap_or("UTC");
    let local = |time: civil::DateTime| json!({"local": time.to_string(), "time_zone": zone});
    if !at.contains([':', ' ', 'T', 't']) {
        let day = year_first(at, "00:00").ok_or_else(|| no_time(at))?;
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let clock = now.to_zoned(zone).time();
        let sent = day.date().to_datetime(clock.with().subsec_nanosecond(0).build().unwrap_or(clock));
        return Ok((local(sent), Some(local(day))));
    }
    let (day, time) = at.split_once([' ', 'T', 't']).ok_or_else(|| no_time(at))?;
    Ok((local(year_first(day, time.trim()).ok_or_else(|| no_time(at))?), None))
}

/// A date that begins with its year, as in `2026-12-07` and `2026/12/7`: in any other form, day and month cannot be
/// distinguished.
fn year_first(day: &str, time: &str) -> Option<civil::DateTime> {
    let separator = if day.contains('/') { '/' } else { '-' };
    let parts: Vec<_> = day.split(separator).collect();
    let &[year, month, day] = parts.as_slice() else { return None };
    let (hour, rest) = time.split_once(':')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte));
    if year.len() != 4 || ![year, month, day, time].into_iter().all(digits) {
        return None;
    }
    format!("{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{rest}").parse().ok()
}

fn no_time(at: &str) -> Invalid {
    let begins_with_day =
        at.split(['/', '.', '-']).next().is_some_and(|first| first.len() < 3) && at.contains(['/', '.', '-']);
    if begins_with_day {
        let detail =
            "is a date as a spreadsheet shows it, which does not tell the day from the month for certain";
        let fix = "Format the column as text before you enter the times (in Excel: Home, Number Format, Text), and write \
                   them as 2026-12-07 18:00.";
        return Invalid::new("publish_at", "ambiguous_date", detail, fix);
    }
    let fix = "Write it as 2026-12-07 18:00, and have the spreadsheet keep it as text.";
    Invalid::new("publish_at", "invalid_publish_at", "is not a date and a time", fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that is asked for, with the rest that tells it from others; or the code of what is wrong.
    fn parse_time(cell: &str, zone: Option<&str>) -> Result<(Value, Option<Value>), &'static str> {
        when(cell, zone, "2026-11-30T12:34:56.789Z".parse().unwrap()).map_err(|invalid| invalid.code)
    }

    fn local(text: &str) -> Value {
        json!({"local": text, "time_zone": "UTC"})
    }

    #[test]
    fn a_time_in_a_cell_is_an_instant_or_what_clocks_show() {
        for instant in [
            "2026-12-01T09:00:00+03:00",
            "2026-12-01T09:00:00Z",
            "2026-12-01T09:00[America/New_York]",
            "2026-12-01T09:00+01:00[Europe/Berlin]",
        ] {
            assert_eq!(parse_time(instant, None), Ok((json!(instant), None)), "a zone is not dropped");
        }
        for spelling in [
            "2026-12-07T18:00:00",
            "2026-12-07 18:00",
            "2026/12/07 18:00",
            "2026/12/7 18:00:00",
            "2026-12-07  18:00",
        ] {
            assert_eq!(parse_time(spelling, None), Ok((local("2026-12-07T18:00:00"), None)), "{spelling}");
        }
        assert_eq!(parse_time("2026/12/7 6:05", None), Ok((local("2026-12-07T06:05:00"), None)));
    }

    #[test]
    fn a_day_without_a_time_means_the_time_at_which_the_file_is_sent_and_stays_the_same_row() {
        for day in ["2026-12-07", "2026/12/07", "2026/12/7"] {
            let (asked_for, known_by) = (local("2026-12-07T12:34:56"), local("2026-12-07T00:00:00"));
            assert_eq!(parse_time(day, None), Ok((asked_for, Some(known_by))), "{day}");
        }
        let (asked_for, _) = parse_time("2026-12-07", Some("Europe/Istanbul")).unwrap();
        assert_eq!(asked_for["local"], "2026-12-07T15:34:56", "clocks there show it");
    }

    #[test]
    fn a_date_that_excel_has_rewritten_is_refused() {
        for rewritten in [
            "12/7/2026 22:00",
            "07.12.2026 18:00",
            "12/7/2026 6:00 PM",
            "7-12-2026 18:00",
            "12/7/26",
            "7.12.",
            "1/2",
        ] {
            assert_eq!(parse_time(rewritten, None), Err("ambiguous_date"), "{rewritten}");
        }
        for other in [
            "tomorrow",
            "46363.75",
            "2026-12-07 6:00 PM",
            "2026-13-07 18:00",
            "18:00",
            "2026-12",
            "2026-12-07T",
        ] {
            assert_eq!(parse_time(other, None), Err("invalid_publish_at"), "{other}");
        }
    }

    #[test]
    fn a_thumbnail_is_a_moment_or_an_address() {
        for (thumbnail, cover_of_it) in [
            ("0", json!({"frame_seconds": 0})),
            ("3", json!({"frame_seconds": 3})),
            ("0:03", json!({"frame_seconds": 3})),
            ("00:00:03", json!({"frame_seconds": 3})),
            ("90:00", json!({"frame_seconds": 5400})),
            ("1:02:03", json!({"frame_seconds": 3723})),
            ("HTTPS://a.example/1.png", json!({"url": "HTTPS://a.example/1.png"})),
        ] {
            assert_eq!(cover(thumbnail), Ok(cover_of_it), "{thumbnail}");
        }
        for bad in
            ["x", "-1", "0:3", "0:60", "1:2:3:4", "3.5", ":03", "3:", "99999999999", "71582789:00", "/1.png"]
        {
            assert_eq!(cover(bad).unwrap_err().code, "invalid_thumbnail", "{bad}");
        }
        let image = media_of(Some("https://a.example/1.jpg"), Some("0:03"));
        assert_eq!(image.unwrap_err().code, "invalid_thumbnail");
        assert_eq!(media_of(None, None).unwrap_err().field, "media_url");
    }
}
