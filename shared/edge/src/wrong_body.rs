//! What is wrong with a body, in words for people. Serde tells it in its own, which name Rust's types and the parser's
//! inside: none of them is passed on.

use domain::Invalid;
use serde_json::error::Category;

/// How much of a name that a caller made up is repeated.
const MAX_REPEATED_CHARS: usize = 60;

/// Where a text stops to be JSON.
pub(crate) fn place(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "it ends too early".to_owned(),
        _ => format!("something is wrong in line {}, at column {}", error.line(), error.column()),
    }
}

/// What is wrong with a value, and where.
pub(crate) fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> Invalid {
    let (path, words) = (error.path().to_string(), error.inner().to_string());
    let path = if path == "." { "" } else { &path };
    let words = words.split(" at line ").next().unwrap_or_default();
    let (what, rest) = words.split_once('`').unwrap_or((words, ""));
    let name: String = rest.split('`').next().unwrap_or_default().chars().take(MAX_REPEATED_CHARS).collect();
    let form = "Send the value in the form that the API reference shows.";
    match what {
        "unknown field " => {
            let fix = "Remove the field, or write it as the API reference does.";
            Invalid::new(field(path, &name), "unknown_field", "is not a field that is known here", fix)
        }
        "missing field " => Invalid::new(field(path, &name), "missing_field", "is missing", "Add the field."),
        "duplicate field " => {
            Invalid::new(field(path, &name), "invalid_type", "is given twice", "Give it once.")
        }
        "unknown variant " => {
            // The words that are known are the contract's.
            let known: Vec<_> = rest.split('`').skip(2).step_by(2).collect();
            let fix =
                if known.is_empty() { form.to_owned() } else { format!("Use one of {}.", known.join(", ")) };
            Invalid::new(
                field(path, ""),
                "invalid_type",
                format!("has a value that is not known: '{name}'"),
                fix,
            )
        }
        _ => Invalid::new(field(path, ""), "invalid_type", wrong_value(words), form),
    }
}

/// The place of the field `name` of what is at `path`.
fn field(path: &str, name: &str) -> String {
    let is_there = path.rsplit('.').next() == Some(name);
    match (path, name) {
        ("", "") => "body".to_owned(),
        ("", name) => name.to_owned(),
        (path, "") => path.to_owned(),
        (path, _) if is_there => path.to_owned(),
        (path, name) => format!("{path}.{name}"),
    }
}

/// What a value is, and what it should be: `invalid type: integer `5`, expected a string`.
fn wrong_value(words: &str) -> String {
    let otherwise = || "has a form that is not taken here".to_owned();
    let Some((kind, rest)) = words.split_once(": ") else { return otherwise() };
    let Some((found, expected)) = rest.rsplit_once(", expected ") else { return otherwise() };
    let bits = expected.strip_prefix(['u', 'i']).and_then(|bits| bits.parse::<u32>().ok());
    match (bits, found.split(' ').next().unwrap_or_default()) {
        (Some(bits), "integer") if kind == "invalid value" && expected.starts_with('u') => {
            format!("is not a number from 0 to {}", u128::MAX >> (128 - bits.clamp(1, 128)))
        }
        (Some(_), "floating" | "integer") => "is not a whole number that is taken here".to_owned(),
        (_, found) => match (found_words(found), expected_words(expected)) {
            (Some(found), Some(expected)) => format!("is {found}, and not {expected}"),
            (Some(found), None) => format!("is {found}, which is not taken here"),
            (None, Some(expected)) => format!("is not {expected}"),
            (None, None) => otherwise(),
        },
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
    struct Body {
        text: String,
        number: u32,
        items: Vec<Part>,
        part: Option<Part>,
        kind: Option<Kind>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        name: String,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Image,
        Video,
    }

    fn told(body: &str) -> String {
        match parse::<Body>(body.as_bytes()) {
            Err(RequestError::Invalid(Invalid { field, code, detail, .. })) => {
                format!("{code}: {field} {detail}")
            }
            Err(other) => other.to_string(),
            Ok(Body { text, number, items, part, kind }) => {
                let names: Vec<_> = items.into_iter().chain(part).map(|part| part.name).collect();
                format!("{text} {number} {names:?} {kind:?} {:?}", [Kind::Image, Kind::Video])
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_words_of_people() {
        for (body, words) in [
            (r#"{"text":5}"#, "invalid_type: text is a number, and not text"),
            (r#"{"text":null}"#, "invalid_type: text is null, and not text"),
            (r#"{"text":["a"]}"#, "invalid_type: text is a list, and not text"),
            (r#"{"text":{}}"#, "invalid_type: text is an object, and not text"),
            (r#"{"number":"5, expected u32"}"#, "invalid_type: number is text, and not a whole number"),
            (r#"{"number":-1}"#, "invalid_type: number is not a number from 0 to 4294967295"),
            (r#"{"number":1.5}"#, "invalid_type: number is not a whole number that is taken here"),
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
            (r#"{"kind":"Image"}"#, "invalid_type: kind has a value that is not known: 'Image'"),
            ("{", "the body is not JSON: it ends too early"),
            ("{\n\"text\" \"a\"}", "the body is not JSON: something is wrong in line 2, at column 8"),
        ] {
            assert_eq!(told(body), words, "{body}");
        }
    }
}
