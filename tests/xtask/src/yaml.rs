//! Reads YAML, of which JSON is a part, as JSON.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};

/// The first document of `text`.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut events = Parser::new_from_str(text).map(|event| match event {
        Ok((event, _)) => Ok(event),
        Err(error) => Err(format!("not YAML: {error}")),
    });
    loop {
        if let Event::DocumentStart(_) = next(&mut events)? {
            let first = next(&mut events)?;
            return node(first, &mut events);
        }
    }
}

fn next<'a>(events: &mut impl Iterator<Item = Result<Event<'a>, String>>) -> Result<Event<'a>, String> {
    events.next().unwrap_or_else(|| Err("the document ends in the middle".to_owned()))
}

fn node<'a>(
    event: Event<'a>,
    rest: &mut impl Iterator<Item = Result<Event<'a>, String>>,
) -> Result<Value, String> {
    match event {
        Event::Scalar(text, style, ..) => Ok(scalar(&text, style)),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(rest)? {
                    Event::SequenceEnd => return Ok(Value::Array(items)),
                    item => items.push(node(item, rest)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut fields = Map::new();
            loop {
                let name = match next(rest)? {
                    Event::MappingEnd => return Ok(Value::Object(fields)),
                    Event::Scalar(name, ..) => name.into_owned(),
                    other => return Err(format!("a name that is no text: {other:?}")),
                };
                let value = next(rest)?;
                fields.insert(name, node(value, rest)?);
            }
        }
        other => Err(format!("not expected in a description: {other:?}")),
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return json!(text);
    }
    match text {
        "true" | "false" => json!(text == "true"),
        "" | "null" | "~" => Value::Null,
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) if number.is_finite() => json!(number),
            _ => json!(text),
        },
    }
}
