//! Reads CloudFormation's YAML, and finds one's way in it.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};

/// The template as JSON: `!Ref X` is `{"Ref": "X"}`, `!Sub x` is `{"Fn::Sub": "x"}`, as CloudFormation reads them.
pub(crate) fn parse(text: &str) -> Value {
    let mut events = Parser::new_from_str(text).map(|event| match event {
        Ok((event, _)) => event,
        Err(error) => panic!("the template is not YAML: {error}"),
    });
    events.find(|event| matches!(event, Event::DocumentStart(_))).unwrap();
    node(events.next().unwrap(), &mut events)
}

fn node<'a>(event: Event<'a>, rest: &mut impl Iterator<Item = Event<'a>>) -> Value {
    let (tag, value) = match event {
        Event::Scalar(text, style, _, tag) => (tag, scalar(&text, style)),
        Event::SequenceStart(_, tag) => {
            let mut items = Vec::new();
            loop {
                match rest.next().unwrap() {
                    Event::SequenceEnd => break (tag, Value::Array(items)),
                    item => items.push(node(item, rest)),
                }
            }
        }
        Event::MappingStart(_, tag) => {
            let mut fields = Map::new();
            loop {
                let name = match rest.next().unwrap() {
                    Event::MappingEnd => break (tag, Value::Object(fields)),
                    Event::Scalar(name, ..) => name.into_owned(),
                    other => panic!("a name that is no text: {other:?}"),
                };
                let value = rest.next().unwrap();
                let value = node(value, rest);
                assert!(fields.insert(name.clone(), value).is_none(), "{name} stands there twice");
            }
        }
        other => panic!("not expected in a template: {other:?}"),
    };
    match tag {
        None => value,
        Some(tag) if matches!(tag.suffix.as_str(), "Ref" | "Condition") => json!({ &tag.suffix: value }),
        Some(tag) => json!({ format!("Fn::{}", tag.suffix): value }),
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "true" | "false") => Value::Bool(text == "true"),
        (ScalarStyle::Plain, "" | "null" | "~") => Value::Null,
        (ScalarStyle::Plain, _) => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
        _ => json!(text),
    }
}

/// `value` and everything in it, each with the way to it.
pub(crate) fn each(value: &Value) -> Vec<(String, &Value)> {
    let mut parts = vec![(String::new(), value)];
    let mut next = 0;
    while let Some((path, value)) = parts.get(next) {
        let path = path.clone();
        match value {
            Value::Object(fields) => {
                parts.extend(fields.iter().map(|(name, inner)| (format!("{path}/{name}"), inner)));
            }
            Value::Array(items) => {
                let inner = items.iter().enumerate();
                parts.extend(inner.map(|(place, inner)| (format!("{path}/{place}"), inner)));
            }
            _ => {}
        }
        next += 1;
    }
    parts
}

/// One or many: lists of one are often written without brackets.
pub(crate) fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        item => vec![item],
    }
}

/// What a resource is named by: `!GetAtt X.Arn`, or `!Sub "${X.Arn}/y"`, as `X.Arn/y`. Other forms are no name.
pub(crate) fn named(value: &Value) -> Option<String> {
    let name = value["Fn::GetAtt"].as_str().or_else(|| value["Fn::Sub"].as_str())?;
    Some(name.replace("${", "").replace('}', ""))
}

#[test]
fn the_tags_of_cloudformation_are_read_as_their_long_forms() {
    let text =
        "A: !If [Has, !Ref X, !GetAtt Y.Arn]\nB: {C: !Sub \"${Y.Arn}/z\", D: \"2012-10-17\", E: yes, F: 5xx}";
    let expected = json!({
        "A": {"Fn::If": ["Has", {"Ref": "X"}, {"Fn::GetAtt": "Y.Arn"}]},
        "B": {"C": {"Fn::Sub": "${Y.Arn}/z"}, "D": "2012-10-17", "E": "yes", "F": "5xx"},
    });
    let template = parse(text);
    assert_eq!(template, expected);
    assert_eq!(named(&template["B"]["C"]).unwrap(), "Y.Arn/z");
    assert_eq!(named(&template["A"]), None);
}

#[test]
#[should_panic(expected = "A stands there twice")]
fn a_duplicate_name_is_refused() {
    parse("A: 1\nA: 2");
}
