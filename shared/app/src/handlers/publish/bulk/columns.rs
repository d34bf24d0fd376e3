//! The columns of a file: our own, and Pinterest's with their current and older names.

use std::collections::HashSet;

use domain::Invalid;
use jiff::civil::Date;

/// The meaning of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Column {
    /// A text of the Pin, with its name in JSON.
    Text(&'static str),
    /// An address, an id or another name, with its name in JSON. White space around it is removed.
    Name(&'static str),
    /// The address of the image or the video.
    Media,
    /// The cover of a video.
    Thumbnail,
    /// The board by its name, with a section after a slash.
    Board,
    /// The AI disclosures of the Pin.
    AiDisclosures,
    /// When it is to be published.
    PublishAt,
    /// The zone of that time.
    TimeZone,
    /// Pinterest's API has no field for it. It is ignored.
    Keywords,
    /// An empty column without a name.
    Nameless,
}

/// Pinterest's own columns, as its sample file names them.
const PINTERESTS: [(&str, Column); 8] = [
    ("Title", Column::Text("title")),
    ("Media URL", Column::Media),
    ("Pinterest board", Column::Board),
    ("Thumbnail", Column::Thumbnail),
    ("Description", Column::Text("description")),
    ("Link", Column::Name("link")),
    ("Publish date", Column::PublishAt),
    ("Keywords", Column::Keywords),
];
/// The columns that Pinterest's file does not have.
const OURS: [(&str, Column); 9] = [
    ("channel_id", Column::Name("channel_id")),
    ("board_id", Column::Name("board_id")),
    ("board_section_id", Column::Name("board_section_id")),
    ("alt_text", Column::Text("alt_text")),
    ("dominant_color", Column::Name("dominant_color")),
    ("ai_disclosures", Column::AiDisclosures),
    ("publish_at", Column::PublishAt),
    ("time_zone", Column::TimeZone),
    ("publish_within", Column::Name("publish_within")),
];
/// Other names: from Pinterest's older help pages, and from templates that people share.
const SYNONYMS: [(&str, Column); 6] = [
    ("Media file URL", Column::Media),
    ("Image URL", Column::Media),
    ("Board", Column::Board),
    ("Board name", Column::Board),
    ("Published at", Column::PublishAt),
    ("Keywords or tags", Column::Keywords),
];

/// The template: an image that is published at once, and a video for a later day.
pub(in crate::handlers::publish) fn template(day: Date) -> String {
    let heading = PINTERESTS.map(|(name, _)| name).join(",");
    format!(
        "{heading}\r\n\
         Green salad,https://images.example.com/salad.jpg,Recipes,,\"Fresh, green and quick\",https://example.com/salad,,\r\n\
         How to wash lettuce,https://videos.example.com/lettuce.mp4,Recipes/Salads,0:03,,,{day} 18:00,\r\n"
    )
}

impl Column {
    /// Finds a column by its name. Upper and lower case, spaces and underscores make no difference.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = plain(name);
        if name.is_empty() {
            return Some(Self::Nameless);
        }
        let all = PINTERESTS.iter().chain(&OURS).chain(&SYNONYMS);
        all.copied().find_map(|(known, column)| (plain(known) == name).then_some(column))
    }

    /// The columns of a file. Each must be known, and be there once.
    pub(super) fn all(headings: &[String]) -> Result<Vec<Self>, Invalid> {
        let mut seen = HashSet::new();
        let columns = headings.iter().map(|name| {
            let column = Self::of_name(name).ok_or_else(|| unknown(name))?;
            if column != Self::Nameless && !seen.insert(column) {
                let detail = "is repeated, perhaps under another name";
                return Err(Invalid::new(
                    format!("column {name}"),
                    "repeated_field",
                    detail,
                    "Keep one of them.",
                ));
            }
            Ok(column)
        });
        columns.collect()
    }
}

fn unknown(name: &str) -> Invalid {
    let name: String = name.chars().take(100).collect();
    let names = |columns: &[(&'static str, Column)]| {
        columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    };
    let fix = format!(
        "Remove it, or name it as one of Pinterest's columns ({}) or of those that are added here ({}).",
        names(&PINTERESTS),
        names(&OURS)
    );
    Invalid::new(format!("column {name}"), "unknown_field", "is not a column that is known", fix)
}

/// A name without case, spaces and underscores.
fn plain(name: &str) -> String {
    let name = name.replace('_', " ").to_lowercase();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_by_any_of_its_names() {
        for (name, column) in [
            ("Media URL", Column::Media),
            ("media_url", Column::Media),
            ("MEDIA\u{a0}URL ", Column::Media),
            ("Media file URL", Column::Media),
            ("image_url", Column::Media),
            ("Alt text", Column::Text("alt_text")),
            ("Keywords or tags", Column::Keywords),
            ("board_name", Column::Board),
            ("published_at", Column::PublishAt),
            ("Publish Date", Column::PublishAt),
            ("", Column::Nameless),
        ] {
            assert_eq!(Column::of_name(name), Some(column), "{name}");
        }
        assert_eq!(Column::of_name("colour"), None);
    }

    #[test]
    fn an_unknown_column_is_refused_with_the_names_of_pinterest_and_ours() {
        let refused = Column::all(&["Title".to_owned(), "Colour".to_owned()]).unwrap_err();
        assert_eq!((refused.field.as_str(), refused.code), ("column Colour", "unknown_field"));
        for name in ["Pinterest board", "Thumbnail", "alt_text", "time_zone"] {
            assert!(refused.fix.contains(name), "{}", refused.fix);
        }
    }
}
