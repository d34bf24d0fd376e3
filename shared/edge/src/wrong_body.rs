//! Describes the error of a body for people. Serde's own messages name Rust types and parser internals, so they are not
//! passed on.

use domain::Invalid;
use serde_json::{Value, error::Category};
use serde_path_to_error::{Path, Segment};

/// How many characters of a caller's name or value an error repeats.
const MAX_REPEATED_CHARS: usize = 60;

/// The position at which a text is no longer JSON.
pub(crate) fn place(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "it ends too early".to_owned(),
        _ => format!("something is wrong in line {}, at column {}", error.line(), error.column()),
    }
}

/// The error of a value of `body`, with its place.
pub(crate) fn wrong(error: &serde_path_to_error::Error<serde_json::Error>, body: &[u8]) -> Invalid {
    let (path, words) = (error.path().to_string(), error.inner().to_string());
    let path = if path == "." { "" } else { &path };
    let words = words.split(" at line ").next().unwrap_or_default();
    let (what, rest) = words.split_once('`').unwrap_or((words, ""));
    let name: String = rest.split('`').next().unwrap_or_default().chars().take(MAX_REPEATED_CHARS).collect();
    // For a tagged object, Serde does not report the place of an error inside it.
    let there = value_at(body, error.path());
    let form = "Send the value in the form that the API reference shows.";
    match what {
        "unknown field " => {
            let fix = "Remove the field, or write it as the API reference does.";
            let within = || (path.to_owned(), format!("holds an unknown field: '{name}'"));
            let itself = |field| (field, "is not a field that is known here".to_owned());
            let (field, detail) = field_of(path, &name, there.as_ref()).map_or_else(within, itself);
            Invalid::new(field, "unknown_field", detail, fix)
        }
        "missing field " => {
            Invalid::new(joined(path, &name), "missing_field", "is missing", "Add the field.")
        }
        "duplicate field " => match field_of(path, &name, there.as_ref()) {
            Some(field) => Invalid::new(field, "invalid_type", "is given twice", "Give it once."),
            None => Invalid::new(path, "invalid_type", format!("holds '{name}' twice"), "Give it once."),
        },
        "unknown variant " => {
            // The known values are those of the contract.
            let known: Vec<_> = rest.split('`').skip(2).step_by(2).collect();
            let fix =
                if known.is_empty() { form.to_owned() } else { format!("Use one of {}.", known.join(", ")) };
            let verb = if there.is_some_and(|there| there.is_object()) { "holds" } else { "has" };
            let detail = format!("{verb} an unknown value: '{name}'");
            Invalid::new(joined(path, ""), "invalid_type", detail, fix)
        }
        _ => Invalid::new(joined(path, ""), "invalid_type", wrong_value(words, there.as_ref()), form),
    }
}

/// The value that an error is about, or that it is within.
fn value_at(body: &[u8], path: &Path) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let value = path.iter().try_fold(&body, |value, segment| match segment {
        Segment::Map { key } => value.get(key),
        Segment::Seq { index } => value.get(index),
        Segment::Enum { .. } | Segment::Unknown => Some(value),
    });
    value.cloned()
}

/// The place of the field `name`, if it is at `path` or right below.
fn field_of(path: &str, name: &str, there: Option<&Value>) -> Option<String> {
    let is_it = path.rsplit('.').next() == Some(name);
    let is_below = there.is_some_and(|there| there.get(name).is_some());
    match (is_it, is_below) {
        (true, _) => Some(path.to_owned()),
        (false, true) => Some(joined(path, name)),
        (false, false) if path.is_empty() => Some(name.to_owned()),
        (false, false) => None,
    }
}

fn joined(path: &str, name: &str) -> String {
    match (path, name) {
        ("", "") => "body".to_owned(),
        ("", name) => name.to_owned(),
        (path, "") => path.to_owned(),
        (path, name) => format!("{path}.{name}"),
    }
}

/// What a value is, and what it should be: `invalid type: integer `5`, expected a string`.
fn wrong_value(words: &str, there: Option<&Value>) -> String {
    let otherwise = || "has a form that is not accepted here".to_owned();
    let Some((kind, rest)) = words.split_once(": ") else { return otherwise() };
    let Some((found, expected)) = rest.rsplit_once(", expected ") else { return otherwise() };
    let found = found.split(' ').next().unwrap_or_default();
    let bits = expected.strip_prefix('u').and_then(|bits| bits.parse::<u32>().ok());
    let wanted = match (bits, found) {
        (Some(bits), "integer") if kind == "invalid value" => {
            Some(format!("a number from 0 to {}", u128::MAX >> (128 - bits.clamp(1, 128))))
        }
        _ => expected_words(expected).map(str::to_owned),
    };
    let is_within = there.is_some_and(Value::is_object) && found != "map";
    match (is_within, found_words(found), wanted) {
        (true, Some(found), Some(wanted)) => format!("holds {found} where {wanted} is wanted"),
        (true, ..) => "holds a value of a form that is not accepted here".to_owned(),
        (false, Some("a number"), Some(wanted)) if wanted.contains("number") => format!("is not {wanted}"),
        (false, Some(found), Some(wanted)) => format!("is {found}, and not {wanted}"),
        (false, Some(found), None) => format!("is {found}, which is not accepted here"),
        (false, None, Some(wanted)) => format!("is not {wanted}"),
        (false, None, None) => otherwise(),
    }
}

fn found_words(found: &str) -> Option<&'static str> {
    Some(match found {
        "boolean" => "true or false",
        "integer" | "floating" | "number" => "a number",
        "string" => "text",
        "null" | "unit" => "null",
        "sequence" => "a list",
        "map" => "an object",
        _ => return None,
    })
}

fn expected_words(expected: &str) -> Option<&str> {
    let is_object =
        ["struct ", "internally tagged enum ", "map"].iter().any(|word| expected.starts_with(word));
    Some(match expected {
        "a string" | "string" | "a borrowed string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" | "an object" => "an object",
        _ if is_object => "an object",
        "f32" | "f64" => "a number",
        // Our own words.
        _ if expected.starts_with("a time such as ") => expected,
        _ if expected.strip_prefix(['u', 'i']).is_some_and(|bits| bits.parse::<u32>().is_ok()) => {
            "a whole number"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestError, parse};

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[allow(dead_code, reason = "only what is wrong is looked at")]
    struct Body {
        text: String,
        number: u32,
        items: Vec<Part>,
        part: Option<Part>,
        kind: Option<Kind>,
        media: Option<Media>,
    }

    /// Serde reads a tagged object as a whole before it knows its kind.
    #[derive(Debug, serde::Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
    #[allow(dead_code, reason = "only what is wrong is looked at")]
    enum Media {
        Image { url: String },
        Carousel { items: Vec<Part> },
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only what is wrong is looked at")]
    struct Part {
        name: String,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Image,
        Video,
    }

    fn problem_detail(body: &str) -> String {
        match parse::<Body>(body.as_bytes()) {
            Err(RequestError::Invalid(Invalid { field, code, detail, .. })) => {
                format!("{code}: {field} {detail}")
            }
            Err(other) => other.to_string(),
            Ok(body) => format!("{body:?}"),
        }
    }

    #[test]
    fn problems_of_a_body_are_described_in_plain_words() {
        for (body, words) in [
            (r#"{"text":5}"#, "invalid_type: text is a number, and not text"),
            (r#"{"text":null}"#, "invalid_type: text is null, and not text"),
            (r#"{"text":["a"]}"#, "invalid_type: text is a list, and not text"),
            (r#"{"text":{}}"#, "invalid_type: text is an object, and not text"),
            (r#"{"number":"5, expected u32"}"#, "invalid_type: number is text, and not a whole number"),
            (r#"{"number":-1}"#, "invalid_type: number is not a number from 0 to 4294967295"),
            (r#"{"number":1.5}"#, "invalid_type: number is not a whole number"),
            (r#"{"number":true}"#, "invalid_type: number is true or false, and not a whole number"),
            (r#"{"items":{}}"#, "invalid_type: items is an object, and not a list"),
            (
                r#"{"items":[{"name":"a"},{"name":5}]}"#,
                "invalid_type: items[1].name is a number, and not text",
            ),
            (r#"{"items":[{}]}"#, "missing_field: items[0].name is missing"),
            (r#"{"part":{"nam":"a"}}"#, "unknown_field: part.nam is not a field that is known here"),
            (r#"{"part":"a"}"#, "invalid_type: part is text, and not an object"),
            (r#"{"part":{"name":"a","name":"b"}}"#, "invalid_type: part.name is given twice"),
            (r#"{"txt":"a"}"#, "unknown_field: txt is not a field that is known here"),
            (r#"{"kind":"Image"}"#, "invalid_type: kind has an unknown value: 'Image'"),
            (r#"{"media":{"kind":"film"}}"#, "invalid_type: media.kind has an unknown value: 'film'"),
            (r#"{"media":{"url":"a"}}"#, "missing_field: media.kind is missing"),
            (r#"{"media":{"kind":"image"}}"#, "missing_field: media.url is missing"),
            (
                r#"{"media":{"kind":"image","url":"a","uri":"b"}}"#,
                "unknown_field: media.uri is not a field that is known here",
            ),
            (
                r#"{"media":{"kind":"image","url":5}}"#,
                "invalid_type: media holds a number where text is wanted",
            ),
            (
                r#"{"media":{"kind":"carousel","items":[{"name":"a","caption":"b"}]}}"#,
                "unknown_field: media holds an unknown field: 'caption'",
            ),
            ("{", "the body is not JSON: it ends too early"),
            ("{\n\"text\" \"a\"}", "the body is not JSON: something is wrong in line 2, at column 8"),
        ] {
            assert_eq!(problem_detail(body), words, "{body}");
        }
    }
}
